"""The lane of mutants knows where each room's tests are, which enter what, and takes those that fit into a minute."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple, cast

import pytest

from tests.support.mutants import AREAS, Mutant, chosen, failed, hide_decorators, room_of
from tests.support.pynetemu import CLONE
from tests.support.reach import Plugin, Reach, enclosing, make_functions_tell
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
    assert mutant.line() == 2


_TEXT = '''"""A module."""
first = 1


class Some:
    kind = 2

    def method(self) -> int:
        """What it is for."""

        def inner() -> int:
            return 3

        return inner()


def function() -> int:
    return 4
'''


@pytest.mark.parametrize(
    ("line", "name"),
    [(2, ""), (6, ""), (8, ""), (9, "Some.method"), (12, "Some.method.inner"), (14, "Some.method"), (18, "function"), (17, "")],
)
def test_the_function_around_a_change(line: int, name: str) -> None:
    """A change of the head is one of the module: it is done when the module is imported."""
    assert enclosing(_TEXT, line) == name


def test_functions_of_a_copy_tell_once_who_enters_them(tmp_path: Path) -> None:
    package = tmp_path / "pynetemu"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "some.py").write_text(_TEXT)
    told = tmp_path / "told"
    make_functions_tell(tmp_path, told)
    (told / "test").write_text("tests/test_x.py::test_y")
    lines = "from pynetemu.some import *; Some().method(), Some().method(), print(Some.method.__doc__)"
    done = subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "What it is for.\n"
    (file,) = (file for file in told.iterdir() if file.name.isdigit())
    entered = [line.split("\t") for line in file.read_text().splitlines()]
    assert entered == [[f"pynetemu/some.py:Some.{name}", "tests/test_x.py::test_y"] for name in ("method", "method.inner")]


_DECORATED = """class Some:
    @decorator(
        1
    )
    @property
    def method(self) -> int:
        return 2
"""


def test_functions_with_decorators_are_changed_like_others() -> None:
    lines = hide_decorators(_DECORATED).splitlines()
    assert [line for line in lines if not line.startswith("#hidden from mutmut#")] == [
        "class Some:",
        "    def method(self) -> int:",
        "        return 2",
    ]
    assert [line.removeprefix("#hidden from mutmut#") for line in lines] == _DECORATED.splitlines()


@pytest.fixture
def reach(tmp_path: Path) -> Reach:
    """Tests that enter `plan/units.py`: a, b and c themselves, and d, in whose file is e, by another process; f has failed."""
    tests = {"tests/plan/t.py::a": 9.0, "tests/plan/t.py::b": 1.0, "tests/cli/t.py::c": 2.0}
    tests |= {"tests/shell/t.py::d": 1.0, "tests/shell/t.py::e": 55.0, "tests/plan/t.py::f": 1.0}
    about = {test: {"seconds": seconds, "slow": False, "passed": test[-1] != "f"} for test, seconds in tests.items()}
    (tmp_path / "tests.json").write_text(json.dumps(about))
    (tmp_path / "pids").write_text("7\n")
    place = "pynetemu/plan/units.py:rate"
    own = [f"{place}\t{test}\n" for test in tests if test[-1] in "abcf"]
    (tmp_path / "7").write_text("".join(own))
    (tmp_path / "8").write_text(f"{place}\ttests/shell/t.py::d\n")
    return Reach(tmp_path)


class _Item(NamedTuple):
    nodeid: str


def test_only_tests_that_are_new_or_have_not_passed_are_heard_and_those_that_are_gone_forgotten(
    reach: Reach, tmp_path: Path
) -> None:
    plugin = Plugin(tmp_path)
    items = [_Item(f"tests/plan/t.py::{name}") for name in "abfg"]
    plugin.pytest_collection_modifyitems(cast("list[pytest.Item]", items))
    assert [item.nodeid[-1] for item in items] == ["f", "g"]
    plugin.pytest_sessionfinish()
    assert {test[-1] for test in json.loads((tmp_path / "tests.json").read_text())} == {"a", "b", "f"}


def test_what_another_process_enters_counts_for_all_tests_of_the_file(reach: Reach) -> None:
    file = Path("pynetemu/plan/units.py")
    found = {test.test[-1]: test.itself for test in reach.tests(file, "rate")}
    assert found == {"a": True, "b": True, "c": True, "d": False, "e": False}
    assert list(reach.tests(file, "size")) == []
    assert len(list(reach.tests(file, ""))) == 5


def test_a_change_is_looked_for_by_the_tests_of_its_room_first_and_for_a_minute_at_most(reach: Reach) -> None:
    text = "def rate() -> int:\n    return 1\n"
    mutant = Mutant(Path("pynetemu/plan/units.py"), text, text.replace("1", "2"))
    assert [test.test[-1] for test in chosen(mutant, reach)] == ["d", "c", "b", "a"]  # the e would be too much
    nowhere = Mutant(Path("pynetemu/plan/other.py"), text, text.replace("1", "2"))
    assert [test.test[-1] for test in chosen(nowhere, reach)] == ["b", "a"]


@pytest.mark.parametrize(
    ("told", "test"),
    [
        ("tests/t.py::a[x - y] - assert 1 == 2", "tests/t.py::a[x - y]"),
        ("tests/t.py::a[x - y]", "tests/t.py::a[x - y]"),
        ("tests/t.py::b - x", "tests/t.py::b"),
        ("tests/t.py::bb - x", "tests/t.py::bb"),
        ("tests/t.py - no module", "tests/t.py"),
    ],
)
def test_a_failed_test_is_known_by_its_whole_name(told: str, test: str) -> None:
    assert failed(told, ["--timeout=3", "tests/t.py::a[x - y]", "tests/t.py::b", "tests/t.py::bb"]) == test


def test_a_constant_is_looked_at_by_the_rooms_own_file(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by those of its tests that enter no function."""
    monkeypatch.setitem(AREAS, "plan", ["tests/plan", "tests/shell/t.py"])
    constant = Mutant(Path("pynetemu/plan/units.py"), "most = 1\n", "most = 2\n")
    assert [test.test[-1] for test in chosen(constant, reach)] == ["b", "c", "d", "e"]
    other = Mutant(Path("pynetemu/plan/other.py"), "most = 1\n", "most = 2\n")
    assert [test.test[-1] for test in chosen(other, reach)] == ["b", "d", "e"]
