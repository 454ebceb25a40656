"""Joins sightings by what the packets are: for engines that see frames at interfaces and nothing else."""

from collections import defaultdict, deque
from dataclasses import dataclass

from pynetemu.packets.encapsulation import inner_frame
from pynetemu.packets.identity import Identity, identity
from pynetemu.plan.inventory import Place
from pynetemu.trace.journeys.journey import Journey, Sighting
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event

_ON_LINK = 200_000_000  # ns: a veth hands over at once; queues (tc) are before the sighting
_IN_NODE = 10_000_000_000  # ns: in a node a packet may wait for ARP, or in a queue
_NO_PLACE: Place = ("", "")


@dataclass(slots=True)
class _Stay:
    """A packet in a node: where it was seen last, and by which interfaces it has left."""

    sighting: Sighting
    journey: Journey
    who: Identity
    left_by: tuple[str, ...] = ()


class ByContent:
    def __init__(self, wiring: Wiring) -> None:
        self.journeys: list[Journey] = []
        self._wiring = wiring
        self._on_links: dict[tuple[Place, bytes], deque[tuple[Sighting, Journey]]] = defaultdict(deque)
        self._in_nodes: dict[tuple[str, object], list[_Stay]] = defaultdict(list)
        self._at_parents: dict[tuple[str, Place, bytes], tuple[Sighting, Journey]] = {}  # by direction, place, bytes

    def add(self, event: Event) -> None:
        """Takes one sighting into the journey that it belongs to, or begins a new one."""
        if event.kind == "in":
            self._arrive(event)
        elif event.kind == "out":
            self._leave(event)
        elif event.kind == "drop":
            self._drop(event)

    def _arrive(self, event: Event) -> None:
        place, who = (event.node, event.interface), identity(event.data)
        wired = place in self._wiring.peers
        if (parent := self._wiring.under.get(place)) and (found := self._beside(parent, event, ("in", "out"))):
            self._join(event, who, *found)
            return
        if not wired and (stay := self._latest(event, who)) is not None:
            # An interface without a link, such as a bridge or the end of a tunnel: the frame is handed up to it.
            handed_up = Sighting(event, stay.sighting)
            stay.journey.sightings.append(handed_up)
            if place not in self._wiring.bridges:  # a bridge gets a copy; what is out of a tunnel, or of a bond, goes on
                stay.sighting = handed_up
            return
        found = self._from_link(place if wired else _NO_PLACE, event)
        if found is not None:
            event = event._replace(data=found[0].event.data)  # the same bytes, kept once
            sighting, journey = Sighting(event, found[0]), found[1]
        else:
            sighting, journey = Sighting(event), self._begin()
        journey.sightings.append(sighting)
        if place in self._wiring.parents:
            self._at_parents["in", place, event.data] = sighting, journey
        self._in_nodes[event.node, who.key].append(_Stay(sighting, journey, who))
        if (inner := inner_frame(event.data)) is not None:  # here it may leave its tunnel
            carried = identity(inner)
            self._in_nodes[event.node, carried.key].append(_Stay(sighting, journey, carried))

    def _leave(self, event: Event) -> None:
        who = identity(event.data)
        place = (event.node, event.interface)
        if place in self._wiring.parents and (sent := self._beside(place, event, ("out",))):
            sighting, journey = Sighting(event, sent[0]), sent[1]
            journey.sightings.append(sighting)
            self._on_links[self._wiring.peers.get(place, _NO_PLACE), event.data].append((sighting, journey))
            return
        stay = self._stay_of(event, who)
        if stay is None and (inner := inner_frame(event.data)) is not None:  # it has come plain, and leaves in a tunnel
            stay = self._stay_of(event, identity(inner))
        if stay is not None:
            stay.left_by = (*stay.left_by, event.interface)
            sighting, journey = Sighting(event, stay.sighting), stay.journey
        else:
            sighting, journey = Sighting(event), self._begin()
            stay = _Stay(sighting, journey, who, (event.interface,))
            self._in_nodes[event.node, who.key].append(stay)
        journey.sightings.append(sighting)
        if (parent := self._wiring.under.get(place)) is not None:
            self._at_parents["out", parent, event.data] = sighting, journey
            return
        peer = self._wiring.peers.get(place, _NO_PLACE)
        self._on_links[peer, event.data].append((sighting, journey))

    def _beside(self, parent: Place, event: Event, directions: tuple[str, ...]) -> tuple[Sighting, Journey] | None:
        """The packet with these bytes that has just come to the parent of macvlans, or was sent by one of them."""
        for direction in directions:
            found = self._at_parents.get((direction, parent, event.data))
            if found is not None and event.time - found[0].event.time <= _ON_LINK:
                return found
        return None

    def _join(self, event: Event, who: Identity, before: Sighting, journey: Journey) -> None:
        sighting = Sighting(event, before)
        journey.sightings.append(sighting)
        self._in_nodes[event.node, who.key].append(_Stay(sighting, journey, who))

    def _drop(self, event: Event) -> None:
        stay = self._latest(event, identity(event.data))
        journey = stay.journey if stay else self._begin()
        journey.sightings.append(Sighting(event, stay.sighting if stay else None))

    def _begin(self) -> Journey:
        journey = Journey()
        self.journeys.append(journey)
        return journey

    def _from_link(self, place: Place, event: Event) -> tuple[Sighting, Journey] | None:
        """What was sent into this link with these bytes; where no link is known, into any other unknown one."""
        waiting = self._on_links.get((place, event.data))
        if not waiting:
            return None
        while waiting and event.time - waiting[0][0].event.time > _ON_LINK:
            waiting.popleft()
        if not waiting or (place == _NO_PLACE and waiting[0][0].event.node == event.node):
            return None
        found = waiting.popleft()
        if not waiting:
            del self._on_links[place, event.data]
        return found

    def _stay_of(self, event: Event, who: Identity) -> _Stay | None:
        """The packet's stay in this node that it now leaves: the latest that fits, untranslated ones first."""
        best = None
        for stay in reversed(self._in_nodes.get((event.node, who.key), ())):
            if event.time - stay.sighting.event.time > _IN_NODE:
                break
            if event.interface in stay.left_by or stay.who.ttl - who.ttl not in (0, 1):
                continue
            if stay.who.flow == who.flow:
                return stay
            if best is None and not _is_answer(stay.who.flow, who.flow):
                best = stay
        return best

    def _latest(self, event: Event, who: Identity) -> _Stay | None:
        """The packet's stay in this node, if it has just come; nothing waits on the way up to an interface."""
        stays = self._in_nodes.get((event.node, who.key))
        return stays[-1] if stays and event.time - stays[-1].sighting.event.time <= _ON_LINK else None


def _is_answer(asked: bytes, flow: bytes) -> bool:
    """Whether the addresses are swapped: a packet with the same payload that is sent back, not one that is passed on."""
    half = 4 if len(asked) <= 12 else 16
    return asked[:half] == flow[half : 2 * half] and asked[half : 2 * half] == flow[:half]
