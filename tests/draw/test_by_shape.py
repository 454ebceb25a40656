"""Rings, meshes, stars, chains and tori: where each box and each corner of a line is, with boxes of several sizes.

The texts in `layouts/` are what came out when somebody looked at it. After a change, see whether the new ones are as good:
`pytest tests/draw/test_by_shape.py --write-goldens` writes them anew.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from pynetemu.draw.by_shape import on_circle, on_grid, on_loop
from pynetemu.draw.geometry import Layout, Spacing, any_overlap
from pynetemu.draw.graph import Graph, read
from pynetemu.draw.shapes import circle, core_of, grid, loop
from tests.support.shapes import Edges, full_mesh, linear, plan_of, ring, star, torus

_FOLDER = Path(__file__).parent / "layouts"
_SPACING = Spacing(beside=30, between=50)
_TWO_LEAVES: Edges = [*ring(4), ("s2", "h9"), ("s4", "h8"), ("s4", "h7")]


def _sizes(graph: Graph) -> dict[str, tuple[float, float]]:
    """No two alike that lie beside each other."""
    return {node.name: (60.0 + 10 * (number % 4), 30.0 + 6 * (number % 3)) for number, node in enumerate(graph.nodes)}


def _on_circle(graph: Graph) -> Layout:
    core = core_of(graph)
    found = circle(core)
    assert found is not None
    return on_circle(graph, core, found, _sizes(graph), _SPACING)


def _on_grid(graph: Graph) -> Layout:
    core = core_of(graph)
    found = grid(core)
    assert found
    return on_grid(graph, core, found, _sizes(graph), _SPACING)


def _on_loop(graph: Graph) -> Layout:
    core = core_of(graph)
    found = loop(core)
    assert found
    return on_loop(graph, core, found, _sizes(graph), _SPACING)


def _as_text(layout: Layout) -> str:
    lines = [f"page {layout.width:.0f} {layout.height:.0f}"]
    lines += [f"{name} {box.x:.0f} {box.y:.0f} {box.width:.0f} {box.height:.0f}" for name, box in layout.boxes.items()]
    for route in layout.routes:
        points = " ".join(f"{x:.0f},{y:.0f}" for x, y in route.points)
        lines.append(f"{route.link.a.node}-{route.link.b.node} {points}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("name", "place", "edges"),
    [
        ("ring_on_circle", _on_circle, ring(5)),
        ("two_leaves_on_circle", _on_circle, _TWO_LEAVES),
        ("mesh_on_circle", _on_circle, full_mesh(5)),
        ("star_on_circle", _on_circle, star(5)),
        ("ring_on_loop", _on_loop, ring(5)),
        ("two_leaves_on_loop", _on_loop, _TWO_LEAVES),
        ("chain_on_grid", _on_grid, [*linear(4), ("s3", "h9")]),
        ("torus_on_grid", _on_grid, torus(3, 4)),
    ],
)
def test_each_box_and_line_is_where_it_was(
    name: str, place: Callable[[Graph], Layout], edges: Edges, pytestconfig: pytest.Config
) -> None:
    text = _as_text(place(read(plan_of(edges))))
    golden = _FOLDER / f"{name}.txt"
    if pytestconfig.getoption("--write-goldens"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_leaves_that_are_wider_than_the_circle_has_room_for_overlap_nothing() -> None:
    graph = read(plan_of(_TWO_LEAVES))
    core = core_of(graph)
    found = circle(core)
    assert found is not None
    sizes = {node.name: (400.0, 90.0) if node.name.startswith("h") else (60.0, 30.0) for node in graph.nodes}
    layout = on_circle(graph, core, found, sizes, Spacing(beside=30, between=10))
    assert not any_overlap(layout.boxes.values(), 15)
