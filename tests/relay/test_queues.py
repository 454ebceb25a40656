"""Queues of the relay, packet by packet: what waits, what is dropped or marked, and when the rest has left."""

import math
from itertools import pairwise

import pytest

from pynetemu.plan.shaping.impairment import read_impairment
from pynetemu.relay.fates import Draws
from pynetemu.relay.frames import VNET
from pynetemu.relay.opportunities import Opportunities
from pynetemu.relay.queues import CoDel, Queue, Red

pytestmark = pytest.mark.pure

_ETHERNET = b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"
_DRAWS: Draws = None  # type: ignore[assignment]  # a queue only hands them on


def _frame(size: int, ds_field: int = 0, number: int = 0) -> bytes:
    """A frame of so many bytes on the link, an IPv4 packet with this octet of services."""
    header = bytes([0x45, ds_field, *size.to_bytes(2, "big"), 0, number, 0, 0, 64, 17, 0x12, 0x34])
    return (bytes(VNET) + _ETHERNET + header).ljust(VNET + size, b"\0")


def _queue(**settings: object) -> Queue:
    return Queue(read_impairment({"rate": "8kbit", **settings}))  # a kilobyte a second


def test_what_waits_is_counted_in_bytes_without_what_the_ring_adds() -> None:
    queue = _queue(limit="10 packets")
    assert queue.put(0.0, _frame(100), _DRAWS) is None
    assert queue.put(0.0, _frame(60), _DRAWS) is None
    assert queue.held == 160
    assert queue.next_time() == 0.0
    first = queue.take(0.0)
    assert isinstance(first, tuple)
    assert (first[0], queue.free) == pytest.approx((0.1, 0.1)) and queue.held == 60
    assert queue.take(0.09) is None  # the line is busy with the first
    assert queue.next_time() == pytest.approx(0.1)
    second = queue.take(0.1)
    assert isinstance(second, tuple)
    assert second[0] == pytest.approx(0.16) and queue.held == 0 and queue.take(9.0) is None
    assert queue.put(5.0, _frame(50), _DRAWS) is None
    assert queue.take(4.99) is None  # it has not come yet
    late = queue.take(5.0)
    assert isinstance(late, tuple) and late[0] == pytest.approx(5.05)


@pytest.mark.parametrize(("kind", "lost"), [("pfifo", 3), ("drop-head", 0)])
def test_packets_beyond_the_limit_are_dropped_at_one_end(kind: str, lost: int) -> None:
    queue = _queue(limit="3 packets", queue=kind)
    frames = [_frame(100 + number, number=number) for number in range(4)]
    assert [queue.put(0.0, frame, _DRAWS) for frame in frames] == [None, None, None, frames[lost]]
    assert (queue.dropped, len(queue.waiting)) == (1, 3)
    assert queue.held == sum(len(frame) - VNET for frame in frames) - (100 + lost)


def test_bytes_beyond_the_limit_are_dropped_and_exactly_as_many_wait() -> None:
    queue = _queue(limit="3000b")
    assert [queue.put(0.0, _frame(1000), _DRAWS) for _ in range(3)] == [None] * 3
    assert queue.put(0.0, _frame(60), _DRAWS) == _frame(60)
    assert (queue.held, queue.dropped) == (3000, 1)


def test_codel_drops_as_rfc_8289_says() -> None:
    codel = CoDel()
    assert not codel.drops(0.0, 0.006, 5000)  # an interval begins
    assert not codel.drops(0.0999, 0.006, 5000)
    assert codel.drops(0.1, 0.006, 5000)  # all of it has waited too long
    assert not codel.drops(0.199, 0.006, 5000)
    assert codel.drops(0.2, 0.006, 5000)
    second = 0.2 + 0.1 / math.sqrt(2)
    assert not codel.drops(second - 0.001, 0.006, 5000)
    assert codel.drops(second + 0.001, 0.006, 5000)
    third = second + 0.1 / math.sqrt(3)
    assert not codel.drops(third - 0.001, 0.006, 5000)
    assert codel.drops(third + 0.001, 0.006, 5000)
    assert not codel.drops(0.5, 0.0049, 5000)  # a short wait ends it
    assert not codel.drops(0.51, 0.006, 5000)
    assert not codel.drops(0.6, 0.006, 5000)
    assert codel.drops(0.6101, 0.006, 5000)
    # It was dropping shortly before, at four: it goes on with three, which is where it had come to since.
    fourth = 0.6101 + 0.1 / math.sqrt(3)
    assert not codel.drops(fourth - 0.001, 0.006, 5000)
    assert codel.drops(fourth + 0.001, 0.006, 5000)


def test_codel_leaves_a_short_queue_and_a_short_wait_alone() -> None:
    codel = CoDel()
    for time in (0.0, 0.2, 0.4):
        assert not codel.drops(time, 0.9, 1514)
    assert not codel.drops(1.0, 0.005, 1515)  # exactly the target is too long, and one byte more is a queue
    assert codel.drops(1.1, 0.005, 1515)


def test_codel_marks_where_the_sender_knows_of_congestion() -> None:
    for ecn, ds_field, told in ((True, 2, "marked"), (True, 0, "dropped"), (False, 2, "dropped")):
        queue = Queue(read_impairment({"rate": "8mbit", "limit": "100 packets", "queue": "codel" + " ecn" * ecn}))
        for _ in range(4):
            queue.put(0.0, _frame(1000, ds_field), _DRAWS)
        queue.free = 0.2
        assert isinstance(queue.take(0.2), tuple)
        queue.free = 0.31
        found = queue.take(0.31)
        if told == "marked":
            assert isinstance(found, tuple) and found[1][VNET + 15] == 3
        else:
            assert found == _frame(1000, ds_field)
        assert (queue.marks, queue.dropped) == ((1, 0) if told == "marked" else (0, 1))
        assert queue.held == 2000


def test_red_drops_never_below_always_above_and_in_between_at_random() -> None:
    red = Red(1000, 2000, 0.5)
    red._average = 990.0
    assert not red.chooses(1000, 0.0, 1.0)
    red._average = 2000.0
    assert red.chooses(2000, 0.0, 1.0)
    red._average = 1999.0
    assert [red.chooses(1999, 0.0, 1.0) for _ in range(2)].count(True) >= 1  # at half, every second at least
    red = Red(1000, 2000, 0.02)
    red._average = 1500.0
    drops = [number for number in range(10_000) if red.chooses(1500, 0.0, 1.0)]
    assert 120 < len(drops) < 280  # 1 of 100 is asked, spread evenly makes up to twice that
    assert max(b - a for a, b in pairwise(drops)) <= 100


def test_red_forgets_while_the_queue_is_empty() -> None:
    red = Red(1000, 2000, 0.5)
    red._average = 1000.0
    red.chooses(0, 0.001, 0.0)  # a millisecond is worth one small packet
    assert red._average == pytest.approx(1000 * 0.998 * 0.998)
    red._average = 1000.0
    red.chooses(0, 5.0, 5.0)
    assert red._average == pytest.approx(998.0)


def test_red_marks_the_last_where_it_may() -> None:
    queue = Queue(read_impairment({"rate": "8kbit", "limit": "1mb", "queue": "red 1kb 2kb 100% ecn"}))
    assert queue._red is not None
    queue.free = 1.0
    queue._red._average = 3000.0
    assert queue.put(0.0, _frame(100, 1), _DRAWS) is None
    assert (queue.waiting[-1][1][VNET + 15], queue.marks, queue.dropped) == (3, 1, 0)
    assert queue.put(0.0, _frame(100, 0), _DRAWS) == _frame(100, 0)
    assert (queue.marks, queue.dropped, queue.held) == (1, 1, 100)


def test_settings_change_while_packets_wait() -> None:
    queue = _queue(limit="3 packets", queue="codel")
    codel = queue._codel
    assert codel is not None and (codel.target, codel.interval) == (0.005, 0.1)
    for _ in range(3):
        queue.put(0.0, _frame(100), _DRAWS)
    queue.configure(read_impairment({"rate": "16kbit", "limit": "4 packets", "queue": "codel target 7ms interval 90ms"}))
    assert queue._codel is codel and (codel.target, codel.interval) == (0.007, 0.09)
    assert queue.put(0.0, _frame(100), _DRAWS) is None
    taken = queue.take(0.0)
    assert isinstance(taken, tuple) and taken[0] == pytest.approx(0.05)
    queue.configure(read_impairment({"rate": "16kbit", "limit": "4 packets"}))
    assert queue._codel is None and queue._red is None


def test_opportunities_take_parts_of_packets_and_what_nobody_uses_is_gone() -> None:
    found = Opportunities([10, 20, 40], begin=1.0)
    assert found.left(1.0, 1500) == pytest.approx(1.010)
    assert found.left(1.0, 1000) == pytest.approx(1.020)
    assert found.left(1.0, 500) == pytest.approx(1.020)  # the rest of that one
    assert found.left(1.0, 1501) == pytest.approx(1.050)  # one byte more: the next turn, after 40 ms
    assert found.left(1.055, 100) == pytest.approx(1.060)
    assert found.left(1.115, 100) == pytest.approx(1.120)
    assert Opportunities([10, 20, 40], 0.0).limit == 15_000
    assert Opportunities(list(range(1, 101)), 0.0).limit == 150_000
