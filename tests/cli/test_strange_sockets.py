"""`ps`, `exec` and `attach` beside sockets that are no labs, of this user and of others, and labs that do not answer."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.support.labs import mine, processes_of, running
from tests.support.pynetemu import pynetemu

_STRANGER = 54323
_LISTEN = """
import os, socket, sys
user = int(sys.argv[1])
os.setgroups([]) if user != os.getuid() else None
os.setuid(user)
kept = []
for name in sys.argv[2:]:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(b"\\0" + os.fsencode(name))
    listener.listen(0)
    kept.append(listener)
    while "full" in name:  # nobody ever accepts
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.setblocking(False)
        kept.append(client)
        try:
            client.connect(b"\\0" + os.fsencode(name))
        except BlockingIOError:
            break
print("listens", flush=True)
sys.stdin.read()
"""


@contextmanager
def _listening(user: int, *names: str) -> Iterator[None]:
    """Sockets of a user that nobody accepts from; those called full have as many waiting as they may."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", _LISTEN, str(user), *names], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == b"listens\n"
        try:
            yield
        finally:
            process.stdin.close()


def _labs(table: str) -> set[str]:
    """The names that `pynetemu ps` shows; others may have labs at the same time."""
    heading, *rows = table.splitlines()
    assert heading.split()[0] == "LAB"
    return {row.split()[0] for row in rows}


def _strangers() -> list[int]:
    return [os.getuid(), *([_STRANGER] if os.getuid() == 0 else [])]


@pytest.mark.parametrize("stranger", _strangers())
def test_sockets_that_are_no_labs(stranger: int) -> None:
    ours, here = f"pynetemu/{os.getuid()}/", mine("true")
    full, other, silent, lines = mine("full-a"), mine("full-b"), mine("silent"), mine("new\nline")
    names = [ours + name for name in (full, other, silent, mine("b\x1b[2Jell"), mine("a/b"), lines, mine("ü"))]
    names += map(mine, ("pynetemu/²/x", "pynetemu/x/y", "pynetemu//", f"pynetemu/{'9' * 20}/x", "pynetemu", "pynetemu/-1/x"))
    with ExitStack() as open_sockets:
        open_sockets.enter_context(running(here))
        open_sockets.enter_context(_listening(stranger, *names))
        began = time.monotonic()
        done = pynetemu("ps")
        assert _labs(done.stdout) & {here, *names, *(name.removeprefix(ours) for name in names)} == {here}
        assert done.returncode == 0
        assert "\x1b" not in done.stdout + done.stderr
        assert re.search(rf"no answer from (.*, )?{full}, (.*, )?{other}\b", done.stderr)
        for verb in ["exec", full, "blue", "--", "true"], ["attach", silent], ["exec", lines, "blue", "true"]:
            done = pynetemu(*verb)
            assert done.returncode == 1 and done.stderr.startswith("pynetemu: ") and "Traceback" not in done.stderr
        assert pynetemu("exec", here, "blue", "--", "hostname").stdout == "blue\n"
        done = pynetemu("exec", "nosuch", "blue", "true")
        assert "there is no lab 'nosuch'" in done.stderr and "\x1b" not in done.stderr
        assert time.monotonic() - began < 30


def test_a_lab_that_is_stopped() -> None:
    halted, other = mine("halted"), mine("other")
    with running(halted) as shell, running(other):
        engine = processes_of(shell.pid)["engine"]
        os.kill(engine, signal.SIGSTOP)
        try:
            done = pynetemu("ps")
            assert _labs(done.stdout) & {halted, other} == {other}
            assert re.search(rf"no answer from (.*, )?{halted}\b", done.stderr)
            for verb in ["exec", halted, "blue", "--", "true"], ["attach", halted]:
                done = pynetemu(*verb)
                assert (done.returncode, done.stdout) == (1, "")
                assert done.stderr == f"pynetemu: the lab {halted!r} does not answer: it is stopped, or very busy\n"
        finally:
            os.kill(engine, signal.SIGCONT)
        assert pynetemu("exec", halted, "blue", "--", "hostname").stdout == "blue\n"


def test_a_socket_that_goes_away_is_no_lab() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as bound:
        name = mine("bound")
        bound.bind(f"\0pynetemu/{os.getuid()}/{name}")  # and does not listen
        assert name not in pynetemu("ps").stdout
        assert f"there is no lab {name!r}" in pynetemu("attach", name).stderr
