"""What a trace saw: journeys, to be shown, asked and asserted on.

    with net.trace("arp or icmp") as trace:
        net["blue"].run("ping", "-c1", "root")
    trace.expect("ARP who-has", "ARP .* is-at", "echo request", "echo reply")
    trace.path("echo request", "blue s1 r1 root")
    print(trace.ladder())

A pattern is a regular expression that is looked for in a packet's line of the ladder, with addresses or with names:
"ICMP echo request seq 1 10.0.1.2 → 10.0.2.2" and "ICMP echo request seq 1 blue → root".
"""

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pynetemu.errors import LabError
from pynetemu.packets.background import is_background
from pynetemu.packets.dissect import dissect
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts.outcome import Outcome, outcome
from pynetemu.trace.verdicts.record import TraceRecord
from pynetemu.trace.verdicts.verdict import KINDS, Reason
from pynetemu.trace.views.columns import way_to
from pynetemu.trace.views.style import Style
from pynetemu.wording import counted, near_or_all

if TYPE_CHECKING:
    from typing import Protocol

    from pynetemu.trace.views.comparison import PacketDifference

    class Printer(Protocol):
        """That of IPython, as far as it is needed here."""

        def text(self, obj: str) -> object: ...


_NO_SIGNS = str.maketrans("()|", "   ")
_BAD = ("dropped", "waiting", "unanswered")


class Trace(TraceRecord):
    """The journeys of a traced time, numbered from 1: `trace[3]`, `len(trace)`, `for journey in trace`.

    `engine` is "kernel" or "packet sockets"; `lost` is how many packets came too fast for it, `rules_missed` whether the
    kernel's traces of firewall rules did; `node_problems` are what went wrong without any packet, such as a host without a
    route. The methods that assert raise AssertionError with the whole ladder.
    """

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self._lines: dict[int, tuple[str, str]] = {}

    def __repr__(self) -> str:
        return f"<Trace of {counted(len(self), 'packet')} by {self.engine}>" if self.engine else "<Trace that has not ended>"

    def _repr_pretty_(self, printer: "Printer", cycle: bool) -> None:
        """What notebooks show: the whole ladder (IPython.lib.pretty)."""
        printer.text(self.ladder() if self.engine and not cycle else repr(self))

    def find(self, pattern: str) -> list[Journey]:
        """The packets whose line has a pattern."""
        wanted = _compiled(pattern)
        return [journey for journey in self if any(wanted.search(text) for text in self._texts(journey))]

    def expect(self, *patterns: str) -> list[Journey]:
        """Asserts that packets like these came, in this order; others may lie between. Gives them back."""
        found: list[Journey] = []
        for number, pattern in enumerate(patterns, start=1):
            after = found[-1].number if found else 0
            following = next((journey for journey in self.find(pattern) if journey.number > after), None)
            if following is None:
                where = f" after packet {after}" if after else ""
                raise self._failure(f"step {number} of {len(patterns)}: no packet like {pattern!r}{where}")
            found.append(following)
        return found

    def path(self, pattern: str, nodes: str) -> Journey:
        """Asserts that a packet took a way; `nodes` is a regular expression over their names: "blue s1 (r1|r2) root"."""
        wanted, seen = _compiled(nodes, 0), []
        for word in nodes.translate(_NO_SIGNS).split() if re.fullmatch(r"[\w\s()|-]*", nodes) else ():
            self._check_names(word, "")
        for journey in self._some(pattern):
            for ending in self.endings(journey):
                seen.append(" ".join(way_to(ending.sighting)))
                if wanted.fullmatch(seen[-1]):
                    return journey
        raise self._failure(
            f"no packet like {pattern!r} went by {nodes!r}; the ways were: {'; '.join(dict.fromkeys(seen)) or 'none'}"
        )

    def delivered(self, pattern: str) -> list[Journey]:
        """Asserts that there are packets like this, and that each arrived where it was sent to."""
        found = self._some(pattern)
        for journey in found:
            endings = self.endings(journey)
            if not any(ending.fate in ("delivered", "unanswered") and ending.sighting.before for ending in endings):
                reason = next((ending.reason.text for ending in endings if ending.reason), "it was seen nowhere else")
                raise self._failure(f"packet {journey.number} was not delivered: {reason}")
        return found

    def dropped(self, pattern: str = "", *, node: str = "", reason: str = "") -> Journey:
        """Asserts that a packet was lost or refused, in a node, for a reason: its kind ("nft", "arp"…) or its words."""
        self._check_names(node, reason)
        for journey in self._some(pattern):
            for ending in self.endings(journey):
                if ending.fate in _BAD and node in ("", ending.node) and _is(ending.reason, reason):
                    return journey
        wanted = f"no packet{f' like {pattern!r}' if pattern else ''} was dropped"
        raise self._failure(wanted + (f" in {node}" if node else "") + (f" because of {reason!r}" if reason else ""))

    def _check_names(self, node: str, reason: str) -> None:
        """Raises LabError for a node that there is not, and for a word that is neither a kind of reasons nor said by one."""
        if node and node not in self.wiring.kinds:
            raise LabError(f"the lab has no node {node!r}; {near_or_all(node, self.wiring.kinds)}")
        _compiled(reason)
        told = [ending.reason for journey in self for ending in self.endings(journey) if ending.reason]
        if reason.isalpha() and reason.islower() and reason not in KINDS and not any(_is(one, reason) for one in told):
            raise LabError(f"no reason is of the kind {reason!r}, or says so here; {near_or_all(reason, KINDS)}")

    @property
    def outcome(self) -> Outcome:
        """What the trace comes to: what kept the commands that ran from their end, what was made good, what others did."""
        rows = [(journey, self.endings(journey)) for journey in self if not is_background(journey.first.data)]
        return outcome(self, rows)

    @property
    def reason(self) -> Reason | None:
        """What kept the commands that ran from their end, as the last lines of the ladder say it; None when nothing did."""
        return self.outcome.cause

    @property
    def blame(self) -> str:
        """The node to look at: the one in which `reason` can be mended, "" when there is none."""
        reason = self.reason
        if reason is None:
            return ""
        hinted = reason.hint.partition(" ")[0]
        places = (ending.node for journey in self for ending in self.endings(journey) if ending.reason == reason)
        return hinted if hinted in self.wiring.kinds else next(places, "")

    def never(self, pattern: str) -> None:
        """Asserts that no packet like this came."""
        if found := self.find(pattern):
            raise self._failure(f"packet {found[0].number} is like {pattern!r}")

    def _some(self, pattern: str) -> list[Journey]:
        found = self.find(pattern)
        if not found:
            raise self._failure(f"no packet like {pattern!r}" if pattern else "no packet was seen")
        return found

    def _failure(self, message: str) -> AssertionError:
        return AssertionError(f"{message}\n{self.ladder()}")

    def _texts(self, journey: Journey) -> tuple[str, str]:
        """A packet's line with addresses, and with names; kept, since it is asked for again and again."""
        if journey.number not in self._lines:
            self._lines[journey.number] = _texts(journey.first.data, self.wiring)
        return self._lines[journey.number]

    def ladder(self, style: Style | None = None, *, everything: bool = False) -> str:
        """The packets as text, one line each, and what came of them; `everything`: background traffic too, however many."""
        from pynetemu.trace.views.report import report

        return report(self, style or Style(), everything=everything)

    def story(self, number: int, style: Style | None = None) -> str:
        """One packet's journey as text, hop by hop with times, and why it ended."""
        from pynetemu.trace.views.detail import detail

        return detail(self, self[number], style or Style())

    def data(self) -> dict[str, object]:
        """The journeys for json.dumps: {"version": 1, "packets": [...]}; times are in nanoseconds since 1970."""
        from pynetemu.trace.views.report import as_data

        return as_data(self)

    def to_mermaid(self) -> str:
        """A sequence diagram for documents that show Mermaid: one arrow for each packet."""
        from pynetemu.trace.views.mermaid import sequence_diagram

        return sequence_diagram(self)

    def save(self, file: str | os.PathLike[str]) -> None:
        """Writes a pcapng file; `frame.packet_id == 3` shows packet 3 at every interface that saw it. Raises OSError.

        A name that ends in .json gives the same as JSON, with a version. `Trace.open` and `pynetemu trace show` take both.
        """
        from pynetemu.trace.views.save import save

        save(self, file)

    @classmethod
    def open(cls, file: str | os.PathLike[str]) -> "Trace":
        """A trace that was saved, with its reasons, without its lab. Raises OSError, and LabError for another file."""
        from pynetemu.trace import saved

        data = saved.read(file)
        try:
            return cls.of_data(data)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise LabError(f"{os.fspath(file)} is damaged: {error!r} where a packet of a trace should be") from None

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> "Trace":
        """The trace that was saved as this data."""
        from pynetemu.trace import saved

        trace = cls(saved.wiring_of(data))
        saved.restore(trace, data)
        return trace

    def __reduce__(self) -> tuple[object, ...]:
        from pynetemu.trace import saved

        return Trace.of_data, (saved.data_of(self),)

    def diff(self, after: "Trace") -> "list[PacketDifference]":
        """This trace beside a later one: each packet with the one like it there, and whether path and end are the same."""
        from pynetemu.trace.views.comparison import differences

        return differences(self, after)

    def comparison(self, after: "Trace", style: Style | None = None) -> str:
        """The same as text: the packets that differ, and where their paths part."""
        from pynetemu.trace.views.comparison import comparison

        return comparison(self, after, style or Style())


def _compiled(pattern: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    try:
        return re.compile(pattern, flags)
    except re.error as error:
        raise LabError(f"the pattern {pattern!r} is not a regular expression: {error}") from None


def _is(reason: Reason | None, wanted: str) -> bool:
    if not wanted or reason is None:
        return not wanted
    words = " ".join((reason.text, *reason.details))
    return reason.kind == wanted or re.search(wanted, words, re.IGNORECASE) is not None


def _texts(frame: bytes, wiring: Wiring) -> tuple[str, str]:
    plain, named = dissect(frame), dissect(frame, wiring.name)
    if plain.protocol in ("ARP", "ND"):
        return plain.text, named.text
    ends = plain.source, plain.destination
    return f"{plain.text} {' → '.join(ends)}", f"{named.text} {' → '.join(map(wiring.name, ends))}"
