"""Changes the code in one small place at a time, and looks whether a test notices.

    ./dev mutants [--sample 60] [--seed 1] [PATH ...]

A sample is drawn by its seed, spread over the rooms (or over the files that are named), from the changes that mutmut knows.
Each is made in a copy of this clone, in which the tests of its room run, first the fast, then the slow ones, then all fast
ones. A test that fails without the change too, or only once with it, is not a proof, and is told as shaky. The last table
names the survivors with their change: each is a test that is missing, or a change without effect.
"""

import argparse
import difflib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.pynetemu import CLONE

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
    "errors": ["tests/plan", "tests/cli"],
    "lab": ["tests/network", "tests/cli/test_other_terminals.py", "tests/cli/test_strange_sockets.py"],
    "measure": ["tests/network/test_ping.py", "tests/network/test_programs.py", "tests/shell/test_mininets_commands.py"],
    "network": ["tests/network", "tests/shell/test_commands.py"],
    "packets": ["tests/trace/test_dissect.py", "tests/trace/test_any_frame.py", "tests/trace/test_journeys.py"],
    "plan": ["tests/plan", "tests/topology", "tests/cli/test_plan.py", "tests/network/test_births.py"],
    "programs": ["tests/network/test_services.py", "tests/network/test_programs.py"],
    "relay": ["tests/relay", "tests/network/test_impaired_links.py"],
    "results": ["tests/network", "tests/shell"],
    "safe_text": ["tests/trace/test_hostile_text.py", "tests/cli/test_terminal_output.py"],
    "shell": ["tests/shell", "tests/cli/test_lines.py"],
    "terminal_output": ["tests/cli/test_terminal_output.py", "tests/shell", "tests/draw"],
    "topology": ["tests/topology", "tests/plan"],
    "trace": ["tests/trace"],
    "wording": ["tests/shell/test_words.py", "tests/plan", "tests/shell"],
}
_FAST = ["-m", "not slow and not benchmark"]
_SLOW = ["-m", "slow and not benchmark"]
_SECONDS = 1200  # that one of the three steps may take: an endless loop is a change that was noticed


class Mutant(NamedTuple):
    """One change: the file, below the clone, its text, and its text afterwards."""

    file: Path
    original: str
    text: str

    @property
    def room(self) -> str:
        return room_of(self.file)

    def difference(self) -> str:
        """What has changed, as lines with - and +."""
        before, after = self.original.splitlines(), self.text.splitlines()
        lines = list(difflib.unified_diff(before, after, lineterm="", n=0))[2:]
        return "\n".join(line for line in lines if line[:1] in "+-" or line.startswith("@@"))


def room_of(file: Path) -> str:
    """The room of a file of the package: room_of(Path("pynetemu/plan/units.py")) == "plan"."""
    return file.parts[1].removesuffix(".py")


def drawn(files: Mapping[Path, str], count: int, seed: int) -> Iterator[Mutant]:
    """A sample of the changes of some files, given with their texts: room after room, and in a room each line alike."""
    chance = random.Random(seed)
    rooms: dict[str, list[Path]] = {}
    for file in sorted(files):
        rooms.setdefault(room_of(file), []).append(file)
    order = sorted(rooms)
    chance.shuffle(order)
    while order and count:
        room = order.pop(0)
        (file,) = chance.choices(rooms[room], [1 + files[path].count("\n") for path in rooms[room]])
        if text := change(str(file), files[file], chance):
            count -= 1
            yield Mutant(file, files[file], text)
        else:
            rooms[room].remove(file)
        if rooms[room]:
            order.append(room)


def change(name: str, original: str, chance: random.Random) -> str:
    """The text after one of the changes that mutmut makes in it, and that compiles; "" if it knows none."""
    from mutmut.mutation.file_mutation import create_mutations, deep_replace

    module, mutations, *_ = create_mutations(name, original)
    chance.shuffle(mutations)
    for mutation in mutations:
        text: str = deep_replace(module, mutation.original_node, mutation.mutated_node).code
        if _compiles(text):
            return text
    return ""


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

    def try_out(self, mutant: Mutant) -> Outcome:
        """Makes the change, lets the tests look for it, and takes it back."""
        began, shaky = time.monotonic(), list[str]()
        for tests in _steps(mutant.room):
            while killer := self._with(mutant, [*tests, *(f"--deselect={test}" for test in shaky)]):
                if "::" not in killer or (self._with(mutant, [killer]) and not self._first_failure([killer])):
                    return Outcome(killer, shaky, time.monotonic() - began)
                shaky.append(killer)
        return Outcome("", shaky, time.monotonic() - began)

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
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "no end"
        if done.returncode in (0, 5):
            return ""
        for line in done.stdout.splitlines():
            if line.startswith(("FAILED ", "ERROR ")):
                return line.split(" ", 1)[1].split(" - ")[0]
        return f"status {done.returncode}"


def _steps(room: str) -> list[list[str]]:
    area = AREAS.get(room)
    return [[*area, *_FAST], [*area, *_SLOW], _FAST] if area else [_FAST]


def _files(paths: Sequence[Path]) -> dict[Path, str]:
    """The Python files at or below some paths, as they are now: the clone may change while the tests run."""
    found = [file.resolve() for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))]
    return {file.relative_to(CLONE): file.read_text() for file in found if not file.name.startswith("__")}


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev mutants", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("paths", nargs="*", type=Path, default=[PACKAGE], metavar="PATH", help="files or folders of pynetemu/")
    parser.add_argument("--sample", type=int, default=60, metavar="N", help="how many changes (60)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another sample for each (1)")
    parser.add_argument("--show", action="store_true", help="only show the changes")
    options = parser.parse_args()
    survivors = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Copy(Path(folder))
        copy.fill()
        Path(folder).chmod(0o755)
        for number, mutant in enumerate(drawn(_files(options.paths), options.sample, options.seed), 1):
            where = f"{number:3} {mutant.file}\n{mutant.difference()}"
            if options.show:
                print(where, flush=True)
                continue
            outcome = copy.try_out(mutant)
            told = f"killed by {outcome.killer}" if outcome.killer else "SURVIVED"
            shaky = f"\n    shaky: {', '.join(outcome.shaky)}" if outcome.shaky else ""
            print(f"{where}\n    {told} ({outcome.seconds:.0f} s){shaky}", flush=True)
            if not outcome.killer:
                survivors.append(where)
    if not options.show:
        killed = options.sample - len(survivors)
        print(f"\n{killed} of {options.sample} were noticed ({killed / options.sample:.0%}), seed {options.seed}. Survivors:\n")
        print("\n".join(survivors) or "none")
    return 0


if __name__ == "__main__":
    sys.exit(main())
