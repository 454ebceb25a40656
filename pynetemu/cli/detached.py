"""Brings a lab up without a shell: for the steps of a script, and for long experiments.

`exec`, `attach` and the other verbs work on it, `stop` ends it. It also ends with the login session in which it was started.
"""

import argparse
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from pynetemu.cli import interrupts
from pynetemu.cli.run import add_lab, lab_of
from pynetemu.lab.connection import readable
from pynetemu.wording import shortened

_LEADER = re.compile(r"^LEADER=([0-9]+)$", re.MULTILINE)
_SESSIONS = "/run/systemd/sessions"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_lab(parser)
    parser.add_argument("--detach", action="store_true", help="return when the lab is up; without it, Ctrl-C ends the lab")


def run(arguments: argparse.Namespace) -> int:
    """The process to which the lab belongs is this one, or with --detach one of its own."""
    if not arguments.detach:
        return _hold(arguments, lambda: None)
    read, write = os.pipe()
    sys.stdout.flush()
    if child := os.fork():
        os.close(write)
        is_up = os.read(read, 1)
        return 0 if is_up else os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(read)
    os.setsid()

    def leave_terminal() -> None:
        sys.stdout.flush()
        _be_deaf(0, 1, 2, sys.stderr.fileno())
        os.write(write, b"x")
        os.close(write)

    with _quiet_engine():
        return _hold(arguments, leave_terminal)


def _hold(arguments: argparse.Namespace, ready: Callable[[], None]) -> int:
    """Until the lab is stopped, the login session ends, or somebody ends this process."""
    with lab_of(arguments) as network, network:
        interrupts.raise_again()
        signal.signal(signal.SIGTERM, _end)
        print(f"{network.name}: {shortened(network.nodes)}; `pynetemu stop {network.name}` ends it")
        sys.stdout.flush()
        ready()
        readable([network.fileno(), *login_session()], None)
    return 0


def login_session(sessions: str = _SESSIONS) -> list[int]:
    """A descriptor that becomes readable when the first process of the login session (systemd-logind(8)) has ended, if any."""
    with suppress(OSError, KeyError):
        with open(os.path.join(sessions, os.path.basename(os.environ["XDG_SESSION_ID"]))) as file:
            leader = _LEADER.search(file.read())
        return [os.pidfd_open(int(leader[1]))] if leader else []
    return []


@contextmanager
def _quiet_engine() -> Iterator[None]:
    """Whoever reads our standard error must not wait for the lab's end: its processes get another."""
    said = os.dup(2)
    _be_deaf(2)
    sys.stderr = os.fdopen(said, "w", buffering=1, errors="backslashreplace")
    yield


def _be_deaf(*descriptors: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _end(*_: object) -> NoReturn:
    raise SystemExit(0)
