"""Keeps a picture of what the kernel has in nodes, and tells what changes: what `lab.stream` runs in a thread.

One socket hears all nodes (`engine.live.hub`). What a message says of a link or an address is taken at once, so that a link
that is down for a moment is seen to be; but the kernel does not tell all: the IPv4 routes that go with a link, or where the
far end of a moved veth pair is now. So routes, rules, and the links at both ends of what came, went or moved are read again.
When the socket overflows everything is.
"""

import dataclasses
import errno
import socket
import struct
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from pynetemu.engine.messages.framing import messages
from pynetemu.engine.messages.rules import RTM_DELRULE, RTM_NEWRULE
from pynetemu.engine.messages.tables import (
    NUD_FAILED,
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_DELROUTE,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWNEIGH,
    RTM_NEWROUTE,
    AddressMessage,
    LinkMessage,
    NeighborMessage,
)
from pynetemu.engine.protocol.requests import OpenListener
from pynetemu.errors import LabError
from pynetemu.lab.connection import LabEnded
from pynetemu.lab.events import AddressEvent, LabEvent, LinkEvent, LostEvent, NeighborEvent, RouteEvent, RuleEvent
from pynetemu.lab.reading import LabState, interface_address, is_neighbor, neighbor_state, read
from pynetemu.lab.state import InterfaceState, Neighbor, RouteState, RuleState

if TYPE_CHECKING:
    from pynetemu.lab.connection import Connection
    from pynetemu.plan.operations import InterfaceAddress

PICTURE = ("links", "addresses", "routes", "rules")
_GROUPS = (1, 3, 5, 7, 8, 9, 11, 19, 32)  # RTNLGRP_LINK, NEIGH, then addresses, routes and rules of IPv4 and IPv6, NEXTHOP
_NEXT_HOPS = (104, 105)  # RTM_NEWNEXTHOP, RTM_DELNEXTHOP
_SOL_NETLINK = 270
_NUMBER = struct.Struct("=i")
_DATAGRAM = 1 << 16
_LOCAL, _CLONED = 255, 0x2  # a table; RTM_F_CLONED >> 8, in the third byte of the flags' four
_MOST_TURNS = 5  # of reading far ends of far ends

_T = TypeVar("_T")
_Index = tuple[str, int]  # a node, and the index of an interface


class LabLike(Protocol):
    """What is needed of a lab."""

    name: str

    @property
    def control(self) -> "Connection": ...
    @property
    def nodes(self) -> tuple[str, ...]: ...
    def fileno(self) -> int: ...


class Listening:
    """The picture of all nodes; events are told of some of them, or of all for none."""

    def __init__(self, lab: LabLike, nodes: Sequence[str]) -> None:
        self._lab, self._told = lab, set(nodes)
        self._nodes: dict[int, str] = {}  # by their numbers in the hub
        self._known: set[str] = set()
        self._links: dict[_Index, InterfaceState] = {}
        self._addresses: dict[_Index, dict[str, InterfaceAddress]] = {}
        self._routes: dict[str, list[RouteState]] = {}
        self._rules: dict[str, list[RuleState]] = {}
        self._neighbors: dict[tuple[str, int, str], Neighbor] = {}
        self._first: LabState | None = None  # the picture of the beginning, from which that of a node is made when it is needed
        self._pictured: set[str] = set()
        self._events: list[LabEvent] = []
        self._dirty: dict[str, dict[str, float]] = {"links": {}, "routes": {}, "rules": {}}  # nodes, and since when
        self._empty_at = 0.0  # when there was nothing left to read

    def start(self, read: Callable[[], LabState] | None = None) -> None:
        """Listens, then reads all nodes, by `read` where that is given, so that nothing is missed in between. Raises LabError.

        The picture of a node is made when something is heard of it: in a large lab most nodes have no news.
        """
        self.socket = socket.socket(fileno=self._lab.control.ask(OpenListener(_GROUPS)))
        try:
            self.socket.setblocking(False)
            self._empty_at = time.time()
            self._first = read() if read is not None else self._read_whole()
            if read is None:
                _ = self._first.interfaces  # asks for far ends that are in none of the nodes
        except BaseException:
            self.socket.close()
            raise
        self._nodes, self._known = self._first.numbers, set(self._first.nodes)

    def _picture(self, node: str) -> None:
        """Makes the picture of a node as it was at the beginning."""
        state = self._first
        if state is None or node in self._pictured or node not in self._known:
            return
        self._pictured.add(node)
        for link in state.interfaces_of(node):
            self._links[node, link.index] = dataclasses.replace(link, addresses=())
            if link.addresses:
                self._addresses[node, link.index] = {str(own): own for own in link.addresses}
        self._routes[node], self._rules[node] = state.routes_of(node), state.rules_of(node)

    def close(self) -> None:
        self.socket.close()

    def heard(self, waited_since: float | None) -> list[LabEvent]:
        """What has happened; `waited_since` says from when on nobody did anything but wait for it."""
        since = self._empty_at if waited_since is None else max(self._empty_at, waited_since)
        self._take_all(since)
        try:
            self._settle()
        except LabEnded:
            raise
        except LabError:  # a node has just been removed
            self._read_all(since)
        return self._told_now()

    def look_again(self) -> list[LabEvent]:
        """Reads everything again, since there may be other nodes: what differs."""
        self._read_all(self._empty_at)
        return self._told_now()

    def _told_now(self) -> list[LabEvent]:
        events, self._events = self._events, []
        return [event for event in events if not self._told or event.node in self._told or isinstance(event, LostEvent)]

    def _take_all(self, since: float) -> None:
        while True:
            now = time.time()
            try:
                data, ancillary, _, _ = self.socket.recvmsg(_DATAGRAM, socket.CMSG_SPACE(_NUMBER.size))
            except BlockingIOError:
                self._empty_at = now
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._events.append(LostEvent(time=now, since=since, node=""))
                self._read_all(since)
                continue
            number = next((_NUMBER.unpack(value)[0] for level, _, value in ancillary if level == _SOL_NETLINK), -1)
            node = self._nodes.get(number)
            for kind, _, _, body in messages(data) if node is not None else ():
                self._take(node, kind, body, since, time.time())  # type: ignore[arg-type]  # it is none of None

    def _take(self, node: str, kind: int, body: bytes, since: float, now: float) -> None:
        self._picture(node)
        if kind in (RTM_NEWLINK, RTM_DELLINK):
            if body[0] != socket.AF_BRIDGE:  # what bridges tell of their ports comes as a link too
                self._take_link(node, kind, LinkMessage(body), since, now)
        elif kind in (RTM_NEWADDR, RTM_DELADDR):
            self._take_address(node, kind, AddressMessage(body), since, now)
        elif kind in (RTM_NEWROUTE, RTM_DELROUTE):
            if body[4] != _LOCAL and not body[9] & _CLONED:
                self._mark("routes", node, since)
        elif kind in _NEXT_HOPS:
            self._mark("routes", node, since)
        elif kind in (RTM_NEWRULE, RTM_DELRULE):
            self._mark("rules", node, since)
        elif kind == RTM_NEWNEIGH:
            self._take_neighbor(node, NeighborMessage(body), since, now)

    def _name(self, node: str, index: int) -> str:
        link = self._links.get((node, index))
        return link.name if link is not None else ""

    def _mark(self, table: str, node: str, since: float) -> None:
        self._dirty[table].setdefault(node, since)

    def _take_link(self, node: str, kind: int, link: LinkMessage, since: float, now: float) -> None:
        before = self._links.get((node, link.index))
        if kind == RTM_DELLINK or before is None or (link.mac != before.mac and link.name != before.name):
            self._mark("links", node, since)
            self._mark("routes", node, since)
            return
        master = self._links.get((node, link.master))
        after = dataclasses.replace(
            before,
            name=link.name,
            mac=link.mac,
            mtu=link.mtu,
            master=master.name if master else "",
            is_up=link.is_up,
            has_carrier=link.has_lower_up,
        )
        self._links[node, link.index] = after
        self._tell_link(before, after, since, now)
        if before.name != after.name and after.peer is not None:
            self._mark("links", after.peer[0], since)  # there it is known by its name
        if not after.is_up or before.master != after.master:
            self._mark("routes", node, since)

    def _tell_link(self, before: InterfaceState, after: InterfaceState, since: float, now: float) -> None:
        """What has changed about an interface that stays where it is."""

        def tell(what: str) -> None:
            self._events.append(LinkEvent(time=now, since=since, node=after.node, what=what, before=before, after=after))  # type: ignore[arg-type]  # each is one of its words

        if before.name != after.name:
            tell("renamed")
            self._routes[after.node] = [_renamed(route, before.name, after.name) for route in self._routes.get(after.node, ())]
        was, is_ = before.is_up and before.has_carrier, after.is_up and after.has_carrier
        if was != is_:
            tell("up" if is_ else "down")
        if _differs(before, after) or (was == is_ and before.is_up != after.is_up):
            tell("changed")

    def _take_address(self, node: str, kind: int, message: AddressMessage, since: float, now: float) -> None:
        own = interface_address(message)
        known = self._addresses.setdefault((node, message.index), {})
        is_there = kind == RTM_NEWADDR
        if is_there == (str(own) in known):
            return
        if is_there:
            known[str(own)] = own
        else:
            del known[str(own)]
            self._mark("routes", node, since)  # those that are sent from it go too, in old kernels without a word
        self._tell_address(node, self._name(node, message.index), own, is_there, since, now)

    def _tell_address(self, node: str, name: str, own: "InterfaceAddress", is_there: bool, since: float, now: float) -> None:
        before, after = (None, own) if is_there else (own, None)
        self._events.append(AddressEvent(time=now, since=since, node=node, interface=name, before=before, after=after))

    def _take_neighbor(self, node: str, message: NeighborMessage, since: float, now: float) -> None:
        if not is_neighbor(message):
            return
        after = neighbor_state(node, message, {message.index: self._name(node, message.index)})
        key = node, message.index, str(after.address)
        before = self._neighbors.get(key)
        self._neighbors[key] = after
        if message.state & NUD_FAILED and (before is None or before.state != after.state):
            self._events.append(NeighborEvent(time=now, since=since, node=node, before=before, after=after))

    def _settle(self) -> None:
        """Reads what messages only hint at."""
        if self._dirty["links"]:
            self._read_links()
        for table, nodes in (("routes", self._dirty["routes"]), ("rules", self._dirty["rules"])):
            if nodes:
                self._dirty[table] = {}
                self._read_others(table, nodes)

    def _read_links(self) -> None:
        """Those of nodes of which something was told, and of the nodes at the far ends, which the kernel does not tell."""
        gone: list[tuple[InterfaceState, float]] = []
        come: list[tuple[InterfaceState, float]] = []
        done: set[str] = set()
        for _ in range(_MOST_TURNS):
            waiting = {node: since for node, since in self._dirty["links"].items() if node in self._known - done}
            self._dirty["links"] = {}
            if not waiting:
                break
            done |= waiting.keys()
            state = read(self._lab.control, waiting, ("links",))
            for node, since in waiting.items():
                self._picture(node)
                self._compare_links(node, state.interfaces_of(node), since, gone, come)
        self._tell_places(gone, come)

    def _compare_links(
        self,
        node: str,
        found: list[InterfaceState],
        since: float,
        gone: list[tuple[InterfaceState, float]],
        come: list[tuple[InterfaceState, float]],
    ) -> None:
        now = time.time()
        old = {index: link for (owner, index), link in self._links.items() if owner == node}
        new = {link.index: link for link in found}
        for index in old.keys() | new.keys():
            before, after = old.get(index), new.get(index)
            if before is not None and after is not None and before.mac != after.mac and before.name != after.name:
                gone.append((before, since))  # another one has its index
                come.append((after, since))
            elif before is None or after is None:
                gone += [(before, since)] if before is not None else []
                come += [(after, since)] if after is not None else []
            else:
                self._tell_link(before, after, since, now)
            if before is None or after is None or before.peer != after.peer:
                for link in (before, after):
                    if link is not None and link.peer is not None and link.peer[0] in self._known:
                        self._mark("links", link.peer[0], since)
        for index in old:
            del self._links[node, index]
        self._links |= {(node, index): link for index, link in new.items()}

    def _tell_places(self, gone: list[tuple[InterfaceState, float]], come: list[tuple[InterfaceState, float]]) -> None:
        """One that is gone here and has come there has moved."""
        now = time.time()
        for before, since in gone:
            moved = next((one for one in come if (one[0].mac, one[0].kind) == (before.mac, before.kind)), None)
            if moved is not None and moved[0].node != before.node:
                come.remove(moved)
                event = LinkEvent(time=now, since=since, node=before.node, what="moved", before=before, after=moved[0])
            else:
                event = LinkEvent(time=now, since=since, node=before.node, what="removed", before=before, after=None)
            self._events.append(event)
        for after, since in come:
            self._events.append(LinkEvent(time=now, since=since, node=after.node, what="added", before=None, after=after))

    def _read_others(self, table: str, nodes: dict[str, float]) -> None:
        state = read(self._lab.control, nodes, ("links", table) if table == "routes" else (table,))
        for node, since in nodes.items():
            if table == "routes":
                self._compare_routes(node, state.routes_of(node), since)
            else:
                self._compare_rules(node, state.rules_of(node), since)

    def _compare_routes(self, node: str, after: list[RouteState], since: float) -> None:
        before, self._routes[node] = self._routes.get(node, []), after
        self._events += _of_routes(node, before, after, since, time.time())

    def _compare_rules(self, node: str, after: list[RuleState], since: float) -> None:
        before, self._rules[node] = self._rules.get(node, []), after
        self._events += of_rules(node, before, after, since, time.time())

    def _read_all(self, since: float) -> None:
        """Everything, of all nodes, and what differs from the picture."""
        for node in list(self._known):
            self._picture(node)
        state, self._first = self._read_whole(), None
        self._nodes, self._known = state.numbers, set(state.nodes)
        for place in [place for place in self._links if place[0] not in self._known]:  # went with their nodes
            del self._links[place]
            self._addresses.pop(place, None)
        gone: list[tuple[InterfaceState, float]] = []
        come: list[tuple[InterfaceState, float]] = []
        for node in state.nodes:
            now = time.time()
            found = state.interfaces_of(node)
            plain = [dataclasses.replace(link, addresses=()) for link in found]
            there = {link.index: link for link in found}
            for index in {index for owner, index in self._addresses if owner == node} - there.keys():
                self._compare_addresses((node, index), self._name(node, index), (), since, now)
            self._compare_links(node, plain, since, gone, come)
            for link in found:
                self._compare_addresses((node, link.index), link.name, link.addresses, since, now)
            self._compare_routes(node, state.routes_of(node), since)
            self._compare_rules(node, state.rules_of(node), since)
        self._tell_places(gone, come)
        for table in self._dirty.values():
            table.clear()

    def _read_whole(self) -> LabState:
        """Raises LabEnded."""
        while True:
            try:
                return read(self._lab.control, self._lab.nodes, PICTURE)
            except LabEnded:
                raise
            except LabError:  # a node has been removed meanwhile
                continue

    def _compare_addresses(
        self, place: _Index, name: str, addresses: "Sequence[InterfaceAddress]", since: float, now: float
    ) -> None:
        before = self._addresses.pop(place, {})
        after = {str(own): own for own in addresses}
        if after:
            self._addresses[place] = after
        for text in before.keys() - after.keys():
            self._tell_address(place[0], name, before[text], False, since, now)
        for text in after.keys() - before.keys():
            self._tell_address(place[0], name, after[text], True, since, now)


def _differs(before: InterfaceState, after: InterfaceState) -> bool:
    fields = "mtu", "mac", "master"
    return any(getattr(before, name) != getattr(after, name) for name in fields) or _leads_elsewhere(before, after)


def _leads_elsewhere(before: InterfaceState, after: InterfaceState) -> bool:
    """Whether the other end is in another node, or is another interface; that it has another name is told there."""
    return before.peer is not None and after.peer is not None and before.peer[0] != after.peer[0]


def _of_routes(node: str, before: list[RouteState], after: list[RouteState], since: float, now: float) -> Iterator[RouteEvent]:
    """What has gone and what has come; of both for one destination, what it was and what it is now."""
    old, new = {route.text: route for route in before}, {route.text: route for route in after}
    gone = [route for text, route in old.items() if text not in new]
    come = [route for text, route in new.items() if text not in old]
    for was, is_ in _pairs(gone, come, lambda route: (route.destination, route.table, route.metric, route.ds_field)):
        yield RouteEvent(time=now, since=since, node=node, before=was, after=is_)


def of_rules(node: str, before: list[RuleState], after: list[RuleState], since: float, now: float) -> Iterator[RuleEvent]:
    """The same of rules: of both at one place in their order, what it was and what it is now."""
    gone = [rule for rule in before if rule not in after]
    come = [rule for rule in after if rule not in before]
    for was, is_ in _pairs(gone, come, lambda rule: (rule.version, rule.priority)):
        yield RuleEvent(time=now, since=since, node=node, before=was, after=is_)


def _pairs(gone: Sequence[_T], come: Sequence[_T], key: Callable[[_T], Hashable]) -> Iterator[tuple[_T | None, _T | None]]:
    """What has gone, each with what has come instead, of the same key, if there is any; and what else has come."""
    waiting: dict[Hashable, list[_T]] = {}
    for one in come:
        waiting.setdefault(key(one), []).append(one)
    for one in gone:
        instead = waiting.get(key(one))
        yield one, instead.pop(0) if instead else None
    yield from ((None, one) for some in waiting.values() for one in some)


def _renamed(route: RouteState, old: str, new: str) -> RouteState:
    """A route is by the same interface, whatever that is called."""
    hops = tuple((gateway, new if interface == old else interface) for gateway, interface in route.hops)
    return dataclasses.replace(route, hops=hops)
