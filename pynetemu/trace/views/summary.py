"""The last lines of a trace: did it work, why not, what to try."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.verdicts.outcome import Outcome, outcome
from pynetemu.trace.verdicts.verdict import Ending
from pynetemu.trace.views.columns import Row, involved
from pynetemu.trace.views.style import Style
from pynetemu.wording import counted

if TYPE_CHECKING:
    from pynetemu.trace.verdicts.record import TraceRecord

_MOST_BESIDES = 3


def summary(trace: "TraceRecord", rows: Sequence[Row], journeys: Sequence[Journey], style: Style) -> Iterator[str]:
    """One line of outcome, one of what to try; what was made good, what others did; and that packets were missed, if they were.

    `rows` are those that are shown of the journeys.
    """
    told = f"{counted(len(journeys), 'packet')}, {counted(sum(journey.links_crossed for journey in journeys), 'hop')}"
    told += f", {trace.lost} missed · {trace.engine}"
    found = outcome(trace, rows)
    if found.cause is not None:
        cause = found.cause
        because = f": {cause.details[0]}" if cause.kind == "arp" and cause.details else ""
        yield from map(style.failed, style.wrapped(style.words(f"{style.signs.dropped} {cause.text}{because}"), 1, 3))
        yield from style.wrapped(style.words(told), 3)
        if cause.hint:
            yield style.words(f"   try: {cause.hint}") + (style.dim(f" {style.signs.bullet} why") if rows else "")
    elif not rows:
        yield from style.wrapped(f"no packet was seen, {trace.lost} missed · {trace.engine}", 3)
    elif found.status:
        failed = f"! no packet was lost, and the line failed with status {found.status} · {told}"
        yield from map(style.bold, style.wrapped(style.words(failed), 1, 3))
    else:
        fine = f"{style.signs.fine} {found.answered or 'all arrived'} · {told}"
        yield from map(style.fine, style.wrapped(style.words(fine), 1, 3))
    yield from _besides(found, style)
    if trace.lost:
        missed = f"{trace.lost} sightings came too fast, so that packets lack places: narrow the trace with --filter"
        yield from map(style.failed, style.wrapped(missed, 3))
    if trace.rules_missed:
        missed = "the kernel's traces of rules came too fast: not every rule that dropped is named"
        yield from map(style.failed, style.wrapped(missed, 3))


def _besides(found: Outcome, style: Style) -> Iterator[str]:
    """What was made good, and what happened to the packets of others."""
    for reason in found.healed[:_MOST_BESIDES]:
        yield from style.wrapped(style.words(f"! made good: {reason.text}"), 1, 3)
    for reason in found.besides[:_MOST_BESIDES]:
        yield from map(style.dim, style.wrapped(style.words(f"besides: {reason.text}"), 3, 5))


def way(journey: Journey, endings: Sequence[Ending]) -> str:
    return " → ".join(involved(journey, endings))
