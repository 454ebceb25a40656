"""Which packets are sent again: an ARP question without answer, a TCP segment that was not acknowledged."""

from collections.abc import Iterable

from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.sources.events import Event

_TCP = 6
_FIN_SYN = 0x03


def mark_repeats(journeys: Iterable[Journey]) -> None:
    """Says of each journey whether its packet repeats one before; the journeys are in the order of time."""
    seen: set[tuple[object, ...]] = set()
    for journey in journeys:
        said = _said(journey.first)
        journey.again = said in seen
        if said is not None:
            seen.add(said)


def _said(event: Event) -> tuple[object, ...] | None:
    """What a packet says that is said but once if all goes well; None for what is often said twice."""
    frame, kind = event.data, event.data[12:14]
    if kind == b"\x08\x06":
        return event.node, event.interface, frame[14:42]
    if kind == b"\x08\x00" and len(frame) > 34 and frame[23] == _TCP:
        at, end = 14 + (frame[14] & 15) * 4, 14 + int.from_bytes(frame[16:18])
        return _segment(event, frame[26:34], at, end)
    if kind == b"\x86\xdd" and len(frame) > 54 and frame[20] == _TCP:
        return _segment(event, frame[22:54], 54, 54 + int.from_bytes(frame[18:20]))
    return None


def _segment(event: Event, addresses: bytes, at: int, end: int) -> tuple[object, ...] | None:
    """Ports, sequence number and length of a segment that takes some of the sequence; none for a mere acknowledgement."""
    frame = event.data
    if len(frame) < at + 14:
        return None
    carried = end - at - (frame[at + 12] >> 4) * 4
    takes = carried > 0 or frame[at + 13] & _FIN_SYN
    return (event.node, addresses, frame[at : at + 8], carried) if takes else None
