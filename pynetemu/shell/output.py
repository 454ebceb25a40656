"""Shows what commands give back, and knows what the output can take."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from io import TextIOWrapper

from pynetemu.shell.answers import Answer
from pynetemu.shell.color import wanted
from pynetemu.shell.jobs import exit_status


def show(answer: Answer, everything: bool, as_json: bool) -> None:
    print(json.dumps(answer.data(), indent=2) if as_json else answer.text(everything))


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
        found.status = exit_status(process.wait())


def width() -> int:
    """The terminal's columns; 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns


def with_color() -> bool:
    return wanted(sys.stdout)


def can_print(text: str) -> bool:
    """Whether standard output has these characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
