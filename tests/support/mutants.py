"""Changes the code in one small place at a time, and looks whether a test notices.

    ./dev mutants [--sample 60] [--seed 1] [PATH ...]

A sample is drawn by its seed, spread over the rooms (or over the files that are named), from the changes that mutmut knows.
First all tests run once, in a copy of this clone whose functions tell which tests enter them (`tests/support/reach.py`). Then
each change is made in another copy, and the tests that enter the changed function run, until one fails: those of the room's
area first, and a minute's worth of them at most. A test is a proof that fails twice with the change and passes twice without
it, in turns; any other that failed is told as shaky. The last table names the survivors with their change: each is a test that
is missing, or a change without effect. With `--reach FOLDER` what was heard is kept for the next sample, which then runs only
tests that are new.
"""

import argparse
import ast
import difflib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.support.pynetemu import CLONE
from tests.support.reach import Reach, Reached, enclosing, make_functions_tell

PACKAGE = CLONE / "pynetemu"

# Where each room's tests are; those that most likely notice come first. For other rooms all fast tests run at once.
AREAS = {
    "capture": [
        "tests/trace/test_pcapng.py",
        "tests/trace/test_ring.py",
        "tests/trace/test_filters.py",
        "tests/trace/test_capture.py",
    ],
    "cli": ["tests/cli", "tests/docs"],
    "crafting": ["tests/trace/test_scapy.py", "tests/shell/test_crafting.py"],
    "draw": ["tests/draw", "tests/cli/test_command_line.py"],
    "engine": ["tests/engine", "tests/network", "tests/cli/test_plan.py", "tests/test_crash_safety.py"],
    "errors": ["tests/test_errors.py", "tests/plan", "tests/cli"],
    "frozen": ["tests/engine/test_frozen.py"],
    "lab": ["tests/network", "tests/cli/test_other_terminals.py", "tests/cli/test_strange_sockets.py"],
    "measure": ["tests/network/test_ping.py", "tests/network/test_programs.py", "tests/shell/test_mininets_commands.py"],
    "network": ["tests/network", "tests/shell/test_commands.py"],
    "packets": [
        "tests/trace/test_dissect.py",
        "tests/trace/test_encapsulation.py",
        "tests/trace/test_any_frame.py",
        "tests/trace/test_journeys.py",
    ],
    "plan": ["tests/plan", "tests/topology", "tests/cli/test_plan.py", "tests/network/test_births.py"],
    "programs": ["tests/cli/test_blue.py", "tests/network/test_http_server.py", "tests/network/test_power.py"],
    "pytest_plugin": ["tests/test_pytest_plugin.py"],
    "relay": ["tests/relay", "tests/network/test_impaired_links.py", "tests/network/test_pairs.py"],
    "results": ["tests/network", "tests/shell"],
    "safe_text": ["tests/trace/test_hostile_text.py", "tests/cli/test_terminal_output.py"],
    "shell": ["tests/shell", "tests/cli/test_lines.py"],
    "terminal_output": ["tests/cli/test_terminal_output.py", "tests/shell", "tests/draw"],
    "testing": ["tests/network/test_without_a_kernel.py"],
    "topology": ["tests/topology", "tests/plan"],
    "trace": ["tests/trace"],
    "wording": ["tests/shell/test_words.py", "tests/plan", "tests/shell"],
}
_SECONDS_FOR_ONE = 60.0  # that the tests of one change take without it
_SECONDS = 400  # until they are ended: an endless loop is a change that was noticed
_SECONDS_OF_ALL = 3000
_MARK = "PYNETEMU_MUTANTS"
_HIDDEN = "#hidden from mutmut#"


class Mutant(NamedTuple):
    """One change: the file, below the clone, its text, and its text afterwards."""

    file: Path
    original: str
    text: str

    @property
    def room(self) -> str:
        return room_of(self.file)

    def line(self) -> int:
        """The first line that differs, as the original counts."""
        before, after = self.original.splitlines(), self.text.splitlines()
        pairs = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        return next(start + 1 for tag, start, *_ in pairs if tag != "equal")

    def difference(self) -> str:
        """What has changed, as lines with - and +."""
        before, after = self.original.splitlines(), self.text.splitlines()
        lines = list(difflib.unified_diff(before, after, lineterm="", n=0))[2:]
        return "\n".join(line for line in lines if line[:1] in "+-" or line.startswith("@@"))


def room_of(file: Path) -> str:
    """The room of a file of the package: room_of(Path("pynetemu/plan/units.py")) == "plan"."""
    return file.parts[1].removesuffix(".py")


def drawn(files: Mapping[Path, str], count: int, seed: int) -> Iterator[Mutant]:
    """A sample of the changes of some files, given with their texts: room after room, in a room each line alike, none twice."""
    chance = random.Random(seed)
    rooms: dict[str, list[Path]] = {}
    for file in sorted(files):
        rooms.setdefault(room_of(file), []).append(file)
    order = sorted(rooms)
    chance.shuffle(order)
    known: set[str] = set()
    while order and count:
        room = order.pop(0)
        (file,) = chance.choices(rooms[room], [1 + files[path].count("\n") for path in rooms[room]])
        if text := change(str(file), files[file], chance, known):
            known.add(text)
            count -= 1
            yield Mutant(file, files[file], text)
        else:
            rooms[room].remove(file)
        if rooms[room]:
            order.append(room)


def change(name: str, original: str, chance: random.Random, known: Set[str] = frozenset()) -> str:
    """The text after one of the changes that mutmut makes in it, that compiles and is not known; "" if there is none."""
    from mutmut.mutation.file_mutation import create_mutations, deep_replace

    module, mutations, *_ = create_mutations(name, hide_decorators(original))
    chance.shuffle(mutations)
    for mutation in mutations:
        text: str = deep_replace(module, mutation.original_node, mutation.mutated_node).code.replace(_HIDDEN, "")
        if text not in known and _compiles(text):
            return text
    return ""


def hide_decorators(text: str) -> str:
    """The text with the decorators of functions as comments: mutmut leaves out functions that have some."""
    lines = text.splitlines(keepends=True)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                for number in range(decorator.lineno - 1, decorator.end_lineno or 0):
                    lines[number] = _HIDDEN + lines[number]
    return "".join(lines)


def _compiles(text: str) -> bool:
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True


class Outcome(NamedTuple):
    """`killer` is the test that noticed, "" if none did; `shaky` are tests that failed, but not because of the change."""

    killer: str
    shaky: list[str]
    tried: int
    seconds: float


class Copy:
    """This clone once more, in which changes are made and taken back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """Copies what git knows of, as it is here."""
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=CLONE, capture_output=True, check=True
        ).stdout
        for name in filter(None, names.decode().split("\0")):
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CLONE / name, target, follow_symlinks=False)
        self.folder.chmod(0o755)

    def hear(self, told: Path) -> None:
        """Runs all tests once, in functions that tell who enters them."""
        make_functions_tell(self.folder, told)
        with suppress(subprocess.TimeoutExpired):  # then it has heard a part
            self.pytest(
                ["-m", "not benchmark", "--ignore=tests/test_linters.py", "-p", "tests.support.reach", f"--reach={told}"],
                _SECONDS_OF_ALL,
            )

    def try_out(self, mutant: Mutant, reach: Reach) -> Outcome:
        """Makes the change, lets the tests look for it, and takes it back."""
        began, shaky = time.monotonic(), list[str]()
        tests = chosen(mutant, reach)
        seconds = max((test.seconds for test in tests), default=0)
        limits = [f"--timeout={30 + 4 * seconds:.0f}"]
        names, killer = [test.test for test in tests], ""
        while names and (killer := self._with(mutant, [*limits, *names])):
            again = [killer]
            if not killer.startswith("tests/"):  # no test has said a word: all of them fail, or only together
                again = names[:1] if self._with(mutant, [*limits, *names[:1]]) else names
            without = self._first_failure(again)
            if without == "status 4":
                sys.exit("not all of these tests are there; hear them anew, in another folder")
            if not without and self._with(mutant, [*limits, *again]) and not self._first_failure(again):
                break
            shaky.append(killer)
            names, killer = [name for name in names if not name.startswith(killer)] if again != names else [], ""
        return Outcome(killer, shaky, len(tests), time.monotonic() - began)

    def _with(self, mutant: Mutant, tests: list[str]) -> str:
        """The first failure with the change."""
        target = self.folder / mutant.file
        target.write_text(mutant.text)
        try:
            return self._first_failure(tests)
        finally:
            target.write_text(mutant.original)

    def _first_failure(self, arguments: list[str]) -> str:
        """The first test that fails, or another word for what went wrong; "" if all is well."""
        try:
            done = self.pytest(["-x", *arguments], _SECONDS)
        except subprocess.TimeoutExpired:
            return "no end"
        if done.returncode in (0, 5):
            return ""
        for line in done.stdout.splitlines():
            if line.startswith(("FAILED tests/", "ERROR tests/")):
                return failed(line.split(" ", 1)[1], arguments)
        return f"status {done.returncode}"

    def pytest(self, arguments: list[str], seconds: float) -> "subprocess.CompletedProcess[str]":
        """Runs tests in the copy, and ends what a change has left behind of them."""
        mark = os.urandom(8).hex()
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1", _MARK: mark}
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            try:
                done = subprocess.run(
                    [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
                    cwd=self.folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=seconds,
                    check=False,
                )
            finally:
                _end_all(mark)
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read())


def failed(told: str, names: Sequence[str]) -> str:
    """The test that a line of pytest's summary is about: one of these, whose names may have any words in them."""
    about = [name for name in names if f"{told} - ".startswith(f"{name} - ")]
    return max(about, key=len, default=told.split(" - ")[0])


def _end_all(mark: str) -> None:
    """Ends the processes that a run has left behind: they have its mark in their environment."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{_MARK}={mark}".encode() in (folder / "environ").read_bytes():
                os.kill(int(folder.name), signal.SIGKILL)


def chosen(mutant: Mutant, reach: Reach) -> list[Reached]:
    """The tests that enter the changed function, or, where none does, the file, or else those of its room: so many as fit
    into the time for one change.

    Those of the room's area come first, its own files before its folders, and of those the shorter; they are run file by file.
    """
    function = enclosing(mutant.original, mutant.line())
    area = tuple(AREAS.get(mutant.room, ()))
    own = tuple(path for path in area if path.endswith(".py"))
    entering = list(reach.tests(mutant.file, function)) or list(reach.tests(mutant.file, "")) or list(reach.below(area))
    if not function:  # a constant, say, which who enters nothing may look at
        entering = list({test.test: test for test in [*reach.below(own), *entering]}.values())
    entering.sort(key=lambda t: (not t.test.startswith(own), not t.test.startswith(area), not t.itself, t.seconds))
    total, picked = 0.0, dict[str, list[Reached]]()
    for test in entering:
        if total + test.seconds <= _SECONDS_FOR_ONE or not picked:
            total += test.seconds
            picked.setdefault(test.test.split("::")[0], []).append(test)
    files = sorted(picked.values(), key=lambda tests: sum(test.seconds for test in tests))
    return [test for tests in files for test in tests]


def _files(paths: Sequence[Path]) -> dict[Path, str]:
    """The Python files at or below some paths, as they are now: the clone may change while the tests run."""
    found = [file.resolve() for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))]
    return {file.relative_to(CLONE): file.read_text() for file in found if not file.name.startswith("__")}


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev mutants", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("paths", nargs="*", type=Path, default=[PACKAGE], metavar="PATH", help="files or folders of pynetemu/")
    parser.add_argument("--sample", type=int, default=60, metavar="N", help="how many changes (60)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another sample for each (1)")
    parser.add_argument("--only", default="", metavar="A-B", help="only these of the sample: 11-20")
    parser.add_argument("--reach", type=Path, metavar="FOLDER", help="keeps here which tests enter what")
    parser.add_argument("--show", action="store_true", help="only show the changes")
    options = parser.parse_args()
    first, _, last = options.only.partition("-")
    wanted = range(int(first), int(last or first) + 1) if first else range(1, options.sample + 1)
    mutants = [
        (number, mutant)
        for number, mutant in enumerate(drawn(_files(options.paths), options.sample, options.seed), 1)
        if number in wanted
    ]
    if options.show:
        for number, mutant in mutants:
            print(f"{number:3} {mutant.file}\n{mutant.difference()}", flush=True)
        return 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        told = options.reach.absolute() if options.reach else folder / "told"
        print("all tests once, to hear what each enters", flush=True)
        telling = Copy(folder / "telling")
        telling.fill()
        telling.hear(told)
        copy = Copy(folder / "copy")
        copy.fill()
        _try_all(copy, Reach(told), mutants, options.seed)
    return 0


def _try_all(copy: Copy, reach: Reach, mutants: Sequence[tuple[int, Mutant]], seed: int) -> None:
    survivors, rooms = list[str](), dict[str, list[bool]]()
    for number, mutant in mutants:
        where = f"{number:3} {mutant.file}\n{mutant.difference()}"
        outcome = copy.try_out(mutant, reach)
        told = f"killed by {outcome.killer}" if outcome.killer else f"SURVIVED {outcome.tried} tests"
        shaky = f"\n    shaky: {', '.join(outcome.shaky)}" if outcome.shaky else ""
        print(f"{where}\n    {told} ({outcome.seconds:.0f} s){shaky}", flush=True)
        rooms.setdefault(mutant.room, []).append(bool(outcome.killer))
        if not outcome.killer:
            survivors.append(where)
    killed = len(mutants) - len(survivors)
    print(f"\n{killed} of {len(mutants)} were noticed ({killed / len(mutants):.0%}), seed {seed}:")
    print("  ".join(f"{room} {sum(noticed)}/{len(noticed)}" for room, noticed in sorted(rooms.items())))
    print("\nSurvivors:\n" + ("\n".join(survivors) or "none"))


if __name__ == "__main__":
    sys.exit(main())
