"""Joins sightings by the kernel's buffer: exact through address translation, copies and rewriting.

A sighting continues a journey when all three agree; without each of them wrong ones were joined:

1. the address of the buffer (sk_buff), or of its data, which copies share, is one that the journey holds;
2. the topology: what arrives was sent into the other end of the link, what leaves had arrived;
3. the content that no hop changes, since a freed address is soon another packet's.
"""

from collections import Counter, deque

from pynetemu.packets.dissect import is_to_many
from pynetemu.packets.encapsulation import inner_frame
from pynetemu.packets.identity import identity
from pynetemu.plan.inventory import Place
from pynetemu.trace.journeys.journey import Journey, Sighting
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event
from pynetemu.trace.sources.expected_drops import is_expected_drop

_FEW = 16  # places that are looked through faster than an index of them is made
_INDEXED = 1000  # journeys whose places are indexed: those before end soon, or are indexed anew
_REBUILT = 200  # of so many journeys before, one whose buffer was made anew on a link may be continued
_IPV4_KEY = 6  # elements of an IPv4 packet's key: number, 2 of fragments, length, protocol, content


class _Index:
    """Where a journey was seen: a frame for all is seen at hundreds of places, and each is looked for among them."""

    __slots__ = ("counts", "last", "last_in", "last_out")

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()  # by node and kind; by node, kind and interface
        self.last: dict[str, Sighting] = {}  # in each node
        self.last_in: dict[str, Sighting] = {}
        self.last_out: dict[Place, Sighting] = {}

    def add(self, sighting: Sighting) -> None:
        event = sighting.event
        self.counts[event.node, event.kind] += 1
        self.counts[event.node, event.kind, event.interface] += 1
        self.last[event.node] = sighting
        if event.kind == "in":
            self.last_in[event.node] = sighting
        elif event.kind == "out":
            self.last_out[event.node, event.interface] = sighting


class ByBuffer:
    def __init__(self, wiring: Wiring) -> None:
        self.journeys: list[Journey] = []
        self._wiring = wiring
        self._indexes: dict[int, _Index] = {}  # of the latest journeys
        self._by_buffer: dict[int, Journey] = {}
        self._by_head: dict[int, Journey] = {}  # the last of each: a switch may send a copy when the first was read already
        self._recent: deque[Journey] = deque(maxlen=_REBUILT)

    def add(self, event: Event) -> None:
        """Takes one event of the kernel's into the journey that it belongs to, or begins a new one."""
        if event.kind == "end":
            if (journey := self._by_buffer.pop(event.buffer, None)) is not None:
                journey.freed = True
            return
        journey = self._by_buffer.get(event.buffer)
        if journey is None or not self._continues(journey, event):
            other = self._by_head.get(event.head)
            is_it = other is not None and other is not journey and self._continues(other, event)
            journey = other if is_it else self._rebuilt(event)
        if journey is None:
            if event.kind == "drop" and is_expected_drop(event):
                return  # a copy of a packet that was delivered, such as one that a closed socket still held
            journey = self._begin()
        sighting = Sighting(event, self._before(journey, event))
        added = [sighting]
        if event.kind == "in" and (event.node, event.interface) in self._wiring.parents:
            added += self._handed_up(sighting)
        if len(journey.sightings) > _FEW:
            index = self._index(journey)
            for one in added:
                index.add(one)
        journey.sightings += added
        self._by_buffer[event.buffer] = self._by_head[event.head] = journey
        if event.kind == "drop":
            self._by_buffer.pop(event.buffer, None)

    def _handed_up(self, sighting: Sighting) -> list[Sighting]:
        """What came to the parent of macvlans, as it comes to these: the kernel hands it to them without a tracepoint."""
        event = sighting.event
        found = []
        for (node, interface), parent in self._wiring.under.items():
            is_mine = self._wiring.macs.get((node, interface)) == event.data[:6].hex(":")
            if parent == (event.node, event.interface) and (is_mine or is_to_many(event.data)):
                came = event._replace(node=node, interface=interface)
                found.append(Sighting(came, sighting if is_mine else sighting.before))
        return found

    def _begin(self) -> Journey:
        journey = Journey()
        self.journeys.append(journey)
        self._recent.append(journey)
        return journey

    def _index(self, journey: Journey) -> _Index:
        found = self._indexes.get(id(journey))
        if found is None:
            found = self._indexes[id(journey)] = _Index()
            for sighting in journey.sightings:
                found.add(sighting)
            if len(self._indexes) > _INDEXED:
                del self._indexes[next(iter(self._indexes))]
        return found

    def _continues(self, journey: Journey, event: Event) -> bool:
        return self._may_follow(journey, event) and _is_same(journey.sightings[-1].event, event)

    def _may_follow(self, journey: Journey, event: Event) -> bool:
        node, interface = event.node, event.interface
        if self._through_macvlan(journey, event) is not None:
            return True
        if event.kind == "in":
            peer = self._wiring.peers.get((node, interface))
            if peer is None:  # handed up, to a bridge or from the loopback; or by a link that the plan does not know
                return self._was_in(journey, node) or self._left_by_unknown_link(journey) is not None
            return self._count(journey, peer[0], "out", peer[1]) > self._count(journey, node, "in", interface)
        if event.kind == "out":
            left = self._count(journey, node, "out", interface)
            return self._count(journey, node, "in") > left or (not left and self._count(journey, node, "out") > 0)
        return self._was_in(journey, node)

    def _count(self, journey: Journey, node: str, kind: str, interface: str = "") -> int:
        """How often it was seen in a node to arrive or to leave, by an interface or by any."""
        if len(journey.sightings) > _FEW:
            return self._index(journey).counts[(node, kind, interface) if interface else (node, kind)]
        number = 0
        for sighting in journey.sightings:
            event = sighting.event
            if event.node == node and event.kind == kind and (not interface or event.interface == interface):
                number += 1
        return number

    def _was_in(self, journey: Journey, node: str) -> bool:
        if len(journey.sightings) > _FEW:
            return node in self._index(journey).last
        return any(sighting.event.node == node for sighting in journey.sightings)

    def _through_macvlan(self, journey: Journey, event: Event) -> Sighting | None:
        """Where the packet was seen on the other side of a macvlan: what it sends leaves by its parent, and what comes to that
        is handed to it, or from one macvlan to another."""
        place, under = (event.node, event.interface), self._wiring.under
        if not under:
            return None
        for sighting in reversed(journey.sightings):
            other = sighting.event
            before = (other.node, other.interface)
            sent = event.kind == "out" and other.kind == "out" and under.get(before) == place
            handed_up = (
                event.kind == "in"
                and place in under
                and (
                    (other.kind == "in" and under[place] == before)
                    or (other.kind == "out" and under.get(before) == under[place])
                )
            )
            if sent or handed_up:
                return sighting
        return None

    def _left_by_unknown_link(self, journey: Journey) -> Sighting | None:
        """Where the packet was seen last, if it left there by an interface that somebody has added."""
        last = journey.sightings[-1]
        place = (last.event.node, last.event.interface)
        return last if last.event.kind == "out" and place not in self._wiring.peers else None

    def _rebuilt(self, event: Event) -> Journey | None:
        """The journey whose frame was sent into the other end of this link, when the buffer was made anew (XDP, veth)."""
        peer = self._wiring.peers.get((event.node, event.interface))
        if event.kind == "out" or peer is None:
            return None
        for journey in reversed(self._recent):
            last = journey.sightings[-1].event
            if last.kind == "out" and (last.node, last.interface) == peer and last.data[:128] == event.data[:128]:
                return journey
        return None

    def _before(self, journey: Journey, event: Event) -> Sighting | None:
        peer = self._wiring.peers.get((event.node, event.interface)) if event.kind == "in" else None
        if peer is not None and (sent := self._last_out(journey, peer)) is not None:
            return sent
        if (other := self._through_macvlan(journey, event)) is not None:
            return other
        found = self._last(journey, event.node)
        return found or (self._left_by_unknown_link(journey) if event.kind == "in" and journey.sightings else None)

    def _last_out(self, journey: Journey, place: Place) -> Sighting | None:
        """Where it was seen last to leave by an interface."""
        if len(journey.sightings) > _FEW:
            return self._index(journey).last_out.get(place)
        for sighting in reversed(journey.sightings):
            event = sighting.event
            if event.kind == "out" and event.node == place[0] and event.interface == place[1]:
                return sighting
        return None

    def _last(self, journey: Journey, node: str) -> Sighting | None:
        """Where it was seen last to come to a node; where it did not, where it was seen there last."""
        if len(journey.sightings) > _FEW:
            index = self._index(journey)
            return index.last_in.get(node) or index.last.get(node)
        last = None
        for sighting in reversed(journey.sightings):
            if sighting.event.node == node:
                if sighting.event.kind == "in":
                    return sighting
                last = last or sighting
        return last


def _is_same(before: Event, event: Event) -> bool:
    """Whether the contents may be one packet's: equal keys or, after translation of what they quote, IPv4's own number."""
    if before.data == event.data:  # on a link, and in a switch
        return True
    ours, theirs = identity(before.data).key, identity(event.data).key
    if ours == theirs or _is_inside(before.data, theirs) or _is_inside(event.data, ours):
        return True
    return len(ours) == _IPV4_KEY == len(theirs) and ours[0] == theirs[0] and ours[4] == theirs[4]


def _is_inside(frame: bytes, key: tuple[object, ...]) -> bool:
    """Whether a tunnel's packet carries the one of this key."""
    inner = inner_frame(frame)
    return inner is not None and identity(inner).key == key
