"""The last lines of a trace: did it work, why not, what to try."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pynetemu.packets.dissect import dissect
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.verdicts.verdict import Ending, Reason
from pynetemu.trace.views.columns import Row, involved
from pynetemu.trace.views.style import Style
from pynetemu.wording import counted

if TYPE_CHECKING:
    from pynetemu.trace.verdicts.record import TraceRecord

_BAD = ("dropped", "waiting", "unanswered")


def summary(trace: "TraceRecord", rows: Sequence[Row], journeys: Sequence[Journey], style: Style) -> Iterator[str]:
    """One line of outcome, one of what to try; and, whenever it is so, that packets were missed.

    `rows` are those that are shown of the journeys.
    """
    told = f"{counted(len(journeys), 'packet')}, {counted(sum(journey.links_crossed for journey in journeys), 'hop')}"
    told += f", {trace.lost} missed · {trace.engine}"
    cause = root_cause(trace, rows)
    if cause is None and not rows:
        yield f"   no packet was seen, {trace.lost} missed · {trace.engine}"
    elif cause is None:
        text = f" {style.signs.fine} {_answered(trace, rows) or 'all arrived'} · {told}"
        yield style.fine(style.words(text))
    else:
        because = f": {cause.details[0]}" if cause.kind == "arp" and cause.details else ""
        yield style.failed(style.words(f" {style.signs.dropped} {cause.text}{because}"))
        yield style.words(f"   {told}")
        if cause.hint:
            yield style.words(f"   try: {cause.hint}") + (style.dim(f" {style.signs.bullet} why") if rows else "")
    if trace.lost:
        yield style.failed(f"   {trace.lost} packets came too fast and are not shown: narrow the trace with --filter")
    if trace.rules_missed:
        yield style.failed("   the kernel's traces of rules came too fast: not every rule that dropped is named")


def root_cause(trace: "TraceRecord", rows: Sequence[Row]) -> Reason | None:
    """What went wrong: what kept a packet from its way or its answer; ARP only where nothing else is told."""
    bad = [(journey, ending.reason) for journey, endings in rows for ending in endings if is_bad(ending) and ending.reason]
    others = [reason for journey, reason in bad if dissect(journey.first.data).protocol not in ("ARP", "ND")]
    twice = [reason for reason in trace.node_problems if reason.kind == "duplicate"]
    besides = [reason for reason in trace.node_problems if reason.kind != "route" or not _answered(trace, rows)]
    return next(iter([*twice, *others, *besides, *(reason for _, reason in bad)]), None)


def is_bad(ending: Ending) -> bool:
    return ending.fate in _BAD


def _answered(trace: "TraceRecord", rows: Sequence[Row]) -> str:
    """How long the first request took until its answer was back; "" when there was none to wait for."""
    for journey, endings in rows:
        packet = dissect(journey.first.data)
        if packet.kind not in ("echo request", "SYN"):
            continue
        for ending in endings:
            answer = trace.answer(ending)
            if answer is not None and answer.path[-1] == journey.first.node:
                took = (answer.sightings[-1].event.time - journey.time) / 1e6
                return f"{'answered' if packet.kind == 'echo request' else 'connected'} in {took:.3f} ms"
    return ""


def way(journey: Journey, endings: Sequence[Ending]) -> str:
    return " → ".join(involved(journey, endings))
