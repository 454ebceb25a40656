"""What plans say of tunnels and devices: endpoints, MTU, routes, and how people read it."""

import pytest

from pynetemu import Bridge, Gre, Host, Link, Nat, Router, Switch, Topology, Vrf, Vxlan, WireGuard
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.operations import AddPeer, AddRoute, AddTunnel, AddVeth, AddWireGuard, Plan
from pynetemu.plan.text import as_text
from topologies.wireguard import Sites

pytestmark = pytest.mark.pure


def _tunnels(plan: Plan) -> dict[tuple[str, str], AddTunnel]:
    return {(op.node, op.interface): op for op in plan.operations if isinstance(op, AddTunnel)}


def _peers(plan: Plan) -> dict[tuple[str, str], AddPeer]:
    return {(op.node, op.interface): op for op in plan.operations if isinstance(op, AddPeer)}


def test_endpoints_are_on_a_shared_network_then_outside_of_a_nat_then_the_first() -> None:
    class Lab(Topology):
        addresses = "dual"
        s1 = Switch()
        r1, r2, isp, h1 = Router(), Router(), Router(), Host()
        a, b = Link(r1, h1), Link(r1.interface("up", "198.51.100.2/30"), isp.interface("x", "198.51.100.1/30"))
        c = Link(r2.interface("up", "203.0.113.2/30"), isp.interface("y", "203.0.113.1/30"))
        nat = Nat(r1, b)
        through = Vxlan(r1, r2, id=1)
        d, e = Link(r1.interface("lan", "10.50.0.1/24"), s1), Link(h1.interface("lan", "10.50.0.2/24"), s1)
        near = Vxlan(r1, h1, id=2, endpoints=("10.50.0.1", "10.50.0.2"))
        six = Gre(isp, r2, endpoints=("203.0.113.1", "203.0.113.2"))

    found = _tunnels(compile_plan(Lab))
    assert (str(found["r1", "vxlan1"].local), str(found["r1", "vxlan1"].remote)) == ("198.51.100.2", "203.0.113.2")
    assert (str(found["r2", "vxlan1"].local), str(found["r2", "vxlan1"].remote)) == ("203.0.113.2", "198.51.100.2")
    assert (str(found["h1", "vxlan2"].local), str(found["h1", "vxlan2"].remote)) == ("10.50.0.2", "10.50.0.1")
    assert found["isp", "gre1"].kind == "gre"


def test_bridges_joined_by_a_tunnel_send_what_is_for_others_below_it() -> None:
    class Lab(Topology):
        left, core, right, h1, h2 = Router(), Router(), Router(), Host(), Host()
        below = Link(left, core), Link(core, right)
        bridges = Bridge(left, "br0"), Bridge(right, "br0")
        wires = Link(bridges[0], h1), Link(bridges[1], h2)
        tunnel = Vxlan(*bridges, id=7)

    found = _tunnels(compile_plan(Lab))
    below = {op.via for op in compile_plan(Lab).operations if isinstance(op, AddRoute) and op.node in ("left", "right")}
    assert {op.local for op in found.values()} == {op.remote for op in found.values()}
    assert len(below) == 2 and all(address.packed[:2] == bytes([10, 255]) for address in below)


def test_the_mtu_is_what_the_way_below_leaves() -> None:
    class Lab(Topology):
        r1, r2, r3 = Router(), Router(), Router()
        a, b = Link(r1, r2, mtu=9000), Link(r2, r3, mtu=2000)
        low = r1.interface("low"), r3.interface("low")
        below = Vxlan(*low, id=1)
        above = Gre(r1, r3, key=1, endpoints=low)
        by_hand = Vxlan(r1, r3, id=2, mtu=1280)
        bridges = Bridge(r1, "br0", "10.70.0.1/24"), Bridge(r2, "br0", "10.70.0.2/24")
        joined = Vxlan(*bridges, id=3)
        h1 = Host()
        c = Link(bridges[0], h1)

    plan = compile_plan(Lab)
    found = {place: op.mtu for place, op in _tunnels(plan).items()}
    assert (found["r1", "low"], found["r1", "gre1"]) == (2000 - 50, 2000 - 50 - 28)
    assert (found["r3", "vxlan2"], found["r2", "vxlan3"]) == (1280, 9000 - 50)
    assert [op.mtu for op in plan.operations if isinstance(op, AddVeth) and op.peer_node == "h1"] == [9000 - 50]


def test_wireguard_has_no_key_in_its_plan_and_waits_for_an_end_that_it_cannot_reach() -> None:
    class Lab(Topology):
        laptop, home, server, other = Host(), Router(), Router(), Host()
        a, b, c = Link(laptop, home), Link(home, server), Link(server, other)
        nat = Nat(home, b)
        tunnel, second = WireGuard(laptop, server), WireGuard(server, other)

    plan = compile_plan(Lab)
    devices = {(op.node, op.interface): op.port for op in plan.operations if isinstance(op, AddWireGuard)}
    assert devices == {("laptop", "wg0"): 51820, ("server", "wg0"): 51820, ("server", "wg1"): 51821, ("other", "wg0"): 51820}
    peers = _peers(plan)
    assert (peers["server", "wg0"].endpoint, peers["server", "wg0"].keepalive) == ("", 0)
    assert peers["laptop", "wg0"].endpoint.endswith(":51820") and peers["laptop", "wg0"].keepalive == 25
    assert peers["other", "wg0"].endpoint.endswith(":51821") and peers["other", "wg0"].keepalive == 0
    assert list(peers)[-1] == ("laptop", "wg0")


def test_sites_reach_each_other_by_the_tunnel_and_the_internet_does_not() -> None:
    plan = compile_plan(Sites)
    routes = {(op.node, str(op.destination)): str(op.via) for op in plan.operations if isinstance(op, AddRoute)}
    assert routes["gw1", "10.200.2.0/24"] == "10.1.2.1"
    assert not any(node == "internet" for node, _ in routes)
    (line,) = (line for line in as_text(plan).splitlines() if "wg0" in line and "gw2 wg0" in line)
    assert line.split(None, 2)[2] == "WireGuard to gw2 wg0, by way of 203.0.113.2:51820, port 51820, mtu 1420"
    assert as_text(plan).startswith("Sites: 5 nodes, 4 links, 1 tunnel\n")


def test_vrfs_have_routes_of_their_own() -> None:
    class Lab(Topology):
        r1, r2, h1, h2 = Router(), Router(), Host(), Host()
        a, b, c, d = Link(h1, r1), Link(r1, r2), Link(r2, h2), Link(r1, r2)
        red = Vrf(r1, 10, [a, b])

    plan = compile_plan(Lab)
    routes = {(op.table, str(op.destination)) for op in plan.operations if isinstance(op, AddRoute) and op.node == "r1"}
    assert (10, "10.200.2.0/24") in routes and (0, "10.200.2.0/24") in routes
    assert (0, "10.200.1.0/24") in routes  # the main table knows the VRF's network by way of r2 only
