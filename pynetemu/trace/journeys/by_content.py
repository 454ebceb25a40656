"""Joins sightings by what the packets are: for engines that see frames at interfaces and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pynetemu.packets.encapsulation import inner_frame
from pynetemu.packets.identity import identity
from pynetemu.plan.inventory import Place
from pynetemu.trace.journeys.journey import Journey, Sighting
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event

_ON_LINK = 200_000_000  # ns: a veth hands over at once; queues (tc) are before the sighting
_IN_NODE = 10_000_000_000  # ns: in a node a packet may wait for ARP, or in a queue
_NO_PLACE: Place = ("", "")
_OnLink = tuple[Sighting, Journey, "_Known"]


class _Known(NamedTuple):
    """An identity as short as it can be kept: what no hop changes by its hash (64 bits), flows that were seen before once."""

    key: int
    ttl: int
    flow: bytes


@dataclass(slots=True)
class _Stay:
    """A packet in a node: where it was seen last, and by which interfaces it has left; `earlier` is another with its key."""

    sighting: Sighting
    journey: Journey
    ttl: int
    flow: bytes
    left_by: tuple[str, ...] = ()
    earlier: "_Stay | None" = None

    def back(self) -> "Iterator[_Stay]":
        """This one and those before it."""
        stay: _Stay | None = self
        while stay is not None:
            yield stay
            stay = stay.earlier


class ByContent:
    def __init__(self, wiring: Wiring) -> None:
        self.journeys: list[Journey] = []
        self._wiring = wiring
        self._on_links: dict[Place, dict[bytes, list[_OnLink]]] = {}  # by where they come to, and what they are
        self._in_nodes: dict[str, dict[int, _Stay]] = {}  # the latest, by node and by what no hop changes
        self._flows: dict[bytes, bytes] = {}
        self._ways: dict[tuple[str, ...], tuple[str, ...]] = {}
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
        place = (event.node, event.interface)
        wired = place in self._wiring.peers
        if (parent := self._wiring.under.get(place)) and (beside := self._beside(parent, event, ("in", "out"))):
            self._join(event, self._known(event.data), *beside)
            return
        if not wired and (stay := self._latest(event, self._known(event.data))) is not None:
            # An interface without a link, such as a bridge or the end of a tunnel: the frame is handed up to it.
            handed_up = Sighting(event, stay.sighting)
            stay.journey.sightings.append(handed_up)
            if place not in self._wiring.bridges:  # a bridge gets a copy; what is out of a tunnel, or of a bond, goes on
                stay.sighting = handed_up
            return
        found = self._from_link(place if wired else _NO_PLACE, event)
        if found is not None:
            before, journey, who = found
            same = before.event.data  # the same bytes, kept once
            event = tuple.__new__(Event, (*event[:4], same, *event[5:]))
            sighting = Sighting(event, before)
        else:
            sighting, journey, who = Sighting(event), self._begin(), self._known(event.data)
        journey.sightings.append(sighting)
        if place in self._wiring.parents:
            self._at_parents["in", place, event.data] = sighting, journey
        self._stays(event.node, who.key, _Stay(sighting, journey, who.ttl, who.flow))
        if (inner := inner_frame(event.data)) is not None:  # here it may leave its tunnel
            carried = self._known(inner)
            self._stays(event.node, carried.key, _Stay(sighting, journey, carried.ttl, carried.flow))

    def _leave(self, event: Event) -> None:
        who = self._known(event.data)
        place = (event.node, event.interface)
        if place in self._wiring.parents and (sent := self._beside(place, event, ("out",))):
            sighting, journey = Sighting(event, sent[0]), sent[1]
            journey.sightings.append(sighting)
            self._goes(self._wiring.peers.get(place, _NO_PLACE), (sighting, journey, who))
            return
        stay = self._stay_of(event, who)
        if stay is None and (inner := inner_frame(event.data)) is not None:  # it has come plain, and leaves in a tunnel
            stay = self._stay_of(event, self._known(inner))
        if stay is not None:
            left_by = (*stay.left_by, event.interface)
            stay.left_by = self._ways.setdefault(left_by, left_by)
            sighting, journey = Sighting(event, stay.sighting), stay.journey
        else:
            sighting, journey = Sighting(event), self._begin()
            way = (event.interface,)
            self._stays(event.node, who.key, _Stay(sighting, journey, who.ttl, who.flow, self._ways.setdefault(way, way)))
        journey.sightings.append(sighting)
        if (parent := self._wiring.under.get(place)) is not None:
            self._at_parents["out", parent, event.data] = sighting, journey
            return
        self._goes(self._wiring.peers.get(place, _NO_PLACE), (sighting, journey, who))

    def _known(self, frame: bytes) -> _Known:
        who = identity(frame)
        return _Known(hash(who.key), who.ttl, self._flows.setdefault(who.flow, who.flow))

    def _goes(self, place: Place, sent: _OnLink) -> None:
        self._on_links.setdefault(place, {}).setdefault(sent[0].event.data, []).append(sent)

    def _stays(self, node: str, key: int, stay: _Stay) -> None:
        in_node = self._in_nodes.setdefault(node, {})
        stay.earlier = in_node.get(key)
        in_node[key] = stay

    def _beside(self, parent: Place, event: Event, directions: tuple[str, ...]) -> tuple[Sighting, Journey] | None:
        """The packet with these bytes that has just come to the parent of macvlans, or was sent by one of them."""
        for direction in directions:
            found = self._at_parents.get((direction, parent, event.data))
            if found is not None and event.time - found[0].event.time <= _ON_LINK:
                return found
        return None

    def _join(self, event: Event, who: _Known, before: Sighting, journey: Journey) -> None:
        sighting = Sighting(event, before)
        journey.sightings.append(sighting)
        self._stays(event.node, who.key, _Stay(sighting, journey, who.ttl, who.flow))

    def _drop(self, event: Event) -> None:
        stay = self._latest(event, self._known(event.data))
        journey = stay.journey if stay else self._begin()
        journey.sightings.append(Sighting(event, stay.sighting if stay else None))

    def _begin(self) -> Journey:
        journey = Journey()
        self.journeys.append(journey)
        return journey

    def _from_link(self, place: Place, event: Event) -> _OnLink | None:
        """What was sent into this link with these bytes; where no link is known, into any other unknown one."""
        on_link = self._on_links.get(place, {})
        waiting = on_link.get(event.data)
        if not waiting:
            return None
        while waiting and event.time - waiting[0][0].event.time > _ON_LINK:
            del waiting[0]
        if not waiting or (place == _NO_PLACE and waiting[0][0].event.node == event.node):
            return None
        found = waiting.pop(0)
        if not waiting:
            del on_link[event.data]
        return found

    def _stay_of(self, event: Event, who: _Known) -> _Stay | None:
        """The packet's stay in this node that it now leaves: the latest that fits, untranslated ones first."""
        best = None
        latest = self._in_nodes.get(event.node, {}).get(who.key)
        for stay in latest.back() if latest is not None else ():
            if event.time - stay.sighting.event.time > _IN_NODE:
                break
            if event.interface in stay.left_by or stay.ttl - who.ttl not in (0, 1):
                continue
            if stay.flow == who.flow:
                return stay
            if best is None and not _is_answer(stay.flow, who.flow):
                best = stay
        return best

    def _latest(self, event: Event, who: _Known) -> _Stay | None:
        """The packet's stay in this node, if it has just come; nothing waits on the way up to an interface."""
        stay = self._in_nodes.get(event.node, {}).get(who.key)
        return stay if stay is not None and event.time - stay.sighting.event.time <= _ON_LINK else None


def _is_answer(asked: bytes, flow: bytes) -> bool:
    """Whether the addresses are swapped: a packet with the same payload that is sent back, not one that is passed on."""
    half = 4 if len(asked) <= 12 else 16
    return asked[:half] == flow[half : 2 * half] and asked[half : 2 * half] == flow[:half]
