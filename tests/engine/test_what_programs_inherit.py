"""What programs of nodes get from us: signals as they are by default, three descriptors, and nothing of the user's process.

And what the engine keeps of them: no descriptor of a request that failed.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pynetemu import Host, HttpServer, Link, Network, PynetemuError, Service, Topology, finished, tcp
from tests.support.labs import child_of
from tests.support.pynetemu import pynetemu
from tests.support.wait import wait_until

pytestmark = pytest.mark.slow

_STATE = "grep -E '^Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd"
_ONLY_V6 = "import socket; s = socket.create_server(('::1', 9009), family=socket.AF_INET6); s.accept()"


class Lab(Topology):
    blue, red = Host(), Host()
    wire = Link(blue.interface("eth0", "10.0.0.1/24"), red.interface("eth0", "10.0.0.2/24"))
    state = Service(blue, _STATE, ready=finished())
    six = Service(red, f'{sys.executable} -c "{_ONLY_V6}"', ready=tcp(9009))
    page = HttpServer(red, port=80)


@pytest.fixture(scope="module")
def lab() -> Iterator[Network]:
    with Network(Lab(), name="inherit") as net:
        for node in net.nodes:
            net[node].run("true")  # its init lives from now on
        yield net


def _assert_clean(shown: str, what: str) -> None:
    """No signal is ignored or blocked, and of descriptors there are the three, and that of `ls` itself."""
    signals = dict(re.findall(r"^(Sig\w+):\s*(\w+)$", shown, re.MULTILINE))
    of_glibc = 32, 33  # for its threads; its posix_spawn ignores them
    ignored = [number for number in range(1, 65) if number not in of_glibc and int(signals["SigIgn"], 16) >> number - 1 & 1]
    assert (ignored, int(signals["SigBlk"], 16)) == ([], 0), what
    assert shown.split()[-4:] == ["0", "1", "2", "3"], what


def test_every_kind_of_program_has_usual_signals_and_no_descriptors_of_others(lab: Network) -> None:
    blue = lab["blue"]
    _assert_clean(str(blue.run("sh", "-c", _STATE).stdout), "run")
    _assert_clean(str(blue.run("sh", "-c", _STATE, input="x").stdout), "run with input")
    with blue.start("sh", "-c", _STATE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        _assert_clean(process.communicate()[0].decode(), "start")
    _assert_clean(lab.log("state"), "a service")
    _assert_clean(pynetemu("exec", lab.name, "blue", "--", "sh", "-c", _STATE).stdout, "exec")


def _at_once(net: Network) -> Callable[[], None]:
    """What fails, by each kind of request that can."""
    blue = net["blue"]

    def all_of_them() -> None:
        for attempt in (
            lambda: blue.run("nosuchprogram"),
            lambda: blue.start("nosuchprogram", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE),
            lambda: blue.run("true", cwd="/nosuchfolder"),
            lambda: blue.run("/etc/passwd"),
            lambda: blue.run("sh", "-c", "exit 3", check=True),
            lambda: blue.run("sleep", "9", timeout=0.001),
            lambda: net.log("nosuchservice"),
            lambda: blue.run("true", env={"A=B": "c"}),
            lambda: net.capture("/nosuchfolder/x.pcapng").start(),
            lambda: net["nosuchnode"],
        ):
            with suppress(PynetemuError, OSError, AttributeError, KeyError, subprocess.SubprocessError):
                attempt()

    return all_of_them


def test_requests_that_fail_leave_no_descriptor_in_the_engine(lab: Network) -> None:
    engine = Path(f"/proc/{_processes()['engine']}/fd")
    fail = _at_once(lab)
    fail()
    before, ours = len(list(engine.iterdir())), len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        fail()
    wait_until(lambda: len(list(engine.iterdir())) <= before, what="the engine's descriptors")
    assert len(os.listdir("/proc/self/fd")) <= ours


def test_services_leave_no_descriptor_in_the_engine(lab: Network) -> None:
    engine = f"/proc/{_processes()['engine']}/fd"
    assert [name for name in os.listdir(engine) if int(name) > 2 and os.readlink(f"{engine}/{name}") == os.devnull] == []


def _processes() -> dict[str, int]:
    front = next(pid for pid in _children(os.getpid()) if "pynetemu" in Path(f"/proc/{pid}/cmdline").read_text())
    init = child_of(front, -1)
    return {"front": front, "init": init, "engine": child_of(init)}


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_what_the_users_process_left_inheritable_goes_to_nobody() -> None:
    canary, other = os.pipe()
    os.set_inheritable(canary, True)
    os.set_inheritable(other, True)
    try:
        inode = os.readlink(f"/proc/self/fd/{canary}")
        with Network(Lab(), name="canary") as net:
            program = net["blue"].start("sleep", "60")
            everybody = [os.getpid(), *_descendants(os.getpid())]
            assert len(everybody) >= 5
            assert [pid for pid in everybody if inode in _open_files(pid)] == [os.getpid()]
            program.kill()
            program.wait()
    finally:
        os.close(canary)
        os.close(other)


def _descendants(pid: int) -> Iterator[int]:
    for child in _children(pid):
        yield child
        yield from _descendants(child)


def _open_files(pid: int) -> list[str]:
    found = []
    with suppress(FileNotFoundError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with suppress(FileNotFoundError):
                found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
    return found


def test_a_signal_reaches_a_programs_children_too(lab: Network) -> None:
    blue = lab["blue"]
    process = blue.start("sh", "-c", "sleep 31415 & echo $!; wait", stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    assert "sleep 31415" in str(blue.run("ps", "-eo", "args=").stdout)
    process.terminate()
    assert process.wait() == -signal.SIGTERM
    wait_until(lambda: "sleep 31415" not in str(blue.run("ps", "-eo", "args=").stdout), what="the child's end")
    process.close()


def test_a_service_that_listens_on_ipv6_only_is_ready(lab: Network) -> None:
    assert "[::1]:9009" in str(lab["red"].run("ss", "-Htln").stdout)
    assert [state.status for state in lab.services if state.name == "six"] == [None]
