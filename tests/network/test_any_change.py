"""Any lab can become any other: what the kernel has then is what it has in a lab that is born so, and after `undo` as before.

Two pairs of labs for each commit, as many as PYNETEMU_EXAMPLES says on request.
"""

import os
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
from tests.support.kernel_state import lasting_differences, settled

_EXAMPLES = int(os.environ.get("PYNETEMU_EXAMPLES", "2"))
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


@pytest.mark.timeout(60 + 20 * _EXAMPLES)
@settings(
    max_examples=_EXAMPLES, derandomize=_EXAMPLES == 2, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(_topologies(), _topologies())
def test_a_lab_becomes_what_another_is_born_as_and_what_it_was(one: Topology, other: Topology) -> None:
    with Network(one, name="any-1") as net:
        before = settled(net)
        change = net.apply(other)
        with Network(net.plan, name="any-2") as born:
            wanted = settled(born)
        assert not lasting_differences(net, wanted)
        if change:  # where both are equal there is nothing to take back
            net.undo()
        assert not lasting_differences(net, before)


class _Below(Topology):
    s1 = Switch()
    h1, m1 = Host(), Host()
    eth0 = h1.interface("eth0", auto_addresses=False)
    wire = Link(eth0, s1)
    above = Macvlan(eth0, m1)


class _Port(Topology):
    s1 = Switch()
    h1 = Host()
    wire = Link(Bridge(h1, "br-x"), s1)


def test_what_a_macvlan_of_a_node_that_goes_was_on_becomes_a_port() -> None:
    with Network(_Below, name="any-5") as net:
        for _ in range(5):
            net.apply(_Port())
            assert "master br-x" in net["h1"].run("ip", "link").stdout
            net.undo()


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
        before = settled(net)
        net.apply(_Rich())
        with Network(net.plan, name="any-4") as born:
            wanted = settled(born)
        assert not lasting_differences(net, wanted)
        net.undo()
        assert not lasting_differences(net, before)
