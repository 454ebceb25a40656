"""What a trace saw and what was decided about it: the views show it, `pynetemu.trace.trace.Trace` adds assertions."""

from collections.abc import Iterator, Sequence
from functools import cached_property

from pynetemu.packets.background import is_background
from pynetemu.packets.dissect import dissect
from pynetemu.trace.evidence.evidence import Question
from pynetemu.trace.evidence.meanwhile import Change
from pynetemu.trace.evidence.traced_line import TracedLine
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts.conversations import Conversations
from pynetemu.trace.verdicts.decide import Verdicts
from pynetemu.trace.verdicts.verdict import Ending, Reason

_JUDGED_AT_ONCE = 2000
_KEPT_LIVE = 20_000  # packets of a trace without an end


class TraceRecord:
    """The journeys of a traced time, numbered from 1, each with how it ended; see `Trace` for the attributes."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.journeys: list[Journey] = []
        self.node_problems: list[Reason] = []
        self.engine = ""
        self.lost = 0
        self.rules_missed = False
        self.lines: list[TracedLine] = []
        self.changes: list[Change] = []
        self._endings: dict[int, Sequence[Ending]] = {}
        self._asked: dict[int, tuple[Question, ...]] = {}
        self._verdicts: Verdicts | None = None

    def fill(self, journeys: list[Journey], verdicts: Verdicts, *, engine: str, lost: int, rules_missed: bool) -> None:
        """Takes what was seen; the first journeys are judged at once, while the nodes can be asked."""
        self.journeys, self._verdicts, self.engine, self.lost = journeys, verdicts, engine, lost
        self.rules_missed = rules_missed
        for journey in journeys[:_JUDGED_AT_ONCE]:
            if not is_background(journey.first.data):
                self.endings(journey)
        problems = verdicts.node_problems()
        self.node_problems = [problem for problem in problems if not lost or problem.kind != "connection"]

    def restore(self, journey: Journey, endings: Sequence[Ending], asked: tuple[Question, ...]) -> None:
        """Adds a journey of a trace that was saved."""
        self.journeys.append(journey)
        self._endings[journey.number], self._asked[journey.number] = endings, asked

    def keep(self, journey: Journey, endings: Sequence[Ending]) -> None:
        """Adds a journey that has been judged already; its number must be the next one."""
        self.journeys.append(journey)
        self._endings[journey.number] = endings
        if len(self.journeys) > _KEPT_LIVE:  # the oldest keep their numbers, and lose what was seen of them
            old = self.journeys[-_KEPT_LIVE - 1]
            old.sightings[1:] = []
            self._endings.pop(old.number, None)

    def __len__(self) -> int:
        return len(self.journeys)

    def __iter__(self) -> Iterator[Journey]:
        return iter(self.journeys)

    def __getitem__(self, number: int) -> Journey:
        if not 1 <= number <= len(self.journeys):
            has = f"it has 1 to {len(self.journeys)}" if self.journeys else "it saw no packet"
            raise LookupError(f"the trace has no packet {number}; {has}")
        return self.journeys[number - 1]

    def endings(self, journey: Journey) -> Sequence[Ending]:
        """How a journey ended, at each place where it did."""
        if journey.number not in self._endings and self._verdicts is not None:
            before = len(self._verdicts.asked)
            self._endings[journey.number] = self._verdicts.endings(journey)
            asked = self._verdicts.asked[before:]
            self._asked[journey.number] = tuple(
                {(one.node, one.question, one.answer): one for one in reversed(asked)}.values()
            )[::-1]
        return self._endings.get(journey.number, ())

    def asked(self, journey: Journey) -> tuple[Question, ...]:
        """What the nodes were asked to judge a journey, and what they answered."""
        self.endings(journey)
        return self._asked.get(journey.number, ())

    @cached_property
    def _conversations(self) -> Conversations:
        return self._verdicts.conversations if self._verdicts is not None else Conversations(self.journeys)

    def answer(self, ending: Ending) -> Journey | None:
        """What a node has sent back for a ping or a connection that was delivered there."""
        if ending.fate != "delivered":
            return None
        event = ending.sighting.event
        return self._conversations.answer(ending.node, dissect(event.data), event.time)
