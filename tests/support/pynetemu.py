"""Starts the product as its users do: as a process of its own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

CLONE = Path(__file__).parent.parent.parent
BLUE = CLONE / "topologies" / "blue.py"
STAR = CLONE / "topologies" / "star.py"
BRIDGE = CLONE / "topologies" / "bridge.py"
PROGRAM = [sys.executable, "-m", "pynetemu"]

Finished = subprocess.CompletedProcess[str]


def pynetemu(*arguments: str | Path, input: str = "", cwd: Path = CLONE, env: dict[str, str] | None = None) -> Finished:
    """Runs `pynetemu ARGUMENTS` to its end."""
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        input=input,
        capture_output=True,
        text=True,
        errors="replace",
        cwd=cwd,
        env=environment(env),
        timeout=50,
        check=False,
    )


def environment(added: dict[str, str] | None = None) -> dict[str, str]:
    """Ours, with this clone's package found from any directory; options of this run of pytest are not for those of pages."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    return {**ours, "PYTHONPATH": str(CLONE), **(added or {})}


def in_blue(*lines: str) -> Finished:
    """Runs lines of the shell in the article's lab."""
    return pynetemu(BLUE, *(word for line in lines for word in ("-c", line)))


def output(*lines: str) -> str:
    """What lines of the shell print in the article's lab, where all of them succeed."""
    done = in_blue(*lines)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ended_by_interrupt(status: int, errors: str) -> bool:
    """Whether an interrupt has ended `pynetemu` as it should: at once and quietly.

    While Python itself starts and imports, it has its own way of telling, in which we have no say yet.
    """
    if "Traceback" in errors:
        return not re.search(r"pynetemu/cli/main\.py.*, in (main|_run)", errors)
    return status in (130, -signal.SIGINT)


def check_refused(line: str, status: int, words: str) -> None:
    """A line of the lab blue does nothing, and says why, with these words, in one line or with a hint below it."""
    done = in_blue(line)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr and len(done.stderr.splitlines()) <= 2
