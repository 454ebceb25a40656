"""The picture for Graphviz: `as_dot(graph)` is what `dot -Tsvg` reads."""

from collections.abc import Iterator

from pynetemu.draw.graph import Graph, Interface, Link, Node

_HEAD = """\
graph {name} {{
  graph [overlap=false, splines=true]
  node [fontname="sans-serif", fontsize=11, style="filled,rounded", fillcolor="#ffffff", color="#57606a"]
  edge [fontname="sans-serif", fontsize=9, color="#57606a"]
"""
_SHAPES = {
    "switch": 'shape=box, fillcolor="#ddf4ff", color="#0969da"',
    "hub": 'shape=box, fillcolor="#ddf4ff", color="#0969da"',
    "router": 'shape=ellipse, style=filled, fillcolor="#fff8c5", color="#9a6700"',
    "root": 'shape=box, fillcolor="#ffebe9", color="#cf222e"',
    "host": 'shape=box, fillcolor="#dafbe1", color="#1a7f37"',
}
_OTHER = 'shape=hexagon, style=filled, fillcolor="#fbefff", color="#8250df"'


def as_dot(graph: Graph) -> str:
    """All nodes and links; their layout is Graphviz's affair."""
    return _HEAD.format(name=_quoted(graph.name)) + "".join(f"  {line}\n" for line in _lines(graph)) + "}\n"


def _lines(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        yield f"{_quoted(node.name)} [{_SHAPES.get(node.kind, _OTHER)}, label={_quoted(*_text(node))}]"
    for link in graph.links:
        yield f"{_quoted(link.a.node)} -- {_quoted(link.b.node)}{_edge(link)}"


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
    return f" [{said}]" if said else ""


def _end(end: Interface, neighbour: str) -> list[str]:
    """A switch's port that is named after its neighbour says nothing new."""
    return [text for text in (end.name, *end.labels) if text and (end.labels or text != neighbour)]


def _quoted(*lines: str) -> str:
    return '"' + "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines) + '"'
