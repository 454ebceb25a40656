"""A small network as boxes and lines of characters; `boxes` gives None when that would be too large or not clear.

      ┌──────┐
      │ ● s1 │
      └──┬───┘
   ┌─────┴──────┐
┌──┴───┐     ┌──┴───┐
│ ○ h1 │     │ ○ h2 │
└──────┘     └──────┘
"""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby, pairwise
from math import ceil, floor

from pynetemu.draw.box_contents import rows_of
from pynetemu.draw.canvas import Canvas, Point
from pynetemu.draw.geometry import Box, Layout, Route, Spacing
from pynetemu.draw.graph import Graph, Interface, Link, Node
from pynetemu.draw.layout import arrange
from pynetemu.draw.looks import is_switch, look
from pynetemu.draw.shapes import runs_across

_Texts = dict[str, list[str]]


def boxes(graph: Graph, width: int, height: int) -> Canvas | None:
    """A picture of at most that many columns and rows."""
    for direction, spacing, narrow in _attempts(graph):
        texts = {node.name: _texts(graph, node, narrow) for node in graph.nodes}
        sizes = {name: (max(map(len, lines)) + 4, len(lines) + 2) for name, lines in texts.items()}
        layout = arrange(graph, sizes, spacing, direction)
        if layout.width <= width and layout.height <= height and (canvas := _drawn(graph, layout, texts)):
            return canvas
    return None


def _attempts(graph: Graph) -> Iterator[tuple[str, Spacing, bool]]:
    """Directions and distances to try, and whether boxes are narrow; what is said of links needs room beside their lines."""
    room = max((len(_said(link)) for link in graph.links), default=0)
    down, right = Spacing(2 + room, 3 if room else 1, orthogonal=True), Spacing(0, 5 + room, orthogonal=True)
    if runs_across(graph):
        yield "leftright", right, False
        yield "leftright", right, True
    yield "topbottom", down, False
    yield "topbottom", down, True
    yield "leftright", right, False
    yield "topbottom", Spacing(3 + room, 4, orthogonal=True), False
    yield "topbottom", Spacing(3 + room, 4, orthogonal=True), True


def _said(link: Link) -> str:
    return f" {' '.join(link.labels)} " if link.labels else ""


def _texts(graph: Graph, node: Node, narrow: bool) -> list[str]:
    """With `narrow`, an interface and its addresses stand in lines of their own."""
    ends = [link.end(node.name) for link in graph.links_of[node.name]]
    lines = [text for text, _ in rows_of(node, ends)]
    if narrow:
        said = [end for end in (*node.interfaces, *ends) if end.labels or not is_switch(node.kind)]
        lines = [text for end in said for text in (end.name, *end.labels) if text] + list(node.labels)
    return [f"{look(node.kind).mark} {node.name}", *lines]


def _drawn(graph: Graph, layout: Layout, texts: _Texts) -> Canvas | None:
    cells = {name: _cells(box) for name, box in layout.boxes.items()}
    paths = [_path(route, cells) for route in layout.routes]
    by_row = [_at_rows(path, route.link, cells, texts) for route, path in zip(layout.routes, paths, strict=True)]
    trunks = {node.name for node in graph.nodes if is_switch(node.kind) and len(texts[node.name]) <= 2}
    clear = next((lines for lines in (by_row, paths) if _clear(layout, cells, lines, trunks)), None)
    if clear is None:
        return None
    paths = clear
    canvas = Canvas()
    for name, (left, top, right, bottom) in cells.items():
        canvas.box(left, top, right - left + 1, bottom - top + 1)
        for row, text in enumerate(texts[name], start=1):
            canvas.write(left + 2, top + row, text, "bold" if row == 1 else "")
        canvas.write(left + 2, top + 1, look(graph.node[name].kind).mark, graph.node[name].kind)
    for path in paths:
        canvas.line(path)
    shared = Counter(point for path in paths for point in path)
    for route, path in zip(layout.routes, paths, strict=True):
        if not _label(canvas, [point for point in path[1:-1] if shared[point] == 1], _said(route.link)):
            return None
    corners = [point for path in paths for point in path] + [box[:2] for box in cells.values()]
    placed = Canvas()
    placed.place(-min(x for x, _ in corners), -min(y for _, y in corners), canvas)
    return placed


def _label(canvas: Canvas, line: list[Point], text: str) -> bool:
    """Writes on the longest level part of a line, else beside an upright one; false when there is no room for it."""
    if not text:
        return True
    level = max((list(part) for _, part in groupby(line, key=lambda point: point[1])), key=len, default=[])
    if len(level) >= len(text):
        x, y = min(level)
        canvas.write(x + (len(level) - len(text)) // 2, y, text)
        return True
    for x, y in line:
        if canvas.is_free(x + 1, y, len(text)):
            canvas.write(x + 1, y, text)
            return True
    return False


_Cells = tuple[int, int, int, int]


def _cells(box: Box) -> _Cells:
    """The columns and rows of a box: left, top, right, bottom."""
    left, top = floor(box.x), floor(box.y)
    return left, top, left + round(box.width) - 1, top + round(box.height) - 1


def _path(route: Route, cells: dict[str, _Cells]) -> list[Point]:
    """Cell by cell from the border of one box to that of the other."""
    start, end = cells[route.link.a.node], cells[route.link.b.node]
    corners = [(ceil(x) - 1, ceil(y) - 1) for x, y in route.points]
    corners[0], corners[-1] = _into(start, corners[0]), _into(end, corners[-1])
    path = [corners[0]]
    for _, (to_x, to_y) in pairwise(corners):
        x, y = path[-1]
        path += [(x, row) for row in _between(y, to_y)]
        path += [(column, to_y) for column in _between(x, to_x)]
    last_in = max(place for place, point in enumerate(path) if _inside(start, point))
    first_in = next((place for place, point in enumerate(path) if place > last_in and _inside(end, point)), len(path) - 1)
    return path[last_in : first_in + 1]


def _at_rows(path: list[Point], link: Link, cells: dict[str, _Cells], texts: _Texts) -> list[Point]:
    """A path that leaves a box at its side in the row of its interface, where the box has several."""
    for end, other in ((link.a, link.b), (link.b, link.a)):
        row = _row_of(end, texts[end.node])
        if row is not None and _leaves_at_side(path, cells[end.node]):
            path = _moved(path, cells[end.node][1] + row, cells[other.node], len(texts[other.node]) > 2)
        path = path[::-1]
    return path


def _row_of(end: Interface, texts: list[str]) -> int | None:
    """The row of a box with an interface's name, None in a box with one interface."""
    found = [number for number, text in enumerate(texts, start=1) if number > 1 and text.split(" ")[0] == end.name]
    return found[0] if found and len(texts) > 2 else None


def _leaves_at_side(path: list[Point], cells: _Cells) -> bool:
    return len(path) > 2 and path[0][0] in (cells[0], cells[2]) and path[1][1] == path[0][1]


def _moved(path: list[Point], y: int, goal: _Cells, is_bound: bool) -> list[Point]:
    """A path that begins in another row: straight on where it may reach its goal there, else with a bend in its first part."""
    level = path[: next((place for place, point in enumerate(path) if point[1] != path[0][1]), len(path))]
    is_straight = len(level) == len(path)
    if is_straight and not is_bound and goal[1] < y < goal[3]:
        return [(x, y) for x, _ in path]
    turn = len(level) // 2 if is_straight else len(level) - 1
    bend = [(level[turn][0], row) for row in _between(y, level[turn][1])]
    rest = path[turn + 1 :]
    while bend and rest and rest[0] in [(level[turn][0], y), *bend]:
        bend = [(level[turn][0], row) for row in _between(y, rest[0][1])]
        rest = rest[1:]
    return [*((x, y) for x, _ in level[: turn + 1]), *bend, *rest]


def _between(start: int, end: int) -> range:
    """The numbers after `start` up to and with `end`."""
    return range(start + 1, end + 1) if end >= start else range(start - 1, end - 1, -1)


def _into(cells: _Cells, point: Point) -> Point:
    left, top, right, bottom = cells
    return min(max(point[0], left), right), min(max(point[1], top), bottom)


def _inside(cells: _Cells, point: Point) -> bool:
    return _into(cells, point) == point


def _at_corner(cells: _Cells, point: Point) -> bool:
    left, top, right, bottom = cells
    return point[0] in (left, right) and point[1] in (top, bottom)


def _turns(path: list[Point]) -> Iterator[tuple[Point, bool]]:
    """The points of a line, and whether it goes straight through each."""
    yield path[0], False
    for before, point, after in zip(path, path[1:], path[2:], strict=False):
        yield point, before[0] == after[0] or before[1] == after[1]
    yield path[-1], False


def _clear(layout: Layout, cells: dict[str, _Cells], paths: list[list[Point]], trunks: set[str]) -> bool:
    """No line runs through a box, into a corner of one, or along that of another link but to a switch: one line is one LAN."""
    taken: dict[frozenset[Point], set[str]] = {}
    met: dict[Point, tuple[set[str], bool]] = {}
    for route, path in zip(layout.routes, paths, strict=True):
        ends = {route.link.a.node, route.link.b.node}
        if any(_inside(box, point) for name, box in cells.items() if name not in ends for point in path):
            return False
        if any(_inside(cells[name], point) for name in ends for point in path[1:-1]):
            return False
        if any(_at_corner(cells[name], point) for name in ends for point in path):
            return False
        for step in map(frozenset, pairwise(path)):
            if step in taken and not taken[step] & ends:
                return False
            taken[step] = taken.get(step, trunks) & ends
        for point, is_straight in _turns(path):
            others, were_straight = met.get(point, (trunks, True))
            if point in met and not others & ends and not (is_straight and were_straight):
                return False  # nobody sees which line goes on where
            met[point] = others & ends, is_straight and were_straight
    return True
