"""What an inventory says of a plan: nodes by kind, links of every sort, peers, addresses."""

from ipaddress import ip_address, ip_interface

import pytest

from pynetemu import Bridge, Gre, Host, Hub, Link, Root, Router, Switch, Topology, Vxlan, WireGuard
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.inventory import Inventory, ends
from pynetemu.plan.operations import AddNode, AddVeth, Plan

pytestmark = pytest.mark.pure


class Mixed(Topology):
    """Each kind of node, and each sort of link."""

    root = Root(address="192.0.2.1/24")
    r1, h1, h2 = Router(), Host(), Host()
    s1, hub = Switch(), Hub()
    docker0 = Bridge(h1, "docker0")
    up = Link(root.interface("eth1", "10.0.0.1/24"), r1.interface("eth0", "10.0.0.2/24"))
    a = Link(h1.interface("eth0", "10.1.0.2/24", "fd00:1::2/64"), s1)
    b = Link(r1.interface("eth1", "10.1.0.1/24", "fd00:1::1/64"), s1)
    c = Link(h2.interface("eth0", "10.2.0.2/24"), hub)
    d = Link(r1.interface("eth2", "10.2.0.1/24"), hub)
    vxlan = Vxlan(h1.interface("vx", "10.9.1.1/24"), h2.interface("vx", "10.9.1.2/24"), id=10)
    gre = Gre(h2.interface("gre", "10.9.2.2/24"), h1.interface("gre", "10.9.2.1/24"))
    wire_guard = WireGuard(h1.interface("wg0", "10.9.3.1/24"), h2.interface("wg0", "10.9.3.2/24"))


@pytest.fixture(scope="module")
def mixed() -> Inventory:
    return Inventory(compile_plan(Mixed))


def test_nodes_by_kind(mixed: Inventory) -> None:
    assert (mixed.root, mixed.outside) == ("root", "outside")
    assert mixed.kinds["hub"] == "hub"
    assert [node for node in mixed.kinds if mixed.is_bridge(node)] == ["s1", "hub"]
    assert mixed.nodes_of("host", "router") == ["r1", "h1", "h2"]
    assert not mixed.is_bridge("nobody")


def test_links_of_every_sort_each_once_by_its_first_end(mixed: Inventory) -> None:
    assert [ends(link) for link in mixed.links] == [
        (("root", "eth1"), ("r1", "eth0")),
        (("h1", "eth0"), ("s1", "h1")),
        (("r1", "eth1"), ("s1", "r1")),
        (("h2", "eth0"), ("hub", "h2")),
        (("r1", "eth2"), ("hub", "r1")),
        (("h1", "vx"), ("h2", "vx")),
        (("h2", "gre"), ("h1", "gre")),
        (("h1", "wg0"), ("h2", "wg0")),
    ]


def test_peers_go_both_ways_and_those_of_wires_are_fewer(mixed: Inventory) -> None:
    assert mixed.peers["h1", "wg0"] == ("h2", "wg0")
    assert all(mixed.peers[peer] == place for place, peer in mixed.peers.items())
    assert len(mixed.peers) == 2 * (len(mixed.links) + 1)  # and the root's own interface
    assert mixed.peers["outside", "eth0"] == ("root", "eth0") == mixed.wired_peers["outside", "eth0"]
    assert {place for place in mixed.peers if place not in mixed.wired_peers} == {
        (node, name) for node in ("h1", "h2") for name in ("vx", "gre", "wg0")
    }


def test_addresses_by_interface_by_node_and_by_address(mixed: Inventory) -> None:
    assert mixed.addresses["h1", "eth0"] == [ip_interface("10.1.0.2/24"), ip_interface("fd00:1::2/64")]
    assert ip_interface("10.0.0.2/24") in mixed.addresses_of_nodes["r1"]
    assert ip_interface("10.2.0.1/24") in mixed.addresses_of_nodes["r1"]
    assert "s1" not in mixed.addresses_of_nodes
    assert mixed.owners[ip_address("fd00:1::1")] == [("r1", "eth1")]


def test_bridges_and_mac_addresses(mixed: Inventory) -> None:
    assert mixed.bridges == {("s1", "br0"), ("hub", "br0"), ("h1", "docker0")}
    veth = mixed.of_type(AddVeth)[1]
    assert mixed.macs[veth.node, veth.interface] == veth.mac
    assert mixed.macs[veth.peer_node, veth.peer_interface] == veth.peer_mac
    assert ("h1", "vx") in mixed.macs and ("h1", "gre") not in mixed.macs
    assert all(mixed.macs.values())


def test_what_a_plan_has_not_is_empty() -> None:
    inventory = Inventory(Plan("One", (AddNode("a", "host"),)))
    assert (inventory.root, inventory.outside, inventory.links, inventory.peers) == ("", "", [], {})
    assert inventory.of_type(AddVeth) == []


def test_an_address_given_twice_has_two_owners() -> None:
    class Twice(Topology):
        a, b, c = Host(), Host(), Host()
        s = Switch()
        links = (
            Link(a.interface("eth0", "10.0.0.1/24"), s),
            Link(b.interface("eth0", "10.0.0.2/24"), s),
            Link(c.interface("eth0", "10.0.0.3/24"), s),
        )

    plan = compile_plan(Twice)
    again = tuple(op for op in plan.operations if type(op).__name__ == "AddAddress" and op.node == "a")
    inventory = Inventory(Plan("Twice", (*plan.operations, *again)))
    assert inventory.owners[ip_address("10.0.0.1")] == [("a", "eth0"), ("a", "eth0")]
