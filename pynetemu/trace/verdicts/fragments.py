"""Packets that a node cuts in pieces, or puts together and cuts anew: others of the same number go on."""

from collections.abc import Sequence
from functools import cached_property

from pynetemu.trace.journeys.flows import segment_of
from pynetemu.trace.journeys.journey import Journey

_FRAGMENT = 0x3FFF  # more fragments, or an offset (RFC 791, 3.1)
_HEADERS = (b"\x08\x00", b"\x86\xdd")
_NEXT_IS_FRAGMENT = 44  # RFC 8200, 4.5


class Fragments:
    """An index of the fragments that nodes have sent."""

    def __init__(self, journeys: Sequence[Journey]) -> None:
        self._journeys = journeys

    @cached_property
    def _sent(self) -> dict[tuple[str, bytes], list[tuple[int, int, int]]]:
        """When a node has sent which bytes of a number."""
        found: dict[tuple[str, bytes], list[tuple[int, int, int]]] = {}
        for journey in self._journeys:
            for sighting in journey.sightings:
                event = sighting.event
                if event.kind == "out" and _is_fragment(event.data):
                    found.setdefault((event.node, _number(event.data)), []).append((event.time, *_bytes(event.data)))
        return found

    @cached_property
    def _segments(self) -> dict[tuple[str, bytes], int]:
        """When a node has last sent a segment of TCP of a sequence number that had not come to it as it was."""
        firsts = (journey.first for journey in self._journeys)
        return {
            (event.node, number): event.time for event in firsts if event.kind == "out" and (number := _sequence(event.data))
        }

    def go_on_as_segments(self, node: str, frame: bytes, time: int) -> bool:
        """Whether what stands for several segments of TCP has left a node as these: a link took no larger ones (GSO)."""
        number = _sequence(frame)
        return bool(number) and self._segments.get((node, number), 0) >= time

    def continue_(self, node: str, frame: bytes, time: int) -> bool:
        """Whether bytes of a packet, whole or a fragment itself, have left a node in fragments after it came."""
        if frame[12:14] not in _HEADERS:
            return False
        begin, end = _bytes(frame)
        sent = self._sent.get((node, _number(frame)), ())
        return any(later >= time and first < end and begin < last for later, first, last in sent)


def _sequence(frame: bytes) -> bytes:
    """The sequence number of a segment of TCP with data, and what it acknowledges: translation leaves them alone."""
    segment = segment_of(frame)
    if segment is None or not segment[3]:
        return b""
    at = 14 + (frame[14] & 15) * 4 if frame[12:14] == b"\x08\x00" else 54
    return frame[at + 4 : at + 12]


def _is_fragment(frame: bytes) -> bool:
    if frame[12:14] == b"\x08\x00":
        return bool(int.from_bytes(frame[20:22]) & _FRAGMENT)
    return frame[12:14] == b"\x86\xdd" and frame[20:21] == bytes([_NEXT_IS_FRAGMENT])


def _bytes(frame: bytes) -> tuple[int, int]:
    """Which bytes of its datagram's payload a frame has: the first, and that after the last."""
    if frame[12:14] == b"\x08\x00":
        begin = (int.from_bytes(frame[20:22]) & 0x1FFF) * 8
        return begin, begin + int.from_bytes(frame[16:18]) - (frame[14] & 15) * 4
    if frame[20:21] != bytes([_NEXT_IS_FRAGMENT]):
        return 0, int.from_bytes(frame[18:20])
    begin = int.from_bytes(frame[56:58]) & 0xFFF8
    return begin, begin + int.from_bytes(frame[18:20]) - 8


def _number(frame: bytes) -> bytes:
    """IPv4's number and protocol, IPv6's number: address translation leaves them alone."""
    return frame[18:20] + frame[23:24] if frame[12:14] == b"\x08\x00" else frame[58:62]
