"""Follows all packets of a lab as they come: each is told when its journey has ended.

with Follower(network, "icmp", style) as follower:
    while True:
        for line in follower.lines(0.1):
            print(line)
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from pynetemu.lab.connection import readable
from pynetemu.packets.background import is_background
from pynetemu.packets.dissect import dissect
from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.journeys.join import join
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.journeys.wiring import WIRING, Wiring
from pynetemu.trace.sources.choose import checked, of_lab, open_source
from pynetemu.trace.sources.events import Event
from pynetemu.trace.sources.nftrace import never_on_a_wire
from pynetemu.trace.trace import Trace
from pynetemu.trace.verdicts.decide import Verdicts
from pynetemu.trace.views.columns import involved
from pynetemu.trace.views.style import Style

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab

_ENDED = 300_000_000  # ns without a sighting after which a journey is told
_MOST = 2000  # sightings at once that are joined and told: more scroll by too fast for anybody


class Follower:
    """`packets` are those that were told, `skipped` those sightings that came too fast to be told; `trace` keeps the last of
    them, for `why` and to be looked at by number."""

    def __init__(self, lab: "Lab", expression: str, style: Style, *, everything: bool = False, engine: str = "") -> None:
        self._lab, self._expression, self._style, self._everything = lab, expression, style, everything
        self._engine = checked(engine)
        self._wiring = Wiring(lab.plan)
        self.trace = Trace(self._wiring)
        self._waiting: list[Event] = []
        self._begun = 0
        self.packets = self.skipped = self.lost = 0
        self.engine = ""

    def __enter__(self) -> Self:
        state = self._lab.state(tables=(*WIRING, "filters"))
        self._wiring.learn(state)
        with ExitStack() as undo:
            self._source = open_source(
                self._lab, self._lab.nodes, self._expression, engine=self._engine, known=lambda: state.interfaces
            )
            undo.callback(self._source.close)
            self._evidence = Evidence(self._lab, self._lab.nodes, state.packet_filters)
            undo.callback(self._evidence.close)
            undo.callback(self._evidence.firewall.close)
            self._undo = undo.pop_all()
        self._begun, self.engine = time.time_ns(), self._source.name
        return self

    def __exit__(self, *_: object) -> None:
        self.lost = self.trace.lost = self._source.lost
        self.trace.engine = self.engine
        self._undo.close()

    def lines(self, seconds: float) -> Iterator[str]:
        """Waits so long for packets, and tells those whose journeys have ended."""
        readable([self._source.fileno(), self._evidence.firewall.fileno()], seconds)
        self._evidence.firewall.read()
        self._waiting += of_lab(self._lab, self._source.read())
        if len(self._waiting) > _MOST:
            self.skipped += len(self._waiting) - _MOST
            del self._waiting[:-_MOST]
        self._waiting.sort(key=lambda event: event.time)
        yield from self._told(time.time_ns())

    def _told(self, now: int) -> Iterator[str]:
        drops = [drop for drop in self._evidence.firewall.drops if now - drop.time > _ENDED]
        events = [*self._waiting, *never_on_a_wire(drops, self._waiting)]
        journeys = join(sorted(events, key=lambda event: event.time), self._wiring)
        ended = [journey for journey in journeys if now - journey.sightings[-1].event.time > _ENDED]
        if not ended:
            return
        told = {id(sighting.event) for journey in ended for sighting in journey.sightings}
        self._waiting = [event for event in self._waiting if id(event) not in told]
        self._evidence.refresh()
        verdicts = Verdicts(journeys, self._wiring, self._evidence)
        for journey in ended:
            journey.number = len(self.trace.journeys) + 1
            self.trace.keep(journey, verdicts.endings(journey))
            if self._everything or not is_background(journey.first.data):
                self.packets += 1
                yield from self._packet(journey)
        self._evidence.firewall.drops = [drop for drop in self._evidence.firewall.drops if drop not in drops]

    def _packet(self, journey: Journey) -> Iterator[str]:
        style, name = self._style, self._wiring.name
        endings = self.trace.endings(journey)
        packet = dissect(journey.first.data, name)
        between = (
            "" if packet.protocol in ("ARP", "ND") or packet.inner else f"  {name(packet.source)} → {name(packet.destination)}"
        )
        when = f"{(journey.time - self._begun) / 1e9:9.3f}"
        way = "→".join(involved(journey, endings))
        line = style.words(f" {journey.number:>4} {way}   {packet.text}{between}")
        yield when + style.of_protocol(packet.protocol, style.cut(line, len(when)))
        for ending in endings:
            if ending.reason is not None and ending.fate != "ignored":
                for line in style.wrapped(style.words(f"{style.signs.dropped} {ending.reason.text}"), 10, 12):
                    yield style.failed(line)
                for text in ending.reason.details:
                    yield from map(style.dim, style.wrapped(style.words(text), 12))
