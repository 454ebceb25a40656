"""One direction of a relayed link, in virtual time: delays, rates, queues, bunches, and changes while packets are under way."""

import pytest

from pynetemu.plan.shaping.impairment import Impairment, read_impairment
from pynetemu.relay.direction import Direction
from pynetemu.relay.relay import Relay

pytestmark = pytest.mark.pure

_FRAME = bytes(10) + b"\2\0\0\0\0\2\2\0\0\0\0\1\x88\xb5" + bytes(1236)  # 1250 bytes on the link


def _direction(**settings: object) -> Direction:
    made = Direction("l/a_to_b", 1, apart=True)
    made.configure(read_impairment(settings))
    return made


def _due(direction: Direction, times: list[float], until: float = 1e9) -> list[float]:
    """When frames that come at these times leave."""
    for time in times:
        direction.arrive(time, _FRAME)
    direction.serve(until)
    return [due for due, _ in direction.line]


def test_a_rate_spaces_packets_and_a_delay_follows_it() -> None:
    due = _due(_direction(rate="1mbit", delay="5ms"), [0.0, 0.0, 0.0, 1.0])
    assert due == pytest.approx([0.015, 0.025, 0.035, 1.015])


def test_a_queue_holds_its_limit_and_drops_at_the_end_that_was_asked() -> None:
    tail = _direction(rate="1mbit", limit="4 packets")
    due = _due(tail, [0.001 * n for n in range(10)])
    assert tail.counters.dropped == 5  # one is being sent, four wait
    assert due[-1] == pytest.approx(0.05)
    head = _direction(rate="1mbit", limit="4 packets", queue="drop-head")
    for number in range(10):
        head.arrive(0.001 * number, _FRAME + bytes([number]))
    head.serve(1e9)
    assert [frame[-1] for _, frame in head.line] == [0, 6, 7, 8, 9]
    assert _due(_direction(rate="1mbit", limit="5kb"), [0.0] * 10)[-1] == pytest.approx(0.05)


def test_codel_keeps_the_wait_short_where_a_plain_queue_does_not() -> None:
    times = [0.0095 * n for n in range(2000)]  # five percent more than passes
    waits = {}
    for queue in ("pfifo", "codel"):
        due = _due(_direction(rate="1mbit", limit="400 packets", queue=queue), times)
        waits[queue] = due[-1] - times[-1]
    assert waits["pfifo"] > 0.9
    assert waits["codel"] < 0.1


def test_red_drops_early_and_marks_instead_where_it_may() -> None:
    red = _direction(rate="1mbit", limit="1mb", queue="red 5kb 50kb 10%")
    _due(red, [0.0095 * n for n in range(3000)])
    assert 0 < red.counters.dropped < 600
    assert red.queue
    assert red.queue.held < 100_000


def test_jitter_keeps_the_order_and_the_mean() -> None:
    direction = _direction(delay="20ms", jitter="4ms")
    times = [0.001 * n for n in range(20_000)]
    delays = [due - time for due, time in zip(_due(direction, times), times, strict=True)]
    assert sorted(direction.line) == list(direction.line)
    assert sum(delays[2000:]) / len(delays[2000:]) == pytest.approx(0.020, abs=0.0005)
    assert max(delays) - min(delays) > 0.008


def test_reordered_packets_overtake_and_duplicates_follow() -> None:
    direction = _direction(delay="20ms", reorder="25%", duplicate="10%")
    _due(direction, [0.001 * n for n in range(4000)])
    assert 900 < direction.counters.reordered < 1300
    assert 300 < direction.counters.duplicated < 500
    assert len(direction.ahead) + len(direction.line) == 4000 + direction.counters.duplicated


def test_slots_bunch_packets() -> None:
    due = _due(_direction(slot="10ms"), [0.001 * n for n in range(100)])
    assert len(set(due)) < 12
    assert all(later - earlier >= 0.0099 for earlier, later in zip(sorted(set(due)), sorted(set(due))[1:], strict=False))


def test_after_a_way_of_minutes_or_a_rate_of_one_bit_a_change_lets_packets_pass() -> None:
    slow = _direction(delay="10m")
    for number in range(3):
        slow.arrive(0.0, _FRAME + bytes([number]))
    slow.configure(Impairment(delay=20_000_000), 1.0)
    slow.arrive(1.001, _FRAME + b"\3")
    assert [(due, frame[-1]) for due, frame in slow.line] == [(1.02, 0), (1.02, 1), (1.02, 2), (pytest.approx(1.021), 3)]

    for rate, last in ((1_000_000, 1.04), (0, 1.0)):
        narrow = _direction(rate="1bit", limit="10 packets")
        for number in range(4):
            narrow.arrive(0.0, _FRAME + bytes([number]))
        narrow.configure(Impairment(rate=rate), 1.0)
        narrow.serve(2.0)
        assert [frame[-1] for _, frame in narrow.line] == [0, 1, 2, 3]
        assert narrow.line[-1][0] == pytest.approx(last, abs=1e-4)

    narrow = _direction(slot="10m")
    narrow.arrive(0.5, _FRAME)
    narrow.configure(Impairment(), 1.0)
    assert narrow.line[0][0] == 1.0


def test_a_change_keeps_what_is_under_way_in_its_order() -> None:
    direction = _direction(rate="1mbit", delay="100ms")
    for number in range(5):
        direction.arrive(0.0, _FRAME + bytes([number]))
    direction.configure(Impairment(delay=1_000_000))  # no rate any more: the queue follows
    direction.arrive(0.01, _FRAME + b"\5")
    assert [frame[-1] for _, frame in direction.line] == list(range(6))
    assert direction.held == 6


@pytest.mark.parametrize(
    ("settings", "dropped"),
    [
        ({"limit": "4 packets"}, [5, 6, 7, 8, 9]),
        ({"limit": "4 packets", "queue": "drop-head"}, [1, 2, 3, 4, 5]),
        ({"limit": "100 packets", "queue": "codel"}, None),
    ],
)
def test_a_dropped_packet_is_remembered_with_when_it_came(settings: dict[str, str], dropped: list[int] | None) -> None:
    """Whichever the queue drops, as another comes or as its own turn comes."""
    direction = _direction(rate="1mbit", **settings)
    for number in range(10 if dropped else 60):
        direction.arrive(0.001 * number, _FRAME[:30] + number.to_bytes(2) + _FRAME[32:])
    direction.serve(1e9)
    ended = [(one.what, int.from_bytes(one.frame[20:22]), one.came) for one in direction.ended]
    assert ended == [("dropped", number, 0.001 * number) for _, number, _ in ended]
    assert len(ended) == direction.counters.dropped > 0
    assert dropped is None or [number for _, number, _ in ended] == dropped


def test_packets_to_one_node_go_on_when_they_are_due_and_those_that_overtake_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the time when they were due, from which the delay of the link counts."""
    whole = _direction(delay="3ms")
    part = whole.new_part("web")
    part.line.extend([(0.5, b"line 0.5"), (1.0, b"line 1"), (1.5, b"line 1.5")])
    part.ahead.extend([(0.75, b"ahead 0.75"), (1.25, b"ahead 1.25")])
    noted: list[Direction] = []
    relay = Relay.__new__(Relay)
    monkeypatch.setattr(relay, "_note", noted.append)
    passed: list[tuple[float, bytes]] = []
    monkeypatch.setattr(whole, "arrive", lambda now, frame: passed.append((now, frame)))
    assert relay._send_until(part, 1.0) == 3
    assert passed == [(0.75, b"ahead 0.75"), (0.5, b"line 0.5"), (1.0, b"line 1")]
    assert (list(part.ahead), list(part.line)) == ([(1.25, b"ahead 1.25")], [(1.5, b"line 1.5")])
    assert noted == [whole]
