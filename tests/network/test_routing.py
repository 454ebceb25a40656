"""Routers and automatic routes, judged by `ip -j` and by traffic."""

import json
from typing import Any

import pytest

from pynetemu import Host, Link, Network, Root, Router, Switch, Topology
from topologies.dual_stack import DualStack
from topologies.router import TwoNetworks
from topologies.two_sites import TwoSites


def test_packets_take_the_cheapest_way_and_the_other_when_told_to() -> None:
    with Network(TwoNetworks()) as net:
        assert _hops(net, "h1", "h3") == ["10.0.1.254", "10.1.2.1", "10.200.3.3"]
        assert "Hello from h3" in net["h2"].run("curl", "-s", "h3").stdout
        net["r1"].run("ip", "route", "replace", "10.200.3.0/24", "via", "10.1.3.1", check=True)
        assert _hops(net, "h1", "h3") == ["10.0.1.254", "10.1.3.1", "10.1.2.1", "10.200.3.3"]


def _hops(net: Network, start: str, to: str) -> list[str]:
    """Who answers on the way, with the address that leads back (icmp_errors_use_inbound_ifaddr is off)."""
    lines = net[start].run("traceroute", "-I", "-n", "-q1", "-N1", "-w1", to, check=True).stdout.splitlines()[1:]
    return [str(line.split()[1]) for line in lines]


def test_both_protocols_cross_routers_from_the_first_packet() -> None:
    with Network(DualStack()) as net:
        assert "Hello from h2" in net["h3"].run("curl", "-s", "-6", "h2").stdout
        for version in "-4", "-6":
            assert "1 received" in net["h1"].run("ping", version, "-c1", "-W5", "h2").stdout
        assert "1 received" in net["h2"].run("ping", "-c1", "-W5", "10.255.255.1").stdout
        assert "1 received" in net["h2"].run("ping", "-c1", "-W5", "fd00:ffff::1").stdout
        assert _routes(net, "h3", "-6")["default"] == ["2001:db8::1"]


class Shared(Topology):
    """Two ways of equal cost from r1 to r4, which r1 shares; the user's own routes; a root that forwards."""

    addresses = "dual"
    root = Root(address="192.0.2.1/24", forward=True)
    h1 = Host()
    h4 = Host(auto_routes=False, routes={"10.200.1.0/24": "10.200.4.251", "2001:db8:9::/48": "fd00:0:200:4::251"})
    r1 = Router(multipath=True)
    r2, r3, r4 = Router(), Router(), Router()
    s1 = Switch()
    a = Link(h1, r1)
    b = Link(r1, r2)
    c = Link(r1, r3)
    d = Link(r2, r4)
    e = Link(r3, r4)
    f = Link(r4, h4)
    g = Link(r4, s1)
    h = Link(root.interface("eth1"), s1)


def test_equal_ways_own_routes_and_a_root_that_forwards() -> None:
    with Network(Shared()) as net:
        assert _routes(net, "r1")["10.200.4.0/24"] == ["10.1.2.1", "10.1.3.1"]
        assert _routes(net, "r1", "-6")["fd00:0:200:4::/64"] == ["fd00:0:1:2::1", "fd00:0:1:3::1"]
        assert _routes(net, "r2")["10.200.1.0/24"] == ["10.1.2.0"]
        assert set(_routes(net, "h4")) == {"10.200.1.0/24"}
        assert "2001:db8:9::/48" in _routes(net, "h4", "-6")
        assert "1 received" in net["h1"].run("ping", "-4", "-c1", "-W5", "h4").stdout
        assert "1 received" in net["h1"].run("ping", "-c1", "-W5", "192.0.2.1").stdout
        assert net["root"].run("cat", "/proc/sys/net/ipv4/ip_forward").stdout == "1\n"


def test_a_topology_in_a_topology_is_as_real_as_others() -> None:
    with Network(TwoSites()) as net:
        assert net["site1.h1"].run("hostname").stdout == "site1.h1\n"
        assert "1 received" in net["site1.h1"].run("ping", "-c1", "-W5", "site2.h3").stdout
        assert "Hello from web" in net["site2.h1"].run("curl", "-s", "web").stdout


class Mesh(Topology):
    """Routers in a row with short cuts, and a host at every second of them."""

    def build(self, n: int = 200) -> None:
        self.r = [Router() for _ in range(n)]
        for i in range(1, n):
            self.add(Link(self.r[i], self.r[i - 1]))
            if i % 10 == 0:
                self.add(Link(self.r[i], self.r[i - 10], cost=2))
        self.h = [Host() for _ in range(n // 2)]
        for i, host in enumerate(self.h):
            self.add(Link(host, self.r[2 * i]))


@pytest.mark.slow
def test_two_hundred_routers_lead_from_the_first_host_to_the_last() -> None:
    with Network(Mesh()) as net:
        assert "1 received" in net["h1"].run("ping", "-c1", "-W5", "h100").stdout
        assert len(_routes(net, "r100")) == 199 + 19 + 100 - 2  # all networks but those that it is on


def _routes(net: Network, node: str, *options: str) -> dict[str, list[str]]:
    """Each destination that is reached through gateways, and those."""
    routes: list[dict[str, Any]] = json.loads(net[node].run("ip", "-j", *options, "route", check=True).stdout)
    found: dict[str, list[str]] = {}
    for route in routes:
        gateways = [hop["gateway"] for hop in route.get("nexthops", [route]) if "gateway" in hop]
        if gateways:
            found.setdefault(route["dst"], []).extend(gateways)
    return {destination: sorted(gateways) for destination, gateways in found.items()}
