"""Shows what commands give back, and pipes it where a line says."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from io import TextIOWrapper

from pynetemu.shell.answers import Answer
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
