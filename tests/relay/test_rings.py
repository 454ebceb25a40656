"""What is taken from memory that the kernel fills, here by us: frames in their order, buffers of several packets too."""

import struct
import time
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from pynetemu.plan.shaping.impairment import Impairment, Limit
from pynetemu.relay.direction import BUFFER, MOST_HELD, Direction
from pynetemu.relay.frames import VNET, on_the_wire
from pynetemu.relay.relay import Relay, _counted
from pynetemu.relay.ring import Ring

pytestmark = pytest.mark.pure

_SLOTS, _SIZE, _OFFSET = 8, 2048, 86  # where a frame begins in its slot, behind the header of virtio


class _Ring(Ring):
    """Over memory of our own. A frame is as long as `put` says, whatever of it a slot has."""

    def __init__(self, size: int = _SIZE, buffers: Ring | None = None) -> None:
        self._size, self._slots, self._most, self._next = size, _SLOTS, 1518, 0
        self._memory: Any = bytearray(_SLOTS * size)
        self._status = memoryview(self._memory).cast("I")
        self._buffers = buffers
        self.lost = self.cut = self._filled = 0

    def put(self, data: bytes, when: float, length: int = 0) -> None:
        frame = bytes(VNET) + data
        start = self._filled % _SLOTS * self._size
        seconds, nanoseconds = int(when), round(when % 1 * 1e9)
        header = struct.pack("=IIIH2xIIHH", 1, length or len(data), len(data), _OFFSET, seconds, nanoseconds, 0, 0)
        first = start + _OFFSET - VNET
        self._memory[first : first + len(frame)] = frame
        self._memory[start : start + len(header)] = header
        self._filled += 1


def _taken(ring: Ring) -> list[bytes]:
    found: list[Any] = []
    ring.take(found)
    return [bytes(frame[VNET:]).partition(b"\0")[0] for _, _, frame in found]


def _pair() -> tuple[_Ring, _Ring]:
    buffers = _Ring(1 << 14)
    buffers._most = 1 << 16
    return _Ring(buffers=buffers), buffers


def test_buffers_come_in_their_place_among_other_frames() -> None:
    ring, buffers = _pair()
    for turn in range(5):  # more than once around
        ring.put(b"before %d" % turn, 1.0)
        buffers.put(b"buffer %d" % turn + bytes(9000), 2.0)
        ring.put(b"buffer %d" % turn + bytes(1800), 2.000001, length=9009)
        ring.put(b"behind %d" % turn, 3.0)
        assert _taken(ring) == [b"before %d" % turn, b"buffer %d" % turn, b"behind %d" % turn]
    assert ring.is_empty
    assert not ring.cut


def test_a_buffer_without_room_is_counted_and_takes_nothing_from_the_next_one() -> None:
    ring, buffers = _pair()
    ring.put(b"lost", 1.0, length=9000)
    buffers.put(b"next", 2.0)
    ring.put(b"next", 2.0, length=9000)
    assert _taken(ring) == [b"next"]
    assert ring.cut == 1


def test_a_buffer_that_another_processor_copies_yet_is_waited_for() -> None:
    ring, buffers = _pair()
    now = time.time() + 5  # whatever happens to our processor meanwhile
    ring.put(b"late", now, length=9000)
    ring.put(b"behind", now)
    assert _taken(ring) == []
    buffers.put(b"late", now)
    assert _taken(ring) == [b"late", b"behind"]
    assert not ring.cut


def test_buffers_whose_begin_was_lost_come_with_the_next_one() -> None:
    ring, buffers = _pair()
    buffers.put(b"first", 1.0)
    buffers.put(b"second", 2.0)
    ring.put(b"second", 2.0, length=9000)
    assert _taken(ring) == [b"first", b"second"]


def test_without_room_for_buffers_what_is_cut_is_counted() -> None:
    ring = _Ring()
    ring.put(b"cut", 1.0, length=9000)
    ring.put(b"next", 1.0)
    assert _taken(ring) == [b"next"]
    assert ring.cut == 1


def test_a_buffer_takes_as_long_as_its_packets_would() -> None:
    """Of 3,000 bytes in packets of 1,448, with 66 bytes of headers each (14 + 20 + 32)."""
    headers = bytes(14) + bytes(20) + bytes(12) + b"\x80" + bytes(19)
    header = struct.pack("=BBHHHH", 1, 1, 66, 1448, 34, 16)
    assert on_the_wire(header + headers + bytes(3000)) == 3000 + 3 * 66
    assert on_the_wire(header + headers + bytes(1448)) == 1448 + 66
    assert on_the_wire(bytes(VNET) + headers + bytes(1448)) == 1448 + 66


def test_what_a_flood_leaves_on_its_way_is_bounded_also_where_nothing_but_a_delay_is_asked() -> None:
    direction = Direction("l/a_to_b", 1, apart=True)
    assert direction.plain
    relay = Relay.__new__(Relay)
    relay._found, relay._offset, relay._heap = [], time.time() - time.monotonic(), []

    def receive(frame: bytes, count: int) -> None:
        def take(found: list[Any]) -> int:
            found += [(int(time.time()), 0, frame)] * count
            return count

        relay._receive(SimpleNamespace(take=take, took_buffers=len(frame) > BUFFER), direction)  # type: ignore[arg-type]

    direction.line.extend([(0.0, bytes(100))] * (MOST_HELD - 1500))
    for _ in range(4):
        receive(bytes(100), 1000)
    assert len(direction.line) == MOST_HELD
    assert direction.counters.overload == 2500

    direction.line = deque()
    direction.counters.overload = 0
    for _ in range(5):
        receive(bytes(60_000), 1000)
    assert len(direction.line) == 2000  # 120 MB
    assert direction.counters.overload == 3000
    direction.line.clear()
    receive(bytes(60_000), 1000)
    assert len(direction.line) == 1000

    direction.line.clear()
    direction.configure(Impairment(rate=1, limit=Limit(packets=10**6)))
    direction.queue.waiting.extend([(0.0, bytes(100), ())] * (MOST_HELD - 500))  # type: ignore[union-attr]
    receive(bytes(100), 1000)
    assert direction.held == MOST_HELD
    assert direction.counters.overload == 3500


def test_packets_to_one_node_are_late_once_when_they_leave_and_lost_where_they_were() -> None:
    direction = Direction("l/a_to_b", 1, apart=True)
    part = direction.new_part("h2")
    direction.counters.late, direction.counters.sent = 1, 9
    part.counters.late, part.counters.lost, part.counters.sent = 3, 2, 7
    counted = _counted(direction, SimpleNamespace(count_losses=lambda: 4))  # type: ignore[arg-type]
    assert (counted["late"], counted["lost"], counted["sent"], counted["overload"]) == (1, 2, 9, 4)
