"""Names in a node's line: where the shell puts addresses, and where it leaves words alone."""

import pytest

from pynetemu import Host, Link, Network, Root, Topology
from pynetemu.plan.inventory import Inventory
from pynetemu.plan.names import address_of, hosts_file
from pynetemu.shell.substitution import substituted
from tests.support.pynetemu import BRIDGE, pynetemu


class Lab(Topology):
    root = Root(address="192.168.0.194/24")
    r = Host()
    a = Host()
    up = Link(root.interface("up", "10.0.0.1/24", "fd00::1/64"), r.interface("eth0", "10.0.0.2/24", "fd00::2/64"))
    down = Link(r.interface("eth1", "10.1.0.1/24"), a.interface("eth0", "10.1.0.2/24"))


@pytest.mark.pure
@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("ip route add 192.0.2.0/24 via r", "ip route add 192.0.2.0/24 via 10.0.0.2"),
        ("ip ro get r.eth1", "ip ro get 10.1.0.1"),
        ("ip -6 route get r", "ip -6 route get fd00::2"),
        ("ip route add r/32 via root", "ip route add 10.0.0.2/32 via 192.168.0.194"),
        ("ip rule add from r table 5", "ip rule add from 10.0.0.2 table 5"),
        ("true && ip r get a | cat", "true && ip r get 10.1.0.2 | cat"),
        ("curl http://[r]:80/x", "curl http://[fd00::2]:80/x"),
        ("ssh me@[r]", "ssh me@[fd00::2]"),
        ("nc [r]:80", "nc [fd00::2]:80"),
    ],
)
def test_an_address_stands_where_a_program_needs_one(line: str, meant: str) -> None:
    assert substituted(line, "root", Network(Lab())) == meant


@pytest.mark.pure
@pytest.mark.parametrize(
    "line",
    [
        "ping r",
        "curl http://r:80/",
        "ip link set r up",
        "ip neigh show dev r",
        "ip netns exec r ip addr",
        "ip addr show r",
        "ip route del 'r'",
        'ip route get "r"',
        "ip route get \\r",
        "ip route get rr",
        "ls [r] [ra]*",
        "echo [a]:80",
        "grep [r] file",
        "echo ip route get r",
        "nc '[r]:80'",
    ],
)
def test_every_other_word_stays(line: str) -> None:
    assert substituted(line, "root", Network(Lab())) == line


@pytest.mark.pure
def test_interfaces_have_names_of_their_own() -> None:
    plan = Network(Lab()).plan
    hosts = dict(line.split(maxsplit=1) for line in hosts_file(Inventory(plan), "a").splitlines())
    assert hosts["10.1.0.1"] == "r r.eth1"
    assert hosts["10.0.0.2"] == "r.eth0"
    text = hosts_file(Inventory(plan), "a")
    assert str(address_of(text, "r.eth0")) == "10.0.0.2"
    assert address_of(text, "nosuch") is None


def test_names_reach_programs_that_know_no_hosts_file() -> None:
    lines = ("blue ip route add 192.0.2.0/24 via root", "blue ip route get green", "blue getent hosts green.veth_green")
    done = pynetemu(BRIDGE, *(word for line in lines for word in ("-c", line)))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("10.0.0.3 dev veth_blue src 10.0.0.2")
    assert done.stdout.splitlines()[-1].split() == ["10.0.0.3", "green", "green.veth_green"]
