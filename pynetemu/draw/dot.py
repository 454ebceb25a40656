"""The picture for Graphviz: `as_dot(graph)` is what `dot -Tsvg` reads."""

from collections.abc import Iterator

from pynetemu.draw.graph import Graph, Interface, Link, Node
from pynetemu.draw.looks import look
from pynetemu.safe_text import printable

_HEAD = """\
graph {name} {{
  graph [overlap=false, splines=true]
  node [fontname="sans-serif", fontsize=11]
  edge [fontname="sans-serif", fontsize=9, color="#57606a"]
"""


def as_dot(graph: Graph) -> str:
    """All nodes and links; their layout is Graphviz's affair."""
    return _HEAD.format(name=_quoted(graph.name)) + "".join(f"  {line}\n" for line in _lines(graph)) + "}\n"


def _lines(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        yield f"{_quoted(node.name)} [{_style(node.kind)}, label={_quoted(*_text(node))}]"
    for link in graph.links:
        yield f"{_quoted(link.a.node)} -- {_quoted(link.b.node)}{_edge(link)}"


def _style(kind: str) -> str:
    inside, border = look(kind).light
    style = 'style="filled,rounded"' if look(kind).dot == "box" else "style=filled"
    return f'shape={look(kind).dot}, {style}, fillcolor="{inside}", color="{border}"'


def _text(node: Node) -> Iterator[str]:
    yield node.name
    yield from map(str, node.interfaces)
    yield from node.labels


def _edge(link: Link) -> str:
    labels = {
        "taillabel": _end(link.a, link.b.node),
        "headlabel": _end(link.b, link.a.node),
        "label": list(link.labels),
    }
    said = ", ".join(f"{key}={_quoted(*lines)}" for key, lines in labels.items() if lines)
    style = ["style=dashed"] if link.is_tunnel else []
    words = [*style, *([said] if said else [])]
    return f" [{', '.join(words)}]" if words else ""


def _end(end: Interface, neighbor: str) -> list[str]:
    """A switch's port that is named after its neighbor says nothing new."""
    return [text for text in (end.name, *end.labels) if text and (end.labels or text != neighbor)]


def _quoted(*lines: str) -> str:
    return '"' + "\\n".join(printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines) + '"'
