"""The text of each node's /etc/hosts."""

from ipaddress import ip_address

from pynetemu import Host, Link, Root, Switch, Topology
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.inventory import Inventory
from pynetemu.plan.names import hosts_file

_LOCAL = "127.0.0.1 localhost{}\n::1 localhost ip6-localhost ip6-loopback\n"


def test_a_shared_network_comes_before_an_earlier_address() -> None:
    class Chain(Topology):
        a = Host()
        b = Host()
        c = Host()
        ab = Link(a.interface("eth0", "10.0.1.1/24"), b.interface("eth0", "10.0.1.2/24"))
        bc = Link(b.interface("eth1", "10.0.2.2/24"), c.interface("eth0", "10.0.2.3/24"))

    plan = compile_plan(Chain)
    assert (
        hosts_file(Inventory(plan), "a")
        == _LOCAL.format("") + "10.0.1.1 a a.eth0\n10.0.1.2 b b.eth0\n10.0.2.3 c c.eth0\n10.0.2.2 b.eth1\n"
    )
    assert (
        hosts_file(Inventory(plan), "b")
        == _LOCAL.format("") + "10.0.1.2 b b.eth0\n10.0.1.1 a a.eth0\n10.0.2.3 c c.eth0\n10.0.2.2 b.eth1\n"
    )
    assert (
        hosts_file(Inventory(plan), "c")
        == _LOCAL.format("") + "10.0.2.3 c c.eth0\n10.0.1.1 a a.eth0\n10.0.2.2 b b.eth1\n10.0.1.2 b.eth0\n"
    )


def test_each_version_has_an_address_but_link_local_ones_do_not_count() -> None:
    class Pair(Topology):
        a = Host()
        b = Host()
        wire = Link(
            a.interface("eth0", "fe80::1/64", "fd00::1/64", "10.0.0.1/24"), b.interface("eth0", "fd00::2/64", "fe80::2/64")
        )

    assert (
        hosts_file(Inventory(compile_plan(Pair)), "b")
        == _LOCAL.format("") + "fd00::2 b b.eth0\n10.0.0.1 a a.eth0\nfd00::1 a a.eth0\n"
    )


def test_a_node_without_address_knows_itself() -> None:
    class Bridge(Topology):
        s1 = Switch()
        h1 = Host()
        wire = Link(h1.interface("eth0", "10.0.0.1/24"), s1)

    plan = compile_plan(Bridge)
    assert hosts_file(Inventory(plan), "s1") == _LOCAL.format(" s1") + "10.0.0.1 h1 h1.eth0\n"


def test_host_is_the_roots_own_address_else_its_first_else_nobody() -> None:
    class Own(Topology):
        root = Root(address="192.168.0.194/24")
        h1 = Host()
        wire = Link(root.interface("eth1", "10.0.0.1/24"), h1.interface("eth0", "10.0.0.2/24"))

    class First(Own):
        root = Root()

    assert "192.168.0.194 host root.eth0\n" in hosts_file(Inventory(compile_plan(Own)), "h1")
    assert "10.0.0.1 root host root.eth1\n" in hosts_file(Inventory(compile_plan(First)), "h1")
    machine = hosts_file(Inventory(compile_plan(Own, host=True)), "h1", ip_address("172.16.0.9"))
    assert "10.0.0.1 root root.eth1\n" in machine
    assert "172.16.0.9 host\n" in machine
    assert "192.168.0.194" not in machine


def test_ipv4_link_local_addresses_need_no_interface_and_have_names() -> None:
    class Pair(Topology):
        a, b = Host(), Host()
        wire = Link(a.interface("eth0", "169.254.1.1/16"), b.interface("eth0", "169.254.1.2/16"))

    told = hosts_file(Inventory(compile_plan(Pair)), "a")
    assert told == _LOCAL.format("") + "169.254.1.1 a a.eth0\n169.254.1.2 b b.eth0\n"
