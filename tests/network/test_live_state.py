"""What the kernel has in nodes by what users changed by hand, against what iproute2, iptables and nft say of it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pynetemu import Host, LabError, Link, Network, Router, Switch, Topology
from pynetemu.capture.selection import find
from pynetemu.plan.load import load
from tests.support.wait import wait_until


class _Lab(Topology):
    r1 = Router()
    h1, h2, h3 = Host(), Host(), Host()
    s1 = Switch()
    up = Link(r1.interface("eth0", "10.0.0.254/24", "fd00::fe/64"), s1)
    a = Link(h1.interface("eth0", "10.0.0.1/24", "fd00::1/64"), s1)
    b = Link(h2.interface("eth0", "10.0.0.2/24"), s1)
    side = Link(r1.interface("eth1", "10.1.0.254/24"), h3.interface("eth0", "10.1.0.3/24"))


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """One lab for all of this file; its tests change different things."""
    with Network(_Lab()) as network:
        for node in network.nodes:
            network[node].run("true")  # its init lives from now on
        yield network


def _run(network: Network, node: str, words: str) -> str:
    return str(network[node].run(*words.split(), check=True).stdout)


def _json(network: Network, node: str, words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_run(network, node, words) or "[]")
    return found


def _peers(network: Network, *nodes: str) -> dict[tuple[str, str], tuple[str, str] | None]:
    state = network.state(*nodes, tables=("links",))
    return {(i.node, i.name): i.peer for i in state.interfaces if i.kind == "veth"}


def _peers_by_index(network: Network, node: str) -> dict[str, int]:
    """For each veth of a node the index of its other end, as `ip` has it."""
    links = _json(network, node, "ip -j link")
    indexes = {link["ifname"]: link["ifindex"] for link in links}
    return {
        link["ifname"]: link.get("link_index") or indexes[link["link"]] for link in links if {"link", "link_index"} & set(link)
    }


def test_the_wiring_is_the_kernels() -> None:
    """Renamed, moved, deleted and added ends, in nodes that are asked and in those that are not."""
    with Network(_Lab()) as network:
        assert _peers(network)["h1", "eth0"] == ("s1", "h1")
        assert _peers(network, "s1")["s1", "h2"] == ("h2", "eth0")
        _run(network, "h1", "ip link set eth0 down")
        _run(network, "h1", "ip link set eth0 name wan")
        assert _peers(network, "s1")["s1", "h1"] == ("h1", "wan")
        _run(network, "h2", "ip link set eth0 netns h3 name moved")
        assert _peers(network, "h2") == {}
        assert _peers(network, "h3", "s1")["h3", "moved"] == ("s1", "h2")
        assert _peers(network, "s1")["s1", "h2"] == ("h3", "moved")
        _run(network, "h1", "ip link add mine type veth peer theirs netns h3")
        assert _peers(network, "h1")["h1", "mine"] == ("h3", "theirs")
        _run(network, "h1", "ip link add here type veth peer there")
        assert _peers(network, "h1")["h1", "here"] == ("h1", "there")
        _run(network, "r1", "ip link del eth1")
        assert ("h3", "eth0") not in _peers(network)
        assert ("r1", "eth1") not in _peers(network)
        every = {(i.node, i.name): i.index for i in network.state(tables=("links",)).interfaces}
        for node in network.nodes:
            told = {name: every[far] for (_, name), far in _peers(network, node).items() if far}
            assert told == _peers_by_index(network, node)


def test_an_end_in_a_namespace_that_is_no_node_is_known_to_be_elsewhere() -> None:
    with Network(_Lab()) as network:
        _run(network, "h1", "ip netns add elsewhere")
        _run(network, "h1", "ip link add out type veth peer far netns elsewhere")
        assert _peers(network)["h1", "out"] == ("", "")
        _run(network, "h1", "ip -n elsewhere link set far netns h2")
        assert _peers(network)["h1", "out"] == ("h2", "far")


_ROUTES = [
    "10.7.0.0/16 via 10.0.0.254 metric 7",
    "10.8.0.0/16 via 10.0.0.254 table 100",
    "10.9.0.0/16 dev eth0 src 10.0.0.1 table 70000",
    "blackhole 10.10.0.0/16",
    "prohibit 10.11.0.0/16 table 100",
    "throw 10.12.0.0/16 table 100",
    "10.13.0.0/16 tos 0x10 via 10.0.0.254",
    "10.14.0.0/16 nexthop via 10.0.0.254 weight 2 nexthop via 10.0.0.9",
    "fd07::/32 via fd00::fe",
    "unreachable fd08::/32",
]
_RULES = [
    "-4 rule add from 10.0.0.0/24 iif eth0 lookup 100 pref 100",
    "-4 rule add not to 10.9.0.0/16 fwmark 0x10/0xff lookup 70000 pref 200",
    "-4 rule add ipproto tcp sport 1000-2000 dport 80 prohibit pref 300",
    "-4 rule add tos 0x10 uidrange 0-0 lookup main suppress_prefixlength 0 pref 400",
    "-6 rule add from fd00::/64 oif eth0 unreachable pref 100",
    "-6 rule add goto 32766 pref 150",
]


def _table(route: dict[str, Any]) -> int:
    name = route.get("table", "main")
    return int({"local": 255, "main": 0, "default": 253}.get(name, name))


def test_routes_and_rules_are_those_of_ip(network: Network) -> None:
    for words in _ROUTES:
        _run(network, "h1", f"ip route add {words}")
    for words in _RULES:
        _run(network, "h1", f"ip {words}")
    shown = [
        (
            {"default": "0.0.0.0/0" if version == 4 else "::/0"}.get(route["dst"], route["dst"]).removesuffix("/32"),
            route.get("type", "unicast"),
            _table(route),
            route.get("metric", 0),
            route.get("prefsrc", ""),
            route.get("protocol"),
            sorted((hop.get("gateway", ""), hop.get("dev", "")) for hop in route.get("nexthops", [route])),
        )
        for version in (4, 6)
        for route in _json(network, "h1", f"ip -d -j -{version} route show table all")
        if _table(route) != 255
    ]
    told = [
        (
            str(route.destination).removesuffix("/32"),
            route.kind,
            route.table,
            route.metric,
            str(route.source or ""),
            route.protocol,
            sorted((str(gateway or ""), interface) for gateway, interface in route.hops),
        )
        for route in network.routes("h1", all_tables=True)
    ]
    assert sorted(told, key=str) == sorted(shown, key=str)
    assert {route.ds_field for route in network.routes("h1") if str(route.destination) == "10.13.0.0/16"} == {0x10}
    assert {str(r.destination) for r in network.routes("h1")} < {
        str(r.destination) for r in network.routes("h1", all_tables=True)
    }

    before = {(rule.version, rule.text) for rule in network.rules("h1")}
    texts = {4: _run(network, "h1", "ip -4 rule"), 6: _run(network, "h1", "ip -6 rule")}
    assert len(before) == sum(len(text.splitlines()) for text in texts.values())
    for rule in network.rules("h1"):  # as words that `ip` takes: each is deleted by its own text
        _run(network, "h1", f"ip -{rule.version} rule del pref {rule.priority} {rule.text}")
    assert network.rules("h1") == []
    assert not _run(network, "h1", "ip -4 rule") + _run(network, "h1", "ip -6 rule")


def test_queues_are_those_of_tc(network: Network) -> None:
    _run(network, "h2", "tc qdisc add dev eth0 root handle 1: tbf rate 1mbit burst 2000 limit 3000")
    network["h2"].run("ping", "-c8", "-l8", "-s1400", "-W0.1", "-q", "10.0.0.254")

    def told() -> set[tuple[object, ...]]:
        return {(q.interface, q.kind, q.handle, q.parent, q.sent_packets, q.dropped) for q in network.queues("h2")}

    def shown() -> set[tuple[object, ...]]:
        return {
            (q["dev"], q["kind"], q["handle"].replace("0:", ""), "root" if q.get("root") else "", q["packets"], q["drops"])
            for q in _json(network, "h2", "tc -j -s qdisc")
        }

    wait_until(lambda: told() == shown(), what="a moment without packets")
    assert any(dropped for *_, dropped in told())


def test_sockets_are_those_of_ss(network: Network) -> None:
    program = (
        "import socket, sys\n"
        "a = socket.create_server(('10.0.0.2', 8080), backlog=7); b = socket.create_server(('::', 81), family=10)\n"
        "c = socket.socket(2, 2); c.bind(('', 5353)); d = socket.socket(10, 2); d.bind(('::1', 99))\n"
        "e = socket.create_connection(('10.0.0.2', 8080)); print('up', flush=True); sys.stdin.read()\n"
    )
    process = network["h2"].start("python3", "-c", program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().strip() in (b"up", "up")
    told = {(s.protocol, str(s.address), s.port) for s in network.sockets("h2")}
    assert told == {("tcp", "10.0.0.2", 8080), ("tcp", "::", 81), ("udp", "0.0.0.0", 5353), ("udp", "::1", 99)}
    (server,) = [s for s in network.sockets("h2") if s.port == 8080]
    assert (server.waiting, server.limit) == (1, 7)
    process.kill()
    process.wait()
    process.close()


def test_packet_filters_are_those_of_nft(network: Network) -> None:
    assert network.packet_filters("h3") == []
    _run(network, "h3", "nft add table bridge mine")
    _run(network, "h3", "nft add table inet guard")
    _run(network, "h3", "iptables-legacy -t nat -S")
    told = {(f.tool, f.family, f.table) for f in network.packet_filters("h3")}
    assert told == {("nft", "bridge", "mine"), ("nft", "inet", "guard"), ("iptables-legacy", "ip", "nat")}


def test_ports_are_those_of_bridge(network: Network) -> None:
    _run(network, "s1", "bridge link set dev h1 isolated on")
    told = {(p.interface, p.bridge, p.state, p.is_isolated) for p in network.ports("s1")}
    shown = {
        (link["ifname"], link["master"], link["state"], link["isolated"]) for link in _json(network, "s1", "bridge -j -d link")
    }
    assert told == shown
    _run(network, "s1", "bridge link set dev h1 isolated off")


@pytest.mark.needs("VLAN filtering")
def test_vlans_of_ports_are_those_of_bridge() -> None:
    with Network(_Lab()) as network:
        for words in (
            "ip link set br0 type bridge vlan_filtering 1",
            "bridge vlan del dev h1 vid 1",
            "bridge vlan add dev h1 vid 7 pvid untagged",
            "bridge vlan add dev h2 vid 20-22",
        ):
            _run(network, "s1", words)
        ports = {port.interface: (port.untagged, port.tagged) for port in network.ports("s1")}
        assert ports == {"r1": (1, ()), "h1": (7, ()), "h2": (1, (20, 21, 22))}


def test_what_is_no_table_or_no_node_is_refused(network: Network) -> None:
    with pytest.raises(LabError, match=r"no table 'route'.*routes"):
        network.state(tables=("route",))
    with pytest.raises(LabError, match="no node 'h9'"):
        network.state("h9")


def test_a_lab_of_more_nodes_than_one_request_has() -> None:
    with Network(load("single:hosts=90")) as network:
        state = network.state(tables=("links", "addresses"))
        assert state.nodes == network.nodes
        assert {i.node for i in state.interfaces} == set(network.nodes)
        assert sum(i.peer is not None and i.peer[0] == network.nodes[0] for i in state.interfaces) == 90


def _links(network: Network, *ends: str) -> list[str]:
    return [
        f"{link.node}:{link.interface}-{link.peer_node}:{link.peer_interface} {'up' if link.is_up else 'down'}"
        for link in network.links(*ends)
    ]


def test_links_follow_what_users_do_to_interfaces() -> None:
    with Network(_Lab()) as network:
        assert _links(network) == ["r1:eth0-s1:r1 up", "h1:eth0-s1:h1 up", "h2:eth0-s1:h2 up", "r1:eth1-h3:eth0 up"]
        for words in "ip link set eth0 down", "ip link set eth0 name wan", "ip link set wan up":
            _run(network, "h1", words)
        _run(network, "h2", "ip link set eth0 netns h3 name moved")
        _run(network, "r1", "ip link del eth1")
        _run(network, "h1", "ip link add mine type veth peer theirs netns h2")
        assert _links(network) == ["r1:eth0-s1:r1 up", "h1:wan-s1:h1 up", "s1:h2-h3:moved down", "h1:mine-h2:theirs down"]
        assert _links(network, "h1", "s1") == ["h1:wan-s1:h1 up"]
        assert _links(network, "h1:mine", "h2") == ["h1:mine-h2:theirs down"]
        network.set_link("s1", "h1", up=False)
        assert _links(network, "h1", "s1") == ["h1:wan-s1:h1 down"]
        network.set_link("h1:wan", "s1", up=True)
        with pytest.raises(LabError, match="no link between h2 and s1; h2 has links to h1"):
            network.links("h2", "s1")
        with pytest.raises(LabError, match="no link between h9 and s1"):
            network.links("h9", "s1")


def _renamed(network: Network) -> None:
    for words in "ip link set eth0 down", "ip link set eth0 name wan", "ip link set wan up":
        _run(network, "h1", words)


def test_a_ping_over_a_renamed_interface_is_shown_as_answered() -> None:
    with Network(_Lab()) as network:
        _renamed(network)
        _run(network, "h1", "ip addr add 10.0.0.77/24 dev wan")
        with network.trace("icmp") as trace:
            _run(network, "h1", "ping -c1 -w5 -I 10.0.0.77 10.0.0.2")
        assert trace.delivered("echo request")
        trace.path("echo request", "h1 s1 h2")
        trace.path("echo reply", "h2 s1 h1")
        assert trace.delivered("echo reply")
        request = trace.find("ICMP echo request.* h1 → h2")[-1]  # by the address that it has now
        assert (request.sightings[0].event.node, request.sightings[0].event.interface) == ("h1", "wan")


def test_an_interface_that_is_renamed_in_a_trace_is_one_place() -> None:
    with Network(_Lab()) as network, network.trace("icmp") as trace:
        _run(network, "h2", "ping -c1 10.0.0.1")
        _renamed(network)
        _run(network, "h2", "ping -c1 -w5 10.0.0.1")  # asked again until its switch has noticed that the link is up
    assert len(trace.find("echo reply")) == 2
    assert {trace.endings(journey)[0].fate for journey in trace.find("echo reply")} == {"delivered"}


def test_captures_and_their_words_know_the_names_of_now(tmp_path: Path) -> None:
    with Network(_Lab()) as network:
        _renamed(network)
        assert find(network, "h1-s1") == {"h1": {"wan"}, "s1": {"h1"}}
        assert find(network, "h1.wan") == {"h1": {"wan"}}
        with pytest.raises(LabError, match="h1 has no interface 'eth0'"):
            find(network, "h1.eth0")
        with network.capture(tmp_path / "x.pcapng", "h1-s1", filter="icmp and host h1") as capture:
            _run(network, "h1", "ping -c1 -w5 10.0.0.2")
            wait_until(lambda: capture.packets >= 4)
