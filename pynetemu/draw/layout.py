"""Where the boxes and lines of a picture go: `arrange(graph, sizes, spacing)`.

Placing and routing are graphlay's (a library for layered and tree layouts, https://aarkue.github.io/graphlay). What it does
not know are rings, full meshes and tori: `shapes` finds those, and `by_shape` puts their nodes on a circle or a grid.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pynetemu.draw.by_shape import on_circle, on_grid, on_loop
from pynetemu.draw.geometry import Box, Layout, Point, Route, Size, Sizes, Spacing, as_layout, enlarged, scaled, side_by_side
from pynetemu.draw.graph import Graph, Link
from pynetemu.draw.shapes import Core, circle, components, core_of, grid, loop
from pynetemu.errors import DrawError

_UNIT = 20  # of graphlay's pixels are a character: what it knows about distances is made for pixels
_TRACKS = "dummy_gap", "port_gap", "port_stroke_clear", "stub", "bundle_lane_gap"


def arrange(graph: Graph, sizes: Sizes, spacing: Spacing, direction: str = "topbottom") -> Layout:
    """Each part of a network that hangs together is laid out after its shape; the parts stand side by side."""
    layouts = [_arrange_one(part, sizes, spacing, direction) for part in components(graph)]
    return side_by_side(layouts, spacing.beside)


def _arrange_one(graph: Graph, sizes: Sizes, spacing: Spacing, direction: str) -> Layout:
    core = core_of(graph)
    if direction == "leftright" and core.across:
        return _layered(graph, sizes, spacing, direction, _across(core), merge="both")
    low = replace(spacing, between=min(spacing.between, 3)) if spacing.orthogonal else spacing
    if spacing.orthogonal and (places := loop(core)):
        return on_loop(graph, core, places, sizes, low)
    if not spacing.orthogonal and (found := circle(core)):
        return on_circle(graph, core, found, sizes, spacing)
    if places := grid(core):
        return on_grid(graph, core, places, sizes, low)
    if core.is_tree:
        return _tree(graph, sizes, spacing, direction, core.root)
    return _layered(graph, sizes, spacing, direction, core.height, core.pods)


def _across(core: Core) -> dict[str, int]:
    """From left to right: leaves, the nodes of the path, leaves."""
    first, last = core.across[0], core.across[-1]
    height = {name: len(core.names) - place for place, name in enumerate(core.across)}
    return height | dict.fromkeys(core.leaves[first], len(core.names) + 1) | dict.fromkeys(core.leaves[last], 0)


def _tree(graph: Graph, sizes: Sizes, spacing: Spacing, direction: str, root: str) -> Layout:
    options = {
        "direction": direction,
        "sibling_gap": spacing.beside,
        "subtree_gap": spacing.beside,
        "row_gap": spacing.between,
    }
    height: dict[str, int] = {}
    waiting = [root]
    for name in waiting:
        height[name] = -len(height)
        waiting += [other for other in graph.neighbors[name] if other not in height]
    return _by_library("layout_tree", graph, sizes, options, height, {})


def _layered(
    graph: Graph,
    sizes: Sizes,
    spacing: Spacing,
    direction: str,
    height: Mapping[str, int],
    pods: Mapping[str, int] | None = None,
    merge: str = "none",
) -> Layout:
    unit = _UNIT if spacing.orthogonal else 1
    gaps = {"layer_gap": spacing.between * unit, "node_gap": spacing.beside * unit}
    options = {
        "direction": direction,
        "spacing": gaps | dict.fromkeys(_TRACKS, unit) if spacing.orthogonal else gaps,
        "coords": {"branch_style": "symmetric"},
        "routing": _routing(spacing, unit) | {"merge_edges": merge},
    }
    return scaled(_by_library("layout", graph, enlarged(sizes, unit), options, height, pods or {}), 1 / unit)


def _routing(spacing: Spacing, unit: int) -> dict[str, Any]:
    return {"style": "orthogonal", "lane_gap": unit} if spacing.orthogonal else {"style": "diagonal"}


def _by_library(
    function: str,
    graph: Graph,
    sizes: Sizes,
    options: Mapping[str, Any],
    height: Mapping[str, int],
    pods: Mapping[str, int],
) -> Layout:
    """Links lead from a higher node to a lower one, or to a later one of the same height; a pod's nodes stay together."""
    names = sorted((node.name for node in graph.nodes), key=lambda name: -height[name])
    index = {name: place for place, name in enumerate(names)}
    ends = [(index[link.a.node], index[link.b.node]) for link in graph.links]
    request = {
        "nodes": [_node(sizes[name], pods.get(name)) for name in names],
        "edges": [{"source": min(pair), "target": max(pair), "weight": 1.0} for pair in ends],
    }
    found = getattr(_library(), function)(request, options=options)
    boxes = {name: _box(node["center"], sizes[name]) for name, node in zip(names, found.nodes, strict=True)}
    lines = [[(point["x"], point["y"]) for point in edge["points"]] for edge in found.edges]
    turned = (line if a <= b else line[::-1] for line, (a, b) in zip(lines, ends, strict=True))
    return as_layout(boxes, [_route(link, line, boxes) for link, line in zip(graph.links, turned, strict=True)])


def _route(link: Link, line: list[Point], boxes: Mapping[str, Box]) -> Route:
    """From inside to inside, so that a line reaches a box with round corners too."""
    first, last = boxes[link.a.node], boxes[link.b.node]
    return Route(link, (_inside(first, line[0]), *line, _inside(last, line[-1])))


def _inside(box: Box, point: Point) -> Point:
    """Straight inwards from a point of a box's border, as far as its middle."""
    x, y = point
    at_side = min(abs(x - box.x), abs(x - box.x - box.width)) < min(abs(y - box.y), abs(y - box.y - box.height))
    return (box.center[0], y) if at_side else (x, box.center[1])


def _node(size: Size, pod: int | None) -> dict[str, Any]:
    node: dict[str, Any] = {"size": {"width": size[0], "height": size[1]}}
    return node if pod is None else node | {"group": pod}


def _library() -> Any:
    try:
        import graphlay
    except ImportError:
        raise DrawError(
            "boxes and lines are laid out by graphlay, which is not installed\n    hint: pip install graphlay"
        ) from None
    return graphlay


def _box(center: Mapping[str, float], size: Size) -> Box:
    return Box(center["x"] - size[0] / 2, center["y"] - size[1] / 2, *size)
