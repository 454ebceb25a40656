"""Automatic addresses and routes: readable, the same in every run, undisturbed by what is added."""

from ipaddress import IPv4Network, ip_network

import pytest

from pynetemu import DescriptionError, Host, Link, Root, Router, Switch, Topology
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.operations import AddAddress, AddMultipathRoute, AddRoute, Plan


def _addresses(topology: Topology | type[Topology]) -> dict[str, str]:
    """Each interface's addresses: {"h1 eth0": "10.0.1.1/24", ...}."""
    found: dict[str, str] = {}
    for op in compile_plan(topology).operations:
        if isinstance(op, AddAddress):
            key = f"{op.node} {op.interface}"
            found[key] = f"{found[key]} {op.address}" if key in found else str(op.address)
    return found


def _routes(plan: Plan, node: str) -> dict[str, str]:
    found = {str(op.destination): str(op.via) for op in plan.operations if isinstance(op, AddRoute) and op.node == node}
    for op in plan.operations:
        if isinstance(op, AddMultipathRoute) and op.node == node:
            found[str(op.destination)] = " ".join(map(str, op.vias))
    return found


class Small(Topology):
    addresses = "dual"
    h1, h2, web = Host(), Host(), Host()
    s3 = Switch()
    r1, r2 = Router(), Router()
    a = [Link(h1, s3), Link(h2, s3), Link(web, s3), Link(r1, s3)]
    b = Link(r1, r2)
    c = Link(r2, r1)


def test_numbers_in_names_make_addresses() -> None:
    found = _addresses(Small)
    assert found.pop("web eth0").startswith("10.0.3.")
    assert found == {
        "h1 eth0": "10.0.3.1/24 fd00:0:0:3::1/64",
        "h2 eth0": "10.0.3.2/24 fd00:0:0:3::2/64",
        "r1 eth0": "10.0.3.254/24 fd00:0:0:3::254/64",
        "r1 eth1": "10.1.2.0/31 fd00:0:1:2::/127",
        "r2 eth0": "10.1.2.1/31 fd00:0:1:2::1/127",
        "r2 eth1": "10.1.2.3/31 fd00:0:1:2::3/127",
        "r1 eth2": "10.1.2.2/31 fd00:0:1:2::2/127",
    }


def test_addresses_stay_when_others_are_added() -> None:
    class Larger(Small):
        mail, db, gw = Host(), Host(), Router()
        s4 = Switch()
        d = [Link(mail, Small.s3), Link(db, s4), Link(gw, s4), Link(gw, Small.r2)]

    before, after = _addresses(Small), _addresses(Larger)
    assert {interface: after[interface] for interface in before} == before


def test_a_given_network_is_used_by_all_on_it_and_kept_from_others() -> None:
    class Mixed(Topology):
        h1, h2, h3 = Host(), Host(), Host()
        s1, s2 = Switch(), Switch()
        a = Link(h1.interface("eth0", "10.0.2.77/28"), s1)
        b = Link(h2, s1)
        c = Link(h3, s2)

    found = _addresses(Mixed)
    assert found["h2 eth0"] == "10.0.2.66/28"
    assert not ip_network("10.0.2.64/28").overlaps(ip_network(found["h3 eth0"], strict=False))


@pytest.mark.parametrize("hosts", [1, 200, 201, 700])
def test_large_domains_have_large_networks(hosts: int) -> None:
    class Star(Topology):
        s1 = Switch()

        def build(self) -> None:
            for i in range(1, hosts + 1):
                self.add(Link(self.add(f"h{i}", Host()), self.s1))

    found = _addresses(Star())
    assert len(set(found.values())) == hosts
    last = f"10.209.{hosts // 256}.{hosts % 256}/16" if hosts > 200 else f"10.0.1.{hosts}/24"
    assert found[f"h{hosts} eth0"] == last


def test_pools_are_kept_to_and_their_end_is_told() -> None:
    class Little(Topology):
        pools = "192.0.2.0/27"
        h1, h2, r1, r2 = Host(), Host(), Router(), Router()
        a, b, c = Link(h1, r1), Link(r1, r2), Link(r2, h2)

    class Tiny(Little):
        pools = "192.0.2.0/30"

    whole = IPv4Network("192.0.2.0/27")
    assert all(IPv4Network(address, strict=False).subnet_of(whole) for address in _addresses(Little).values())
    with pytest.raises(DescriptionError, match=r"the pool 192.0.2.0/30 has no room left"):
        compile_plan(Tiny)


def test_nobody_gets_an_address_who_wants_none() -> None:
    class Bare(Topology):
        addresses = "none"
        h1, h2 = Host(), Host()
        a = Link(h1, h2)

    class OneBare(Topology):
        h1, h2 = Host(), Host()
        a = Link(h1.interface("sniff", auto_addresses=False), h2)

    assert _addresses(Bare) == {}
    assert list(_addresses(OneBare)) == ["h2 eth0"]


def test_hosts_get_a_default_route_and_hosts_between_routers_each_network() -> None:
    class Between(Topology):
        h1, h2, h3 = Host(), Host(), Host()
        s1, s2 = Switch(), Switch()
        r1, r2 = Router(), Router(loopback="192.0.2.2/32")
        a = [Link(h1, s1), Link(h2, s1), Link(r1, s1), Link(r2, s1)]
        b = [Link(r2, s2), Link(h3, s2)]

    plan = compile_plan(Between)
    assert _routes(plan, "h3") == {"0.0.0.0/0": "10.0.2.253"}
    assert _routes(plan, "h1") == {"10.0.2.0/24": "10.0.1.253", "192.0.2.2/32": "10.0.1.253"}
    assert _routes(plan, "r1") == {"10.0.2.0/24": "10.0.1.253", "192.0.2.2/32": "10.0.1.253"}
    assert _routes(plan, "r2") == {}


def test_the_roots_own_address_and_a_hosts_loopback_are_reached_through_them() -> None:
    class Reached(Topology):
        root = Root(address="192.168.0.194/24")
        blue = Host(loopback="198.51.100.1/32")
        green = Host()
        s1 = Switch()
        a = [Link(root, s1), Link(blue, s1), Link(green, s1)]

    found = _addresses(Reached)
    routes = _routes(compile_plan(Reached), "green")
    assert routes == {
        "192.168.0.0/24": found["root s1"].partition("/")[0],
        "198.51.100.1/32": found["blue eth0"].partition("/")[0],
    }


def test_the_cheapest_way_wins_and_equal_ones_are_shared_on_request() -> None:
    class Square(Topology):
        r1 = Router(multipath=True)
        r2, r3, r4, h4 = Router(), Router(), Router(), Host()
        a, b = Link(r1, r2), Link(r1, r3)
        c, d = Link(r2, r4), Link(r3, r4)
        e = Link(r4, h4)

    class Dearer(Square):
        a = Link(Square.r1, Square.r2, cost=2)

    assert _routes(compile_plan(Square), "r1")["10.200.4.0/24"] == "10.1.2.1 10.1.3.1"
    assert _routes(compile_plan(Dearer), "r1")["10.200.4.0/24"] == "10.1.3.1"
    assert _routes(compile_plan(Square), "r4")["10.1.3.0/31"] == "10.3.4.0"
