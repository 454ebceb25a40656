"""Descriptions as people write them: inheritance, copies, build, and kinds of their own."""

from collections.abc import Callable
from typing import Any

import pytest

from pynetemu import Host, HttpServer, Link, Root, Switch, Topology
from pynetemu.errors import DescriptionError
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.operations import AddAddress, AddHttpServer, AddRoute, AddVeth, Plan
from pynetemu.topology.shapes import Linear


def _addresses(plan: Plan) -> dict[str, str]:
    return {op.node: str(op.address) for op in plan.operations if isinstance(op, AddAddress)}


def _links(plan: Plan) -> list[tuple[str, str, str, str]]:
    return [(op.node, op.interface, op.peer_node, op.peer_interface) for op in plan.operations if isinstance(op, AddVeth)]


class Pair(Topology):
    a = Host()
    b = Host(default_via="10.0.0.1")
    wire = Link(a.interface("eth0", "10.0.0.1/24"), b.interface("eth0", "10.0.0.2/24"))


def test_a_derived_class_has_the_parts_of_its_base_and_more() -> None:
    class More(Pair):
        c = Host()
        second = Link(Pair.b, c)

    assert compile_plan(More).nodes == ("a", "b", "c")
    assert _links(compile_plan(More)) == [("a", "eth0", "b", "eth0"), ("b", "eth1", "c", "eth0")]
    assert compile_plan(Pair).nodes == ("a", "b")
    assert len(_links(compile_plan(Pair))) == 1


def test_a_replacement_takes_the_place_of_what_it_replaces_in_links_too() -> None:
    class Other(Pair):
        b = Host()

    plan = compile_plan(Other)
    assert plan.nodes == ("a", "b")
    assert _links(plan) == [("a", "eth0", "b", "eth0")]
    assert not [op for op in plan.operations if isinstance(op, AddRoute)]


def test_two_bases_are_joined() -> None:
    class Left(Topology):
        a = Host()

    class Right(Topology):
        b = Host()

    class Both(Left, Right):
        wire = Link(Left.a, Right.b)

    assert sorted(compile_plan(Both).nodes) == ["a", "b"]


def test_each_instance_has_parts_of_its_own() -> None:
    first, second = Pair(), Pair()
    assert first.a is not second.a
    assert first.a is not Pair.a
    first.a.default_via = "10.0.0.2"
    assert Pair.a.default_via is None
    assert second.a.default_via is None
    first.add("c", Host())
    assert compile_plan(first).nodes == ("a", "b", "c")
    assert compile_plan(second).nodes == compile_plan(Pair).nodes == ("a", "b")


def test_the_same_description_gives_the_same_plan() -> None:
    assert compile_plan(Pair()) == compile_plan(Pair()) == compile_plan(Pair)


def test_build_adds_what_depends_on_parameters() -> None:
    class Star(Topology):
        s1 = Switch()

        def build(self, n: int = 3) -> None:
            for i in range(1, n + 1):
                host = self.add(f"h{i}", Host())
                self.add(Link(host.interface("eth0", f"10.0.0.{i}/24"), self.s1))

    assert compile_plan(Star).nodes == ("s1", "h1", "h2", "h3")
    assert compile_plan(Star(n=1)).nodes == ("s1", "h1")
    assert compile_plan(Star(n=2)).nodes == ("s1", "h1", "h2")
    assert _links(compile_plan(Star(n=2)))[1] == ("h2", "eth0", "s1", "h2")


def test_an_attribute_set_in_build_is_a_part_by_that_name() -> None:
    class Lab(Topology):
        def build(self) -> None:
            self.h1 = Host()
            self.web = HttpServer(self.h1)

    (server,) = [op for op in compile_plan(Lab).operations if isinstance(op, AddHttpServer)]
    assert (server.node, server.name, server.port) == ("h1", "web", 8080)


@pytest.mark.parametrize("arguments", [(), ("h1",), ("h1", "h2"), ("h1", Host(), Host())])
def test_add_takes_a_name_and_a_part(arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError)):
        Pair().add(*arguments)


def test_parameters_that_build_does_not_take_are_refused() -> None:
    with pytest.raises(DescriptionError, match="Pair has no parameter 'n'"):
        compile_plan(Pair(n=3))


class Row(Topology):
    def build(self, n: int, prefix: str = "h") -> None:
        for number in range(n):
            self.add(f"{prefix}{number}", Host())


class Mininets(Topology):
    """As classes for Mininet are written."""

    def __init__(self, n: int) -> None:
        super().__init__()
        for number in range(n):
            self.add(f"h{number}", Host())


def test_parameters_are_given_by_name_or_in_order() -> None:
    for row in Row(2), Row(n=2), Row(2, prefix="h"), Row(2, "h"), Mininets(2), Mininets(n=2):
        assert compile_plan(row).nodes == ("h0", "h1")
    assert compile_plan(Linear(1, 2)).nodes == compile_plan(Linear(switches=1, hosts=2)).nodes


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Row(1, "h", 7), "Row does not take 7 in this place"),
        (lambda: Row(1, n=2), "Row is given 'n' twice"),
        (lambda: Row(prefix="h"), "Row needs the parameter 'n'"),
        (lambda: Row(1, m=2), "Row has no parameter 'm'"),
        (lambda: Pair(3), "Pair does not take 3 in this place"),
    ],
)
def test_parameters_that_do_not_fit_are_told(make: Callable[[], Topology], told: str) -> None:
    with pytest.raises(DescriptionError) as raised:
        compile_plan(make())
    (problem,) = raised.value.problems
    assert problem.text == told
    assert problem.where


class Web(Host):
    """A kind of its own, with an `__init__` that makes a service too."""

    def __init__(self, port: int, *, default_via: str | None = None) -> None:
        super().__init__(default_via=default_via)
        self.port = port
        HttpServer(self, port=port)


class Wire(Link):
    def __init__(self, a: Host, b: Host, network: str) -> None:
        super().__init__(a.interface(f"to_{network}", f"10.0.{network}.1/24"), b.interface("up", f"10.0.{network}.2/24"))


class Core(Switch):
    pass


class Gatewayed(Host):
    default_via = "10.0.7.2"


def test_kinds_of_ones_own_work_like_ours() -> None:
    class Lab(Topology):
        a = Gatewayed()
        b = Web(81)
        core = Core()
        wire = Wire(a, b, "7")
        port = Link(b.interface("to_core", auto_addresses=False), core)

    plan = compile_plan(Lab)
    assert plan.nodes == ("a", "b", "core")
    assert _addresses(plan) == {"a": "10.0.7.1/24", "b": "10.0.7.2/24"}
    assert [(op.node, str(op.via)) for op in plan.operations if isinstance(op, AddRoute)] == [("a", "10.0.7.2")]
    assert [(op.node, op.port) for op in plan.operations if isinstance(op, AddHttpServer)] == [("b", 81)]
    assert compile_plan(Lab()) == plan


def test_what_is_wrong_in_a_kind_of_ones_own_is_told_where_it_is_used() -> None:
    class Lab(Topology):
        a = Web(99999)

    with pytest.raises(DescriptionError, match="port=99999") as error:
        compile_plan(Lab)
    assert error.value.problems[0].line == "a = Web(99999)"


def test_an_error_of_ones_own_init_is_raised_as_it_is() -> None:
    class Broken(Host):
        def __init__(self) -> None:
            raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        Broken()


def test_the_root_without_an_address_has_no_interface_of_its_own() -> None:
    class Lab(Topology):
        root = Root()
        a = Host()
        wire = Link(root, a)

    assert _links(compile_plan(Lab)) == [("root", "a", "a", "eth0")]
