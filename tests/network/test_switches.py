"""Switches: each setting as `ip -j -d` and `bridge -j -d` show it, and as it does to traffic."""

import json
from typing import Any

import pytest

from pynetemu import Host, Hub, KernelError, Link, Network, Switch, Topology
from pynetemu.plan.operations import SetUp
from tests.support.wait import wait_until
from topologies.stp_ring import Ring
from topologies.vlan import Vlans


class Settings(Topology):
    s1 = Switch(ageing=20, snooping=True, querier=True)
    s2 = Switch(stp="standard", priority=8192, hello=3)
    hub = Hub()
    h1, h2, h3, h4, h5 = Host(), Host(), Host(), Host(), Host()
    a, b = Link(h1, s1.port(isolated=True)), Link(h2, s1.port(isolated=True))
    c = Link(h3.interface("eth0", mac="02-00-00-00-AA-03"), s1.port("third", learning=False, flood=False))
    d = Link(s1, s2.port(cost=7, priority=1, guard=True))
    h6 = Host()
    k = Link(h6, s2.port(hairpin=True))
    e, f, g = Link(s1, hub), Link(h4, hub), Link(h5, hub)


@pytest.mark.slow
def test_settings_are_the_kernels_and_do_what_they_say() -> None:
    with Network(Settings()) as net:
        s1, s2, hub = (_bridge(net, name) for name in ("s1", "s2", "hub"))
        assert (s1["ageing_time"], s1["mcast_snooping"], s1["mcast_querier"], s1["stp_state"]) == (2000, 1, 1, 0)
        assert (s2["forward_delay"], s2["hello_time"], s2["max_age"]) == (1500, 300, 2000)
        assert (s2["stp_state"], s2["priority"], s2["mcast_snooping"], hub["ageing_time"]) == (1, 8192, 0, 0)
        uplink = _ports(net, "s2")["s1"]
        assert (uplink["cost"], uplink["priority"], uplink["guard"], uplink["hairpin"]) == (7, 1, True, False)
        assert _ports(net, "s2")["h6"]["hairpin"]
        ports = _ports(net, "s1")
        assert [ports[name]["isolated"] for name in ("h1", "h2", "third")] == [True, True, False]
        assert (ports["third"]["learning"], ports["third"]["flood"]) == (False, False)
        assert not _reaches(net, "h1", "h2", "0.2")
        assert _reaches(net, "h4", "h1")
        assert _hears(net, "h5", "h4", "h1")  # the hub repeats what is for h4
        known = {entry["mac"] for entry in json.loads(net["s1"].run("bridge", "-j", "fdb", "show", "br", "br0").stdout)}
        assert not _reaches(net, "h4", "h3", "0.2")  # nothing is sent to h3 of which nobody knows where it is
        assert "02:00:00:00:aa:03" not in known


@pytest.mark.slow  # the kernel takes 4 s for a change of the tree
def test_a_ring_forwards_at_once_has_the_tree_that_was_planned_and_mends_itself() -> None:
    with Network(Ring()) as net:
        assert _reaches(net, "h2", "h3")
        assert _reaches(net, "h1", "h3")
        wait_until(lambda: _states(net, "s3")["s2"] == "blocking", what="the spare port")
        shut = [(s, port) for s in ("s1", "s2", "s3") for port, state in _states(net, s).items() if state == "blocking"]
        assert shut == [("s3", "s2")]
        roots = [net[s].run("cat", "/sys/class/net/br0/bridge/root_id").stdout for s in ("s1", "s2", "s3")]
        assert roots == ["1000.020000000001\n"] * 3
        net["s1"].run("ip", "link", "set", "s3", "down", check=True)
        wait_until(lambda: _reaches(net, "h1", "h3", "1"), what="another way")


class Twofold(Topology):
    """Two links between switches, three switches on a hub, and a root that only its priority makes one."""

    s1, s2, s3, s4 = (Switch(stp=True) for _ in range(4))
    s5 = Switch(stp=True, priority=0)
    hub = Hub()
    h1, h5 = Host(), Host()
    a, b, c = Link(s1, s2), Link(s1, s2), Link(s2, s3.port(cost=1))
    d, e, f = Link(s3, hub), Link(s4, hub), Link(s1, hub)
    g, h = Link(s4, s5), Link(s5, s5)
    i, j = Link(h1, s1), Link(h5, s5)


@pytest.mark.slow
def test_the_kernel_comes_to_the_tree_that_was_planned() -> None:
    with Network(Twofold()) as net:
        assert _reaches(net, "h1", "h5")
        late = net.plan.operations[-_late(net) :]
        spare = {(op.node, op.interface) for op in late if isinstance(op, SetUp)}
        wait_until(lambda: all(_settled(net, f"s{i}") for i in range(1, 6)), 15, "the spanning tree")
        shut = {(f"s{i}", name) for i in range(1, 6) for name, state in _states(net, f"s{i}").items() if state == "blocking"}
        assert len(shut) == 3
        assert shut < spare


def _late(net: Network) -> int:
    """How many operations come after the spanning trees were started."""
    kinds = [type(operation).__name__ for operation in net.plan.operations]
    return kinds[::-1].index("StartSpanningTree")


def test_what_this_kernel_lacks_is_told_before_anything_is_built() -> None:
    if not _lacks_vlans():
        pytest.skip("this kernel has VLANs")
    with pytest.raises(KernelError) as refused:
        Network(Vlans()).open()
    text = str(refused.value)
    assert "s1 needs VLAN filtering, for VLANs on switches, and this kernel has none (CONFIG_BRIDGE_VLAN_FILTERING: " in text
    assert "r1 needs 802.1Q, for VLAN interfaces, and this kernel has none (CONFIG_VLAN_8021Q: " in text
    assert "topologies/vlan.py:" in text
    assert "nothing was built" in text


def _lacks_vlans() -> bool:
    from pynetemu.cli.doctor import examine

    return any(feature.reason for feature in examine().features if feature.name in ("802.1Q", "VLAN filtering"))


@pytest.mark.needs("802.1Q", "VLAN filtering")
def test_vlans_stay_apart_but_for_the_router() -> None:
    with Network(Vlans()) as net:
        vlans = {port["ifname"]: port["vlans"] for port in json.loads(net["s1"].run("bridge", "-j", "vlan").stdout)}
        assert vlans["h1"] == [{"vlan": 10, "flags": ["PVID", "Egress Untagged"]}]
        assert vlans["s2"] == [{"vlan": 10}, {"vlan": 20}]
        assert _bridge(net, "s1")["vlan_filtering"] == 1
        assert _reaches(net, "h1", "h3")
        assert _reaches(net, "h1", "h4")
        net["r1"].run("ip", "link", "set", "eth0", "down", check=True)
        assert _reaches(net, "h2", "h4")
        assert not _reaches(net, "h1", "h4", "0.5")


def _bridge(net: Network, node: str) -> dict[str, Any]:
    """A switch's settings as `ip -j -d` shows them."""
    shown = json.loads(net[node].run("ip", "-j", "-d", "link", "show", "br0", check=True).stdout)[0]
    return dict(shown["linkinfo"]["info_data"])


def _ports(net: Network, node: str) -> dict[str, dict[str, Any]]:
    ports = json.loads(net[node].run("bridge", "-j", "-d", "link", check=True).stdout)
    return {port["ifname"]: port for port in ports}


def _states(net: Network, node: str) -> dict[str, str]:
    return {name: port["state"] for name, port in _ports(net, node).items()}


def _settled(net: Network, node: str) -> bool:
    return set(_states(net, node).values()) <= {"forwarding", "blocking"}


def _reaches(net: Network, start: str, to: str, seconds: str = "5") -> bool:
    return net[start].run("ping", "-c1", "-W", seconds, to).status == 0


def _hears(net: Network, listener: str, start: str, to: str) -> bool:
    """Whether one host sees the pings that another gets."""
    capture = ["tcpdump", "-Q", "in", "-c", "1", "-ni", "eth0", "icmp"]
    process = net[listener].start("timeout", "10", *capture, stderr=-3, stdout=-3)
    try:
        wait_until(lambda: _reaches(net, start, to) and process.poll() is not None, what="the frame")
        return process.poll() == 0
    finally:
        process.kill()
        process.wait()
        process.close()
