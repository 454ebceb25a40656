"""The picture for Mermaid, which GitHub, GitLab and many editors draw in Markdown: `as_mermaid(graph)`."""

from collections.abc import Iterator

from pynetemu.draw.graph import Graph, Node
from pynetemu.draw.looks import look
from pynetemu.safe_text import in_mermaid


def as_mermaid(graph: Graph) -> str:
    """All nodes and links as a flow chart; its layout is Mermaid's affair."""
    return "".join(f"{line}\n" for line in _lines(graph))


def _lines(graph: Graph) -> Iterator[str]:
    yield "graph TD"
    ids = {node.name: f"n{index}" for index, node in enumerate(graph.nodes)}  # names may be words of the language
    kinds = {kind: f"kind{index}" for index, kind in enumerate(dict.fromkeys(node.kind for node in graph.nodes))}
    for node in graph.nodes:
        left, right = look(node.kind).mermaid
        yield f'    {ids[node.name]}{left}"{_escaped(*_text(graph, node))}"{right}:::{kinds[node.kind]}'
    for link in graph.links:
        label = f'|"{_escaped(*link.labels)}"|' if link.labels else ""
        yield f"    {ids[link.a.node]} {'-.-' if link.is_tunnel else '---'}{label} {ids[link.b.node]}"
    for kind, name in kinds.items():
        inside, border = look(kind).light
        yield f"    classDef {name} fill:{inside},stroke:{border},color:#1f2328"


def _text(graph: Graph, node: Node) -> Iterator[str]:
    """Mermaid has no labels at the ends of a line, so that interfaces with addresses stand in their node."""
    yield node.name
    ends = (link.end(node.name) for link in graph.links_of[node.name])
    yield from (str(end) for end in (*node.interfaces, *ends) if end.labels)
    yield from node.labels


def _escaped(*lines: str) -> str:
    return "<br/>".join(map(in_mermaid, lines))
