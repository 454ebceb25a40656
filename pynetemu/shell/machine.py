"""Programs on the machine itself, with the shell's terminal."""

import os
import subprocess
import sys
from collections.abc import Sequence

from pynetemu.errors import CommandError, CommandNotFound
from pynetemu.shell import terminal
from pynetemu.shell.jobs import exit_status


def pynetemu(*arguments: str) -> list[str]:
    """This program once more, as a command: pynetemu("attach", "blue")."""
    return [sys.executable, "-m", "pynetemu", *arguments]


def has_terminal() -> bool:
    return terminal.own_terminal() is not None


def run(argv: Sequence[str]) -> int:
    """Runs a program to its end and gives its status; Ctrl-C is the program's. Raises CommandNotFound, CommandError."""
    with terminal.lent(terminal.own_terminal()):
        process = start(argv)
        interrupted = False
        while True:
            try:
                status = exit_status(process.wait())
                if interrupted and has_terminal():
                    print(file=sys.stderr)  # the terminal has echoed ^C, and the prompt belongs below it
                return 130 if interrupted else status
            except KeyboardInterrupt:  # it came to the program as well
                interrupted = True


def start(argv: Sequence[str], **options: int) -> "subprocess.Popen[bytes]":
    """Starts a program; raises CommandNotFound and CommandError."""
    try:
        return subprocess.Popen(argv, env=environment(), **options)  # type: ignore[call-overload,no-any-return]
    except FileNotFoundError:
        raise missing(argv[0]) from None
    except OSError as error:
        raise CommandError(f"{argv[0]}: {error.strerror}") from None


def missing(program: str) -> CommandNotFound:
    from pynetemu.engine.packages import missing_program

    return missing_program(program, "this machine")


def environment() -> dict[str, str]:
    """Ours; a pynetemu that runs from a clone finds itself from any folder."""
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if package.endswith(("site-packages", "dist-packages")):
        return dict(os.environ)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))}
