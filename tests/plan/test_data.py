"""Plans as data: every plan comes back as it was, and what is not a plan is refused."""

import json
from ipaddress import ip_interface
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynetemu.errors import DescriptionError
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.data import from_data, to_data
from pynetemu.plan.load import load
from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddDevice,
    AddHttpServer,
    AddMacvlan,
    AddMultipathRoute,
    AddNeighbors,
    AddNode,
    AddPeer,
    AddRoute,
    AddTunnel,
    AddVeth,
    AddVlan,
    AddWireGuard,
    DeviceKind,
    EndTable,
    ManyRoutes,
    NodeKind,
    Operations,
    Plan,
    SetMaster,
    SetPort,
    SetPortVlans,
    SetSysctl,
    SetUp,
    StartSpanningTree,
    TunnelKind,
)
from tests.support.pynetemu import BLUE, BRIDGE, STAR

_ADDRESSES = st.ip_addresses().filter(lambda address: not getattr(address, "scope_id", None))
_INTERFACES = _ADDRESSES.flatmap(
    lambda address: st.integers(0, address.max_prefixlen).map(lambda length: ip_interface(f"{address}/{length}"))
)
_NETWORKS = _INTERFACES.map(lambda interface: interface.network)
_MANY_ADDRESSES = st.lists(_ADDRESSES).map(tuple)
_TEXT = st.text(max_size=20)
_TEXTS = st.lists(_TEXT).map(tuple)
_WAY = st.tuples(st.lists(_ADDRESSES, min_size=1, max_size=1).map(tuple), st.lists(_NETWORKS, max_size=3).map(tuple))
_WAYS = st.lists(_WAY, min_size=1, max_size=3).map(tuple)
_OPERATIONS = st.one_of(
    st.builds(AddNode, _TEXT, st.sampled_from(get_args(NodeKind)), _TEXT),
    st.builds(AddBridge, _TEXT, _TEXT, _TEXTS, _TEXT, _TEXT),
    st.builds(AddVlan, _TEXT, _TEXT, _TEXT, st.integers(), _TEXT),
    st.builds(SetPort, _TEXT, _TEXT, _TEXTS, _TEXT),
    st.builds(SetPortVlans, _TEXT, _TEXT, st.integers(), st.lists(st.integers()).map(tuple), _TEXT),
    st.builds(StartSpanningTree, _TEXT, _TEXT, _TEXT),
    st.builds(AddVeth, _TEXT, _TEXT, _TEXT, _TEXT, _TEXT, _TEXT, st.integers(0, 65535), st.booleans(), _TEXT, _TEXT),
    st.builds(SetMaster, _TEXT, _TEXT, _TEXT),
    st.builds(SetUp, _TEXT, _TEXT, st.booleans(), _TEXT),
    st.builds(AddAddress, _TEXT, _TEXT, _INTERFACES, _TEXT),
    st.builds(AddRoute, _TEXT, _NETWORKS, _ADDRESSES, st.integers(), _TEXT),
    st.builds(AddMultipathRoute, _TEXT, _NETWORKS, _MANY_ADDRESSES, st.integers(), _TEXT),
    st.builds(ManyRoutes, _TEXT, _WAYS, st.integers(), _TEXT),
    st.builds(EndTable, _TEXT, _NETWORKS, st.integers(), _TEXT),
    st.builds(
        AddTunnel,
        *(_TEXT, _TEXT, st.sampled_from(get_args(TunnelKind)), _TEXTS),
        *(_ADDRESSES, _ADDRESSES, _TEXT, st.integers(), _TEXT, _TEXT, _TEXT),
    ),
    st.builds(AddWireGuard, _TEXT, _TEXT, st.integers(), st.integers(), _TEXT, _TEXT, _TEXT),
    st.builds(AddPeer, _TEXT, _TEXT, _TEXT, _TEXT, _TEXT, st.integers(), _TEXT),
    st.builds(AddDevice, _TEXT, _TEXT, st.sampled_from(get_args(DeviceKind)), _TEXTS, _TEXT, _TEXT),
    st.builds(AddMacvlan, _TEXT, _TEXT, _TEXT, _TEXT, _TEXTS, _TEXT, _TEXT),
    st.builds(AddNeighbors, _TEXTS, _TEXTS, st.lists(_ADDRESSES).map(tuple), _TEXTS, st.lists(st.integers()).map(tuple), _TEXT),
    st.builds(SetSysctl, _TEXT, _TEXT, _TEXT, _TEXT),
    st.builds(AddHttpServer, _TEXT, _TEXT, st.integers(1, 65535), _TEXT),
)
_PLANS = st.builds(Plan, _TEXT, st.lists(_OPERATIONS, max_size=6).map(Operations), st.booleans(), st.none() | _ADDRESSES)


@given(_PLANS)
def test_every_plan_comes_back_as_it_was(plan: Plan) -> None:
    back = from_data(json.loads(json.dumps(to_data(plan))))
    assert back == plan
    assert [operation.source for operation in back.operations] == [operation.source for operation in plan.operations]


@pytest.mark.parametrize("file", [BLUE, STAR, BRIDGE], ids=lambda file: str(file.stem))
def test_the_plans_of_our_topologies_come_back(file: Path) -> None:
    plan = compile_plan(load(str(file)))
    assert from_data(to_data(plan)) == plan


def _good() -> dict[str, Any]:
    return to_data(Plan("Lab", (AddNode("h1", "host"), AddHttpServer("h1", "web", 80))))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": 2}, "version 2; this pynetemu reads version 1"),
        ({"name": None}, "None is not a string"),
        ({"host_address": "10.0.0"}, "10.0.0"),
        ({"operations": 5}, "not a plan"),
        ({"operations": [{}]}, "it lacks 'op'"),
        ({"operations": ["AddNode"]}, "not a plan"),
        ({"operations": [{"op": "DeleteNode"}]}, "no operation is called 'DeleteNode'"),
        ({"operations": [{"op": "AddNode", "node": "h1"}]}, "AddNode lacks 'kind'"),
        ({"operations": [{"op": "AddNode", "node": 1, "kind": "host", "source": ""}]}, "AddNode: 1 is not a string"),
        ({"operations": [{"op": "AddNode", "node": "h1", "kind": "vm", "source": ""}]}, "no kind of node is called 'vm'"),
        ({"operations": [{"op": "AddNode", "node": "h", "kind": "host", "source": "", "x": 1}]}, "AddNode has no x"),
        (
            {"operations": [{"op": "AddHttpServer", "node": "h", "name": "w", "port": "80", "source": ""}]},
            "'80' is not a number",
        ),
        (
            {"operations": [{"op": "AddHttpServer", "node": "h", "name": "w", "port": True, "source": ""}]},
            "True is not a number",
        ),
        (
            {"operations": [{"op": "AddAddress", "node": "h", "interface": "e", "address": "10.0.0.1/99", "source": ""}]},
            "AddAddress: ",
        ),
        ({"host": "no"}, "'no' is not true or false"),
    ],
)
def test_what_is_no_plan_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(DescriptionError, match="not a plan") as error:
        from_data({**_good(), **change})
    assert told in str(error.value)


@pytest.mark.parametrize("lacking", ["version", "name", "host", "host_address", "operations"])
def test_every_part_of_a_plan_is_needed(lacking: str) -> None:
    data = _good()
    del data[lacking]
    with pytest.raises(DescriptionError, match=f"not a plan: it lacks '{lacking}'"):
        from_data(data)
