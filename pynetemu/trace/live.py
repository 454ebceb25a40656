"""Packets as they pass, for people: one line each.

with Live(network, ["blue"], "icmp") as live:
    for sighting in live.follow():
        print(sighting.line(width=10))
"""

import os
import select
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pynetemu.trace.capture import open_taps
from pynetemu.trace.dissect import Packet, dissect
from pynetemu.trace.filters import compile_filter
from pynetemu.trace.ring import Packet as Seen
from pynetemu.trace.ring import packets
from pynetemu.trace.selection import by_node, names_of
from pynetemu.trace.selection import select as choose
from pynetemu.trace.taps import Taps

if TYPE_CHECKING:
    from pynetemu.network.network import Network

_ADDRESSES_IN_TEXT = ("ARP", "ND")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A packet at an interface; `seconds` since the first one that was seen."""

    seconds: float
    node: str
    interface: str
    outgoing: bool
    packet: Packet
    source: str
    destination: str
    length: int

    @property
    def place(self) -> str:
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

    def __init__(self, network: "Network", what: Sequence[str], filter: str) -> None:
        self.network, self.what, self.filter = network, what, filter
        self.lost = 0
        self._first = 0

    def __enter__(self) -> Self:
        selection = choose(self.network, self.what)
        self._names = names_of(self.network)
        program = compile_filter(self.filter, by_node(self._names))
        found = self.network.interfaces(*selection)
        self.width = max((len(f"{interface.node}.{interface.name}") for interface in found), default=0)
        self._taps: Taps[tuple[str, Seen]] = open_taps(self.network, selection, program, _take)
        return self

    def __exit__(self, *_: object) -> None:
        self.lost = sum(lost for _, lost in self._taps.statistics().values())
        self._taps.close()

    def follow(self) -> Iterator[Sighting]:
        """What is seen, as it comes, until the lab ends."""
        lab = os.dup(self.network.fileno())
        try:
            watched: list[Taps[tuple[str, Seen]] | int] = [self._taps, lab]
            while lab not in select.select(watched, [], [], self._taps.wait)[0]:
                yield from map(self._sighting, self._taps.read())
            yield from self.rest()
        finally:
            os.close(lab)

    def rest(self) -> Iterator[Sighting]:
        """Stops, and gives what has been seen and not told yet."""
        yield from map(self._sighting, self._taps.rest())

    def _sighting(self, found: tuple[int, tuple[str, Seen]]) -> Sighting:
        time, (node, seen) = found
        self._first = self._first or time
        packet = dissect(seen.data, self._name)
        interface = self._taps.rings[node].interface(seen.ifindex)
        names = self._name(packet.source), self._name(packet.destination)
        return Sighting((time - self._first) / 1e9, node, interface, seen.outgoing, packet, *names, seen.length)

    def _name(self, address: str) -> str:
        return self._names.get(address, address)


def _take(node: str, block: memoryview) -> Iterator[tuple[int, tuple[str, Seen]]]:
    return ((packet.time, (node, packet)) for packet in packets(block))
