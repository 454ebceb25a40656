"""A lab in another process: waiting until it is up, and finding its processes."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pynetemu.lab.running_labs import labs
from tests.support.pynetemu import BLUE, PROGRAM, environment
from tests.support.wait import wait_until

UNTIL_TOLD = "blue sh -c 'echo up; read -r _ || true'"  # a line of the shell that runs until its standard input ends


def mine(name: str) -> str:
    """A lab's name that no other run of the tests has at the same time."""
    return f"{name}{os.getpid()}"


@contextmanager
def running(name: str, *arguments: str | Path, file: Path = BLUE, line: str = UNTIL_TOLD) -> Iterator[subprocess.Popen[str]]:
    """A lab that another process holds until the block ends."""
    process = subprocess.Popen(
        [*PROGRAM, str(file), "--name", name, *map(str, arguments), "-c", line],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n", process.communicate()[1]
        yield process
    finally:
        process.communicate(timeout=20)


def names() -> list[str]:
    return [lab.name for lab in labs()]


def processes_of(shell: int) -> dict[str, int]:
    """The lab's own processes, by what they are, from the process number of its shell."""
    front = child_of(shell)
    init = child_of(front, -1)  # a guard may have been made before
    return {"shell": shell, "front": front, "init": init, "engine": child_of(init)}


def child_of(pid: int, place: int = 0) -> int:
    """The first child of a process, or another one."""
    return int(wait_until(lambda: Path(f"/proc/{pid}/task/{pid}/children").read_text().split())[place])
