"""Names follow the addresses that nodes have, judged by getent(1) and `ip`, in programs that ran before and after."""

import subprocess
from collections.abc import Iterator

import pytest

from pynetemu import Host, Link, Network, Process, Switch, Topology
from tests.support.wait import wait_until


class _Lab(Topology):
    h1, h2, late = Host(), Host(), Host()
    s1 = Switch()
    a = Link(h1.interface("eth0", "10.0.0.1/24", "fd00::1/64"), s1)
    b = Link(h2.interface("eth0", "10.0.0.2/24"), s1)
    c = Link(late.interface("eth0", "10.0.0.3/24"), s1)


_ASKED = """
import socket, sys
for line in sys.stdin:
    try:
        print(*sorted({entry[4][0] for entry in socket.getaddrinfo(line.strip(), None)}), flush=True)
    except socket.gaierror:
        print("unknown", flush=True)
"""


class _Asked:
    """A program that runs in a node all the time, and looks names up."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def __call__(self, name: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{name}\n".encode())
        self._process.stdin.flush()
        return str(self._process.stdout.readline().decode().strip())


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(_Lab()) as network:
        yield network


@pytest.fixture
def h2(network: Network) -> Iterator[_Asked]:
    process = network["h2"].start("python3", "-c", _ASKED, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    yield _Asked(process)
    process.kill()
    process.wait()
    process.close()


def _run(network: Network, node: str, words: str) -> str:
    return str(network[node].run(*words.split(), check=True).stdout)


def test_names_follow_addresses(network: Network, h2: _Asked) -> None:
    assert h2("h1") == "10.0.0.1 fd00::1"
    _run(network, "h1", "ip addr add 10.0.0.7/32 dev eth0")
    assert h2("h1") == "10.0.0.1 fd00::1"  # the first is still there
    _run(network, "h1", "ip addr del 10.0.0.1/24 dev eth0")
    wait_until(lambda: h2("h1") == "10.0.0.7 fd00::1")
    assert h2("h1.eth0") == "10.0.0.7 fd00::1"
    assert _run(network, "h1", "getent ahostsv4 h1").split()[0] == "10.0.0.7"
    for words in "ip link set eth0 down", "ip link set eth0 name wan":
        _run(network, "h1", words)
    wait_until(lambda: h2("h1.wan") == "10.0.0.7")
    assert h2("h1.eth0") == "unknown"
    _run(network, "h1", "ip link del wan")
    wait_until(lambda: h2("h1") == "unknown")
    assert _run(network, "h1", "getent hosts h1").split()[0] == "127.0.0.1"


def test_a_node_without_a_planned_address_gets_its_name_with_its_first(network: Network, h2: _Asked) -> None:
    assert h2("s1") == "unknown"
    _run(network, "s1", "ip addr add 10.0.0.9/24 dev br0")
    wait_until(lambda: h2("s1") == "10.0.0.9")
    assert "10.0.0.9 s1 s1.br0\n" in network.names("h1")
    _run(network, "h2", "ping -c1 -w5 s1")


def test_a_file_that_somebody_has_edited_is_left_alone(network: Network, h2: _Asked) -> None:
    network["h2"].run("sh", "-c", "echo 192.0.2.1 mine >> /etc/hosts", check=True)
    _run(network, "h1", "ip addr add 10.0.0.7/32 dev eth0")
    _run(network, "h1", "ip addr del 10.0.0.1/24 dev eth0")
    assert "10.0.0.7 h1 h1.eth0" in _run(network, "late", "cat /etc/hosts")
    assert h2("mine") == "192.0.2.1"
    assert h2("h1") == "10.0.0.1 fd00::1"


def test_many_changes_at_once_end_in_what_the_kernel_has(network: Network, h2: _Asked) -> None:
    """More than the socket holds, so that messages are lost."""
    words = [f"10.0.{i // 250}.{i % 250 + 4}/32 dev eth0" for i in range(3000)]
    lines = [*(f"addr add {one}" for one in words), "addr del 10.0.0.3/24 dev eth0", *(f"addr del {one}" for one in words[:-1])]
    network["late"].run("ip", "-force", "-batch", "-", input="\n".join(lines), check=True, timeout=50)
    wait_until(lambda: h2("late") == "10.0.11.253")
    (own,) = [i for i in network.interfaces("late") if i.name == "eth0"]
    assert [str(address) for address in own.addresses if address.version == 4] == ["10.0.11.253/32"]
