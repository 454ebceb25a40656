"""Packets that a router cuts into fragments, or puts together and cuts anew: others of the same number go on."""

from collections.abc import Sequence
from functools import cached_property

from pynetemu.trace.journeys.journey import Journey

_FRAGMENT = 0x3FFF  # more fragments, or an offset (RFC 791, 3.1)
_HEADERS = (b"\x08\x00", b"\x86\xdd")
_NEXT_IS_FRAGMENT = 44  # RFC 8200, 4.5


class Fragments:
    """An index of the fragments that nodes have sent."""

    def __init__(self, journeys: Sequence[Journey]) -> None:
        self._journeys = journeys

    @cached_property
    def _sent(self) -> dict[tuple[str, bytes], int]:
        """When a node has sent the last fragment with a number."""
        found: dict[tuple[str, bytes], int] = {}
        for journey in self._journeys:
            for sighting in journey.sightings:
                event = sighting.event
                if event.kind == "out" and _is_fragment(event.data):
                    found[event.node, _number(event.data)] = max(event.time, found.get((event.node, _number(event.data)), 0))
        return found

    def continue_(self, node: str, frame: bytes, time: int) -> bool:
        """Whether fragments of a packet have left a node after it, or others of the datagram that it is a fragment of."""
        return frame[12:14] in _HEADERS and self._sent.get((node, _number(frame)), 0) >= time


def _is_fragment(frame: bytes) -> bool:
    if frame[12:14] == b"\x08\x00":
        return bool(int.from_bytes(frame[20:22]) & _FRAGMENT)
    return frame[12:14] == b"\x86\xdd" and frame[20:21] == bytes([_NEXT_IS_FRAGMENT])


def _number(frame: bytes) -> bytes:
    """IPv4's number and protocol, IPv6's number: address translation leaves them alone."""
    return frame[18:20] + frame[23:24] if frame[12:14] == b"\x08\x00" else frame[58:62]
