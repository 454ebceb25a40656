"""The shapes: what each is made of, and that its hosts reach each other."""

import pytest

from pynetemu import DescriptionError, Router, Switch
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.load import load
from pynetemu.plan.operations import AddVeth
from pynetemu.topology.shapes import SHAPES, Shape


@pytest.mark.parametrize(
    ("spec", "hosts", "switches", "links"),
    [
        ("single:hosts=5", 5, 1, 5),
        ("linear:switches=4,hosts=2", 8, 4, 8 + 3),
        ("star:arms=3,hosts=2", 6, 4, 6 + 3),
        ("tree:depth=2,fanout=3", 9, 4, 9 + 3),
        ("tree:depth=3,fanout=2", 8, 7, 8 + 6),
        ("ring:switches=5,hosts=1", 5, 5, 10),
        ("mesh:switches=4,hosts=0", 0, 4, 6),
        ("torus:rows=3,columns=4", 12, 12, 12 + 24),
        ("fat-tree:k=4", 16, 20, 16 + 32),
        ("dumbbell:hosts=3", 6, 2, 7),
    ],
)
@pytest.mark.parametrize("routed", ["", "true"])
def test_a_shape_has_what_its_name_says(spec: str, hosts: int, switches: int, links: int, routed: str) -> None:
    shape = load(spec, {"routed": routed} if routed else {})
    assert isinstance(shape, Shape)
    kind = Router if routed else Switch
    assert (len(shape.hosts), len(shape.switches)) == (hosts, switches)
    assert all(isinstance(switch, kind) for switch in shape.switches)
    plan = compile_plan(shape)
    assert sum(isinstance(operation, AddVeth) for operation in plan.operations) == links
    assert len(plan.nodes) == hosts + switches


@pytest.mark.parametrize(
    ("name", "hosts", "switches", "links"),
    [
        ("single", 2, 1, 2),
        ("linear", 3, 3, 5),
        ("star", 3, 4, 6),
        ("tree", 4, 3, 6),
        ("ring", 4, 4, 8),
        ("mesh", 4, 4, 10),
        ("torus", 9, 9, 27),
        ("fat-tree", 16, 20, 48),
        ("dumbbell", 4, 2, 5),
    ],
)
def test_every_shape_is_there_by_its_name_and_has_defaults(name: str, hosts: int, switches: int, links: int) -> None:
    shape = load(name)
    assert isinstance(shape, SHAPES[name])
    plan = compile_plan(shape)
    assert (len(shape.hosts), len(shape.switches)) == (hosts, switches)
    assert sum(isinstance(operation, AddVeth) for operation in plan.operations) == links
    trees = {"ring", "mesh", "torus", "fat-tree"}
    assert any(type(operation).__name__ == "StartSpanningTree" for operation in plan.operations) is (name in trees)


def test_there_are_no_other_shapes() -> None:
    assert list(SHAPES) == ["single", "linear", "star", "tree", "ring", "mesh", "torus", "fat-tree", "dumbbell"]


@pytest.mark.parametrize(
    ("name", "parameter", "least", "most"),
    [
        ("single", "hosts", 1, 20_000),
        ("linear", "switches", 1, 20_000),
        ("linear", "hosts", 0, 20_000),
        ("star", "arms", 1, 20_000),
        ("star", "hosts", 0, 20_000),
        ("tree", "depth", 1, 100),
        ("tree", "fanout", 1, 20_000),
        ("ring", "switches", 3, 20_000),
        ("ring", "hosts", 0, 20_000),
        ("mesh", "switches", 2, 20_000),
        ("mesh", "hosts", 0, 20_000),
        ("torus", "rows", 3, 20_000),
        ("torus", "columns", 3, 20_000),
        ("torus", "hosts", 0, 20_000),
        ("fat-tree", "k", 2, 20_000),
        ("dumbbell", "hosts", 1, 20_000),
    ],
)
def test_each_number_has_a_least_and_a_most(name: str, parameter: str, least: int, most: int) -> None:
    assert compile_plan(SHAPES[name](**{parameter: least})).nodes
    for wrong in (least - 1, most + 1, True, "3"):
        with pytest.raises(DescriptionError) as refused:
            compile_plan(SHAPES[name](**{parameter: wrong}))
        (problem,) = refused.value.problems
        assert f"{parameter}={wrong!r} cannot be" in problem.text
        assert problem.hint == f"a whole number from {least} to {most}"


def test_parts_have_names() -> None:
    star = SHAPES["star"](arms=2)
    dumbbell = SHAPES["dumbbell"](hosts=3)
    compile_plan(star), compile_plan(dumbbell)
    assert star.center is star.switches[0]  # type: ignore[attr-defined]
    assert dumbbell.left_switch is dumbbell.switches[0]  # type: ignore[attr-defined]
    assert dumbbell.right_switch is dumbbell.switches[1]  # type: ignore[attr-defined]
    assert (dumbbell.left, dumbbell.right) == (dumbbell.hosts[:3], dumbbell.hosts[3:])  # type: ignore[attr-defined]


def test_fat_trees_have_their_layers() -> None:
    tree = SHAPES["fat-tree"](k=6)
    assert [len(tree.core), len(tree.aggregation), len(tree.edge)] == [9, 18, 18]  # type: ignore[attr-defined]
