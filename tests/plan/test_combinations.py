"""Two settings at once, second cases, and ties: what each of them would hide if it were alone."""

import pytest

from pynetemu import Bridge, DescriptionError, Host, Hub, Link, Router, Switch, Topology, Vxlan
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.operations import (
    AddAddress,
    AddNeighbors,
    AddRoute,
    AddVeth,
    Plan,
    SetMaster,
    SetUp,
    StartSpanningTree,
)


def _routes(plan: Plan, node: str) -> dict[str, str]:
    return {str(op.destination): str(op.via) for op in plan.operations if isinstance(op, AddRoute) and op.node == node}


def _addresses(plan: Plan, node: str) -> list[str]:
    return [str(op.address) for op in plan.operations if isinstance(op, AddAddress) and op.node == node]


class Chain(Topology):
    """h1 - r1 - r2 - h2, and an uplink of r1."""

    h1, h2, isp = Host(), Host(), Host()
    r1, r2 = Router(), Router()
    a, b, c = Link(h1, r1), Link(r1, r2), Link(r2, h2)
    up = Link(r1.interface("up", "198.51.100.1/24"), isp.interface("eth0", "198.51.100.2/24"))


def test_a_router_with_a_default_route_and_others_of_its_own_has_the_automatic_ones_too() -> None:
    class Given(Chain):
        r1 = Router(default_via="198.51.100.2", routes={"203.0.113.0/24": "198.51.100.2"})

    assert _routes(compile_plan(Given), "r1") == {
        "0.0.0.0/0": "198.51.100.2",
        "203.0.113.0/24": "198.51.100.2",
        "10.200.2.0/24": "10.1.2.1",
    }


def test_a_host_with_a_default_route_of_its_own_has_no_other() -> None:
    class Given(Chain):
        h1 = Host(default_via="10.200.1.254")

    assert _routes(compile_plan(Given), "h1") == {"0.0.0.0/0": "10.200.1.254"}


def test_a_link_local_address_gives_no_network_to_others() -> None:
    class Given(Topology):
        addresses = "dual"
        s1 = Switch()
        h1, h2 = Host(), Host()
        a = Link(h1.interface("eth0", "fe80::99/64"), s1)
        b = Link(h2, s1)

    assert _addresses(compile_plan(Given), "h2") == ["10.0.1.2/24", "fd00:0:0:1::2/64"]


@pytest.mark.parametrize(("first", "second", "via"), [(9, 1, "second"), (1, 9, "first"), (1, 1, "first")])
def test_the_default_route_takes_the_cheapest_of_two_links_to_one_router(first: int, second: int, via: str) -> None:
    class Twice(Topology):
        h1, r1, r2 = Host(), Router(), Router()
        a = Link(h1.interface("a", "10.9.1.2/24"), r1.interface("a", "10.9.1.1/24"), cost=first)
        b = Link(h1.interface("b", "10.9.2.2/24"), r1.interface("b", "10.9.2.1/24"), cost=second)
        c = Link(r1, r2)

    assert _routes(compile_plan(Twice), "h1")["0.0.0.0/0"] == {"first": "10.9.1.1", "second": "10.9.2.1"}[via]


class OnAHub(Topology):
    """s1 is the root; s2 and s3 are as far from it, and share a hub."""

    s1, s2, s3 = (Switch(stp=True) for _ in range(3))
    hub = Hub()
    a, b = Link(s1, s2), Link(s1, s3)
    c, d = Link(s2, hub), Link(s3, hub)


def _shut(topology: type[Topology]) -> set[str]:
    """What comes up after the spanning trees have started."""
    operations = compile_plan(topology).operations
    last = max(place for place, op in enumerate(operations) if isinstance(op, StartSpanningTree))
    return {f"{op.node} {op.interface}" for op in operations[last:] if isinstance(op, SetUp)}


def test_on_a_hub_the_bridge_with_the_lower_identifier_forwards_at_equal_cost() -> None:
    class OtherPriority(OnAHub):
        s3 = Switch(stp=True, priority=16384)
        s1 = Switch(stp=True, priority=0)

    class Nearer(OnAHub):
        a = Link(OnAHub.s1, OnAHub.s2, cost=50)

    class OtherPort(OnAHub):
        d = Link(OnAHub.s3.port(priority=1), OnAHub.hub)

    assert _shut(OnAHub) == {"s3 hub", "hub s3"}
    assert _shut(OtherPort) == {"s3 hub", "hub s3"}  # a port's priority counts among ports of one bridge only
    assert _shut(OtherPriority) == {"s2 hub", "hub s2"}
    assert _shut(Nearer) == {"s2 s1", "s1 s2"}  # by the hub and s3 it is nearer to the root


def test_of_two_ports_of_one_bridge_on_a_hub_the_first_forwards_unless_the_other_has_priority() -> None:
    class Doubled(Topology):
        s1 = Switch(stp=True)
        hub = Hub()
        a, b = Link(s1.port("p"), hub.port("x")), Link(s1.port("q"), hub.port("y"))

    class Preferred(Topology):
        s1 = Switch(stp=True)
        hub = Hub()
        a, b = Link(s1.port("p"), hub.port("x")), Link(s1.port("q", priority=1), hub.port("y"))

    assert _shut(Doubled) == {"s1 q", "hub y"}
    assert _shut(Preferred) == {"s1 p", "hub x"}


@pytest.mark.parametrize("mtus", [(1400, 1200), (1200, 1400)])
def test_two_tunnels_on_one_bridge_give_all_its_links_the_smaller_mtu(mtus: tuple[int, int]) -> None:
    class Joined(Topology):
        allow = "mtu"
        m1, m2, m3 = Host(), Host(), Host()
        wire, other = Link(m1, m2), Link(m1, m3)
        b1 = Bridge(m1, None, "172.18.0.1/16")
        b2, b3 = Bridge(m2, None, "172.18.0.2/16"), Bridge(m3, None, "172.18.0.3/16")
        c1 = Host()
        w1 = Link(b1.port("veth1"), c1)
        one = Vxlan(b1, b2, id=5, mtu=mtus[0])
        two = Vxlan(b1, b3, id=6, mtu=mtus[1])

    (veth,) = [op for op in compile_plan(Joined).operations if isinstance(op, AddVeth) and "c1" in (op.node, op.peer_node)]
    assert veth.mtu == 1200


def _segments(*sizes: int) -> type[Topology]:
    class Segments(Topology):
        def build(self) -> None:
            for number, size in enumerate(sizes):
                switch = Switch()
                setattr(self, f"s{number}", switch)
                setattr(self, f"h{number}_", [Host() for _ in range(size)])
                setattr(self, f"l{number}_", [Link(host, switch) for host in getattr(self, f"h{number}_")])

    return Segments


@pytest.mark.parametrize(
    ("sizes", "known"),
    [
        ((32,), []),  # 992 entries, and the kernel's table has room for 1000 with some to spare
        ((33,), [33]),
        ((30, 20), [30]),  # 870 + 380; without the larger network the rest fits
        ((20, 30), [30]),
        ((28, 28, 10), [28]),  # 756 + 756 + 90; without one of them 846
        ((30, 30, 30), [30, 30]),
    ],
)
def test_static_arp_entries_are_for_the_largest_networks_until_the_rest_fits(sizes: tuple[int, ...], known: list[int]) -> None:
    groups = [op for op in compile_plan(_segments(*sizes)).operations if isinstance(op, AddNeighbors)]
    assert sorted(len(op.nodes) for op in groups) == known


def test_each_of_several_overlaps_is_told() -> None:
    class Overlapping(Topology):
        r1, h1, h2, h3 = Router(), Host(), Host(), Host()
        a = Link(r1.interface("a", "10.0.0.1/8"), h1)
        b = Link(r1.interface("b", "10.1.0.1/16"), h2)
        c = Link(r1.interface("c", "10.2.0.1/16"), h3)

    with pytest.raises(DescriptionError) as wrong:
        compile_plan(Overlapping)
    told = [problem.text for problem in wrong.value.problems if "overlaps" in problem.text]
    assert [text.split(" of ")[0] for text in told] == ["the network 10.1.0.0/16", "the network 10.2.0.0/16"]
    assert all("overlaps 10.0.0.0/8" in text for text in told)


def test_ports_of_bridges_come_up_before_what_is_at_their_other_ends() -> None:
    class Star(Topology):
        h1, h2 = Host(), Host()
        s1 = Switch()
        a, b = Link(h1, s1), Link(s1, h2)

    operations = compile_plan(Star).operations
    ports = {(op.node, op.interface) for op in operations if isinstance(op, SetMaster)}
    rising = [(op.node, op.interface) for op in operations if isinstance(op, SetUp) and op.interface != "lo"]
    assert [place in ports for place in rising] == sorted((place in ports for place in rising), reverse=True)
    assert len(ports) == 2
