"""The picture in the terminal: `as_picture(plan, width=80)`."""

from contextlib import suppress

from pynetemu.draw.boxes import boxes
from pynetemu.draw.canvas import Canvas, cut
from pynetemu.draw.graph import Graph, read
from pynetemu.draw.groups import group
from pynetemu.draw.listing import draw, lines_beside, listing
from pynetemu.draw.looks import look
from pynetemu.draw.table import table
from pynetemu.errors import DrawError
from pynetemu.plan.operations import Plan
from pynetemu.wording import counted

_FEW = 20  # nodes; more are too many for boxes
_HEIGHT = 26  # rows; boxes that need more are less clear than lines
_MANY = 30  # nodes; from here on leaves of the same neighbor share a line
_LINES = 6  # side by side; more are too many for the eye
_WORDS = {"root": "the lab's machine", "group": ""}


def as_picture(plan: Plan, width: int = 80, ascii: bool = False, color: bool = False) -> str:
    """The network as lines of text no wider than `width`: print(as_picture(compile_plan(Star(n=3))))"""
    return picture(read(plan), width, ascii, color)


def picture(graph: Graph, width: int, ascii: bool, color: bool) -> str:
    """The lab drawn with letters for a terminal of so many columns; with boxes that are plus and minus signs if `ascii`."""
    canvas = Canvas()
    canvas.write(0, 0, cut(heading(graph), width), "bold")
    canvas.place(0, 2, _body(graph, width))
    return canvas.as_text(ascii, color)


def _body(graph: Graph, width: int) -> Canvas:
    if len(graph.nodes) <= _FEW:
        with suppress(DrawError):  # without the layout library
            if picture := boxes(graph, width, _HEIGHT):
                return picture
    rows = listing(group(graph, 3) if len(graph.nodes) > _MANY else graph)
    if lines_beside(rows) <= min(_LINES, width // 4):
        return draw(rows, width)
    return table(group(graph, 1), width)


def heading(graph: Graph) -> str:
    """One line: "Star: 4 nodes, 3 links    ● switch  ○ host"."""
    kinds = dict.fromkeys(node.kind for node in graph.nodes)
    legend = "  ".join(f"{look(kind).mark} {_WORDS.get(kind, kind)}" for kind in kinds)
    return f"{graph.name}: {counted(len(graph.nodes), 'node')}, {counted(len(graph.links), 'link')}    {legend}"
