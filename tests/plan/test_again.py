"""A plan that is made of the one before, and of what differs, is the plan that is made of the whole."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynetemu import Firewall, Host, HttpServer, Link, Root, Router, Switch, Topology
from pynetemu.errors import DescriptionError, LabError
from pynetemu.plan import again
from pynetemu.plan.again import Memory, compile_again
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.compile import compiled as compiled_plan
from pynetemu.plan.data import change_from_data, change_to_data
from pynetemu.plan.difference import difference
from pynetemu.plan.inventory import Inventory
from pynetemu.plan.names import HostsFiles
from pynetemu.plan.operations import AddAddress, AddNeighbors, AddNode, Plan, parts_of
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.phases import number_of
from pynetemu.plan.operations.steps import Replace, Undo
from pynetemu.topology.data import DescriptionText, from_data, to_data
from pynetemu.topology.editing import replugged, with_parts, without
from pynetemu.topology.part import Part
from pynetemu.topology.topology import all_parts
from topologies.star import Star


class _Edges(Topology):
    """Hosts of several looks around three switches, and what may be between them."""

    def build(self, each: int = 3, routers: int = 0, root: bool = False, vlan: bool = True) -> None:
        switches = [self.add(f"s{n}", Switch()) for n in (1, 2, 3)]
        self.add(Link(switches[0], switches[2]))
        for n in range(1, routers + 1):
            router = self.add(f"r{n}", Router())
            for switch in switches[:2]:
                self.add(Link(router, switch))
        if root:
            self.add(Link(self.add("root", Root()), switches[0]))
        for n in range(1, each + 1):
            self.add(Link(self.add(f"a{n}", Host()), switches[0]))
            self.add(Link(self.add(f"g{n}", Host()).interface("lan", f"10.77.0.{n}/24"), switches[1]))
            two = self.add(f"t{n}", Host())
            for switch in switches[:2]:
                self.add(Link(two, switch))
            self.add(Link(self.add(f"v{n}", Host()), switches[2].port(vlan=10) if vlan else switches[2]))


@pytest.fixture(autouse=True, scope="module")
def _few_are_many() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(again, "FEW", 0)
        yield


def _lab(draw: Any) -> Topology:
    arp = draw(st.sampled_from(["auto", "auto", "permanent", "dynamic"]))
    kind = type("_Drawn", (_Edges,), {"arp": arp})
    each, routers = draw(st.integers(3, 6)), draw(st.integers(0, 2))
    drawn: Topology = kind(each=each, routers=routers, root=draw(st.booleans()), vlan=draw(st.booleans()))
    return drawn


def _edited(topology: Topology, draw: Any, number: int) -> Topology:
    """The same with a change at the edge mostly, which may be wrong."""
    parts = all_parts(topology)
    nodes = [part.declaration.full_name for part in parts if isinstance(part, Host | Switch)]
    node, other = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
    switch, name = (
        draw(st.sampled_from(["s1", "s2", "s3"])),
        draw(st.sampled_from([f"x{number}", "a9", f"g{number + 5}", "A1"])),
    )
    match draw(st.sampled_from(["add", "add", "given", "two", "remove", "remove", "move", "link", "set", "rare", "many"])):
        case "add":
            return with_parts(topology, name, Host(), Link(name, switch))
        case "given":
            address = f"10.77.0.{draw(st.integers(1, 6))}/24"
            mac = draw(st.sampled_from([None, "02:42:0a:00:01:01", "02:00:00:00:00:07"]))
            end = (new := Host()).interface(draw(st.sampled_from([None, "lan"])), address, mac=mac)
            return with_parts(topology, name, new, Link(end, switch))
        case "two":
            return with_parts(topology, name, Host(), Link(name, switch), Link(switch, name), Link(name, other))
        case "many":
            return with_parts(topology, *[one for n in range(9) for one in (f"m{n}", Host(), Link(f"m{n}", switch))])
        case "remove":
            return without(topology, node)
        case "move":
            return replugged(topology, node, other, switch)
        case "link":
            return with_parts(topology, Link(node, other, mtu=draw(st.sampled_from([None, 1400]))))
        case "rare":
            rare = [HttpServer(node), Firewall(node, policy="drop"), Link(node, other, delay="1ms")]
            more: list[Any] = [draw(st.sampled_from(rare))] if draw(st.booleans()) else ["y1", Switch(), Link("y1", switch)]
            return with_parts(topology, *more)
    chosen = draw(st.sampled_from([part for part in parts if isinstance(part, Host | Link)]))
    if isinstance(chosen, Host):
        chosen.auto_routes = draw(st.booleans())
    else:
        chosen.mtu = draw(st.sampled_from([1500, 1400, True]))
    return topology


def _said(plan: Plan) -> str:
    return "\n".join([plan.name, *map(repr, plan.operations), repr(plan.host_address), *plan.warnings, plan.ids])


def _names(plan: Plan, made: Plan, steps: Sequence[Effect] | None) -> dict[str, str]:
    """What all nodes of a plan know of the others: found from those of the plan before, or anew."""
    files = HostsFiles.of_plan(Inventory(made))
    if steps is not None:
        about = (step.of if isinstance(step, Undo) else step.new if isinstance(step, Replace) else step for step in steps)
        named = {op.node for op in about if isinstance(op, AddNode | AddAddress)}
        files = HostsFiles.of_plan(Inventory(plan)).becoming(Inventory(made), named)
    return {node: files.text(node) for node in made.nodes}


def _written(
    text: DescriptionText, written: bytes, topology: Topology, said: tuple[list[Part], list[Part]] | None
) -> tuple[DescriptionText, bytes]:
    """The text of a description and what an engine would have of it, which is the same description."""
    cuts = None if said is None else text.cuts(topology, *said)
    if cuts is None:
        text = DescriptionText(topology)
        written = text.whole()
    for begin, end, coming in cuts or ():
        written = written[:begin] + coming + written[end:]
    assert written == text.whole()
    assert to_data(from_data(json.loads(written))) == to_data(from_data(to_data(topology)))
    return text, written


@pytest.mark.timeout(900)
@settings(max_examples=int(os.environ.get("PYNETEMU_EXAMPLES", "2")) * 15, deadline=None)
@given(st.data())
def test_a_plan_made_of_the_one_before_is_that_of_the_whole(data: st.DataObject) -> None:
    topology, memory = without(_lab(data.draw)), Memory()
    plan = compile_again(topology, False, lambda: frozenset({"netem"}), None, memory)
    text = DescriptionText(topology)
    written = text.whole()
    for number in range(4):
        try:
            topology = _edited(topology, data.draw, number)
        except LabError:
            continue
        try:
            whole = compile_plan(topology, kernel=lambda: frozenset({"netem"}), running=plan)
        except DescriptionError as error:
            with pytest.raises(DescriptionError) as told:
                compile_again(topology, False, lambda: frozenset({"netem"}), plan, memory)
            assert str(told.value) == str(error)
            return
        made = compile_again(topology, False, lambda: frozenset({"netem"}), plan, memory)
        assert _said(made) == _said(whole)
        sent = change_from_data(plan, change_to_data(plan, made))
        assert tuple(sent.operations) == tuple(made.operations)
        steps = difference(tuple(parts_of(plan)), tuple(parts_of(whole)))  # of which nothing is known
        found = difference(parts_of(plan), parts_of(sent))  # within a phase in any order
        assert [number_of(step) for step in found] == [number_of(step) for step in steps]
        assert sorted(map(repr, found)) == sorted(map(repr, steps))
        back = difference(tuple(parts_of(whole)), tuple(parts_of(plan)))
        assert difference(parts_of(sent), parts_of(plan)) == back
        assert _names(plan, made, steps) == _names(plan, made, None)
        text, written = _written(text, written, topology, memory.between(plan, made))
        plan = made


@pytest.mark.parametrize("arp", ["auto", "permanent"])
def test_of_hosts_that_are_alike_one_is_compiled(arp: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[int] = []

    def counted(description: Any, *values: Any, **named: Any) -> Any:
        compiled.append(len(description.nodes))
        return compiled_plan(description, *values, **named)

    monkeypatch.setattr("pynetemu.plan.again.compiled", counted)
    topology, memory = without(type("_Star", (Star,), {"arp": arp})(n=20)), Memory()
    plan = compile_again(topology, False, lambda: None, None, memory)
    changes: list[Callable[[Topology], Topology]] = [
        lambda now: with_parts(now, "x1", Host(), Link("x1", "s1")),
        lambda now: with_parts(now, *[one for n in range(7) for one in (f"y{n}", Host(), Link("s1", f"y{n}"))]),
        lambda now: without(now, "h1", "h7", "y3"),
        lambda now: with_parts(now, Link("x1", "s1"), HttpServer("h2")),
    ]
    for change in changes:
        topology = change(topology)
        made = compile_again(topology, False, lambda: None, plan, memory)
        assert _said(made) == _said(compile_plan(topology, running=plan))
        plan = made
    assert compiled[0] == 21 and max(compiled[1:]) < 12 and len(compiled) == 5
    assert bool([op for op in plan.operations if isinstance(op, AddNeighbors)]) is (arp == "permanent")
