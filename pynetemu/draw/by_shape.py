"""The shapes that the layout library does not know: rings, meshes and stars on circles, chains and tori on grids."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import cos, hypot, pi, sin

from pynetemu.draw.geometry import Box, Layout, Point, Route, Size, Sizes, Spacing, any_overlap, as_layout
from pynetemu.draw.graph import Graph, Link
from pynetemu.draw.shapes import Cell, Circle, Core


def on_circle(graph: Graph, core: Core, circle: Circle, sizes: Sizes, spacing: Spacing) -> Layout:
    """The nodes on a circle, their leaves on a wider one, each beside its node; both as small as can be."""
    found = [_circles(core, circle, sizes, spacing, steps) for steps in (1, 2)]
    boxes = min(found, key=lambda boxes: max(box.y for box in boxes.values()))
    return as_layout(boxes, [Route(link, _straight(boxes, link)) for link in graph.links])


def _circles(core: Core, circle: Circle, sizes: Sizes, spacing: Spacing, steps: int) -> dict[str, Box]:
    """With two `steps` every other leaf is further out, which leaves room for more."""
    half = _widest(sizes, core.names) / 2
    radius = half + spacing.between
    if circle.crossed:  # the line from a node to the next but one passes the one between
        radius = max(radius, half / (1 - cos(2 * pi / len(circle.names))))
    air = spacing.beside / 2
    while True:
        boxes = dict(_around_middle(core, circle, sizes, spacing, radius, steps))
        if not any_overlap(boxes.values(), air):
            return boxes
        if any(any_overlap((boxes[name], boxes[leaf]), air) for name in circle.names for leaf in core.leaves[name]):
            spacing = replace(spacing, between=spacing.between * 1.05)  # a wider circle brings these no further apart
        else:
            radius *= 1.05


def _around_middle(
    core: Core, circle: Circle, sizes: Sizes, spacing: Spacing, radius: float, steps: int
) -> Iterator[tuple[str, Box]]:
    if circle.middle is not None:
        yield circle.middle, _around((0, 0), sizes[circle.middle])
    slots = max(1, *(len(core.leaves[name]) for name in circle.names))
    step = _widest(sizes, [leaf for name in circle.names for leaf in core.leaves[name]]) / 2 + spacing.beside
    number = 0
    for index, name in enumerate(circle.names):
        yield name, _around(_on(radius, index / len(circle.names)), sizes[name])
        ours = core.leaves[name]
        for place, leaf in enumerate(ours):
            turn = index + (place - (len(ours) - 1) / 2) / slots
            reach = radius + spacing.between + step * (1 + number % steps)
            yield leaf, _around(_on(reach, turn / len(circle.names)), sizes[leaf])
            number += 1


def on_grid(graph: Graph, core: Core, places: Mapping[str, Cell], sizes: Sizes, spacing: Spacing) -> Layout:
    """The nodes in rows and columns; their leaves below them, beside the links that run downwards if there are such."""
    single_row = max(row for row, _ in places.values()) == 0
    blocks = {name: _block(sizes, name, core.leaves[name], spacing, single_row) for name in places}
    parts = [box for block in blocks.values() for box in block.values()]
    width = max(box.x + box.width for box in parts) - min(box.x for box in parts) + 2 * spacing.beside
    height = max(box.y + box.height for box in parts) - min(box.y for box in parts) + spacing.between
    boxes = {
        part: Box(box.x + column * width, box.y + row * height, box.width, box.height)
        for name, (row, column) in places.items()
        for part, box in blocks[name].items()
    }
    routes = [Route(link, tuple(_grid_line(places, boxes, link, spacing))) for link in graph.links]
    return as_layout(boxes, routes)


def on_loop(graph: Graph, core: Core, places: Mapping[str, Cell], sizes: Sizes, spacing: Spacing) -> Layout:
    """The nodes of a ring in two rows, the leaves of the upper row above it, those of the lower one below."""
    fans = {name: _fan(sizes, name, core.leaves[name], spacing, down=row == 1) for name, (row, _) in places.items()}
    parts = [box for fan in fans.values() for box in fan.values()]
    width = 2 * max(max(-box.x, box.x + box.width) for box in parts) + spacing.beside
    height = max(sizes[name][1] for name in places) + 2 * spacing.between
    boxes = {
        part: Box(box.x + column * width, box.y + row * height, box.width, box.height)
        for name, (row, column) in places.items()
        for part, box in fans[name].items()
    }
    return as_layout(boxes, [Route(link, tuple(_upright(boxes, link))) for link in graph.links])


def _fan(sizes: Sizes, name: str, leaves: tuple[str, ...], spacing: Spacing, down: bool) -> dict[str, Box]:
    """A node, its middle at (0, 0), with its leaves side by side below or above it."""
    boxes = {name: _around((0, 0), sizes[name])}
    x = -(sum(sizes[leaf][0] for leaf in leaves) + spacing.beside * (len(leaves) - 1)) / 2
    for leaf in leaves:
        width, height = sizes[leaf]
        away = sizes[name][1] / 2 + spacing.between
        boxes[leaf] = Box(x, away if down else -away - height, width, height)
        x += width + spacing.beside
    return boxes


def _upright(boxes: Mapping[str, Box], link: Link) -> Iterator[Point]:
    """Level between boxes of a row; else upright first, at the one that is further left."""
    (x, y), (to_x, to_y) = boxes[link.a.node].center, boxes[link.b.node].center
    yield x, y
    yield (x, to_y) if x < to_x else (to_x, y)
    yield to_x, to_y


def _block(sizes: Sizes, name: str, leaves: tuple[str, ...], spacing: Spacing, single_row: bool) -> dict[str, Box]:
    """A node, its middle at (0, 0), with its leaves one below the other; a single one may be straight below it."""
    hub = _around((0, 0), sizes[name])
    boxes, y = {name: hub}, hub.height / 2 + spacing.between / (1 if single_row else 3)
    for leaf in leaves:
        straight = single_row and len(leaves) == 1
        boxes[leaf] = Box(-sizes[leaf][0] / 2 if straight else spacing.beside / 2, y, *sizes[leaf])
        y += sizes[leaf][1] + spacing.beside / 3
    return boxes


def _grid_line(places: Mapping[str, Cell], boxes: Mapping[str, Box], link: Link, spacing: Spacing) -> Iterator[Point]:
    """Straight to a neighbor; from an edge to the opposite one above the row, or left of the column."""
    a, b = boxes[link.a.node], boxes[link.b.node]
    (row, column), (to_row, to_column) = (places.get(end.node, (0, 0)) for end in (link.a, link.b))
    yield a.center
    if link.a.node in places and link.b.node in places:
        if abs(column - to_column) > 1:
            top, lean = a.y - spacing.between / 2, a.width / 4 if column < to_column else -a.width / 4
            yield from ((a.center[0] - lean, a.center[1]), (a.center[0] - lean, top))
            yield from ((b.center[0] + lean, top), (b.center[0] + lean, b.center[1]))
        elif abs(row - to_row) > 1:
            left, lean = min(a.x, b.x) - spacing.beside, a.height / 4 if row < to_row else -a.height / 4
            yield from ((a.center[0], a.center[1] - lean), (left, a.center[1] - lean))
            yield from ((left, b.center[1] + lean), (b.center[0], b.center[1] + lean))
    yield b.center


def _straight(boxes: Mapping[str, Box], link: Link) -> tuple[Point, Point]:
    return boxes[link.a.node].center, boxes[link.b.node].center


def _on(radius: float, turn: float) -> Point:
    """A point of a circle around (0, 0), by the part of a full turn from the top, clockwise."""
    return radius * sin(2 * pi * turn), -radius * cos(2 * pi * turn)


def _around(center: Point, size: Size) -> Box:
    return Box(center[0] - size[0] / 2, center[1] - size[1] / 2, *size)


def _widest(sizes: Sizes, names: "tuple[str, ...] | list[str]") -> float:
    """The longest diagonal of boxes: so far apart, they do not touch whatever their direction."""
    return max((hypot(*sizes[name]) for name in names), default=0.0)
