"""One packet on its way through the lab: where it was seen, which nodes it crossed, where it ended."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pynetemu.trace.sources.events import Event

if TYPE_CHECKING:
    from scapy.packet import Packet as ScapyPacket


@dataclass(slots=True, eq=False)
class Sighting:
    """A packet seen at one place; `before` is where it was seen on the way there."""

    event: Event
    before: "Sighting | None" = None

    @property
    def came(self) -> int:
        """When the packet came to the node in which it was seen here, or was made there."""
        time = self.event.time
        for sighting in self.back():
            if sighting.event.node != self.event.node:
                break
            time = sighting.event.time
        return time

    def back(self) -> "Iterator[Sighting]":
        """This sighting, and those on the way to it, the last first."""
        sighting: Sighting | None = self
        while sighting is not None:
            yield sighting
            sighting = sighting.before


@dataclass(frozen=True, slots=True)
class Hop:
    """A packet's stay in one node: when it came by which interface, and when it left by which others.

    `arrived` is None where the journey began, `left` empty where it ended; times are nanoseconds since 1970.
    """

    node: str
    time: int
    arrived: Sighting | None
    left: tuple[Sighting, ...]
    dropped: Sighting | None = None


@dataclass(slots=True, eq=False, repr=False)
class Journey:
    """One packet's way through the lab: a tree of sightings, since a switch may send copies to several ports."""

    sightings: list[Sighting] = field(default_factory=list)
    number: int = 0
    again: bool = False  # the same as one before, sent once more
    freed: bool = False  # the kernel was seen to be done with it

    def __repr__(self) -> str:
        return f"<Journey {self.number}: {' → '.join(self.path)}>" if self.sightings else "<Journey of nothing>"

    @property
    def first(self) -> Event:
        """Where it was seen first."""
        return self.sightings[0].event

    @property
    def time(self) -> int:
        """When it was seen first, in nanoseconds since 1970."""
        return self.first.time

    @property
    def path(self) -> tuple[str, ...]:
        """The nodes in the order in which they saw it: ("blue", "s1", "r1", "root")."""
        return tuple(dict.fromkeys(node for node, _ in self._walk()))

    def _walk(self) -> Iterator[tuple[str, Sighting]]:
        return ((sighting.event.node, sighting) for sighting in self.sightings)

    @property
    def leaves(self) -> list[Sighting]:
        """The sightings after which there is no other."""
        continued = {id(sighting.before) for sighting in self.sightings}
        return [sighting for sighting in self.sightings if id(sighting) not in continued]

    @property
    def hops(self) -> list[Hop]:
        """The stays in nodes, in the order of arrival."""
        stays: list[tuple[Sighting | None, list[Sighting]]] = []
        stay_of: dict[int, int] = {}
        for sighting in self.sightings:
            before = sighting.before
            if before is not None and before.event.node == sighting.event.node:
                number = stay_of[id(before)]
                stays[number][1].append(sighting)
            else:
                number = len(stays)
                arrived = sighting if sighting.event.kind == "in" else None
                stays.append((arrived, [] if arrived else [sighting]))
            stay_of[id(sighting)] = number
        return [_hop(arrived, later) for arrived, later in stays]

    @property
    def scapy(self) -> "ScapyPacket":
        """The packet as it began, taken apart by scapy in full."""
        from pynetemu.crafting.whole_packet import whole_packet

        return whole_packet(self.first.data)

    @property
    def links_crossed(self) -> int:
        """How many links it was seen to cross, copies counted too."""
        return sum(
            sighting.event.kind == "in" and sighting.before is not None and sighting.before.event.node != sighting.event.node
            for sighting in self.sightings
        )


def _hop(arrived: Sighting | None, later: list[Sighting]) -> Hop:
    first = arrived or later[0]
    left = tuple(sighting for sighting in later if sighting.event.kind == "out")
    dropped = next((sighting for sighting in later if sighting.event.kind == "drop"), None)
    return Hop(first.event.node, first.event.time, arrived, left, dropped)
