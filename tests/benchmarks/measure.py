"""Measuring side by side: what is compared runs in turns, so that a busy moment of the machine meets all alike."""

import os
import pty
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.support.pynetemu import CLONE
from tests.support.wait import wait_until

PYNETEMU = str(Path(sys.executable).parent / "pynetemu")
MININET = ("mn", "--switch", "lxbr", "--controller", "none", "--topo")
_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")
_WHERE = b"\x1b[6n"  # asks a terminal where its cursor is
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: seconds of ours and of what it is compared with, and the ratio that is the goal."""

    what: str
    ours: float
    against: str
    theirs: float
    goal: str = ""


TABLE: list[Row] = []


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table of what links do: what was measured, as text, beside what it is to be."""

    what: str
    measured: str
    bound: str
    holds: bool


FIGURES: list[Figure] = []


def compare(what: str, ours: Callable[[], float], against: str, theirs: Callable[[], float], runs: int, goal: str = "") -> None:
    """Adds a row with the medians of both, each run in turns after one that does not count."""
    first, second = interleaved(runs, ours, theirs)
    TABLE.append(Row(what, first, against, second, goal))


def interleaved(runs: int, *measurements: Callable[[], float]) -> list[float]:
    for measure in measurements:
        measure()
    rounds = [[measure() for measure in measurements] for _ in range(runs)]
    return [median(column) for column in zip(*rounds, strict=True)]


def seconds_of(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def whole(argv: Sequence[str]) -> float:
    """From a program's start to its end; it must succeed."""
    return seconds_of(lambda: subprocess.run(argv, cwd=CLONE, check=True, capture_output=True, stdin=subprocess.DEVNULL))


def printed(argv: Sequence[str]) -> float:
    """The seconds that a program prints."""
    return float(subprocess.run(argv, cwd=CLONE, check=True, capture_output=True, text=True).stdout)


def to_prompt(argv: Sequence[str], prompt: bytes) -> float:
    """From a program's start at a terminal to its prompt; then it is told to exit, and waited for."""
    return _at_terminal(argv, prompt, b"", b"")


def to_answer(argv: Sequence[str], prompt: bytes, line: bytes, answer: bytes) -> float:
    """From a program's start to the answer of a line that is typed as soon as its prompt is seen."""
    return _at_terminal(argv, prompt, line, answer)


def _at_terminal(argv: Sequence[str], prompt: bytes, line: bytes, answer: bytes) -> float:
    start = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(CLONE)
        os.environ["TERM"] = "xterm"
        os.execvp(argv[0], list(argv))
    try:
        _read_until(prompt, terminal)
        if line:
            os.write(terminal, line + b"\r")
            shown = _read_until(answer, terminal)
        seconds = time.perf_counter() - start
        if line and prompt not in shown.partition(answer)[2]:
            _read_until(prompt, terminal)  # Mininet hands what is typed before to the program in the node
        os.write(terminal, b"exit\r")
        _drain(terminal)
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    return seconds


def _read_until(prompt: bytes, terminal: int) -> bytes:
    screen = b""
    while prompt not in (shown := _ESCAPES.sub(b"", screen)):
        assert select.select([terminal], [], [], _SECONDS)[0], f"no prompt: {screen!r}"
        new = os.read(terminal, 1 << 16)
        screen += new
        if _WHERE in new:
            os.write(terminal, b"\x1b[1;1R")  # as terminals answer, and line editors wait for
    return shown


def _drain(terminal: int) -> None:
    """Reads what a program prints until it has ended."""
    try:
        while os.read(terminal, 1 << 16):
            pass
    except OSError:  # EIO: nobody has the other side any more
        return


def wait_until_freed() -> None:
    """Returns when the kernel has freed the namespaces of labs that have ended; it does so one batch after the other."""
    with subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as holder:
        wait_until(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        argv = ["ip", "link", "add", "freed", "type", "veth", "peer", "name", "freed2", "netns", str(holder.pid)]
        subprocess.run(argv, check=True)
        assert holder.stdin is not None
        holder.stdin.close()
    wait_until(lambda: "freed" not in [name for _, name in socket.if_nameindex()], _SECONDS)


def markdown(rows: Sequence[Row]) -> str:
    lines = ["| | pynetemu | against | | ratio | goal |", "|---|---|---|---|---|---|"]
    for row in rows:
        ratio = row.ours / row.theirs
        cells = [row.what, _duration(row.ours), row.against, _duration(row.theirs), f"{ratio:.3g}", row.goal]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def markdown_of_figures(figures: Sequence[Figure]) -> str:
    lines = ["| | measured | bound | |", "|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {f.what} | {f.measured} | {f.bound} | {'' if f.holds else 'missed'} |" for f in figures)])


def _duration(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
