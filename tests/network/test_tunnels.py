"""Tunnels: what `ip -j -d` shows, and whose packets go through whose."""

import json
import re
from typing import Any

import pytest

from pynetemu import Gre, Host, Link, Nat, Network, Router, Topology, Vxlan
from pynetemu.network.node import RunningNode
from tests.support.wait import wait_until
from topologies.vxlan import Overlay


@pytest.mark.slow
def test_frames_of_a_vxlan_travel_inside_udp() -> None:
    with Network(Overlay()) as net:
        h1, r1 = net["h1"], net["r1"]
        link = _link(h1, "vxlan10")
        data = link["linkinfo"]["info_data"]
        assert (data["id"], data["port"], data["local"], data["remote"]) == (10, 4789, "10.200.1.1", "10.200.2.2")
        assert link["mtu"] == 1500 - 20 - 8 - 8 - 14
        outer = "udp dst port 4789 and src 10.200.1.1 and dst 10.200.2.2 and greater 1500"
        watch = r1.start("timeout", "10", "tcpdump", "-c1", "-ni", "eth0", outer, stderr=-3, stdout=-3)
        largest = "-M", "do", "-s", str(1450 - 28), "192.168.10.2"
        wait_until(lambda: h1.run("ping", "-c1", "-W2", *largest).status == 0 and watch.poll() is not None, what="the frame")
        assert watch.wait() == 0
        watch.close()
        assert h1.run("ping", "-c1", "-W1", "-M", "do", "-s", str(1450 - 27), "192.168.10.2").status != 0
        neighbors = json.loads(h1.run("ip", "-j", "neigh", "show", "dev", "vxlan10").stdout)
        assert [entry["lladdr"] for entry in neighbors] == ["02:42:c0:a8:0a:02"]


class Sites(Topology):
    """Two networks behind Nats, which tunnels join, over IPv4 and IPv6; the second tunnel goes through the first."""

    addresses = "dual"
    h1, h2 = Host(), Host()
    r1, r2, isp = Router(), Router(), Router()
    a, b = Link(h1, r1), Link(h2, r2)
    up1, up2 = Link(r1, isp), Link(r2, isp, mtu=1400)
    nat1, nat2 = Nat(r1, up1), Nat(r2, up2)
    tunnel = Vxlan(r1, r2, id=7, port=9000)
    low = r1.interface("low"), r2.interface("low")
    inner = Vxlan(*low, id=8, endpoints=("10.1.2.0", "10.1.2.1"))
    six = Vxlan(h1, h2, id=9, cost=5000)


@pytest.mark.slow
def test_a_tunnel_is_the_way_to_what_is_hidden_outside() -> None:
    with Network(Sites()) as net:
        h1, r1 = net["h1"], net["r1"]
        assert h1.run("ping", "-c1", "-W5", "10.200.2.2").status == 0
        assert h1.run("ping", "-c1", "-W5", "fd00:0:200:2::2").status == 0
        assert {_link(r1, name)["mtu"] for name in ("vxlan7",)} == {1400 - 50}
        assert _link(r1, "low")["mtu"] == 1400 - 50 - 50
        route = json.loads(r1.run("ip", "-j", "route", "get", "10.200.2.2").stdout)[0]
        assert route["dev"] == "vxlan7"
        assert net["isp"].run("ping", "-c1", "-W1", "10.200.2.2").status != 0


@pytest.mark.needs("gre", "gre over IPv6")
def test_gre_over_ipv4_and_ipv6() -> None:
    class Lab(Topology):
        addresses = "dual"
        r1, r2, h1, h2 = Router(), Router(), Host(), Host()
        wire = Link(r1, r2)
        a, b = Link(h1, r1), Link(h2, r2)
        over4 = Gre(r1, r2, key=5)
        over6 = Gre(r1.interface("g6"), r2.interface("g6"), endpoints=("fd00:0:1:2::", "fd00:0:1:2::1"))

    with Network(Lab()) as net:
        r1 = net["r1"]
        four, six = _link(r1, "gre1"), _link(r1, "g6")
        assert (four["mtu"], four["linkinfo"]["info_kind"]) == (1500 - 28, "gre")
        assert (six["mtu"], six["linkinfo"]["info_kind"]) == (1500 - 44, "ip6gre")
        for name, size in ("gre1", four["mtu"]), ("g6", six["mtu"]):
            address = _address(net["r2"], name)
            assert r1.run("ping", "-c1", "-W5", "-M", "do", "-s", str(size - 28), address).status == 0
            assert _counter(r1, name) >= 1


def _link(node: RunningNode, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(node.run("ip", "-j", "-d", "link", "show", name, check=True).stdout)[0]
    return found


def _address(node: RunningNode, name: str) -> str:
    return str(re.findall(r"inet ([\d.]+)", str(node.run("ip", "addr", "show", name).stdout))[0])


def _counter(node: RunningNode, name: str) -> int:
    shown = json.loads(node.run("ip", "-j", "-s", "link", "show", name, check=True).stdout)[0]
    return int(shown["stats64"]["tx"]["packets"])
