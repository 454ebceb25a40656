"""How long a lab has been up, as `ps` shows it: in the largest unit of which one is over."""

import pytest

from pynetemu.cli.ps import _age

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        *((0.4, "0 s"), (59, "59 s"), (60, "1 min"), (90, "2 min"), (3599, "60 min"), (3600, "1 h"), (86_399, "24 h")),
        *((86_400, "1 d"), (10 * 86_400, "10 d")),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: float, age: str) -> None:
    assert _age(seconds) == age
