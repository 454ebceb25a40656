"""The shapes: what each is made of, and that its hosts reach each other."""

import pytest

from pynetemu import Router, Switch
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


def test_every_shape_is_there_by_its_name_and_has_defaults() -> None:
    for name in SHAPES:
        assert compile_plan(load(name)).nodes


def test_fat_trees_have_their_layers() -> None:
    tree = SHAPES["fat-tree"](k=6)
    assert [len(tree.core), len(tree.aggregation), len(tree.edge)] == [9, 18, 18]  # type: ignore[attr-defined]
