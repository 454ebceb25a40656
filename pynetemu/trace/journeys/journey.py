"""Sightings of one packet joined into its journey: across links, switches, routers and address translation.

    for journey in join(events, wiring):
        print(journey.number, journey.path)

Where the engine knows the kernel's buffer (sk_buff), that is the packet's identity: a veth, a bridge and a router hand the same
one on. Addresses are used again for later packets, so topology and content must agree as well. Where it does not, a packet is
known by its bytes: the same frame at both ends of a link, and in a node by what no hop changes (`identity`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pynetemu.packets.background import is_chatter
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event

if TYPE_CHECKING:
    from scapy.packet import Packet as ScapyPacket


@dataclass(slots=True, eq=False)
class Sighting:
    """A packet seen at one place; `before` is where it was seen on the way there."""

    event: Event
    before: "Sighting | None" = None


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


@dataclass(slots=True, eq=False)
class Journey:
    """One packet's way through the lab: a tree of sightings, since a switch may send copies to several ports."""

    sightings: list[Sighting] = field(default_factory=list)
    number: int = 0
    again: bool = False  # the same as one before, sent once more
    freed: bool = False  # the kernel was seen to be done with it

    @property
    def first(self) -> Event:
        return self.sightings[0].event

    @property
    def time(self) -> int:
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
        import scapy.layers.inet  # without these two, scapy takes IP for a payload
        import scapy.layers.inet6  # noqa: F401
        from scapy.layers.l2 import Ether

        return Ether(self.first.data)

    @property
    def links_crossed(self) -> int:
        return sum(
            sighting.event.kind == "in" and sighting.before is not None and sighting.before.event.node != sighting.event.node
            for sighting in self.sightings
        )


def _hop(arrived: Sighting | None, later: list[Sighting]) -> Hop:
    first = arrived or later[0]
    left = tuple(sighting for sighting in later if sighting.event.kind == "out")
    dropped = next((sighting for sighting in later if sighting.event.kind == "drop"), None)
    return Hop(first.event.node, first.event.time, arrived, left, dropped)


def join(events: Iterable[Event], wiring: Wiring) -> list[Journey]:
    """The journeys of all packets, in the order in which they began; events must be in the order of time.

    They are numbered from 1; what kernels chat by themselves comes last.
    """
    from pynetemu.trace.journeys.by_buffer import ByBuffer
    from pynetemu.trace.journeys.by_content import ByContent
    from pynetemu.trace.journeys.retransmissions import mark_repeats

    content, buffer = ByContent(wiring), ByBuffer(wiring)
    for event in events:
        if event.buffer:
            buffer.add(event)
        else:
            content.add(event)
    journeys = sorted([*content.journeys, *buffer.journeys], key=lambda one: (is_chatter(one.first.data), one.time))
    for number, journey in enumerate(journeys, start=1):
        journey.number = number
    mark_repeats(journeys)
    return journeys
