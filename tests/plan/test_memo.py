"""What a memo knows of a description makes a plan faster, and never another one."""

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynetemu import Host, Link, Router, Switch, Topology, Vxlan
from pynetemu.errors import DescriptionError, LabError
from pynetemu.plan.again import Memory, compile_again
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.data import change_from_data, change_to_data
from pynetemu.plan.operations import Plan
from pynetemu.topology.editing import replugged, with_parts, without
from pynetemu.topology.topology import all_parts

_NODES = "h1", "h2", "s1", "s2", "r1", "x1", "x2", "x3"
_SETTINGS: list[tuple[str, Any]] = [
    ("multipath", True),
    ("auto_routes", False),
    ("loopback", "10.255.0.1/32"),
    ("routes", {"10.99.0.0/16": "10.0.1.254"}),
    ("default_via", "10.0.1.254"),
    ("default_via", "10.77.0.1"),
    ("stp", True),
    ("cost", 5),
    ("cost", True),
    ("mtu", 1400),
    ("loss", "3%"),
    ("name", "lan0"),
    ("addresses", ("10.0.1.77/24",)),
    ("mac", "02:00:00:00:00:99"),
]


class _Lab(Topology):
    s1, s2 = Switch(), Switch()
    h1, h2 = Host(), Host()
    r1 = Router()

    def build(self) -> None:
        self.add(Link(self.h1.interface("eth0"), self.s1))
        self.add(Link(self.h2, self.s2.port(vlan=10)))
        for switch in self.s1, self.s2.port(vlan=10):
            self.add(Link(self.r1, switch))


def _edited(topology: Topology, draw: Any) -> Topology:
    """The same with one change, which may be wrong."""
    node, other, third = (draw(st.sampled_from(_NODES)) for _ in range(3))
    match draw(st.sampled_from(["add", "add", "add", "link", "unlink", "remove", "move", "vlan", "set", "set", "rare"])):
        case "add":
            new = draw(st.sampled_from([Host, Host, Router, Switch]))()
            end = new.interface("eth0", f"10.0.1.{draw(st.integers(1, 90))}/24") if draw(st.booleans()) else new
            return with_parts(topology, node, new, Link(end, other))
        case "link":
            return with_parts(topology, Link(node, other, mtu=draw(st.sampled_from([None, 1300]))))
        case "remove":
            return without(topology, node)
        case "unlink":
            return without(topology, f"{node}-{other}")
        case "vlan":
            new, switch = Host(), Switch()
            end = new.interface("eth0", *draw(st.sampled_from([(), ("10.0.1.33/24",)])))
            end.vlan(draw(st.sampled_from([10, 20])))
            trunk = Link(end, switch.port(trunk=draw(st.sampled_from([(10,), (10, 20)]))))
            return with_parts(topology, "v1", switch, node, new, trunk, Link(switch.port(vlan=10), other))
        case "move":
            return replugged(topology, node, other, third)
        case "rare":
            return with_parts(topology, Vxlan(node, other, id=7))
    parts = all_parts(topology)
    name, value = draw(st.sampled_from(_SETTINGS))
    fitting = [part for part in parts if hasattr(part, name)]
    if fitting:
        setattr(draw(st.sampled_from(fitting)), name, value)
    return topology


def _made(topology: Topology, running: Plan, memo: Memory | None) -> tuple[Plan | None, str]:
    """The plan, and all that it says and that is said of it."""
    try:
        plan = compile_again(topology, False, lambda: frozenset({"netem"}), running, memo)
    except DescriptionError as error:
        return None, str(error)
    return plan, "\n".join([repr(plan.name), *map(repr, plan.operations), repr(plan.host_address), *plan.warnings, plan.ids])


@settings(max_examples=int(os.environ.get("PYNETEMU_EXAMPLES", "2")) * 15)
@given(st.data())
def test_a_plan_of_what_is_known_is_the_plan_made_from_scratch(data: st.DataObject) -> None:
    topology: Topology = _Lab()
    memo = Memory()
    plan = compile_plan(topology)
    for _ in range(5):
        try:
            topology = _edited(topology, data.draw)
        except LabError:
            continue
        made, said = _made(topology, plan, memo)
        assert said == _made(topology, plan, None)[1]
        if made is None:
            topology = _Lab()  # of which the memo knows nothing
            continue
        assert tuple(change_from_data(plan, change_to_data(plan, made)).operations) == tuple(made.operations)
        plan = made


def test_nothing_is_known_of_a_part_whose_values_may_change_in_themselves() -> None:
    topology = with_parts(_Lab(), "x1", Host(routes={"10.99.0.0/16": "10.0.1.254"}), Link("x1", "s1"))
    memo = Memory()
    plan = compile_again(topology, False, lambda: None, None, memo)
    host = next(part for part in all_parts(topology) if isinstance(part, Host) and part.routes)
    vars(host)["routes"]["10.99.0.0/16"] = "10.0.1.200"
    with pytest.raises(DescriptionError, match=r"10\.0\.1\.200"):
        compile_again(topology, False, lambda: None, plan, memo)


def test_what_a_part_says_is_read_again_when_it_says_something_else() -> None:
    host, memo = Host(), Memory()
    memo.begin()
    memo.of(host)["read"] = 1
    memo.begin()
    assert memo.of(host) == {"read": 1}
    host.multipath = True
    memo.begin()
    assert memo.of(host) == {}


def test_places_are_told_from_the_directory_of_now(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    topology, memo = _Lab(), Memory()
    monkeypatch.chdir(os.path.dirname(__file__))
    near = compile_again(topology, False, lambda: None, None, memo).operations[0].source
    monkeypatch.chdir(tmp_path)
    far = compile_again(topology, False, lambda: None, None, memo).operations[0].source
    assert near.startswith("test_memo.py:") and far.startswith("/")
