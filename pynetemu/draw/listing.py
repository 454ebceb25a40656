"""A network of any size and shape as a list of its nodes, with the links as lines at its left.

    ● s1
    ├─○ h1       eth0 10.0.0.1/24
    ├─● s2
    │ ├─○ h2     eth0 10.0.0.2/24
    │ ● s3
    │ └─○ h3     eth0 10.0.0.3/24
    └─● s4

Each node that is linked to later ones has a line of its own that goes down from its mark; theirs join it from the right.
"""

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from pynetemu.draw.canvas import Canvas, cut
from pynetemu.draw.graph import Graph, Node
from pynetemu.draw.looks import is_switch, look

_GAP = 2


@dataclass(frozen=True)
class Row:
    """A node in the list: the `column` of its mark, and the columns of the lines that end there or go on."""

    node: Node
    text: str
    column: int
    joined: tuple[int, ...]
    passing: tuple[int, ...]

    @property
    def right(self) -> int:
        """The last column, of a mark or a line."""
        return max((self.column, *self.passing, *self.joined))


def listing(graph: Graph) -> list[Row]:
    """The rows of the list, for `lines_beside` and `draw`."""
    order = _order(graph)
    place = {name: y for y, name in enumerate(order)}
    last = {name: max((place[other] for other in others), default=-1) for name, others in graph.neighbors.items()}
    open_lines: dict[str, int] = {}
    rows: list[Row] = []
    seen: set[str] = set()
    for y, name in enumerate(order):
        joined = [other for other in open_lines if other in graph.neighbors[name]]
        passing = {other: column for other, column in open_lines.items() if last[other] > y}
        ending = [other for other in joined if last[other] == y < last[name] and _goes_straight_on(graph, other, place)]
        column = _column(ending, open_lines)
        text = _details(graph, graph.node[name], seen)
        straight = [f"to {other}" for other in joined if open_lines[other] == column]  # whose line has no branch here
        text = "   ".join([*([text] if text else []), *(word for word in straight if word not in text)])
        rows.append(Row(graph.node[name], text, column, tuple(open_lines[o] for o in joined), tuple(passing.values())))
        open_lines = passing
        seen.add(name)
        if last[name] > y:
            open_lines[name] = column
    return rows


def lines_beside(rows: list[Row]) -> int:
    """How many lines there are side by side, at most."""
    return max((row.right for row in rows), default=0)


def draw(rows: list[Row], width: int) -> Canvas:
    """A canvas as high as there are rows; details that do not fit the width are cut off."""
    canvas = Canvas()
    text_at = max((2 * row.right + 2 + len(row.node.name) for row in rows), default=0) + _GAP
    for y, row in enumerate(rows):
        _draw(canvas, row, y)
        name_at = 2 * row.right + 2
        canvas.write(name_at, y, cut(row.node.name, width - name_at), "bold")
        canvas.write(text_at, y, cut(row.text, width - text_at))
    return canvas


def _details(graph: Graph, node: Node, above: Container[str]) -> str:
    """What is said about a node and its links to those above: of a host h1, "eth0 10.0.0.1/24"."""
    ends = [link.end(node.name) for link in graph.links_of[node.name]]
    interfaces = [str(end) for end in (*node.interfaces, *ends) if end.labels or not is_switch(node.kind)]
    return "   ".join(text for text in (*interfaces, *node.labels, *_links(graph, node, above)) if text)


def _links(graph: Graph, node: Node, above: Container[str]) -> Iterator[str]:
    """What is said of links, and the neighbors to which there is more than one."""
    links = graph.links_of[node.name]
    for link in links:
        if link.labels and link.other(node.name) in above:
            yield " ".join([*link.labels, *([f"to {link.other(node.name)}"] if len(links) > 1 else [])])
    counts = Counter(link.other(node.name) for link in links)
    yield from (f"{count} links to {name}" for name, count in counts.items() if count > 1)


def _draw(canvas: Canvas, row: Row, y: int) -> None:
    at = 2 * row.column
    for column in row.joined:
        canvas.line([(2 * column, y - 1), (2 * column, y)])
        if column != row.column:
            canvas.line([(2 * column, y), (at, y)])
    for column in row.passing:
        canvas.line([(2 * column, y - 1), (2 * column, y)])
    left = min(row.joined, default=row.column)
    for column in row.passing:
        if left < column < row.column and column not in row.joined:
            canvas.bridge(2 * column, y)
    canvas.write(at, y, look(row.node.kind).mark, row.node.kind)


def _column(ending: list[str], open_lines: dict[str, int]) -> int:
    """A chain goes straight down, on the line that ends here; all else stands to the right of all lines."""
    free = 1 + max(open_lines.values(), default=-1)
    column = max((open_lines[other] for other in ending), default=free)
    return column if column == free - 1 else free


def _goes_straight_on(graph: Graph, name: str, place: Mapping[str, int]) -> bool:
    """Whether only one of the neighbors below a node has further ones, as in a chain."""
    below = [other for other in graph.neighbors[name] if place[other] > place[name]]
    return sum(len(graph.neighbors[other]) > 1 for other in below) == 1


def _order(graph: Graph) -> list[str]:
    """Depth first, each node's leaves before its other neighbors, from the first node that is no leaf."""
    seen: dict[str, None] = {}
    starts = sorted(graph.neighbors, key=lambda name: len(graph.neighbors[name]) == 1)
    for start in starts:
        waiting = [start]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen[name] = None
                others = sorted(graph.neighbors[name], key=lambda other: len(graph.neighbors[other]) > 1)
                waiting += [other for other in reversed(others) if other not in seen]
    return list(seen)
