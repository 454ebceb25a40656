"""A trace as a Mermaid sequence diagram."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pynetemu.packets.background import is_background
from pynetemu.packets.dissect import dissect
from pynetemu.safe_text import in_mermaid
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.verdicts.verdict import Ending
from pynetemu.trace.views.columns import order, way_to

if TYPE_CHECKING:
    from pynetemu.trace.verdicts.record import TraceRecord


def sequence_diagram(trace: "TraceRecord") -> str:
    """One arrow for each packet, from where it began to where it ended; a cross where it died, with the reason."""
    rows = [(journey, trace.endings(journey)) for journey in trace if not is_background(journey.first.data)]
    lines = ["sequenceDiagram", *(f"    participant {node}" for node in (order(rows) if rows else []))]
    for journey, endings in rows:
        for ending in endings:
            if ending.fate != "ignored":
                lines += _arrow(trace, journey, ending)
    return "\n".join(lines) + "\n"


def _arrow(trace: "TraceRecord", journey: Journey, ending: Ending) -> Iterator[str]:
    text = in_mermaid(dissect(journey.first.data, trace.wiring.name).text)
    way = way_to(ending.sighting)
    through = f" (via {', '.join(way[1:-1])})" if len(way) > 2 else ""
    arrow = "-x" if ending.fate in ("dropped", "waiting") else "->>"
    yield f"    {way[0]}{arrow}{way[-1]}: {text}{through}"
    if ending.reason is not None:
        yield f"    Note over {ending.node}: {in_mermaid(ending.reason.text)}"
