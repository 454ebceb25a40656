"""Shows what commands give back, and pipes it where a line says."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from io import TextIOWrapper

from pynetemu.shell.answers import Answer
from pynetemu.shell.jobs import exit_status
from pynetemu.terminal_output import has_screen, terminal_lines


@contextmanager
def aside() -> Iterator[None]:
    """What programs print meanwhile goes to standard error: standard output is for the data of a command alone."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def show(answer: Answer, everything: bool, as_json: bool) -> None:
    print(json.dumps(answer.data(), indent=2) if as_json else answer.text(everything))


def paged(text: str) -> int:
    """Prints a text: by $PAGER, or less, where a terminal has too few lines for it. Gives the status."""
    lines = terminal_lines()
    pager = os.environ.get("PAGER", "less -FRX")
    if (
        lines is None
        or text.count("\n") + 2 <= lines
        or not has_screen()
        or shutil.which(pager.split()[0] if pager else "") is None
    ):
        print(text)
        return 0
    with piped_into(f"| {pager}") as end:
        print(text)
    return end.status


@dataclass(slots=True)
class Tail:
    """What an output was piped into, and its status when that has ended."""

    status: int = 0


@contextmanager
def piped_into(tail: str) -> Iterator[Tail]:
    """A block whose output goes where sh says: `| grep h1`, `> file`."""
    found = Tail()
    sys.stdout.flush()
    process = subprocess.Popen(["sh", "-c", f"cat {tail}"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    pipe = TextIOWrapper(process.stdin, encoding=sys.stdout.encoding, errors=sys.stdout.errors)
    try:
        with redirect_stdout(pipe), suppress(BrokenPipeError):
            yield found
            pipe.flush()
    finally:
        with suppress(BrokenPipeError):
            pipe.close()
        found.status = _end_of(process)


def _end_of(process: "subprocess.Popen[bytes]") -> int:
    """Waits for what has the terminal, such as a pager: Ctrl-C is for it, and for us afterwards."""
    interrupted = False
    while True:
        try:
            status = exit_status(process.wait())
            break
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return status
