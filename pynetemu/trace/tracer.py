"""Traces a network for a while: opens an engine, collects, and makes a `Trace` of what was seen.

with Tracer(network, "icmp or arp") as trace:
    network["blue"].run("ping", "-c1", "root")
print(trace.ladder())
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from pynetemu.capture.parallel import in_parallel
from pynetemu.errors import PynetemuError
from pynetemu.lab.arguments import text, whole
from pynetemu.lab.listening import PICTURE
from pynetemu.packets.background import is_background
from pynetemu.packets.dissect import is_to_many
from pynetemu.plan.no_gc import no_collection
from pynetemu.results import Result
from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.evidence.link_changes import LinkChanges
from pynetemu.trace.evidence.meanwhile import Meanwhile, changes
from pynetemu.trace.evidence.traced_line import TracedLine
from pynetemu.trace.journeys.join import join
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.journeys.wiring import WIRING, Wiring
from pynetemu.trace.sources.choose import checked, of_lab, open_source
from pynetemu.trace.sources.collector import Collector
from pynetemu.trace.sources.events import Event
from pynetemu.trace.sources.nftrace import never_on_a_wire
from pynetemu.trace.trace import Trace
from pynetemu.trace.verdicts.decide import Verdicts

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.lab.reading import LabState

_SECONDS_UNDER_WAY = 0.15  # a packet that has not been seen for so long waits for something, or is gone


class Tracer:
    """`with` gives the trace, which is filled when the block ends. `snap` is how many bytes of a packet are kept,
    0 for all.

    `engine` is "kernel" or "sockets", "" for the better one. Raises LabError for another word.
    """

    def __init__(self, lab: "Lab", expression: str = "", *, snap: int | None = None, engine: str = "") -> None:
        self._lab, self._expression = lab, text("filter", expression)
        self._snap = None if snap is None else whole("snap", snap, 0)
        self._engine = checked(engine)
        self._wiring = Wiring(lab.plan)
        self.trace = Trace(self._wiring)

    def __repr__(self) -> str:
        return f"<Tracer of {self._lab.name}>"

    def start(self) -> Trace:
        """Begins, and returns when no packet can be missed any more; raises FilterError, LabError."""
        lab = self._lab
        with ExitStack() as undo:
            self._changes = LinkChanges(lab)
            undo.callback(self._changes.close)
            self._meanwhile = Meanwhile(lab, lambda: self._look(undo))
            undo.callback(self._meanwhile.close)
            self._evidence = Evidence(lab, lab.nodes, self._state.packet_filters)
            undo.callback(self._evidence.close)
            self._collector = Collector(self._source, self._evidence.firewall)
            lab.on_result.append(self._heard)
            self._undo = undo.pop_all()
        return self.trace

    def _look(self, undo: ExitStack) -> "LabState":
        """Reads the lab and begins to see packets, at the same time."""
        both: tuple[Callable[[], None], ...] = (self._read, lambda: self._open(undo))
        in_parallel(lambda part: part(), both)
        return self._state

    def _read(self) -> None:
        self._state = self._lab.state(tables=(*PICTURE, "filters"))
        self._wiring.learn(self._state)

    def _open(self, undo: ExitStack) -> None:
        """Waits for the kernel most of its time, which takes programs or makes rings."""
        lab = self._lab
        self._source = open_source(lab, lab.nodes, self._expression, self._snap, self._engine, lambda: self._state.interfaces)
        undo.callback(self._source.close)

    def _heard(self, result: Result) -> None:
        self.ran(result.node, *map(str, result.argv), status=result.status)

    def ran(self, node: str, *words: str, status: int | None = None) -> None:
        """Tells the trace of a command that ran meanwhile, which the verdict is about; what `run` runs is told by itself."""
        self.trace.lines.append(TracedLine(node, words, status))

    def stop(self) -> Trace:
        """Ends the trace; what the kernel has seen until now is in it, and why it ended as it did."""
        with suppress(ValueError):
            self._lab.on_result.remove(self._heard)  # what verdicts ask of the nodes is no part of the trace
        with self._undo, no_collection():
            events = of_lab(self._lab, self._collector.stop(self._is_under_way, _SECONDS_UNDER_WAY))
            self._evidence.stop(self._met(events))
            with suppress(PynetemuError):  # the lab has ended
                if self._changes.any():
                    self._wiring.learn(self._lab.state(tables=WIRING))
            events = self._wiring.with_names_of_now(events)
            if unseen := never_on_a_wire(self._evidence.firewall.drops, events):
                events = sorted([*events, *unseen], key=lambda event: event.time)
            self._collector.events.clear()
            journeys = join(_handed_over(events), self._wiring)
            self._evidence.events = heard = self._meanwhile.stop()
            self.trace.changes = changes(heard, self.trace.lines)
            verdicts = Verdicts(journeys, self._wiring, self._evidence, self.trace.lines)
            missed = self._evidence.firewall.lost
            self.trace.fill(journeys, verdicts, engine=self._source.name, lost=self._source.lost, rules_missed=missed)
        return self.trace

    def _met(self, events: list[Event]) -> set[str] | None:
        """The nodes in which there were packets, of lines that are known; without one each node may have wanted to send."""
        lines = self.trace.lines
        if not lines or not all(line.node for line in lines):
            return None
        return {event.node for event in events if not is_background(event.data)} | {line.node for line in lines}

    def __enter__(self) -> Trace:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _is_under_way(self, events: list[Event]) -> bool:
        now = time.time_ns()
        recent = [
            event
            for event in of_lab(self._lab, events)
            if now - event.time < _SECONDS_UNDER_WAY * 1e9 and not is_background(event.data)
        ]
        return any(not self._has_ended(journey) for journey in join(recent, self._wiring))

    def _has_ended(self, journey: Journey) -> bool:
        return journey.freed or all(self._may_end(leaf.event) for leaf in journey.leaves)

    def _may_end(self, event: Event) -> bool:
        """Whether a packet that was seen here is not expected anywhere else."""
        place = (event.node, event.interface)
        if event.kind == "drop" or place not in self._wiring.peers:
            return True
        is_for_all = is_to_many(event.data)
        return event.kind == "in" and (is_for_all or not self._wiring.is_bridge(event.node))


def _handed_over(events: list[Event]) -> Iterator[Event]:
    """The events one after the other, each of which is kept by nobody else then."""
    events.reverse()
    while events:
        yield events.pop()
