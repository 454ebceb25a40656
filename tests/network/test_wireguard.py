"""WireGuard as `wg show` sees it, and what the internet between sees of it."""

import pytest

from pynetemu import Host, Link, Nat, Network, Router, Topology, WireGuard
from pynetemu.network.node import RunningNode
from tests.support.wait import wait_until
from topologies.wireguard import Sites

pytestmark = pytest.mark.needs("wireguard")


def test_two_sites_over_wireguard() -> None:
    with Network(Sites()) as net:
        before = _dump(net["gw1"])[0][1]
    with Network(Sites()) as net:
        gw1, h1, internet = net["gw1"], net["h1"], net["internet"]
        (_, public, port, _), (peer, _, endpoint, allowed, handshake, *_) = _dump(gw1)
        assert (port, endpoint, allowed, handshake) == ("51820", "203.0.113.2:51820", "0.0.0.0/0,::/0", "0")
        assert peer == _dump(net["gw2"])[0][1]
        assert public != before
        inside = internet.start("timeout", "60", "tcpdump", "-c1", "-ni", "eth0", "icmp or tcp", stderr=-3, stdout=-3)
        outer = "udp port 51820 and src 198.51.100.2"
        outside = internet.start("timeout", "60", "tcpdump", "-c1", "-ni", "eth0", outer, stderr=-3, stdout=-3)
        largest = "-M", "do", "-s", str(1420 - 28), "h2"
        wait_until(lambda: h1.run("ping", "-c1", "-W2", *largest).status == 0 and outside.poll() == 0, 30, "the packets")
        assert inside.poll() is None
        inside.kill()
        for process in inside, outside:
            process.wait()
            process.close()
        assert str(h1.run("curl", "-s", "-m", "30", "h2").stdout).startswith("Hello from h2. You are 10.200.1.1")
        assert _dump(net["gw2"])[1][4] != "0"


class Roaming(Topology):
    """A laptop behind a Nat, which the server cannot reach until it has begun; two tunnels on the server, one over IPv6."""

    addresses = "dual"
    laptop, home, server, other = Host(), Router(), Router(), Host()
    lan, wan = Link(laptop, home), Link(home, server)
    beyond = Link(server.interface(None, "10.5.0.1/24", "fd00:5::1/64"), other.interface(None, "10.5.0.2/24", "fd00:5::2/64"))
    nat = Nat(home, wan)
    tunnel = WireGuard(laptop.interface("wg0", "10.99.0.2/24"), server.interface("wg0", "10.99.0.1/24"))
    six = WireGuard(server, other.interface("six"), endpoints=("fd00:5::1", "fd00:5::2"), port=5000)


def test_an_end_behind_address_translation_begins() -> None:
    with Network(Roaming()) as net:
        server = net["server"]
        assert _dump(net["laptop"])[1][7] == "25"
        assert server.run("ping", "-c1", "-W5", "10.99.0.2").status == 0  # the first handshake has been
        assert _dump(server, "wg1")[1][2] == "[fd00:5::2]:5000"
        assert net["other"].run("ping", "-c1", "-W5", "-I", "six", str(_address(server, "wg1"))).status == 0


def _dump(node: RunningNode, interface: str = "wg0") -> list[list[str]]:
    """The interface (private key, public key, port, mark), and its peers (wg(8))."""
    text = str(node.run("wg", "show", interface, "dump", check=True).stdout)
    return [line.split("\t") for line in text.splitlines()]


def _address(node: RunningNode, interface: str) -> str:
    shown = str(node.run("ip", "-br", "-4", "addr", "show", interface).stdout)
    return shown.split()[2].partition("/")[0]
