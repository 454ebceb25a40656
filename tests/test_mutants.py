"""The lane of mutants knows where each room's tests are, and draws the same sample for the same seed."""

from pathlib import Path

import pytest

from tests.support.mutants import AREAS, Mutant, room_of
from tests.support.pynetemu import CLONE
from tests.support.rooms import rooms

pytestmark = pytest.mark.pure


def test_only_rooms_have_tests_of_their_own() -> None:
    assert set(AREAS) <= set(rooms())


@pytest.mark.parametrize("path", sorted({path for area in AREAS.values() for path in area}))
def test_the_tests_of_a_room_are_there(path: str) -> None:
    assert (CLONE / path).exists()


def test_a_mutant_shows_what_it_changes() -> None:
    mutant = Mutant(Path("pynetemu/plan/units.py"), "one\ntwo\nthree\n", "one\n2\nthree\n")
    assert mutant.difference().splitlines() == ["@@ -2 +2 @@", "-two", "+2"]
    assert mutant.room == "plan"
    assert room_of(Path("pynetemu/wording.py")) == "wording"
