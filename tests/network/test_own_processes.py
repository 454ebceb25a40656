"""A node is a machine: its programs see and signal each other, and nobody else."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE

import pytest

from pynetemu import Host, HttpServer, Link, Network, Service, Topology
from tests.support.labs import mine
from tests.support.pynetemu import BLUE, PROGRAM, pynetemu
from tests.support.terminal import Terminal
from tests.support.wait import wait_until

_SLEEP = f"sleep 1{os.getpid()}"  # that nobody else on the machine runs


class Pair(Topology):
    a = Host()
    b = Host()
    wire = Link(a, b)
    page = HttpServer(a, port=8080)
    tick = Service(b, "exec sleep 3600")


@pytest.fixture
def net() -> Iterator[Network]:
    with Network(Pair(), name="machines") as net:
        yield net


def _page(net: Network) -> str:
    return str(net["b"].run("curl", "-s", "--max-time", 5, "a:8080", check=True).stdout)


def _programs(net: Network, node: str) -> list[str]:
    return str(net[node].run("ps", "-e", "-o", "args=").stdout).splitlines()


def test_a_node_shows_its_own_programs_and_their_numbers(net: Network) -> None:
    with net["b"].start("cat", stdin=PIPE) as process:
        shown = str(net["b"].run("ps", "-o", "comm=", "-p", process.pid).stdout)
        assert shown == "cat\n"
        assert _programs(net, "a")[0] == "sleep infinity"
        assert not any("cat" in line or "3600" in line for line in _programs(net, "a"))
    (tick,) = net.services
    assert net["b"].run("ps", "-o", "args=", "-p", tick.pid).stdout == "sleep 3600\n"


@pytest.mark.parametrize("command", ["kill -9 -1", "kill -9 1", "killall -9 sleep", "pkill -9 sleep", "fuser -k 8080/tcp"])
def test_whatever_a_node_kills_others_live_on(net: Network, command: str) -> None:
    _page(net)
    with net["a"].start("sleep", "1001") as in_a, net["b"].start("sleep", "1002") as in_b:
        net["a"].run("sh", "-c", command, timeout=10)
        if command not in ("kill -9 1", "fuser -k 8080/tcp"):
            assert in_a.wait(5) == -signal.SIGKILL
        assert in_b.poll() is None
        assert _programs(net, "a")[0] == "sleep infinity"
        in_a.kill()
        in_b.kill()
    assert "Hello from a" in _page(net)
    assert [service.status for service in net.services] == [None]


def test_orphans_are_reaped(net: Network) -> None:
    net["a"].run("sh", "-c", "setsid -f true; setsid -f sh -c 'exit 3'", check=True)
    wait_until(lambda: "Z" not in str(net["a"].run("ps", "-e", "-o", "stat=").stdout))


def test_web_servers_run_in_their_node(net: Network) -> None:
    _page(net)
    shown = str(net["a"].run("ss", "-H", "-tlnp", check=True).stdout)
    pid = shown.partition("pid=")[2].partition(",")[0]
    assert "http_server.py" in net["a"].run("ps", "-o", "args=", "-p", pid, check=True).stdout
    assert shown.count("pid=") == 1
    assert net["b"].run("ss", "-H", "-tlnp").stdout == ""


def test_namespaces_have_their_names_in_every_node(net: Network) -> None:
    listed = str(net["b"].run("ip", "netns", "list", check=True).stdout).split()
    assert {"a", "b"} <= set(listed)
    links = ("ip", "-o", "link", "show", "eth0")
    assert net["b"].run("ip", "netns", "exec", "a", *links).stdout == net["a"].run(*links, check=True).stdout
    assert net["b"].run("ip", "netns", "identify", check=True).stdout.strip() in ("b", "")


def test_nothing_of_the_machine_or_the_lab_is_under_the_nodes_proc(net: Network) -> None:
    for unmount in ("umount /proc", "umount -l /proc"):
        net["a"].run("sh", "-c", unmount)
    numbers = {int(name) for name in str(net["a"].run("ls", "/proc").stdout).split() if name.isdigit()}
    assert os.getpid() not in numbers
    assert max(numbers) < 10_000 and 1 in numbers
    assert net["a"].run("cat", "/proc/1/comm").stdout == "init\n"


def test_a_node_whose_init_was_killed_from_outside_begins_anew(net: Network) -> None:
    with net["a"].start("sleep", "1003") as lost:
        _kill_init_with("sleep 1003")
        assert lost.wait(5) == -signal.SIGKILL
    assert net["a"].run("hostname").stdout == "a\n"
    assert _programs(net, "a")[0] == "sleep infinity"
    assert "Hello from a" in _page(net)


def _kill_init_with(command: str) -> None:
    """Kills, as the machine's user, the init of the node in which a command runs."""
    wait_until(lambda: command in dict(_commands_of_machine()).values())  # it may not be executed yet when its number is told
    found = dict(_commands_of_machine())
    (pid,) = (pid for pid, text in found.items() if text == command)
    space = os.readlink(f"/proc/{pid}/ns/pid")
    for other, text in found.items():
        if text == "sleep infinity" and _pid_namespace(other) == space:
            os.kill(int(other), signal.SIGKILL)
            wait_until(lambda: not Path("/proc", other).exists())  # noqa: B023


def _pid_namespace(pid: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:  # it has gone, or it is another user's
        return ""


def test_other_terminals_programs_are_in_the_node_too(net: Network) -> None:
    done = pynetemu("exec", net.name, "b", "--", "sh", "-c", "echo $$; ps -o args= -p $$; ps -e -o args=")
    number, first, *all_of_them = done.stdout.splitlines()
    assert first.startswith("sh -c echo")
    assert first in all_of_them and "sleep 3600" in all_of_them and int(number) < 10_000
    assert not any("attach" in line or "pynetemu.engine" in line for line in all_of_them)


def test_sockets_of_nodes_are_opened_as_before(net: Network) -> None:
    with net["b"].socket(type=socket.SOCK_STREAM) as client:
        client.settimeout(5)
        client.connect((str(net.inventory.addresses_of_nodes["a"][0].ip), 8080))
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert client.recv(5) == b"HTTP/"


@pytest.mark.slow
@pytest.mark.parametrize("how", ["reload", "attach"])
def test_ctrl_z_after_a_reload_and_where_one_has_attached(how: str) -> None:
    with Terminal(*PROGRAM, BLUE, "--name", mine("stopping"), prompt=f"{mine('stopping')}> ") as first:
        first.wait_for_prompt()
        if how == "reload":
            first.ask("blue true")
            first.ask("reload")
            _stop_and_go_on(first)
        else:
            with Terminal(*PROGRAM, "attach", mine("stopping"), prompt=f"{mine('stopping')}> ") as second:
                second.wait_for_prompt()
                _stop_and_go_on(second)


def _stop_and_go_on(terminal: Terminal) -> None:
    terminal.enter(f"blue {_SLEEP}")
    wait_until(lambda: _SLEEP in [text for _, text in _commands_of_machine()])
    terminal.key("z")
    terminal.wait_for_prompt()
    assert "Stopped" in terminal.ask("jobs")
    (sleep,) = (pid for pid, text in _commands_of_machine() if text == _SLEEP)
    terminal.enter("fg")
    wait_until(lambda: Path(f"/proc/{sleep}/stat").read_text().split()[2] == "S")
    terminal.key("c")
    terminal.wait_for_prompt()
    assert _SLEEP not in terminal.ask("blue ps -e -o args=")


def _commands_of_machine() -> Iterator[tuple[str, str]]:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):  # it has gone
            yield pid, Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
