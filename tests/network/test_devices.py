"""Bridges inside hosts, macvlans, bonds and dummies: what `ip -j -d` and `bridge -j` show, and what traffic does."""

import json
from typing import Any

import pytest

from pynetemu import Bond, Bridge, Dummy, Host, Link, Macvlan, Network, Router, Switch, Topology, Vrf, Vxlan
from pynetemu.network.node import RunningNode
from tests.support.wait import wait_until
from topologies.docker import Docker


def test_a_containers_network() -> None:
    with Network(Docker()) as net:
        machine, laptop, web = net["machine"], net["laptop"], net["web"]
        ports = {port["ifname"]: port["master"] for port in json.loads(machine.run("bridge", "-j", "link").stdout)}
        assert ports == {"web": "docker0", "db": "docker0"}
        assert _link(machine, "docker0")["address"] == "02:42:ac:11:00:01"
        assert str(web.run("curl", "-s", "-m30", "db").stdout).startswith("Hello from db. You are 172.17.0.2")
        assert str(web.run("curl", "-s", "-m30", "laptop").stdout).startswith("Hello from laptop. You are 192.168.0.194")
        assert str(laptop.run("curl", "-s", "-m30", "machine:8080").stdout).startswith("Hello from web")
        assert laptop.run("ping", "-c1", "-W1", "172.17.0.2").status != 0
        assert machine.run("ping", "-c1", "-W5", "web").status == 0


class Overlay(Topology):
    """Containers of two machines on one network, as in Docker's overlay networks."""

    m1, m2 = Host(), Host()
    wire = Link(m1, m2)
    b1 = Bridge(m1, None, "172.18.0.1/16")
    b2 = Bridge(m2, None, "172.18.0.2/16")
    c1, c2 = Host(), Host()
    w1, w2 = Link(b1.port("veth1"), c1), Link(c2, b2)
    over = Vxlan(b1, b2, id=5)

    s1, h1 = Switch(), Host()
    up = m1.interface("up", auto_addresses=False)
    to_s1, to_h1 = Link(up, s1), Link(h1, s1)
    c3, c4 = Host(), Host()
    on_up = Macvlan(up, c3)
    apart = Macvlan(up, c4, "10.0.1.99/24", mode="private", name="lan0")


@pytest.mark.slow
def test_a_bridge_joins_containers_and_tunnels_and_a_macvlan_is_on_its_parents_network() -> None:
    with Network(Overlay()) as net:
        c1, m1, c3 = net["c1"], net["m1"], net["c3"]
        ports = {port["ifname"]: port["master"] for port in json.loads(m1.run("bridge", "-j", "link").stdout)}
        assert ports == {"veth1": "br0", "vxlan5": "br0"}
        assert [_link(c1, "eth0")["mtu"], _link(m1, "veth1")["mtu"], _link(m1, "br0")["mtu"]] == [1450] * 3
        assert c1.run("ping", "-c1", "-W5", "-M", "do", "-s", str(1450 - 28), "c2").status == 0
        assert c1.run("ping", "-c1", "-W5", "m2").status == 0
        macvlan = _link(c3, "eth0")
        assert (macvlan["linkinfo"]["info_kind"], macvlan["linkinfo"]["info_data"]["mode"]) == ("macvlan", "bridge")
        assert c3.run("ping", "-c1", "-W5", "h1").status == 0
        assert _link(net["c4"], "lan0")["linkinfo"]["info_data"]["mode"] == "private"
        assert c3.run("ping", "-c1", "-W1", "10.0.1.99").status != 0


@pytest.mark.needs("bond", "dummy", "802.1Q")
def test_bonds_and_dummies() -> None:
    class Lab(Topology):
        s1, s2 = Switch(), Switch()
        h1, h2, r1 = Host(), Host(), Router()
        trunk = Link(s1, s2)
        one, two = Link(h1, s1), Link(h1, s2)
        bond = Bond(h1, [one, two], "10.0.0.1/24")
        tagged = bond.vlan(10, "10.0.10.1/24")
        b = Link(h2.interface("eth0", "10.0.0.2/24"), s1)
        c = Link(r1.interface("eth0", "10.0.0.254/24"), s2)
        anycast = Dummy(r1, "10.9.9.9/32", name="anycast")

    with Network(Lab()) as net:
        h1, h2 = net["h1"], net["h2"]
        data = _link(h1, "bond0")["linkinfo"]["info_data"]
        assert (data["mode"], data["miimon"]) == ("active-backup", 100)
        assert {_link(h1, name)["master"] for name in ("eth0", "eth1")} == {"bond0"}
        assert _link(h1, "bond0.10")["linkinfo"]["info_data"]["id"] == 10
        assert h2.run("ping", "-c1", "-W5", "10.0.0.1").status == 0
        active = data["active_slave"]
        h1.run("ip", "link", "set", active, "down", check=True)
        wait_until(lambda: h2.run("ping", "-c1", "-W1", "10.0.0.1").status == 0, what="the other member")
        assert _link(h1, "bond0")["linkinfo"]["info_data"]["active_slave"] != active
        assert h2.run("ping", "-c1", "-W5", "10.9.9.9").status == 0
        assert _link(net["r1"], "anycast")["linkinfo"]["info_kind"] == "dummy"


@pytest.mark.needs("vrf")
def test_vrfs_are_routers_of_their_own() -> None:
    class Lab(Topology):
        r1, r2 = Router(), Router()
        a1, a2, b1, b2, m = Host(), Host(), Host(), Host(), Host()
        to_a1, to_a2, to_b1, to_b2 = Link(a1, r1), Link(a2, r2), Link(b1, r1), Link(b2, r1)
        between, main = Link(r1, r2), Link(m, r1)
        red = Vrf(r1, 10, [to_a1, between])
        blue = Vrf(r1, 20, [to_b1, to_b2], name="blue")

    with Network(Lab()) as net:
        assert _link(net["r1"], "vrf10")["linkinfo"]["info_data"]["table"] == 10
        assert _link(net["r1"], "eth1")["master"] == "blue"
        reached = {
            (start, to): net[start].run("ping", "-c1", "-W1", to).status == 0
            for start, to in [("a1", "a2"), ("b1", "b2"), ("a1", "b1"), ("a1", "m"), ("m", "a1")]
        }
        assert reached == {("a1", "a2"): True, ("b1", "b2"): True, ("a1", "b1"): False, ("a1", "m"): False, ("m", "a1"): False}
        assert net["r1"].run("ping", "-c1", "-W5", "-I", "vrf10", "a2").status == 0
        routes = _routes_of(net["r1"], "vrf10")
        net.set_link("r1", "r2", up=False)
        assert len(_routes_of(net["r1"], "vrf10")) < len(routes)
        net.set_link("r1", "r2", up=True)
        wait_until(lambda: _routes_of(net["r1"], "vrf10") == routes)


def _routes_of(node: RunningNode, vrf: str) -> set[str]:
    return set(str(node.run("ip", "-4", "route", "show", "vrf", vrf, check=True).stdout).splitlines())


def _link(node: RunningNode, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(node.run("ip", "-j", "-d", "link", "show", name, check=True).stdout)[0]
    return found
