"""One packet's journey, hop by hop with times.

packet 3 · ICMP echo request seq 1 · 98 bytes · blue → root · 31.4 µs
  blue   ▸ eth0        0.0 µs   10.0.1.2 → 10.0.2.2   ttl 64
   │ link blue eth0 ⇄ sw1 blue                  0.4 µs
  sw1    blue ▸ r1     9.2 µs   switched
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pynetemu.packets.dissect import dissect
from pynetemu.packets.encapsulation import inner_frame
from pynetemu.trace.evidence.lookups import NodeTables
from pynetemu.trace.evidence.rules import keys_of
from pynetemu.trace.journeys.journey import Hop, Journey, Sighting
from pynetemu.trace.verdicts.case import TABLES
from pynetemu.trace.views.changes import changes, macs_rewritten
from pynetemu.trace.views.style import Style

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.trace.verdicts.record import TraceRecord


def detail(trace: "TraceRecord", journey: Journey, style: Style, lab: "Lab | None" = None) -> str:
    """The journey as text; a network that still runs is asked which route each router takes."""
    return "\n".join(_Detail(trace, journey, style, lab).lines())


class _Detail:
    def __init__(self, trace: "TraceRecord", journey: Journey, style: Style, lab: "Lab | None") -> None:
        self._trace, self._journey, self._style, self._lab = trace, journey, style, lab
        self._name = trace.wiring.name
        self._endings = trace.endings(journey)
        hops = journey.hops
        self._node_width = max(len(hop.node) for hop in hops)
        self._port_width = max(len(_ports(hop)) for hop in hops)

    def lines(self) -> Iterator[str]:
        style = self._style
        yield style.bold(style.words(self._title()))
        for hop in self._journey.hops:
            if hop.arrived is not None and hop.arrived.before is not None:
                yield style.dim(style.words(self._link(hop.arrived, hop.arrived.before)))
            first, *rest = self._story(hop) or [""]
            when = f"{self._since(hop.time):>9}"
            yield style.words(f"  {hop.node:<{self._node_width}}  {_ports(hop):<{self._port_width}} {when}   {first}").rstrip()
            for more in rest:
                yield style.words(f"  {style.signs.down:>2}{'':<{self._node_width + self._port_width + 13}}{more}")
            yield from self._ends(hop)

    def _title(self) -> str:
        event = self._journey.first
        packet = dissect(event.data, self._name)
        between = (
            f" · {self._name(packet.source)} → {self._name(packet.destination)}" if packet.protocol not in ("ARP", "ND") else ""
        )
        took = self._since(self._journey.sightings[-1].event.time)
        return f"packet {self._journey.number} · {packet.text} · {event.length} bytes{between} · {took}"

    def _since(self, time: int) -> str:
        return _duration(time - self._journey.time)

    def _link(self, arrived: Sighting, before: Sighting) -> str:
        near, far = before.event, arrived.event
        ends = f"{near.node} {near.interface} ⇄ {far.node} {far.interface}"
        return f"   {self._style.signs.down} link {ends}   {_duration(far.time - near.time)}"

    def _story(self, hop: Hop) -> list[str]:
        """What the node did with it."""
        if hop.arrived is None:
            packet = dissect(hop.left[0].event.data if hop.left else self._journey.first.data)
            lives = f"   ttl {packet.ttl}" if packet.ttl is not None else ""
            macs = f"   {packet.macs[0]} → {packet.macs[1]}" if packet.macs[0] else ""
            return [f"{packet.source} → {packet.destination}{lives}{macs}"]
        if not hop.left:
            return []
        before, after = hop.arrived, hop.left[0]
        changed = changes(dissect(before.event.data), dissect(after.event.data))
        if not macs_rewritten(_out_of_tunnel(hop), after):
            ports = sum(_is_carried(sighting) == _is_carried(before) for sighting in hop.left)
            return [f"sent to {ports} ports" if ports > 1 else "switched", *changed]
        ttl = [text for text in changed if text.startswith("ttl ")]
        routed = " · ".join([f"routed{self._route(hop)}", *ttl, "MACs rewritten"])
        return [routed, *(text for text in changed if text not in ttl)]

    def _route(self, hop: Hop) -> str:
        """The route by which the node sends such a packet now: " by 10.0.2.0/24 dev eth1"."""
        if self._lab is None or self._lab.ended or hop.arrived is None:
            return ""
        packet = dissect(hop.arrived.event.data)
        if packet.ttl is None:
            return ""
        with NodeTables(self._lab[hop.node]) as tables:
            decision = tables.decide(keys_of(packet, hop.arrived.event.data, hop.arrived.event.interface), matched=True)
            if decision.kind != "forwarded":
                return ""
            via = f" via {self._name(decision.gateway)}" if decision.gateway else ""
            return f" by {decision.prefix}{via} dev {tables.names.get(decision.interface, '')}"

    def _ends(self, hop: Hop) -> Iterator[str]:
        style = self._style
        sightings = {id(sighting) for sighting in (hop.arrived, hop.dropped, *hop.left) if sighting is not None}
        for ending in self._endings:
            if id(ending.sighting) not in sightings or ending.fate == "ignored":
                continue
            reason = ending.reason
            if reason is None:
                answer = self._trace.answer(ending)
                answered = f"   answered by packet {answer.number}" if answer else ""
                yield style.fine(style.words(f"  {hop.node:<{self._node_width}}  {style.signs.fine} {ending.fate}{answered}"))
                continue
            told = style.words(f"{hop.node:<{self._node_width}}  {style.signs.dropped} {reason.text}")
            yield from map(style.failed, style.wrapped(told, 2, self._node_width + 6))
            for text in reason.details:
                yield from map(style.dim, style.wrapped(style.words(text), self._node_width + 8))
            if known := " · ".join(filter(None, (self._source(reason.source), reason.proof))):
                yield from map(style.dim, style.wrapped(style.words(f"({known})"), self._node_width + 8))
            if reason.hint:
                yield style.words(f"  try: {reason.hint}")

    def _source(self, source: str) -> str:
        """Who says so; of what nodes were asked, how long after the packet that was."""
        asked = self._trace.asked(self._journey) if source == TABLES else ()
        if not asked:
            return source
        return f"{source}, {(asked[-1].time - self._journey.sightings[-1].event.time) / 1e9:.2f} s later"


def _out_of_tunnel(hop: Hop) -> Sighting:
    """What a node has passed on, as it was when it had left its tunnel, if it had come in one."""
    before = hop.left[0].before
    assert hop.arrived is not None
    return before if before is not None and before.event.kind == "in" and before.event.node == hop.node else hop.arrived


def _is_carried(sighting: Sighting) -> bool:
    """Whether it was seen in a tunnel."""
    return inner_frame(sighting.event.data) is not None


def _ports(hop: Hop) -> str:
    came = hop.arrived.event.interface if hop.arrived else ""
    went = ",".join(sighting.event.interface for sighting in hop.left)
    return f"{came} ▸ {went}".strip()


def _duration(nanoseconds: int) -> str:
    """In µs, or in ms from 10 ms on, as links with a delay take."""
    return f"{nanoseconds / 1e3:.1f} µs" if nanoseconds < 10_000_000 else f"{nanoseconds / 1e6:.1f} ms"
