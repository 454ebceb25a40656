"""Nodes that hang on the same neighbour, drawn as one box: h1 … h50 on s1."""

from collections.abc import Iterator
from dataclasses import replace

from pynetemu.draw.graph import Graph, Interface, Link, Node


def group(graph: Graph, at_least: int) -> Graph:
    """The same picture with a box for each `at_least` or more nodes of a kind that have one link, to the same neighbour.

    A box's `members` are the nodes in it, each with the interface of its link.
    """
    nodes: dict[str, Node] = {node.name: node for node in graph.nodes}
    links: dict[int, Link] = {id(link): link for link in graph.links}
    for hub, members in _families(graph):
        if len(members) < at_least:
            continue
        ours = [graph.links_of[member.name][0] for member in members]
        inside = tuple(replace(one, interfaces=(link.end(one.name),)) for one, link in zip(members, ours, strict=True))
        box = Node(name_of(members), "group", labels=tuple(_summary(inside)), members=inside)
        for member in members:
            nodes[member.name] = box
        for link in ours:
            links[id(link)] = Link(Interface(hub, ""), Interface(box.name, ""))
    return Graph(graph.name, tuple(dict.fromkeys(nodes.values())), tuple(dict.fromkeys(links.values())))


def _plural(kind: str) -> str:
    return f"{kind}es" if kind.endswith("ch") else f"{kind}s"


def name_of(members: tuple[Node, ...]) -> str:
    names = [node.name for node in members]
    return ", ".join(names) if len(names) <= 2 else f"{names[0]} … {names[-1]}"


def is_leaf(graph: Graph, node: Node) -> bool:
    """A node at the end of a single link whose neighbour has others."""
    neighbours = graph.neighbours[node.name]
    return len(graph.links_of[node.name]) == 1 and len(neighbours) == 1 and len(graph.neighbours[neighbours[0]]) > 1


def _families(graph: Graph) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """Leaves by neighbour, kind and what runs there."""
    found: dict[tuple[str, str, tuple[str, ...]], list[Node]] = {}
    for node in graph.nodes:
        if is_leaf(graph, node) and not node.interfaces:
            found.setdefault((graph.neighbours[node.name][0], node.kind, node.labels), []).append(node)
    for (hub, *_), members in found.items():
        yield hub, tuple(members)


def _summary(members: tuple[Node, ...]) -> Iterator[str]:
    if len(members) > 1:
        yield f"{len(members)} {_plural(members[0].kind)}"
    firsts, lasts = (node.interfaces[0].labels for node in (members[0], members[-1]))
    yield from (first if first == last else f"{first} … {last}" for first, last in zip(firsts, lasts, strict=False))
    yield from members[0].labels
