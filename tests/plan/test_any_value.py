"""Any value, for any setting of any class: it works, or it is told with the user's line. Never another exception."""

import inspect
import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pynetemu
from pynetemu import Bond, Bridge, Host, Interface, Link, Router, Switch, Topology, tcp
from pynetemu.errors import DescriptionError
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.operations import AddAddress, SetPortVlans
from pynetemu.topology.devices import BridgePort, Device
from pynetemu.topology.nodes import Node, VlanInterface
from pynetemu.topology.part import Part
from pynetemu.topology.switches import Port


class UnkindError(Exception):
    pass


class Unkind:
    """Nothing can be asked of it: it cannot be shown, compared, hashed, copied, read."""

    def _refuse(self, *_: object) -> Any:
        raise UnkindError("no")

    __repr__ = __eq__ = __bool__ = __iter__ = __len__ = __deepcopy__ = __index__ = _refuse
    __hash__ = None  # type: ignore[assignment]


class Site(Topology):
    h1 = Host()


_WORDS = (
    "",
    "no",
    "off",
    "x",
    "10.0.0.1",
    "10.0.0.1/24",
    "fd00::1/64",
    "10.0.0.0/8",
    "/",
    "\0",
    "\ud800",
    "eth0",
    "drop",
    "80/tcp",
)
_ODD: tuple[Callable[[], object], ...] = (
    Unkind,
    threading.Lock,
    object,
    Host,
    Switch,
    Site,
    lambda: Host,
    lambda: lambda: None,
    lambda: (number for number in (10, 20)),
    lambda: iter(("10.255.0.1/32", "10.255.0.2/32")),
    lambda: MappingProxyType({"10.9.0.0/16": "10.0.0.1"}),
    lambda: {80: (Host(), 80)},
    lambda: [Link(Host(), Host())],
    lambda: ip_address("10.0.0.1"),
    lambda: ip_network("10.0.0.0/8"),
    lambda: Decimal("NaN"),
    lambda: Path("/"),
    lambda: tcp(80),
    lambda: 10**5000,
    lambda: "x" * 100_000,
    lambda: range(10**12),
)


@dataclass(frozen=True)
class Odd:
    """Stands for a fresh object, which hypothesis cannot show."""

    number: int


_LEAVES = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.binary(max_size=3), st.text(max_size=5)),
    *(st.sampled_from(_WORDS), st.builds(Odd, st.sampled_from(range(len(_ODD))))),
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=2),
    max_leaves=4,
)
_KINDS = [kind for name in pynetemu.__all__ if isinstance(kind := getattr(pynetemu, name), type) and issubclass(kind, Part)]
_MAKERS = [*_KINDS, Port, VlanInterface, BridgePort, Host.interface, Switch.port, Interface.vlan, Bridge.port]


def _parameters(maker: Any) -> list[inspect.Parameter]:
    is_class = isinstance(maker, type)
    return list(inspect.signature(maker.__init__ if is_class else maker).parameters.values())[is_class:]


def _made(value: Any) -> Any:
    if isinstance(value, list):
        return [_made(item) for item in value]
    if isinstance(value, dict):
        return {key: _made(item) for key, item in value.items()}
    return _ODD[value.number]() if isinstance(value, Odd) else value


class Lab(Topology):
    """A right network, with one part more, of which one setting may be wrong."""

    h1, r1, s1 = Host(), Router(), Switch()
    up, down = r1.interface("up"), h1.interface("down")
    wire, port = Link(h1, r1), Link(up, s1)
    bridge = Bridge(h1)

    def build(self, maker: Any, setting: str, value: object) -> None:
        itself: Any = {Switch.port: self.s1, Interface.vlan: self.up, Bridge.port: self.bridge, Host.interface: self.h1}.get(
            maker
        )
        right = {
            "self": itself,
            "node": self.s1 if maker is Port else self.h1,
            "a": self.h1,
            "b": self.r1,
            "bridge": self.bridge,
        }
        right |= {"parent": self.up, "members": [self.wire], "outside": self.wire, "number": 5, "id": 7, "table": 10}
        parameters = _parameters(maker)
        right = {p.name: right.get(p.name, "true") for p in parameters if p.default is p.empty}
        call = inspect.BoundArguments(inspect.Signature(parameters), OrderedDict(right))
        call.arguments.pop("addresses", None)
        call.apply_defaults()
        several = inspect.Signature(parameters).parameters[setting].kind is inspect.Parameter.VAR_POSITIONAL
        call.arguments[setting] = (value,) if several else value
        part = maker(*call.args, **call.kwargs)
        if isinstance(part, Node):
            self.made = part
        elif isinstance(part, Interface) and not isinstance(part, Device | VlanInterface):
            Link(part, self.s1 if part.node is self.h1 else self.h1)


@pytest.mark.parametrize(
    ("maker", "setting"),
    [(maker, p.name) for maker in _MAKERS for p in _parameters(maker) if p.name not in ("self", "args", "kwargs")],
)
@settings(max_examples=25)
@given(value=_VALUES)
def test_any_value_of_a_setting_works_or_is_told(maker: Any, setting: str, value: object) -> None:
    lab = Lab(maker=maker, setting=setting, value=_made(value))
    try:
        first = compile_plan(lab)
    except DescriptionError as error:
        if isinstance(lab._failure, UnkindError):
            return  # told as what happened in the user's `build`
        assert lab._failure is None, error
        assert all(problem.where and len(str(problem)) < 3000 for problem in error.problems), error
    else:
        assert compile_plan(lab) == first


@pytest.mark.parametrize(
    "iterable", [lambda: (v for v in (10, 20)), lambda: iter([10, 20]), lambda: {10, 20}, lambda: {10: 0, 20: 0}.keys()]
)
def test_what_can_be_read_once_only_is_read_when_given(iterable: Callable[[], Any]) -> None:
    class Lab(Topology):
        h1, s1 = Host(), Switch()
        wire = Link(h1, s1.port(trunk=iterable()))

    lab = Lab()
    plans = [compile_plan(lab), compile_plan(lab), compile_plan(Lab)]
    assert [op.tagged for plan in plans for op in plan.operations if isinstance(op, SetPortVlans)] == [(10, 20)] * 3


def test_iterators_and_tables_of_any_sort_are_settings() -> None:
    class Anycast(Host):
        loopback = (f"10.255.0.{number}/32" for number in (1, 2))
        numbers = itertools.count(1)  # the user's own

    class Lab(Topology):
        pools: Any = (pool for pool in ("10.7.0.0/16",))
        h1, h2, r1 = Anycast(), Host(routes=MappingProxyType({"10.9.0.0/16": iter(["10.7.0.1"])})), Router()
        wires = [Link(h1.interface(None, "10.7.0.1/24"), h2.interface(None, "10.7.0.2/24")), threading.Lock()]
        bonded = [Link(r1, h1), Link(r1, h1)]
        bond = Bond(r1, iter(bonded))

        def build(self) -> None:
            self.h2.loopback = (address for address in ["10.255.0.3/32"])

    lab = Lab()
    assert compile_plan(lab) == compile_plan(lab) == compile_plan(Lab)
    assert next(Anycast.numbers) == 1
    addresses = [str(op.address) for op in compile_plan(lab).operations if isinstance(op, AddAddress) and op.interface == "lo"]
    assert addresses == ["10.255.0.1/32", "10.255.0.2/32", "10.255.0.3/32"]


@pytest.mark.parametrize("value", [MappingProxyType({"10.9.0.0/16": "10.7.0.1"}), threading.Lock(), iter(()), lambda: None])
def test_what_cannot_be_copied_may_be_an_argument_that_is_refused(value: object) -> None:
    class Own:
        def __init__(self) -> None:
            self.hosts, self.value = [Host()], value

    class Lab(Topology):
        h1: Any = Host(adress=value)  # type: ignore[call-arg]
        h2 = Host()
        wire = Link(h1, h2, colour=value)  # type: ignore[call-arg]
        own = Own()

    for _ in range(2):
        with pytest.raises(DescriptionError) as caught:
            compile_plan(Lab())
        assert "Host has no option 'adress'" in str(caught.value)
        assert "Link has no option 'colour'" in str(caught.value)
