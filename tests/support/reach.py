"""Which tests enter which function: a copy of the clone, whose functions say so, runs all tests once.

Each function of the copy begins with a call that writes a line, at its first entry in a test, into a file of that process:
engines and programs in nodes are reached as the tests' own process is. What another process enters counts for all tests of
the file of tests, since they may share a lab that the first of them started.

As a plugin of pytest (`-p tests.support.reach`) it keeps the name of the running test where those processes look, and says in
`tests.json` how each test ended and how long it took.
"""

import ast
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

_RECORDER = """
import os
_FOLDER = {folder!r}
_seen = set()
def entered(place):
    if place not in _seen:
        _seen.add(place)
        try:
            with open(_FOLDER + "/test") as file:
                test = file.read()
            with open(f"{{_FOLDER}}/{{os.getpid()}}", "a") as file:
                file.write(f"{{place}}\\t{{test}}\\n")
        except OSError:
            pass
os.register_at_fork(after_in_child=_seen.clear)
"""
_MODULE = "pynetemu/entered.py"
_KEPT = 100  # tests, after which what is known is written
_LONGEST_NAME = 10_000
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Reached(NamedTuple):
    """A test that enters a place: how long it took in all, and whether its own process did."""

    test: str
    seconds: float
    slow: bool
    itself: bool


class Reach:
    """Which tests enter a function, by its file and its name; or, without a name, anything of the file."""

    def __init__(self, folder: Path) -> None:
        self._tests = json.loads((folder / "tests.json").read_text())
        own = (folder / "pids").read_text().split()
        by_file = defaultdict(set)
        for test in self._tests:
            by_file[test.split("::")[0]].add(test)
        self._own: dict[str, set[str]] = defaultdict(set)
        self._others: dict[str, set[str]] = defaultdict(set)
        for file in folder.iterdir():
            if not file.name.isdigit():
                continue
            for line in file.read_text(errors="replace").splitlines():
                place, _, test = line.partition("\t")
                for key in place, place.rpartition(":")[0] + ":":
                    if file.name in own:
                        self._own[key].add(test)
                    else:
                        self._others[key] |= by_file[test.split("::")[0]]

    def tests(self, file: Path, function: str) -> Iterator[Reached]:
        """Those that pass without any change."""
        place = f"{file}:{function}"
        for test in sorted(self._own[place] | self._others[place]):
            about = self._tests.get(test)
            if about and about["passed"]:
                yield Reached(test, about["seconds"], about["slow"], test in self._own[place])

    def below(self, paths: tuple[str, ...]) -> Iterator[Reached]:
        """All tests of some files and folders, whatever they enter."""
        for test, about in self._tests.items():
            if about["passed"] and test.startswith(paths):
                yield Reached(test, about["seconds"], about["slow"], False)


def enclosing(text: str, line: int) -> str:
    """The innermost function around a line, as "Class.function"; "" if there is none."""
    found = ""
    for name, node in _functions(ast.parse(text), ""):
        if node.body[0].lineno <= line <= (node.end_lineno or 0):
            found = name  # those within come later
    return found


def _functions(tree: ast.AST, within: str) -> Iterator[tuple[str, _Function]]:
    for node in ast.iter_child_nodes(tree):
        name = within
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{within}.{node.name}" if within else node.name
            if not isinstance(node, ast.ClassDef):
                yield name, node
        yield from _functions(node, name)


def make_functions_tell(clone: Path, folder: Path) -> None:
    """Changes a copy of this clone so that functions of the package say into the folder which tests enter them."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)
    for file in (clone / "pynetemu").rglob("*.py"):
        name = str(file.relative_to(clone))
        if name.startswith("pynetemu/programs/"):  # they run by themselves, and know nothing of the package
            continue
        tree = ast.parse(file.read_text())
        for function, node in list(_functions(tree, "")):
            after_docstring = int(ast.get_docstring(node) is not None)
            (call,) = ast.parse(f"__import__('pynetemu.entered').entered.entered({f'{name}:{function}'!r})").body
            node.body.insert(after_docstring, call)
        file.write_text(ast.unparse(ast.fix_missing_locations(tree)))
    (clone / _MODULE).write_text(_RECORDER.format(folder=str(folder)))


class Plugin:
    """Says which test is running, and how each went."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "tests.json"
        self._tests: dict[str, dict[str, object]] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Only those that are new or have not passed: what is known of the others is kept, but of those that are gone."""
        there = {item.nodeid for item in items}
        self._tests = {test: about for test, about in self._tests.items() if test in there}
        items[:] = [item for item in items if not self._tests.get(item.nodeid, {}).get("passed")]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        from pynetemu import entered  # only the copy has it

        if len(self._tests) % _KEPT == 0:
            self.pytest_sessionfinish()
        slow = item.get_closest_marker("slow") is not None
        # Another run has no test of that name, or there is no room for it among a program's arguments (execve(2)).
        can_be_named = str(os.getpid()) not in item.nodeid and len(item.nodeid) < _LONGEST_NAME
        self._tests[item.nodeid] = {"seconds": 0.0, "passed": can_be_named, "slow": slow}
        new = self._folder / "new"
        new.write_text(item.nodeid)
        new.replace(self._folder / "test")
        entered._seen.clear()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        about = self._tests[report.nodeid]
        about["seconds"] = about["seconds"] + report.duration  # type: ignore[operator]
        about["passed"] = about["passed"] and report.passed

    def pytest_sessionfinish(self) -> None:
        self._file.write_text(json.dumps(self._tests))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--reach", type=Path, help="where tests/support/reach.py keeps what it hears")


def pytest_configure(config: pytest.Config) -> None:
    if folder := config.getoption("--reach"):
        with open(folder / "pids", "a") as file:
            print(os.getpid(), file=file)
        config.pluginmanager.register(Plugin(folder))
