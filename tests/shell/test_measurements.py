"""What `pingall` and `iperf` print: cells for what was answered, lost in part or whole, never asked; sums; data."""

from itertools import permutations

import pytest

from pynetemu.measure.ping import Ping, Pings
from pynetemu.measure.throughput import Throughput
from pynetemu.shell.measurements import Pinged, Sent, _cell, _mark, _ms, _percent, bits

pytestmark = pytest.mark.pure


@pytest.fixture(autouse=True)
def columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


_ANSWERED = Ping("h1", "h2", "10.0.0.2", 2, [1.0, 2.0])
_PART = Ping("h1", "h2", "10.0.0.2", 2, [12.34])
_LOST = Ping("h1", "h2", "10.0.0.2", 2)
_NEVER = Ping("h1", "h2", "")


@pytest.mark.parametrize(
    ("ping", "cell", "mark"),
    [
        (_ANSWERED, " 1.500", "."),
        (_PART, " 12.3!", "X"),
        (_LOST, "     X", "X"),
        (_NEVER, "     ?", "?"),
        (None, "     ·", " "),
    ],
)
def test_a_cell_and_a_mark(ping: Ping | None, cell: str, mark: str) -> None:
    assert (_cell(ping, 6), _mark(ping)) == (cell, mark)


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (9.9994, "9.999"), (10.0, "10.0"), (999.94, "999.9"), (1000.0, "1000")]
)
def test_milliseconds(value: float | None, text: str) -> None:
    assert _ms(value) == text


@pytest.mark.parametrize(
    ("part", "text"),
    [(0, "0%"), (1, "100%"), (0.5, "50%"), (0.0002, "0.02%"), (0.004, "0.4%"), (0.996, "99.6%"), (1 / 3, "33%")],
)
def test_parts_are_never_rounded_to_nothing_or_all(part: float, text: str) -> None:
    assert _percent(part) == text


def _pings(*lost: str, nodes: str = "abcd", error: str = "", interrupted: bool = False) -> Pings:
    """Pings between all of some nodes, twice each, in 1 and 2 ms; of those that are lost, "ab" say, none is answered."""
    pairs = []
    for source, target in permutations(nodes, 2):
        is_lost = source + target in lost
        address = f"10.0.0.{nodes.index(target) + 1}"
        pairs.append(Ping(source, target, address, 2, [] if is_lost else [1.0, 2.0], error if is_lost else ""))
    return Pings(tuple(nodes), tuple(pairs), 0.125, interrupted)


def test_all_have_answered() -> None:
    told = Pinged(_pings(nodes="ab"), full=False)
    assert told.text(False).splitlines() == [
        "       a      b",
        "a      ·  1.500",
        "b  1.500      ·",
        "4 of 4 answered, 0% lost, in 0.12 s; rtt min/avg/max 1.000/1.500/2.000 ms",
    ]
    assert told.status == 0


def test_each_pair_and_its_data() -> None:
    told = Pinged(_pings("ba", nodes="ab", error="no route"), full=True)
    *table, last = told.text(False).splitlines()
    assert last == "2 of 4 answered, 50% lost, in 0.12 s; rtt min/avg/max 1.000/1.500/2.000 ms"
    assert [line.split() for line in table] == [
        ["SOURCE", "TARGET", "ANSWERS", "MIN", "AVG", "MAX", "MDEV", "NOTE"],
        ["a", "b", "2/2", "1.000", "1.500", "2.000", "0.500", "-"],
        ["b", "a", "0/2", "-", "-", "-", "-", "no", "route"],
    ]
    assert told.status == 1
    assert told.data() == {
        "version": 1,
        "sent": 4,
        "received": 2,
        "loss": 0.5,
        "seconds": 0.125,
        "interrupted": False,
        "pairs": [
            {"source": "a", "target": "b", "address": "10.0.0.2", "sent": 2, "received": 2, "rtts_ms": [1, 2], "error": None},
            {"source": "b", "target": "a", "address": "10.0.0.1", "sent": 2, "received": 0, "rtts_ms": [], "error": "no route"},
        ],
    }


@pytest.mark.parametrize(
    ("lost", "error", "told"),
    [
        (("ab",), "", ["a has no answer from b"]),
        (("ab", "ac"), "no route", ["a has no answer from b, c  (no route)"]),
        (("ab", "ac", "ad"), "", ["a has no answer from anybody"]),
        (("ab", "cb", "db"), "", ["b answers nobody"]),
        (("ab", "cb", "db", "ac", "bc"), "no route", ["b answers nobody", "a has no answer from c  (no route)",
                                                      "b has no answer from c  (no route)"]),
        (("ba", "bc", "bd", "ab", "cb", "db"), "", ["b answers nobody", "b has no answer from anybody"]),
    ],
)  # fmt: skip
def test_who_has_no_answer_from_whom(lost: tuple[str, ...], error: str, told: list[str]) -> None:
    lines = Pinged(_pings(*lost, error=error), full=False).text(False).splitlines()
    assert lines[5:-1] == told


def test_of_many_that_miss_something_twenty_are_told() -> None:
    nodes = [f"h{number}" for number in range(1, 27)]
    pairs = tuple(Ping(a, b, "10.0.0.1", 1, [] if b == "h1" and a != "h2" else [1.0]) for a in nodes for b in nodes if a != b)
    told = Pinged(Pings(tuple(nodes), pairs, 1.0), full=False)
    lines = told.text(False).splitlines()
    assert lines[:3] == [f"h1   {'.' * 25}", f"h2  . {'.' * 24}", f"h3  X. {'.' * 23}"]  # too many for the table of times
    assert told.status == 1
    assert lines[26:28] == ["h3 has no answer from h1", "h4 has no answer from h1"]
    assert lines[-3:-1] == ["h22 has no answer from h1", "and 4 more nodes; --all shows them"]
    assert told.text(True).splitlines()[-2] == "h26 has no answer from h1"


def test_an_interrupt_and_pairs_that_were_not_asked_are_told() -> None:
    pings = _pings(nodes="ab", interrupted=True)
    for ping in pings.pairs[1:]:
        ping.sent, ping.rtts = 0, []
    told = Pinged(pings, full=False)
    assert told.text(False).splitlines()[2:] == [
        "b      ?      ·",
        "interrupted: 2 of 2 answered, 0% lost, 1 of 2 pairs, in 0.12 s; rtt min/avg/max 1.000/1.500/2.000 ms",
    ]
    assert told.status == 130
    nothing = Pinged(_pings("ab", "ba", nodes="ab"), full=False)
    assert nothing.text(False).splitlines()[-1] == "0 of 4 answered, 100% lost, in 0.12 s"


def test_what_has_gone_from_one_to_another() -> None:
    stream = Sent(Throughput("a", "b", "tcp", 2.04, 2_550_000))
    assert (stream.text(False), stream.status) == ("a to b: 10 Mbit/s of TCP in 2.0 s", 0)
    base = {"version": 1, "source": "a", "target": "b"}
    assert stream.data() == {**base, "protocol": "tcp", "seconds": 2.04, "bytes": 2_550_000, "bits_per_second": 10_000_000}
    found = Sent(Throughput("a", "b", "udp", 1.0, 1000, sent=4, received=3, jitter=0.25))
    assert found.text(False) == "a to b: 8 kbit/s of UDP in 1.0 s; 3 of 4 datagrams, 25% lost, jitter 0.250 ms"
    figures = {"sent": 4, "received": 3, "loss": 0.25, "jitter_ms": 0.25}
    assert found.data() == {**base, "protocol": "udp", "seconds": 1.0, "bytes": 1000, "bits_per_second": 8000, **figures}
    assert Sent(Throughput("a", "b", "tcp", 2.0, 0)).status == 1


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0, "0 bit/s"),
        (999, "999 bit/s"),
        (1000, "1 kbit/s"),
        (14.25e9, "14.2 Gbit/s"),
        (999.4e6, "999 Mbit/s"),
        (999.6e6, "1000 Mbit/s"),
        (2.5e12, "2500 Gbit/s"),
    ],
)
def test_bits(rate: float, text: str) -> None:
    assert bits(rate) == text
