"""Recorded links: traces of opportunities and tables of settings, as files and in virtual time."""

import pytest

from pynetemu.plan.problems import Wrong
from pynetemu.plan.shaping.replays import check_times, read_opportunities, read_seconds, read_table
from pynetemu.relay.direction import Direction
from pynetemu.relay.opportunities import Opportunities

pytestmark = pytest.mark.pure

_FULL = bytes(10) + b"\2\0\0\0\0\2\2\0\0\0\0\1\x88\xb5" + bytes(1486)  # 1500 bytes on the link
_HALF = _FULL[:760]


def test_each_opportunity_takes_1500_bytes_and_the_trace_begins_again() -> None:
    trace = Opportunities((0, 10, 10, 30), 100.0)
    left = [trace.left(100.0, 1500) for _ in range(6)]
    assert left == pytest.approx([100.0, 100.01, 100.01, 100.03, 100.03, 100.04])
    small = Opportunities((5, 20), 0.0)
    assert [small.left(0.0, 750) for _ in range(3)] == pytest.approx([0.005, 0.005, 0.02])
    late = Opportunities((5, 20), 0.0)
    assert late.left(0.006, 1500) == pytest.approx(0.02)  # what nobody used is gone
    assert late.left(0.1999, 3000) == pytest.approx(0.205)


def test_a_direction_follows_a_trace_and_goes_back_to_its_rate() -> None:
    direction = Direction("l/a_to_b", 1, apart=True)
    direction.replay(Opportunities(tuple(range(1, 1001)), 0.0))
    for _ in range(8):
        direction.arrive(0.0, _FULL)
        direction.arrive(0.0, _HALF)
    direction.serve(10.0)
    assert [due for due, _ in direction.line][:4] == pytest.approx([0.001, 0.002, 0.003, 0.003])
    direction.replay(None)
    assert direction.plain
    assert direction.queue is None


def test_files_are_read_and_what_is_wrong_is_told_with_its_line() -> None:
    assert read_opportunities("0\n12\n12\n25\n") == (0, 12, 12, 25)
    table = read_table("time,delay,rate\n# from the field\n0,20ms,5mbit\n1.5, ,1mbit\n2s,5ms,\n")
    assert table == [(0.0, {"delay": "20ms", "rate": "5mbit"}), (1.5, {"rate": "1mbit"}), (2.0, {"delay": "5ms"})]
    assert read_seconds("250ms") == 0.25
    for text, told in (("", "0 lines"), ("1\n-2\n", "line 2 is '-2'"), ("5\n3\n", "line 2 is 3, before 5"), ("0\n", "at 0 ms")):
        with pytest.raises(Wrong, match=told):
            read_opportunities(text)
    for text, told in (
        ("", "empty"),
        ("t,delay\n", "first column is 't'"),
        ("time,dealy\n0,5ms\n", "no setting 'dealy'"),
        ("time,delay\n0\n", "row 2 has 1 values for 2"),
        ("time,delay\n1,5ms\n0,5ms\n", "0 s comes after 1 s"),
        ("time,delay\n", "no times"),
        ("time,delay,delay\n0,5ms,6ms\n", "a column twice"),
        (f"time,delay\n0,{'5' * 200_000}ms\n", "larger than field limit"),
    ):
        with pytest.raises(Wrong, match=told):
            read_table(text)
    with pytest.raises(Wrong, match="no times"):
        check_times([])
