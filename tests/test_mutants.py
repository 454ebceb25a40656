"""The lane of mutants knows where each room's tests are, and draws the same sample for the same seed."""

from pathlib import Path

import pytest

from tests.support.mutants import AREAS, PACKAGE, Mutant
from tests.support.pynetemu import CLONE
from tests.support.rooms import rooms

pytestmark = pytest.mark.pure


def test_only_rooms_have_tests_of_their_own() -> None:
    assert set(AREAS) <= set(rooms())


@pytest.mark.parametrize("path", sorted({path for area in AREAS.values() for path in area}))
def test_the_tests_of_a_room_are_there(path: str) -> None:
    assert (CLONE / path).exists()


def test_a_mutant_shows_what_it_changes(tmp_path: Path) -> None:
    file = PACKAGE / "wording.py"
    first, _, rest = file.read_text().partition("\n")
    assert Mutant(file, f"# changed\n{rest}").difference().splitlines()[1:] == [f"-{first}", "+# changed"]
    assert Mutant(file, "").room == "wording"
    assert Mutant(PACKAGE / "plan" / "units.py", "").room == "plan"
