"""Packets as they pass, for people: one line each.

with Live(network, ["blue"], "icmp") as live:
    for sighting in live.follow():
        print(sighting.line(width=10))
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pynetemu.capture.capture import open_rings
from pynetemu.capture.marks import BYTES, Marked, Sent
from pynetemu.capture.merge import MergedRings
from pynetemu.capture.pcap_filter import compile_filter
from pynetemu.capture.ring import Packet as Seen
from pynetemu.capture.ring import as_ethernet, packets
from pynetemu.capture.selection import by_node, names_of
from pynetemu.capture.selection import select as choose
from pynetemu.engine.rings import WAIT
from pynetemu.lab.connection import readable
from pynetemu.packets.dissect import Packet, dissect

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab

_ADDRESSES_IN_TEXT = ("ARP", "ND")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A packet at an interface; `seconds` since the first one that was seen.

    `comments` say what its link was asked to do to it, where it is a relayed one.
    """

    seconds: float
    node: str
    interface: str
    outgoing: bool
    packet: Packet
    source: str
    destination: str
    length: int
    comments: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """ "blue.eth0"."""
        return f"{self.node}.{self.interface}"

    @property
    def text(self) -> str:
        """ "blue → root  ICMP echo request seq 1  ttl 64"."""
        who = "" if self.packet.protocol in _ADDRESSES_IN_TEXT else f"{self.source} → {self.destination}  "
        ttl = f"  ttl {self.packet.ttl}" if self.packet.ttl is not None else ""
        vlan = f"  vlan {self.packet.vlan}" if self.packet.vlan is not None else ""
        return f"{who}{self.packet.text}{ttl}{vlan}"


class Live:
    """What is selected of a lab, from the beginning of `with` to its end; `lost` is what came too fast, known at the end.

    `width` is the length of the longest name of an interface.

    Raises LabError and FilterError for what is wrong in the call.
    """

    def __init__(self, lab: "Lab", what: Sequence[str], filter: str) -> None:
        self.lab, self.what, self.filter = lab, what, filter
        self.lost = 0
        self._first = 0

    def __enter__(self) -> Self:
        selection = choose(self.lab, self.what)
        self._names = names_of(self.lab)
        program = compile_filter(self.filter, by_node(self._names))
        found = self.lab.interfaces(*selection)
        self.width = max((len(f"{interface.node}.{interface.name}") for interface in found), default=0)
        self._merged = MergedRings(open_rings(self.lab, selection, program), _take, _time_of)
        self._places = {(interface.node, interface.index) for interface in found}
        self._marked = Marked(self.lab, self._places, _sent_of, _time_of, _with_comments)
        return self

    def __exit__(self, *_: object) -> None:
        self.lost = sum(lost for _, lost in self._merged.statistics().values())
        self._merged.close()

    def follow(self) -> Iterator[Sighting]:
        """What is seen, as it comes, until the lab ends."""
        lab = os.dup(self.lab.fileno())
        try:
            watched: list[MergedRings[_Seen] | int] = [self._merged, lab]
            while lab not in readable(watched, WAIT if self._marked.holds else self._merged.wait):
                yield from self._told(self._merged.read())
            yield from self.rest()
        finally:
            os.close(lab)

    def rest(self) -> Iterator[Sighting]:
        """Stops, and gives what has been seen and not told yet."""
        yield from self._told(self._merged.rest(), last=True)

    def _told(self, found: "list[_Seen]", last: bool = False) -> Iterator[Sighting]:
        self._places.update((node, seen.ifindex) for node, seen, _ in found)
        return map(self._sighting, self._marked.pass_on(found, last))

    def _sighting(self, found: "_Seen") -> Sighting:
        node, seen, comments = found
        self._first = self._first or seen.time
        ring = self._merged.rings[node]
        interface = ring.interface(seen.ifindex)
        packet = dissect(seen.data if ring.is_ethernet(seen.ifindex) else as_ethernet(seen.data), self._name)
        names = self._name(packet.source), self._name(packet.destination)
        return Sighting((seen.time - self._first) / 1e9, node, interface, seen.outgoing, packet, *names, seen.length, comments)

    def _name(self, address: str) -> str:
        return self._names.get(address, address)


_Seen = tuple[str, Seen, tuple[str, ...]]  # by a node, with comments


def _take(node: str, block: memoryview) -> Iterator[_Seen]:
    return ((node, packet, ()) for packet in packets(block))


def _time_of(found: _Seen) -> int:
    return found[1].time


def _sent_of(found: _Seen) -> Sent | None:
    node, seen, _ = found
    return (node, seen.ifindex, seen.data[:BYTES]) if seen.outgoing else None


def _with_comments(found: _Seen, comments: list[str]) -> _Seen:
    return found[0], found[1], tuple(comments)
