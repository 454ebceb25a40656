"""The tables of `pingall`: a cell for what was answered, lost in part or whole, never asked, and for a node itself."""

import pytest

from pynetemu.measure.ping import Ping
from pynetemu.shell.measurements import _cell, _mark, _ms, _percent

pytestmark = pytest.mark.pure

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
