"""What the network says of the kernel's state, against what iproute2 says of it."""

import json
import socket
from typing import Any

import pytest

from pynetemu import Host, Link, Network, RunningNode, Topology
from pynetemu.lab.state import InterfaceState
from tests.support.pair import Pair
from tests.support.wait import wait_until
from topologies.bridge import Bridge


def _ip(network: Network, node: str, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(network[node].run(*words, check=True).stdout)
    return found


def _as_ip_says(network: Network, node: str) -> list[tuple[Any, ...]]:
    return [
        (
            link["ifname"],
            link["ifindex"],
            link["address"],
            link["mtu"],
            link.get("master", ""),
            "UP" in link["flags"],
            "LOWER_UP" in link["flags"],
            sorted(f"{address['local']}/{address['prefixlen']}" for address in link["addr_info"]),
        )
        for link in _ip(network, node, "ip", "-j", "addr")
    ]


def _as_we_say(interface: InterfaceState) -> tuple[Any, ...]:
    return (
        interface.name,
        interface.index,
        interface.mac,
        interface.mtu,
        interface.master,
        interface.is_up,
        interface.has_carrier,
        sorted(map(str, interface.addresses)),
    )


@pytest.mark.slow
def test_the_state_is_what_iproute2_shows() -> None:
    with Network(Bridge()) as network:
        network["blue"].run("ping", "-c1", "green", check=True)
        network["green"].run("ip", "link", "set", "veth_green", "down", check=True)
        for node in network.nodes:
            assert [_as_we_say(interface) for interface in network.interfaces(node)] == _as_ip_says(network, node)

        addresses = [address for link in _ip(network, "blue", "ip", "-4", "-j", "addr") for address in link["addr_info"]]
        own = [address for address in addresses if address["scope"] == "global"]
        assert own and all(address["broadcast"] == "10.0.0.255" for address in own)  # which programs ask for (netdevice(7))

        routes = {(str(route.destination), str(route.hops[0][0] or ""), route.hops[0][1]) for route in network.routes("blue")}
        shown = [*_ip(network, "blue", "ip", "-j", "route"), *_ip(network, "blue", "ip", "-j", "-6", "route")]
        named = {"default": "0.0.0.0/0"}
        assert routes == {(named.get(r["dst"], r["dst"]), r.get("gateway", ""), r["dev"]) for r in shown}

        (neighbor,) = network.neighbors("blue")
        (entry,) = _ip(network, "blue", "ip", "-j", "neigh")
        assert (str(neighbor.address), neighbor.interface, neighbor.mac) == (entry["dst"], entry["dev"], entry["lladdr"])

        learned = {(entry.port, entry.mac) for entry in network.forwarding("s1") if entry.is_learned}
        assert ("blue", _interface(network, "blue", "veth_blue").mac) in learned

        received = _interface(network, "blue", "veth_blue").received_packets
        network["blue"].run("ping", "-c3", "root", check=True)
        assert _interface(network, "blue", "veth_blue").received_packets >= received + 3
        assert network.totals().up == 3


def test_what_the_lab_has_dropped_is_the_sum_of_what_ip_shows() -> None:
    class Two(Topology):
        blue, green = Host(), Host()
        wires = [Link(blue, green), Link(blue, green)]

    with Network(Two()) as network:
        before = network.totals().dropped
        for number, frames in enumerate((3, 5)):  # of a protocol that nobody takes
            with network["green"].socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sender:
                sender.bind((f"eth{number}", 0))
                for _ in range(frames):
                    sender.send(b"\xff" * 12 + b"\x88\xb5" + bytes(46))

        def shown() -> int:
            links = [link for node in network.nodes for link in _ip(network, node, "ip", "-j", "-s", "link")]
            counters = [link["stats64"] for link in links if link["ifname"] != "lo"]
            return sum(counter[way]["dropped"] for counter in counters for way in ("rx", "tx"))

        wait_until(lambda: shown() == network.totals().dropped >= before + 8)


def test_learned_neighbors_can_be_forgotten() -> None:
    with Network(Bridge()) as network:
        network["blue"].run("ip", "neigh", "add", "10.0.0.99", "lladdr", "02:00:00:00:00:63", "dev", "veth_blue", check=True)
        network["blue"].run("ping", "-c1", "green", check=True)
        assert {neighbor.state for neighbor in network.neighbors("blue")} >= {"permanent"}
        wait_until(lambda: network.forget_neighbors("blue").unanswered == 0)
        assert [neighbor.state for neighbor in network.neighbors("blue")] == ["permanent"]


def _interface(network: Network, node: str, name: str) -> InterfaceState:
    return next(interface for interface in network.interfaces(node) if interface.name == name)


def test_a_link_that_comes_up_again_has_its_routes_of_all_tables() -> None:
    """Tables with small and large numbers, routes over an IPv6 router, several routers, a metric; judged by `ip -j route`."""
    added = [
        "10.7.0.0/16 via 10.0.0.1",
        "10.8.0.0/16 via 10.0.0.1 table 100 metric 7",
        "10.9.0.0/16 via 10.0.0.1 table 70000",
        "10.10.0.0/16 via inet6 fd00::1 dev eth0",
        "10.11.0.0/16 table 100 nexthop via 10.0.0.1 nexthop via 10.0.0.3",
        "fd01::/64 via fd00::1 table 100",
    ]
    with Network(Pair()) as network:
        node = network["blue"]
        node.run("ip", "addr", "add", "fd00::7/64", "dev", "eth0", "nodad", check=True)
        for words in added:
            node.run("ip", "route", "add", *words.split(), check=True)
        before = _routes_of_all_tables(node)
        assert len(before) > len(added)
        network.set_link("blue", "root", up=False)
        assert not before <= _routes_of_all_tables(node)
        network.set_link("blue", "root", up=True)
        assert before <= _routes_of_all_tables(node)


def _routes_of_all_tables(node: RunningNode) -> set[str]:
    """The routes that lead over a router."""
    return {
        str({key: value for key, value in route.items() if key not in ("flags", "nexthops")}) + str(_hops(route))
        for version in ("-4", "-6")
        for route in json.loads(node.run("ip", "-j", version, "route", "show", "table", "all", check=True).stdout)
        if "gateway" in str(route) or "via" in route
    }


def _hops(route: dict[str, Any]) -> list[tuple[str, str]]:
    return [(hop["gateway"], hop["dev"]) for hop in route.get("nexthops", [])]
