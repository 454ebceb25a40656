"""A lab is its user's alone: neither side talks to another user, and root is no exception."""

import os
import socket
import subprocess
from collections.abc import Iterator

import pytest

from pynetemu.engine.protocol.channel import Channel, ChannelClosed
from tests.support.labs import mine, running
from tests.support.pynetemu import pynetemu
from tests.support.users import ALICE, BOB, lab_of, pynetemu_as, python_as

pytestmark = pytest.mark.root

HERS, ROOTS, TRAP = mine("hers"), mine("roots"), mine("trap")

_KNOCK = """
import socket, sys
lab = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
lab.settimeout(10)
lab.connect("\\0" + sys.argv[1])
body = b'{"protocol":1,"number":1,"do":"OpenLab","fields":{}}'
try:
    lab.sendall(b"\\3" + body)
    print(lab.recv(100))
except ConnectionError:
    print(b"")
"""
_PRETEND = """
import socket, sys
lab = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
lab.bind("\\0" + sys.argv[1])
lab.listen()
print("listens", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module", autouse=True)
def labs() -> Iterator[None]:
    """One of Alice's, and one of root's."""
    with lab_of(ALICE, HERS), running(ROOTS):
        yield


def test_its_user_has_it() -> None:
    assert HERS in pynetemu_as(ALICE, "ps").stdout
    assert pynetemu_as(ALICE, "exec", HERS, "blue", "--", "hostname").stdout == "blue\n"
    assert pynetemu_as(ALICE, "attach", HERS, input="blue hostname\n").stdout == "blue\n"


@pytest.mark.parametrize(
    ("user", "lab", "owner"), [(BOB, HERS, ALICE), (ALICE, ROOTS, 0), (0, HERS, ALICE)], ids=["another", "a user", "root"]
)
def test_another_user_is_refused(user: int, lab: str, owner: int) -> None:
    run = pynetemu if user == 0 else lambda *arguments: pynetemu_as(user, *arguments)
    assert lab not in run("ps").stdout
    for arguments in ["exec", lab, "blue", "--", "true"], ["attach", lab]:
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"pynetemu: the lab {lab!r} belongs to another user (uid {owner})\n"


@pytest.mark.parametrize(("user", "lab"), [(BOB, f"{ALICE}/{HERS}"), (ALICE, f"0/{ROOTS}")], ids=["another", "a user"])
def test_the_engine_itself_hangs_up_on_another_user(user: int, lab: str) -> None:
    done = subprocess.run(
        python_as(user, "-c", _KNOCK, f"pynetemu/{lab}"), capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.stdout, done.stderr) == ("b''\n", "")


def test_the_engine_of_an_ordinary_user_hangs_up_on_root() -> None:
    assert os.getuid() == 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as lab:
        lab.connect(f"\0pynetemu/{ALICE}/{HERS}")
        with pytest.raises(ChannelClosed):
            Channel(lab).receive()


@pytest.mark.parametrize("user", [0, ALICE])
def test_nobody_is_taken_in_by_another_user_who_listens_in_a_labs_place(user: int) -> None:
    run = pynetemu if user == 0 else lambda *arguments: pynetemu_as(user, *arguments)
    command = python_as(BOB, "-c", _PRETEND, f"pynetemu/{user}/{TRAP}")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as pretender:
        try:
            assert pretender.stdout is not None
            assert pretender.stdout.readline() == "listens\n"
            assert TRAP not in run("ps").stdout
            done = run("exec", TRAP, "blue", "--", "true")
            assert done.returncode == 1
            assert f"another user (uid {BOB}), who listens in its place" in done.stderr
        finally:
            pretender.communicate(timeout=10)
