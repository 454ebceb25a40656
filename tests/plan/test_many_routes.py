"""Routes that take the room of one operation are the same routes."""

from ipaddress import ip_address, ip_network

import pytest

from pynetemu.plan.as_shell import as_shell
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.data import from_data, to_data
from pynetemu.plan.difference import difference
from pynetemu.plan.inventory import Inventory
from pynetemu.plan.operations import AddMultipathRoute, AddNode, AddRoute, ManyRoutes, Operations, Plan, parts_of
from pynetemu.plan.operations.steps import Replace
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
