"""Neighbors for pings between more nodes than the kernel's table of neighbors holds, without a broadcast for each pair.

To ask a link of 300 hosts for a MAC address costs the kernel 300 deliveries, some 30 times what a ping costs. So each node asks
one other as usual, and one other asks it; where a link has several switches, one behind each asks one behind each other. That
shows that these nodes' broadcasts arrive. From then on a node asks with a frame to the one MAC address that the other's
interface has, as the kernel does by itself for a neighbor of old (NUD_PROBE; RFC 1122, 2.3.2.1; RFC 4861, 7.3), and only an
answer makes the entry usable: without one it is taken back, and the ping asks all as usual.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise, product
from typing import TYPE_CHECKING

from pynetemu.engine.messages.tables import NUD_FAILED, NUD_PERMANENT, NUD_PROBE
from pynetemu.engine.protocol.requests import NeighborEntries, NeighborStates, ReadFiles, ReplaceNeighbors
from pynetemu.measure.ends import End
from pynetemu.plan.operations import AddNeighbors

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab

_SECONDS_TO_FAIL = 4.0  # an unanswered neighbor is given up after three tries, one a second
_SECONDS_TO_LOOK_AGAIN, _SECONDS_OF_DETECTION = 0.001, 0.1
_ADDRESSES = "/proc/net/if_inet6"
_SCOPE_LINK, _IFA_F_DADFAILED, _IFA_F_TENTATIVE = 0x20, 0x08, 0x40  # linux/ipv6.h, linux/if_addr.h

Way = tuple[End, End]  # from an end to another one on the same link


class Introductions:
    """Makes nodes known to each other, and forgotten again. `hear` waits so many seconds for answers to pings."""

    def __init__(self, lab: "Lab", hear: Callable[[float], None]) -> None:
        self._lab, self._hear = lab, hear
        self._asking: set[str] = set()  # nodes whose broadcasts arrive
        self._asked: set[str] = set()  # nodes that broadcasts reach
        self._crossed: set[tuple[str, str]] = set()  # places between which broadcasts pass

    def await_link_local(self, nodes: Sequence[str]) -> None:
        """Waits for IPv6's addresses from which nodes ask: in their first second or two they are in duplicate detection."""
        end = time.monotonic() + _SECONDS_TO_FAIL
        while time.monotonic() < end:
            texts = self._lab.control.ask(ReadFiles(tuple(nodes), (_ADDRESSES,)))
            if not any(_is_tentative(line) for some in texts.values() for text in some for line in text.splitlines()):
                return
            self._hear(_SECONDS_OF_DETECTION)

    def met(self, near: End, far: End) -> None:
        """Notes that the one has asked for the other by broadcast, with success."""
        self._asking.add(near.node)
        self._asked.add(far.node)
        self._crossed.add((near.place, far.place))

    @contextmanager
    def asking(self, ways: Iterable[Way], forgotten: Iterable[Way] = ()) -> Iterator[list[Way]]:
        """Makes near ends ask for far ones without a broadcast, those that may, having forgotten others; gives those that may.

        The engine does it while the block runs, in which nothing else can be asked of it; `settle` waits for the answers.
        """
        asked = [
            (near, far)
            for near, far in ways
            if near.node in self._asking and far.node in self._asked and (near.place, far.place) in self._crossed
        ]
        request = ReplaceNeighbors(_entries(_with_link_local(forgotten)), _entries(asked, with_macs=True))
        if not (request.forgotten or request.asked):
            yield asked
            return
        finish = self._lab.control.begin(request)
        try:
            yield asked
        finally:
            finish()

    def settle(self, asked: Sequence[Way]) -> None:
        """Returns when those who were asked are known, or it is clear that they are not."""
        end = time.monotonic() + _SECONDS_TO_FAIL
        while True:  # the kernel asks at the next tick of its clock, and the link may be a slow one
            states = _states(self._lab, asked)
            if time.monotonic() > end or not any(state & NUD_PROBE for state in states):
                break
            self._hear(_SECONDS_TO_LOOK_AGAIN)
        if unknown := [way for way, state in zip(asked, states, strict=True) if state & (NUD_PROBE | NUD_FAILED)]:
            self._asking -= {near.node for near, _ in unknown}
            self.forget(unknown)

    def forget(self, ways: Iterable[Way]) -> None:
        """Makes room: the near ends forget the far ones."""
        with self.asking((), forgotten=ways):
            pass


def _is_tentative(line: str) -> bool:
    """A line is address, interface, prefix length, scope, flags and name, the numbers in hexadecimal."""
    _, _, _, scope, flags, _ = line.split()
    return int(scope, 16) == _SCOPE_LINK and int(flags, 16) & (_IFA_F_TENTATIVE | _IFA_F_DADFAILED) == _IFA_F_TENTATIVE


def _with_link_local(ways: Iterable[Way]) -> Iterator[Way]:
    """Nodes ask for IPv6 addresses from their link-local ones, which are learned too."""
    for near, far in ways:
        yield near, far
        if ":" in far.address and far.link_local:
            yield near, far._replace(address=far.link_local)


def _entries(ways: Iterable[Way], with_macs: bool = False) -> dict[str, NeighborEntries]:
    by_node: dict[str, list[Way]] = {}
    for way in ways:
        by_node.setdefault(way[0].node, []).append(way)
    return {
        node: NeighborEntries(
            tuple([near.ifindex for near, _ in some]),
            tuple([far.address for _, far in some]),
            tuple([far.mac for _, far in some]) if with_macs else (),
        )
        for node, some in by_node.items()
    }


def _states(lab: "Lab", ways: Iterable[Way]) -> list[int]:
    """The states (NUD_*) of entries, 0 for what is not there."""
    ways = list(ways)
    found = lab.control.ask(NeighborStates(_entries(ways)))
    in_order = {node: iter(states) for node, states in found.items()}
    return [next(in_order[near.node]) for near, _ in ways]


def first_meetings(ends: Sequence[End]) -> Iterator[Way]:
    """Who asks whom by broadcast, of the ends on one link: each asks one and is asked by one, and so for each two places."""
    crossed: set[tuple[str, str]] = set()
    for near, far in pairwise([*ends, ends[0]]) if len(ends) > 2 else ():
        crossed.add((near.place, far.place))
        yield near, far
    first = {end.place: end for end in reversed(ends)}
    last = {end.place: end for end in ends}
    for here, there in product(first, repeat=2):
        if here != there and (here, there) not in crossed:
            yield (first[here], first[there]) if here < there else (last[here], last[there])


def permanent(lab: "Lab", ways: Sequence[Way | None]) -> list[bool]:
    """Which of these the description has made known, so that the kernel's limit is not for them.

    One such neighbor of each node is looked up, since the user may have made it forget them.
    """
    told = _Told(lab)
    groups = [told.group(way) for way in ways]
    examples = {(way[0].node, group): way for way, group in zip(ways, groups, strict=True) if way and group is not None}
    known = {key for key, state in zip(examples, _states(lab, examples.values()), strict=True) if state & NUD_PERMANENT}
    return [way is not None and (way[0].node, group) in known for way, group in zip(ways, groups, strict=True)]


class _Told:
    """What the description says of neighbors."""

    def __init__(self, lab: "Lab") -> None:
        self._operations = lab.inventory.of_type(AddNeighbors)
        self._members = [set(operation.nodes) for operation in self._operations]
        self._centers = [{operation.nodes[place] for place in operation.centers} for operation in self._operations]
        self._groups = {str(ip): group for group, operation in enumerate(self._operations) for ip in operation.addresses}

    def group(self, way: Way | None) -> int | None:
        """The number of the group in which the near end knows the far one; None when it does not."""
        if way is None or not self._groups:
            return None
        near, far = way
        group = self._groups.get(far.address)
        if group is None or near.node not in self._members[group]:
            return None
        centers = self._centers[group]
        return group if not centers or near.node in centers or far.node in centers else None
