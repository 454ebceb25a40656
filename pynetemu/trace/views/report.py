"""A whole trace as text or data: the ladder and what comes of it, all sightings, one reason in full."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pynetemu.packets.background import is_background
from pynetemu.packets.dissect import dissect
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.verdicts.outcome import BAD, outcome
from pynetemu.trace.verdicts.verdict import Ending
from pynetemu.trace.views.columns import Row
from pynetemu.trace.views.detail import detail
from pynetemu.trace.views.ladder import Ladder
from pynetemu.trace.views.style import Style
from pynetemu.trace.views.summary import summary
from pynetemu.wording import counted

if TYPE_CHECKING:
    from pynetemu.trace.verdicts.record import TraceRecord

_ROWS = 60


def report(trace: "TraceRecord", style: Style, *, everything: bool = False) -> str:
    """The ladder and the summary; shortened, and said so, unless `everything` is wanted."""
    shown = [journey for journey in trace if everything or not is_background(journey.first.data)]
    rows = [(journey, trace.endings(journey)) for journey in shown[: None if everything else _ROWS]]
    hidden = shown[len(rows) :]
    rows += _worth_showing(trace, hidden)
    lines = [*Ladder(rows, trace.wiring, style, trace.changes).lines()]
    if len(shown) > len(rows):
        more = counted(len(shown) - len(rows), "more packet")
        lines.append(style.dim(style.words(f"   … {more} not shown: --all shows all, --filter fewer")))
    return "\n".join([*lines, *summary(trace, rows, shown, style)])


def _worth_showing(trace: "TraceRecord", hidden: Sequence[Journey]) -> list[Row]:
    """Of the packets that would not be shown, the first few that ended badly."""
    judged = ((journey, trace.endings(journey)) for journey in hidden[:2000])
    return [row for row in judged if any(map(_is_bad, row[1]))][:5]


def why(trace: "TraceRecord", style: Style, *, with_evidence: bool = False) -> str:
    """The last packet that ended badly, with its way, the reason, its proof and what to try; and what the nodes were asked."""
    bad = [journey for journey in trace if not is_background(journey.first.data) and any(map(_is_bad, trace.endings(journey)))]
    if not bad:
        cause = outcome(trace, []).cause
        return style.failed(cause.text) + _try(cause.hint) if cause else "nothing was dropped in the last trace"
    ping = [journey for journey in bad if dissect(journey.first.data).protocol not in ("ARP", "ND")]
    chosen = (ping or bad)[-1]
    return "\n".join([detail(trace, chosen, style), *(_evidence(trace, chosen, style) if with_evidence else ())])


def _evidence(trace: "TraceRecord", journey: Journey, style: Style) -> Iterator[str]:
    """The questions to the nodes that a verdict stands on, with their answers and when these were given."""
    yield "  asked:"
    for one in trace.asked(journey):
        when = f"{(one.time - journey.time) / 1e9:+.3f} s"
        yield from style.wrapped(style.words(f"{one.node}, {when}: {one.question} → {one.answer}"), 4, 8)


def _is_bad(ending: Ending) -> bool:
    return ending.fate in BAD


def _try(hint: str) -> str:
    return f"\n  try: {hint}" if hint else ""


def sightings(trace: "TraceRecord", style: Style) -> str:
    """Every sighting on a line of its own, in the order of time: where, in which direction, of which packet."""
    seen = sorted(
        ((sighting.event, journey.number) for journey in trace for sighting in journey.sightings),
        key=lambda one: one[0].time,
    )
    if not seen:
        return "no packet seen"
    width = max(len(event.node) + len(event.interface) for event, _ in seen) + 1
    arrows = {"out": "out", "in": "in ", "drop": f"{style.signs.dropped}  "}
    lines = []
    for event, number in seen:
        when, where = f"{(event.time - seen[0][0].time) / 1e6:8.3f}", f"{event.node} {event.interface}".ljust(width)
        line = f"{when} {where} {arrows[event.kind]} {number:>4} {style.words(_line(trace, event.data))}"
        lines.append(style.cut(line, 0))
    return "\n".join(lines)


def _line(trace: "TraceRecord", frame: bytes) -> str:
    name = trace.wiring.name
    packet = dissect(frame, name)
    between = "" if packet.protocol in ("ARP", "ND") else f"  {name(packet.source)} → {name(packet.destination)}"
    return packet.text + between + (f"  ttl {packet.ttl}" if packet.ttl is not None else "")


VERSION = 1  # of this form of data


def as_data(trace: "TraceRecord") -> dict[str, object]:
    """{"version": 1, "packets": [...]}: one object for each packet, with times in nanoseconds since 1970."""
    return {"version": VERSION, "packets": [_packet_data(trace, journey) for journey in trace]}


def packet_as_data(trace: "TraceRecord", number: int) -> dict[str, object]:
    """One packet alone."""
    return {"version": VERSION, **_packet_data(trace, trace[number])}


def _packet_data(trace: "TraceRecord", journey: Journey) -> dict[str, object]:
    packet = dissect(journey.first.data)
    events = (sighting.event for sighting in journey.sightings)
    return {
        "number": journey.number,
        "time": journey.time,
        "protocol": packet.protocol,
        "source": packet.source,
        "destination": packet.destination,
        "text": packet.text,
        "path": list(journey.path),
        "endings": list(_endings_data(trace.endings(journey))),
        "sightings": [{"time": e.time, "node": e.node, "interface": e.interface, "kind": e.kind} for e in events],
    }


def _endings_data(endings: Sequence[Ending]) -> Iterator[dict[str, object]]:
    for ending in endings:
        reason = ending.reason
        told = (
            {"reason": reason.kind, "text": reason.text, "details": list(reason.details), "try": reason.hint} if reason else {}
        )
        yield {"node": ending.node, "fate": ending.fate, **told}
