"""A whole trace as text: the ladder, a line of summary, and what to try."""

from typing import TYPE_CHECKING

from pynetemu.trace.dissect import dissect
from pynetemu.trace.journeys import Journey
from pynetemu.trace.ladder import ladder
from pynetemu.trace.style import Style

if TYPE_CHECKING:
    from pynetemu.trace.trace import Trace

_CHATTER = ("STP", "MLD", "IGMP", "LLDP", "mDNS")
_ROWS = 60


def report(trace: "Trace", style: Style, *, everything: bool = False) -> str:
    shown = [journey for journey in trace if everything or not is_chatter(journey)]
    rows = [(journey, trace.endings(journey)) for journey in shown[:_ROWS]]
    lines = list(ladder(rows, trace.wiring, style))
    if len(shown) > _ROWS:
        lines.append(f"… {len(shown) - _ROWS} more packets: narrow the trace with --filter")
    return "\n".join(lines)


def is_chatter(journey: Journey) -> bool:
    """Whether a packet is what kernels say by themselves: spanning tree, multicast membership, IPv6's first words."""
    packet = dissect(journey.first.data)
    return packet.protocol in _CHATTER or packet.text.startswith(("ND router solicitation", "ND probe"))


def as_data(trace: "Trace") -> list[dict[str, object]]:
    """One object for each packet, with times in nanoseconds since 1970."""
    return [_packet_data(trace, journey) for journey in trace]


def _packet_data(trace: "Trace", journey: Journey) -> dict[str, object]:
    packet = dissect(journey.first.data)
    endings = [
        {
            "node": ending.node,
            "fate": ending.fate,
            "reason": ending.reason.kind if ending.reason else None,
            "text": ending.reason.text if ending.reason else None,
        }
        for ending in trace.endings(journey)
    ]
    seen = [
        {"time": event.time, "node": event.node, "interface": event.interface, "kind": event.kind}
        for event in (sighting.event for sighting in journey.sightings)
    ]
    return {
        "number": journey.number,
        "time": journey.time,
        "protocol": packet.protocol,
        "source": packet.source,
        "destination": packet.destination,
        "text": packet.text,
        "path": list(journey.path),
        "endings": endings,
        "sightings": seen,
    }
