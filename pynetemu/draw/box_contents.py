"""What stands in each box of a drawing, how large that makes it, and which of the possible drawings is the best."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pynetemu.draw.attach import spread
from pynetemu.draw.geometry import Box, Layout, Spacing
from pynetemu.draw.graph import Graph, Interface, Node
from pynetemu.draw.groups import group
from pynetemu.draw.layout import arrange
from pynetemu.draw.looks import is_switch, look
from pynetemu.draw.shapes import runs_across

_SPACING = Spacing(beside=26, between=52, orthogonal=False)
_PAGE = 1500, 950  # pixels: what fits is drawn in full
_FORMS = ("topbottom", 2.0), ("leftright", 2.0), ("topbottom", 0.5), ("leftright", 8.0)  # with the shape of groups
_NAME, _MONO, _MORE = 8.0, 6.7, 6.6  # pixels per character, rather too many than too few
_ICON, _PAD, _HEAD, _ROW = 22, 10, 30, 14
_GAP = 8  # between the members of a group
_SHOWN = 120  # members; more are only counted


@dataclass(frozen=True)
class BoxContents:
    """A box: its name and icon, rows of text each with its style, and for a group the boxes inside and their places."""

    kind: str
    name: str
    rows: tuple[tuple[str, str], ...] = ()
    inner: tuple["BoxContents", ...] = ()
    places: tuple[Box, ...] = ()

    @property
    def indent(self) -> float:
        return _PAD + 6 * (look(self.kind).round == 1)

    @property
    def size(self) -> tuple[float, float]:
        widths = [len(self.name) * _NAME + _ICON, *(len(text) * (_MORE if style else _MONO) for text, style in self.rows)]
        width = max([max(widths) + 2 * self.indent, *(box.x + box.width + _PAD for box in self.places)])
        height = max([_HEAD + _ROW * len(self.rows) + 4 * bool(self.rows), *(box.y + box.height + _PAD for box in self.places)])
        return width, height


@dataclass(frozen=True)
class Scene:
    """All that a drawing shows."""

    graph: Graph
    contents: dict[str, BoxContents]
    layout: Layout

    def said_at_end(self, end: Interface, neighbor: str) -> str:
        """An interface's name, where its node has more than one; the neighbor's name only where several links lead there."""
        links = self.graph.links_of[end.node]
        several = end.name != neighbor or sum(link.other(end.node) == neighbor for link in links) > 1
        return end.name if len(links) > 1 and several else ""


def scene_of(graph: Graph, wider: float = 1.0) -> Scene:
    """The whole network if it fits a page; else the smallest of the drawings with more and more leaves in groups.

    Boxes are so many times further apart than usual.
    """
    spacing = replace(_SPACING, beside=_SPACING.beside * wider, between=_SPACING.between * wider)
    scenes = []
    for shown in dict.fromkeys([graph, group(graph, 12), group(graph, 5), group(graph, 2)]):
        forms = _FORMS if shown is not graph else _FORMS[:2]
        for direction, shape in reversed(forms) if runs_across(shown) else forms:
            contents = {node.name: content_of(shown, node, shape) for node in shown.nodes}
            layout = spread(arrange(shown, {name: content.size for name, content in contents.items()}, spacing, direction))
            scenes.append(Scene(shown, contents, layout))
            if _pages(layout) <= 1:
                return scenes[-1]
    return min(scenes, key=lambda scene: _pages(scene.layout))


def _pages(layout: Layout) -> float:
    return max(layout.width / _PAGE[0], layout.height / _PAGE[1])


def content_of(graph: Graph, node: Node, shape: float) -> BoxContents:
    """What is in the box of a node or a group; a group is `shape` times as wide as high."""
    if not node.members:
        ends = [link.end(node.name) for link in graph.links_of[node.name]]
        return BoxContents(node.kind, node.name, tuple(rows_of(node, ends)))
    if len(node.members) > _SHOWN:
        return BoxContents("group", node.name, tuple((label, "more") for label in node.labels))
    inner = tuple(BoxContents(member.kind, member.name, tuple(rows_of(member, []))) for member in node.members)
    return BoxContents("group", node.labels[0] if len(inner) > 1 else node.name, (), inner, tuple(_in_rows(inner, shape)))


def rows_of(node: Node, ends: list[Interface]) -> Iterator[tuple[str, str]]:
    """What is said about a node, line by line, each with its style: its interfaces, and what runs there."""
    for end in (*node.interfaces, *ends):
        yield from ((f"{end.name} {label}".strip(), "") for label in end.labels)
        if end.name and not end.labels and not is_switch(node.kind):
            yield end.name, ""
    yield from ((label, "more") for label in node.labels)


def _in_rows(contents: tuple[BoxContents, ...], shape: float) -> Iterator[Box]:
    """The places of a group's members."""
    width, height = (max(content.size[axis] for content in contents) for axis in (0, 1))
    columns = max(1, round((len(contents) * (height + _GAP) * shape / (width + _GAP)) ** 0.5))
    for index in range(len(contents)):
        row, column = divmod(index, columns)
        yield Box(_PAD + column * (width + _GAP), _HEAD + row * (height + _GAP), width, height)
