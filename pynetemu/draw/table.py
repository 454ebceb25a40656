"""A network with too many links for lines: each node, and whom it is linked to.

● c0    a0x0 a1x0 a2x0 a3x0
● a0x0  c0 c1 e0x0 e0x1
● e0x0  a0x0 a0x1 h0x0x0 … h0x0x1 (2 hosts)
"""

from collections.abc import Iterator
from textwrap import wrap

from pynetemu.draw.canvas import Canvas, cut
from pynetemu.draw.graph import Graph, Node
from pynetemu.draw.looks import look

_NAME_AT, _GAP = 2, 2


def table(graph: Graph, width: int) -> Canvas:
    """A canvas in which each node that has a line of its own has one, or some when the width demands it."""
    canvas = Canvas()
    nodes = [node for node in graph.nodes if node.kind != "group"]
    longest = max((len(node.name) for node in nodes), default=0)
    text_at = _NAME_AT + min(longest, width // 2) + _GAP
    y = 0
    for node in nodes:
        canvas.write(0, y, look(node.kind).mark, node.kind)
        canvas.write(_NAME_AT, y, cut(node.name, width // 2), "bold")
        lines = wrap(" ".join(_others(graph, node)), width - text_at, break_on_hyphens=False) or [""]
        for line in lines:
            canvas.write(text_at, y, line.replace("\N{NO-BREAK SPACE}", " "))
            y += 1
    return canvas


def _others(graph: Graph, node: Node) -> Iterator[str]:
    for name in graph.neighbors[node.name]:
        other = graph.node[name]
        text = f"{name} ({other.labels[0]})" if len(other.members) > 1 else name
        yield text.replace(" ", "\N{NO-BREAK SPACE}")
