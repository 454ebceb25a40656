"""The table of phases: every kind of operation has its place, plans are in its order, and each operation has an inverse."""

from ipaddress import ip_address, ip_interface, ip_network
from typing import get_args

import pytest

from pynetemu import Host, HttpServer, Link, Nat, Router, Switch, Topology
from pynetemu.plan.as_shell import command
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.difference import inverse_of_all
from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddNode,
    AddPeer,
    AddRoute,
    AddRuleset,
    AddVeth,
    Operation,
    SetMaster,
    SetPort,
    SetPortVlans,
    SetUp,
    StartSpanningTree,
)
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.phases import PHASES, in_order, number_of
from pynetemu.plan.operations.steps import Replace, Undo, inverse


class Lab(Topology):
    addresses = "dual"
    s1, s2, s3 = (Switch(stp=True) for _ in range(3))
    h1 = Host()
    r1, r2 = Router(), Router()
    ring = [Link(s1, s2), Link(s2, s3), Link(s3, s1)]
    wires = [Link(h1, s1), Link(r1, s2), Link(r1, r2)]
    nat = Nat(r1, outside=wires[2])
    web = HttpServer(h1, port=80)


def test_every_operation_has_its_phase_and_phases_have_names_of_their_own() -> None:
    assert {phase.kind for phase in PHASES} == set(get_args(Operation))
    assert len({phase.name for phase in PHASES}) == len(PHASES)
    assert PHASES[number_of(SetUp("s1", "h1", late=True))].name == "up, for spanning trees to shut"
    assert PHASES[number_of(Undo(SetUp("s1", "h1")))].name == "up"


def test_plans_are_in_the_order_of_the_phases() -> None:
    operations = compile_plan(Lab).operations
    assert list(operations) == in_order(operations)
    assert in_order(reversed(operations)) != list(operations)
    assert [number_of(op) for op in in_order(reversed(operations))] == [number_of(op) for op in operations]


def test_what_operations_need_has_been_made_before_in_the_plan() -> None:
    made = set()
    for operation in compile_plan(Lab).operations:
        made |= set(operation.makes)
        for thing in operation.needs:
            assert thing in made or (len(thing) == 3 and thing[2] == "master") or "table" in thing or thing[1:] == ("lo",)


def test_the_inverse_of_an_inverse_is_the_operation() -> None:
    steps: list[Effect] = [*compile_plan(Lab).operations]
    steps.append(Replace(SetPort("s1", "h1", ("cost 5",)), SetPort("s1", "h1", ("cost 7",))))
    for step in steps:
        assert inverse(inverse(step)) == step
    assert inverse_of_all(steps[:2]) == [Undo(steps[1]), Undo(steps[0])]
    assert inverse_of_all([Undo(steps[1]), Undo(steps[0]), steps[3]]) == [Undo(steps[3]), steps[0], steps[1]]


_VETH = AddVeth("h1", "e", "02:00:00:00:00:01", "s1", "p", "02:00:00:00:00:02", 1400)
_PORT = SetPort("s1", "p", ("cost 5", "hairpin on"))
_ROUTE = AddRoute("h1", ip_network("0.0.0.0/0"), ip_address("10.0.0.1"))

_REMOVE_PEER = 'ip netns exec h1 wg set w peer "$(ip netns exec h2 wg show w public-key)" remove'


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Undo(AddNode("h1", "host")), "ip netns del h1"),
        (Undo(_VETH), "ip -n h1 link del dev e"),
        (Replace(_VETH, AddVeth("h1", "e", "", "s1", "p", "")), "ip -n h1 link set dev e mtu 1500"),
        (Undo(AddAddress("h1", "e", ip_interface("10.0.0.2/24"))), "ip -n h1 addr del 10.0.0.2/24 dev e"),
        (Undo(SetUp("h1", "e")), "ip -n h1 link set dev e down"),
        (Undo(_ROUTE), "ip -n h1 route del default via 10.0.0.1"),
        (
            Replace(_ROUTE, AddRoute("h1", ip_network("0.0.0.0/0"), ip_address("10.0.0.9"))),
            "ip -n h1 route replace default via 10.0.0.9",
        ),
        (Undo(SetMaster("s1", "p", "br0")), "ip -n s1 link set dev p nomaster"),
        (Undo(_PORT), "bridge -n s1 link set dev p cost 2 hairpin off"),
        (Replace(_PORT, SetPort("s1", "p", ("cost 5", "isolated on"))), "bridge -n s1 link set dev p hairpin off isolated on"),
        (Undo(SetPortVlans("s1", "p", 0, (7,))), "bridge -n s1 vlan del dev p vid 7"),
        (Undo(StartSpanningTree("s1", "br0")), "ip -n s1 link set dev br0 type bridge stp_state 0"),
        (
            Replace(AddBridge("s1", "br0", ()), AddBridge("s1", "br0", ("ageing_time 500",))),
            "ip -n s1 link set dev br0 type bridge ageing_time 500",
        ),
        (Undo(AddRuleset("h1", "firewall", "", 0, ("forward",))), "ip netns exec h1 nft delete chain inet firewall forward"),
        (Undo(AddRuleset("h1", "mine", "# x\ntable ip  a {}\ntable b {}", 0)), "ip netns exec h1 nft delete table ip a"),
        (Undo(AddPeer("h1", "w", "h2", "w", "", 0)), _REMOVE_PEER),
    ],
)
def test_steps_are_printed_as_commands(step: Effect, text: str) -> None:
    assert command(step) == text
