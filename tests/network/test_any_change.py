"""Any lab can become any other: what the kernel has then is what it has in a lab that is born so, and after `undo` as before.

Two pairs of labs for each commit, as many as PYNETEMU_EXAMPLES says on request.
"""

import json
import os
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pynetemu import (
    Bond,
    Bridge,
    Dummy,
    Firewall,
    Gre,
    Host,
    Hub,
    Link,
    Macvlan,
    Network,
    Router,
    Switch,
    Topology,
    Vrf,
    Vxlan,
    WireGuard,
)
from pynetemu.topology.nodes import Node
from tests.support.wait import wait_until

_EXAMPLES = int(os.environ.get("PYNETEMU_EXAMPLES", "2"))
_COMMANDS = (
    "ip -j -d addr",
    "ip -4 -j route show table all",
    "ip -6 -j route show table all",
    "ip -j rule",
    "ip -j neigh show nud permanent",
    "bridge -j -d link",
    "nft -j list ruleset",
    # as JSON: a list of texts
    "sysctl -e net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv4.conf.all.rp_filter net.ipv4.conf.default.rp_filter "
    "net.ipv4.fib_multipath_hash_policy net.ipv4.conf.eth0.rp_filter net.ipv4.conf.eth0.forwarding "
    "| sed 's/.*/\"&\",/; 1s/^/[/; $s/,$/]/' | tr -d '\\n'",
)
# What is another at each birth, or changes by itself.
_ASIDE = {
    *("ifindex", "link_index", "link_netnsid", "handle", "metainfo", "valid_life_time", "preferred_life_time"),
    *("gc_timer", "hello_timer", "tcn_timer", "topology_change_timer", "timer", "bridge_id", "root_id", "designated_root"),
    *(
        "expires",
        "ifindexes",
        "uptime",
        "fdb_n_learned",
        "promiscuity",
        "allmulti",
        "num_tx_queues",
        "num_rx_queues",
        "port_id",
    ),
    *("designated_bridge", "designated_port", "designated_cost", "hold_timer", "message_age_timer", "forward_delay_timer"),
    *("link", "root_path_cost", "topology_change_detected", "config_pending", "topology_change_ack", "state"),
    *("no", "port_no", "root_port", "topology_change", "id", "permaddr", "txqlen"),
}


_KINDS = st.sampled_from(["", "", "loopback", "bridge", "input", "output", "alone", "macvlan", "tunnel", "routed"])
_WIRES = st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from([None, 1400]))


class _Lab(Topology):
    """A tree of switches, with hosts and routers on it, and some of what few labs have."""

    def build(self, draw: Any = None) -> None:
        self.addresses = draw(st.sampled_from(["ipv4", "ipv4", "dual", "ipv6"]))
        self.arp = draw(st.sampled_from(["auto", "permanent"]))
        self._switches(draw(st.integers(1, 3)), draw(st.booleans()), draw(st.sampled_from([300, 30])))
        self._routers(draw(st.integers(0, 2)), draw(st.booleans()))
        first = draw(st.integers(1, 2))
        for i in range(first, first + draw(st.integers(1, 4))):
            self._host(f"h{i}", i, draw(_KINDS), *draw(_WIRES))

    def _switches(self, count: int, stp: bool, ageing: int) -> None:
        self.found: list[Node] = []
        for i in range(1, count + 1):
            switch = self.add(f"s{i}", Hub() if i == 3 and not stp else Switch(ageing=ageing, stp=stp))
            if self.found:
                self.add(Link(self.found[0], switch.port(cost=5) if stp else switch))
            self.found.append(switch)

    def _routers(self, count: int, everywhere: bool) -> None:
        self.gateway = self.add("r9", Router(multipath=everywhere))
        self.add(Link(self.gateway, self.found[0]))
        for i in range(1, count + 1):
            router = self.add(f"r{i}", Router())
            for switch in self.found[: 2 if everywhere else 1]:
                self.add(Link(router, switch))
            self.add(Link(router, self.gateway))

    def _host(self, name: str, number: int, kind: str, place: int, choice: int, mtu: int | None) -> None:
        host = self.add(name, Host(loopback=f"10.255.0.{number}/32") if kind == "loopback" else Host())
        switch = self.found[place % len(self.found)]
        if kind == "bridge":
            self.add(Link(Bridge(host, "br-x"), switch))
            return
        port = switch.port(isolated=choice == 2, hairpin=choice == 3) if isinstance(switch, Switch) else switch
        interface = host.interface("eth0", auto_addresses=kind != "macvlan")
        self.add(Link(interface, port))
        match kind:
            case "input" | "output":
                rules = {kind: f"tcp dport {choice} accept"}
                self.add(Firewall(host, policy="drop" if choice > 2 else "accept", **rules))
            case "alone" | "routed":
                other = self.add(f"y{number}", Host() if kind == "alone" else Router())
                self.add(Link(host, other, mtu=mtu if self.addresses == "ipv4" else None))
            case "macvlan":
                self.add(f"m{number}", Host())
                Macvlan(interface, self._named(f"m{number}"), mode="private" if choice > 2 else "bridge")
            case "tunnel":
                self.add(Vxlan(host, self.gateway, id=choice + number))

    def _named(self, name: str) -> Any:
        return next(part for part in self._parts if part.declaration.name == name)


_topologies = st.composite(lambda draw: _Lab(draw=draw))


def _state(net: Network) -> dict[str, Any]:
    """What the programs tell of each node, in an order of its own."""
    found = {}
    for node in net.nodes:
        script = "; ".join(f"{command}; echo; echo =" for command in _COMMANDS)
        texts = str(net[node].run("sh", "-c", script, check=True).stdout).split("\n=\n")
        found[node] = {
            command.partition("|")[0]: _plain(json.loads(text.strip() or "[]"))
            for command, text in zip(_COMMANDS, texts[: len(_COMMANDS)], strict=True)
        }
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if (
            value.get("local", "").startswith("fe80")
            or "metainfo" in value
            or (value.get("scope") == "link" and "local" in value)
        ):
            return None  # link-local addresses come a moment later
        tree = "stp_state" in value and value["stp_state"]  # while it changes a bridge forgets earlier
        timers = {"forward_delay", "hello_time", "max_age"} if not tree else set()  # of the root of a tree that there was
        own = {"address"} if value.get("ifname") == "br0" else set()  # once given it stays, see AddBridge
        aside = {*_ASIDE, *timers, *own, *(["ageing_time"] if tree else [])}
        value = {**value, "operstate": "UP"} if value.get("operstate") == "UNKNOWN" else value  # until it is asked for alone
        return {key: _plain(inner) for key, inner in value.items() if key not in aside}
    if isinstance(value, list):
        value = [inner for inner in value if inner != "M-DOWN"]  # which ip(8) says of a far end in another namespace, at random
        plain = [found for inner in value if (found := _plain(inner)) is not None]
        return sorted((found for found in plain if not _comes_later(found)), key=str)
    return value


def _comes_later(found: Any) -> bool:
    """What the kernel makes by itself: routes of IPv6 in a queue of its own, and devices of tunnels when their module comes."""
    if isinstance(found, dict) and found.get("ifname") in ("gre0", "gretap0", "erspan0", "ip6gre0", "ip6tnl0", "sit0", "tunl0"):
        return True
    destination = str(found.get("dst", "")) if isinstance(found, dict) else ""
    return destination.startswith(("fe80", "ff00", "multicast")) or (":" in destination and found.get("table") == "local")


def _settled(net: Network) -> dict[str, Any]:
    """The state, when no port is on its way to another one and no address is tentative."""

    def settled() -> dict[str, Any]:
        state = _state(net)
        text = str(state)
        return {} if any(word in text for word in ("'learning',", "'listening'", "tentative", "'LOWERLAYERDOWN'")) else state

    found: dict[str, Any] = wait_until(settled, 15, "the end of all changes")
    return found


def _differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Where two states are not the same, for people to read."""
    if one == other:
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return [text for key in keys for text in _differences(one.get(key), other.get(key), f"{place} {key}")]
    if isinstance(one, list) and isinstance(other, list):
        left, right = ([item for item in a if item not in b] for a, b in ((one, other), (other, one)))
        if len(left) == len(right) == 1:
            return _differences(left[0], right[0], place)
        return [f"{place}: {left} instead of {right}"]
    return [f"{place}: {one!r} instead of {other!r}"]


def _lasting_differences(net: Network, wanted: Any) -> list[str]:
    """Those that do not go by themselves."""
    with suppress(AssertionError):
        wait_until(lambda: not _differences(_state(net), wanted), 5)
    return _differences(_state(net), wanted)


@settings(
    max_examples=_EXAMPLES, derandomize=_EXAMPLES == 2, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(_topologies(), _topologies())
def test_a_lab_becomes_what_another_is_born_as_and_what_it_was(one: Topology, other: Topology) -> None:
    with Network(one, name="any-1") as net:
        before = _settled(net)
        net.apply(other)
        with Network(net.plan, name="any-2") as born:
            wanted = _settled(born)
        assert not _lasting_differences(net, wanted)
        net.undo()
        assert not _lasting_differences(net, before)


class _Plain(Topology):
    s1 = Switch()
    r1, r2 = Router(), Router()
    h1, h2 = Host(), Host()
    wires = [Link(h1, s1), Link(r1, s1), Link(r1, r2), Link(h2, r2)]


class _Rich(Topology):
    """The same nodes with all that fewer kernels have."""

    s1 = Switch()
    r1, r2 = Router(), Router()
    h1, h2 = Host(), Host()
    wires = [
        Link(h1, s1.port(vlan=10)),
        Link(r1.interface("eth0", auto_addresses=False), s1.port(trunk=[10, 20])),
        Link(h2, r2),
    ]
    up = r1.interface("eth5", auto_addresses=False)
    up10, up20 = up.vlan(10), up.vlan(20)
    trunk = Link(up, s1.port(trunk=[10, 20]))
    core = Link(r1, r2)
    members = [Link(h1, s1.port(vlan=20)), Link(h1, s1.port(vlan=20))]
    bond = Bond(h1, members, "10.99.0.1/24")
    side = Link(r2, h2)
    vrf = Vrf(r2, 10, [side])
    dummy = Dummy(h2, "10.98.0.1/32")
    gre = Gre(r1, r2)
    guard = WireGuard(r1, r2)


@pytest.mark.long
@pytest.mark.needs("802.1Q", "VLAN filtering", "bond", "vrf", "dummy", "gre", "wireguard")
def test_a_lab_gets_and_loses_vlans_bonds_vrfs_and_tunnels() -> None:
    with Network(_Plain, name="any-3") as net:
        before = _settled(net)
        net.apply(_Rich())
        with Network(net.plan, name="any-4") as born:
            wanted = _settled(born)
        assert not _lasting_differences(net, wanted)
        net.undo()
        assert not _lasting_differences(net, before)
