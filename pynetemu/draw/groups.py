"""Nodes that hang on the same neighbor, drawn as one box: h1 … h50 on s1."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pynetemu.draw.graph import Graph, Interface, Link, Node


def group(graph: Graph, at_least: int) -> Graph:
    """The same picture with a box for each `at_least` or more nodes of a kind that have one link, to the same neighbor.

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
            del links[id(link)]
        links[id(ours[0])] = Link(Interface(hub, ""), Interface(box.name, ""), ours[0].labels)
    return Graph(graph.name, _each_once(nodes.values()), tuple(links.values()))


def _each_once(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """By identity: to compare groups of a thousand members would take seconds."""
    return tuple({id(node): node for node in nodes}.values())


def _plural(kind: str) -> str:
    return f"{kind}es" if kind.endswith("ch") else f"{kind}s"


def name_of(members: tuple[Node, ...]) -> str:
    names = [node.name for node in members]
    return ", ".join(names) if len(names) <= 2 else f"{names[0]} … {names[-1]}"


def is_leaf(graph: Graph, node: Node) -> bool:
    """A node at the end of a single link whose neighbor has others."""
    neighbors = graph.neighbors[node.name]
    return len(graph.links_of[node.name]) == 1 and len(neighbors) == 1 and len(graph.neighbors[neighbors[0]]) > 1


def _families(graph: Graph) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """Leaves by neighbor, kind, and what is said of them and of their links."""
    found: dict[tuple[object, ...], list[Node]] = {}
    for node in graph.nodes:
        if is_leaf(graph, node) and not node.interfaces:
            key = graph.neighbors[node.name][0], node.kind, node.labels, graph.links_of[node.name][0].labels
            found.setdefault(key, []).append(node)
    for members in found.values():
        yield graph.neighbors[members[0].name][0], tuple(members)


def _summary(members: tuple[Node, ...]) -> Iterator[str]:
    if len(members) > 1:
        yield f"{len(members)} {_plural(members[0].kind)}"
    firsts, lasts = (node.interfaces[0].labels for node in (members[0], members[-1]))
    yield from (first if first == last else f"{first} … {last}" for first, last in zip(firsts, lasts, strict=False))
    yield from members[0].labels
