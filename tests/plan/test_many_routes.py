"""Routes that take the room of one operation are the same routes."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynetemu import Host, Link, Router, Switch, Topology
from pynetemu.plan.as_shell import as_shell
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.data import from_data, to_data
from pynetemu.plan.difference import difference
from pynetemu.plan.inventory import Inventory
from pynetemu.plan.operations import AddMultipathRoute, AddNode, AddRoute, ManyRoutes, Operations, Plan, parts_of
from pynetemu.plan.operations.steps import Replace
from pynetemu.plan.resolve.graph import Graph
from pynetemu.topology.shapes import Torus

pytestmark = pytest.mark.pure

_ONE, _OTHER = (ip_address("10.0.0.1"),), (ip_address("10.0.0.1"), ip_address("10.0.1.1"))
_NEAR, _FAR, _SIX = ip_network("10.2.0.0/24"), ip_network("10.10.0.0/24"), ip_network("fd00::/64")
_ROUTES = (
    AddRoute("r1", _NEAR, _ONE[0], source="lab.py:3"),
    AddRoute("r1", _FAR, _ONE[0], source="lab.py:3"),
    AddRoute("r1", _SIX, ip_address("fe80::1"), source="lab.py:3"),
)
_MANY = ManyRoutes("r1", (((ip_address("fe80::1"),), (_SIX,)), (_ONE, (_FAR, _NEAR))), source="lab.py:3")


def test_they_are_given_one_by_one_in_the_order_of_their_networks() -> None:
    operations = Operations((AddNode("r1", "router"), _MANY))
    assert operations == (AddNode("r1", "router"), *_ROUTES) and (AddNode("r1", "router"), *_ROUTES) == operations
    assert operations != (AddNode("r1", "router"), *_ROUTES[1:], _ROUTES[0])
    assert (len(operations), operations[-1], operations[1:3]) == (4, _ROUTES[2], _ROUTES[:2])
    assert [route.source for route in _MANY] == ["lab.py:3"] * 3
    several = ManyRoutes("r1", ((_OTHER, (_NEAR,)),), table=7)
    assert list(several) == [AddMultipathRoute("r1", _NEAR, _OTHER, 7)]
    assert (_MANY.kind, several.kind) == (AddRoute, AddMultipathRoute)


def test_a_large_plan_is_the_plan_of_single_routes() -> None:
    """What is printed, written and found in it does not depend on how it is kept."""
    plan = compile_plan(Torus(rows=4, columns=4, routed=True))
    single = Plan(plan.name, tuple(plan.operations), plan.host, plan.host_address, plan.warnings)
    assert len(parts_of(plan)) < len(parts_of(single)) == len(plan.operations)
    assert plan == single == from_data(to_data(plan)) == from_data(to_data(single))
    assert as_shell(plan) == as_shell(single)
    assert Inventory(plan).of_type(AddRoute) == Inventory(single).of_type(AddRoute)


def test_a_route_by_several_gateways_becomes_one_by_one_gateway_in_place() -> None:
    router, several = AddNode("r1", "router"), ManyRoutes("r1", ((_OTHER, (_NEAR, _FAR)),))
    one = AddRoute("r1", _NEAR, _ONE[0])
    steps = difference((router, several), (router, one))
    assert [step for step in steps if isinstance(step, Replace)] == [Replace(AddMultipathRoute("r1", _NEAR, _OTHER), one)]
    back = difference((router, one), (router, several))
    assert [step for step in back if isinstance(step, Replace)] == [Replace(one, AddMultipathRoute("r1", _NEAR, _OTHER))]


@settings(max_examples=15)
@given(st.data())
def test_nodes_at_the_same_places_go_the_ways_that_each_would_find_by_itself(data: st.DataObject) -> None:
    """Hosts on one or two networks with several routers each, over links of different costs."""

    topology = Topology()
    switches = [topology.add(f"s{number}", Switch()) for number in (1, 2, 3)]
    for name in ("r1", "r2", "r3", "h1", "h2", "h3", "h4", "h5", "h6"):
        kind = Router if name.startswith("r") else Host
        node = topology.add(name, kind(multipath=data.draw(st.booleans())))
        for switch in data.draw(st.lists(st.sampled_from(switches), min_size=1 + (kind is Router), max_size=2, unique=True)):
            topology.add(Link(node, switch, cost=data.draw(st.sampled_from((1, 1, 2)))))
    plan = compile_plan(topology)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Graph, "ways", lambda graph, start, several: [*graph._ways(start, several)])
        assert list(compile_plan(topology).operations) == list(plan.operations)
