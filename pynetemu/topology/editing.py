"""Descriptions made of others: with more parts, without some, with a link plugged in elsewhere. The others stay as they are.

more = with_parts(Star(n=2), "h3", Host(), Link("h3", "s1"))        nodes by their names, or new ones themselves
less = without(more, "h1")                                        with its links and services
moved = replugged(more, "h2", "s1", "s2")
"""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from pynetemu.errors import LabError, UsageError
from pynetemu.topology.data import NoDataError, from_data, to_data
from pynetemu.topology.description import users_attributes
from pynetemu.topology.devices import Device
from pynetemu.topology.links import Link
from pynetemu.topology.nodes import Interface, Node
from pynetemu.topology.part import Part, quoted
from pynetemu.topology.topology import BELONGINGS, Topology, all_parts
from pynetemu.wording import near_or_all

_REFERENCES = "a", "b", "node", "parent", "bridge", "outside"  # attributes of parts that are other parts


def with_parts(topology: Topology, *arguments: Any) -> Topology:
    """The same with more parts, each node after its name; their ends may be names, or parts that were added before.

    The parts are copied, so that what was added in vain can be added again. Raises UsageError and LabError.
    """
    new = _with_own_list(topology)
    nodes = _nodes(new)
    given = _named(arguments, nodes)
    known = _known([part for _, part in given], nodes)
    for name, part in deepcopy(given, known):
        _look_up(part, nodes)
        try:
            new.add(name, part) if name else new.add(part)
        except (TypeError, ValueError) as error:
            raise UsageError(str(error)) from None
        for end in part.declaration.belongings:
            _look_up(end, nodes)
        for end in (part.a, part.b) if isinstance(part, Link) else ():
            if isinstance(end, Interface) and end.node in nodes.values() and not end.declaration.registered:
                new.add(end)
        if isinstance(part, Node):
            nodes[part.declaration.full_name] = part
    return new


def without(topology: Topology, *names: str) -> Topology:
    """The same without nodes, and what is at them; "h1-s1" are the links between two. Raises LabError."""
    new = _with_own_list(topology)
    doomed: set[int] = set()
    for name in names:
        doomed |= {id(part) for part in _called(name, new)}
    drop_with_all(new, doomed)
    return new


def drop_with_all(topology: Topology, doomed: set[int]) -> None:
    """Takes parts, by their ids, out of a topology, with all that is at them."""
    parts = all_parts(topology)
    about = [(id(part), refers) for part in parts if not isinstance(part, Node) and (refers := _referred(part))]
    links = [part for part in parts if isinstance(part, Link)]
    while more := {part for part, refers in about if not doomed.isdisjoint(refers)} - doomed | _ends(links, doomed):
        doomed |= more
    _drop(topology, doomed)


def replugged(topology: Topology, node: str, old: str, to: str) -> Topology:
    """The same with the link between a node and another one plugged in at a third; the node's end stays. Raises LabError."""
    new = _copied(topology)
    nodes = _nodes(new)
    links = _links_between(new, node, old)
    if len(links) != 1:
        raise LabError(f"there are {len(links)} links between {node} and {old}, and one is to be plugged in elsewhere")
    _node(to, nodes)
    side = "a" if _node_of(links[0].a) is nodes[old] else "b"
    gone = getattr(links[0], side)
    setattr(links[0], side, nodes[to])
    _drop(new, {id(gone)} if isinstance(gone, Interface) else set())
    return new


def _with_own_list(topology: Topology) -> Topology:
    """The same parts, which stay as they are, to be listed otherwise. Only where somebody else has lists of them they are
    copied: a topology in it, a node that is still described, the user's attributes."""
    is_listed_elsewhere = topology._inner or any(map(BELONGINGS, topology._parts))
    if is_listed_elsewhere or users_attributes(topology):
        return _copied(topology)
    new: Topology = object.__new__(type(topology))
    vars(new).update(vars(topology), _parts=topology._parts.copy(), _inner=[])
    return new


def _copied(topology: Topology) -> Topology:
    """Its own copy, as data makes it where that is possible: ten times as fast as `deepcopy`, which copies each value."""
    try:
        return from_data(to_data(topology))
    except NoDataError:
        return deepcopy(topology)


def _named(arguments: tuple[Any, ...], nodes: dict[str, Node]) -> list[tuple[str, Part]]:
    """The parts, those after a name with it; they have it from now on. Raises UsageError and LabError."""
    given = []
    waiting = iter(arguments)
    for argument in waiting:
        name = argument if isinstance(argument, str) else ""
        part = next(waiting, None) if name else argument
        if not isinstance(part, Part):
            hint = 'a name and a node, or another part: add("h3", Host(), Link("h3", "s1"))'
            raise UsageError(f"add: {quoted(part if part is not None else name)} is not a part\n    hint: {hint}")
        if name and name in nodes:
            raise LabError(f"there is a node {name!r} already")
        if name and not part.declaration.registered:
            within, dot, own = name.rpartition(".")
            part.declaration.within, part.declaration.name = within + dot, own
        given.append((name, part))
    return given


def _known(given: list[Part], nodes: dict[str, Node]) -> dict[int, Any]:
    """The topology's nodes by the ids of the user's, from which they were copied: what `deepcopy` does not copy again."""
    ends = [_node_of(vars(part).get(reference)) for part in given for reference in _REFERENCES]
    known: dict[int, Any] = {}
    for node in ends:
        own = nodes.get(node.declaration.full_name) if isinstance(node, Node) and node not in given else None
        if own is not None and _place(own) == _place(node):
            known[id(node)] = own
    return known


def _look_up(part: Part, nodes: dict[str, Node]) -> None:
    """Puts nodes in the place of their names."""
    for reference in _REFERENCES:
        value = vars(part).get(reference)
        if isinstance(value, str):
            setattr(part, reference, _node(value, nodes))


def _place(part: Any) -> tuple[str, int]:
    return part.declaration.file, part.declaration.line


def _node(name: str, nodes: dict[str, Node]) -> Node:
    if name not in nodes:
        raise LabError(f"there is no node {name!r}; {near_or_all(name, nodes)}")
    return nodes[name]


def _nodes(topology: Topology) -> dict[str, Node]:
    return {part.declaration.full_name: part for part in all_parts(topology) if isinstance(part, Node)}


def _called(name: str, topology: Topology) -> Iterable[Part]:
    nodes = _nodes(topology)
    if name in nodes:
        return [nodes[name]]
    for place, letter in enumerate(name):
        if letter == "-" and name[:place] in nodes and name[place + 1 :] in nodes:
            if links := _links_between(topology, name[:place], name[place + 1 :]):
                return links
            raise LabError(f"no link is between {name[:place]} and {name[place + 1 :]}")
    named = [part for part in all_parts(topology) if part.declaration.full_name == name]
    if not named:
        raise LabError(f"there is no node {name!r}; {near_or_all(name, nodes)}")
    return named


def _links_between(topology: Topology, a: str, b: str) -> list[Link]:
    nodes = _nodes(topology)
    ends = {id(_node(name, nodes)) for name in (a, b)}
    links = (part for part in all_parts(topology) if isinstance(part, Link))
    return [link for link in links if {id(_node_of(link.a)), id(_node_of(link.b))} == ends]


def _node_of(end: object) -> object:
    return end.node if isinstance(end, Interface) else end


def _referred(part: Part) -> list[int]:
    """The ids of the parts that a part refers to."""
    own = vars(part)
    if type(part) is Link:
        return [id(own.get("a")), id(own.get("b"))]
    return [id(own[name]) for name in _REFERENCES if name in own]


def _ends(parts: Iterable[Link], doomed: set[int]) -> set[int]:
    """The ends of links that go: an interface is one end of a link, but for a bridge, which has a port there."""
    links = [link for link in parts if id(link) in doomed]
    ends = {id(end) for link in links for end in (link.a, link.b) if isinstance(end, Interface) and not isinstance(end, Device)}
    return ends - doomed


def _drop(topology: Topology, doomed: set[int]) -> None:
    """Takes parts out of a topology, of those in it, and of what belongs to nodes."""
    topology._parts[:] = [part for part in topology._parts if id(part) not in doomed]
    for belongings in filter(None, map(BELONGINGS, topology._parts)):
        belongings[:] = [belonging for belonging in belongings if id(belonging) not in doomed]
    for inner in topology._inner:
        _drop(inner, doomed)
