"""What pictures read out of a plan."""

from ipaddress import ip_interface

from pynetemu.draw.graph import Node, natural, read
from pynetemu.draw.svg import as_svg
from pynetemu.draw.text import as_picture
from pynetemu.plan.operations import (
    AddAddress,
    AddHttpServer,
    AddNode,
    AddVeth,
    AddVlan,
    Operation,
    Plan,
    SetPortVlans,
    SetUp,
    StartSpanningTree,
)

NODES = AddNode("h1", "host"), AddNode("s1", "switch"), AddNode("s2", "switch")
LINKS = AddVeth("h1", "eth0", "", "s1", "h1", ""), AddVeth("s1", "s2", "", "s2", "s1", "", mtu=9000)


def plan(*operations: Operation) -> Plan:
    return Plan("Net", (*NODES, *LINKS, *operations))


def test_addresses_are_at_their_links_and_all_others_in_their_nodes() -> None:
    graph = read(
        plan(AddAddress("h1", "eth0", ip_interface("10.0.0.1/24")), AddAddress("h1", "lo", ip_interface("fd00::1/128")))
    )
    assert [str(interface) for interface in graph.node["h1"].interfaces] == ["lo fd00::1/128"]
    assert str(graph.links[0].a) == "eth0 10.0.0.1/24"


def test_what_runs_in_a_node_and_what_is_set_on_it_are_its_labels() -> None:
    graph = read(plan(AddHttpServer("h1", "web", 8080), StartSpanningTree("s1", "br0")))
    assert graph.node["h1"].labels == ("http :8080",)
    assert graph.node["s1"].labels == ("stp",)


def test_links_say_their_mtu_where_it_is_not_the_usual_one() -> None:
    assert [link.labels for link in read(plan()).links] == [(), ("mtu 9000",)]


def test_ports_say_their_vlans() -> None:
    ports = SetPortVlans("s1", "h1", 10, ()), SetPortVlans("s1", "s2", 0, (10, 20, 21, 22)), SetPortVlans("s2", "s1", 1, (20,))
    to_host, between = read(plan(*ports)).links
    assert str(to_host.b) == "h1 vlan 10"
    assert (str(between.a), str(between.b)) == ("s2 trunk 10,20-22", "s1 vlan 1 trunk 20")
    assert "h1 vlan 10" in as_picture(plan(*ports), 100)
    assert ">s2 trunk 10,20-22<" in as_svg(read(plan(*ports)))


def test_interfaces_of_vlans_stand_in_their_node() -> None:
    graph = read(plan(AddVlan("h1", "eth0.10", "eth0", 10), AddAddress("h1", "eth0.10", ip_interface("10.0.10.1/24"))))
    assert [str(interface) for interface in graph.node["h1"].interfaces] == ["eth0.10 10.0.10.1/24"]


def test_what_is_not_known_changes_nothing() -> None:
    assert read(plan(SetUp("h1", "eth0"))) == read(plan())
    assert Node("n1", "firewall") == read(Plan("New", (AddNode("n1", "firewall"),))).nodes[0]  # type: ignore[arg-type]
    assert "◇ n1" in as_picture(Plan("New", (AddNode("n1", "firewall"),)), 80)  # type: ignore[arg-type]


def test_names_are_sorted_as_people_count() -> None:
    assert sorted(["h10", "h2", "s1x10", "s1x9"], key=natural) == ["h2", "h10", "s1x9", "s1x10"]
