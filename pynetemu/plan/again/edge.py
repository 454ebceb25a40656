"""The hosts at the edge of a network, by what the others see of them: of those that are alike one stands for all."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from pynetemu.frozen import fresh, record, replaced
from pynetemu.plan.again.said import Said, nodes_of
from pynetemu.plan.emit import Owner
from pynetemu.plan.inventory import Place
from pynetemu.plan.operations import AddAddress, Address, AddVeth, Part
from pynetemu.plan.table import Change, OperationTable
from pynetemu.topology.description import Description
from pynetemu.topology.links import Link
from pynetemu.topology.memo import cannot_change
from pynetemu.topology.nodes import Host, Interface, Node
from pynetemu.topology.part import Part as DescribedPart
from pynetemu.topology.switches import Port, Switch

_OF_HOSTS = {"declaration", "auto_routes", "multipath"}  # what one at the edge may say
_OF_LINKS = {"declaration", "a", "b", "cost", "mtu"}
_OWN = {"declaration", "a", "b", "node", "name", "mac", "addresses"}  # what may differ among those that are alike
Look = tuple[object, ...]  # what is seen of a host


class Taken:
    """Whose the names of interfaces, the addresses and the MAC addresses of a plan are."""

    def __init__(self) -> None:
        self.interfaces: dict[Place, Owner] = {}
        self.addresses: dict[Address, Owner] = {}
        self.macs: dict[str, Owner] = {}

    def add(self, owner: Owner, operations: Iterable[Part]) -> None:
        """What these operations take."""
        for op in operations:
            if isinstance(op, AddVeth):
                self.interfaces[op.node, op.interface] = self.interfaces[op.peer_node, op.peer_interface] = owner
                self.macs[op.mac] = self.macs[op.peer_mac] = owner
            elif isinstance(op, AddAddress):
                self.addresses[op.address.ip] = owner

    def drop(self, operations: Iterable[Part]) -> None:
        """What these operations took is free."""
        for op in operations:
            if isinstance(op, AddVeth):
                for place, mac in ((op.node, op.interface), op.mac), ((op.peer_node, op.peer_interface), op.peer_mac):
                    self.interfaces.pop(place, None)
                    self.macs.pop(mac, None)
            elif isinstance(op, AddAddress):
                self.addresses.pop(op.address.ip, None)


@record
class _Leaf:
    """A host at the edge: how it looks, and the ids of the parts and the owners of operations that go with it."""

    look: Look
    parts: tuple[int, ...]
    owners: tuple[Owner, ...]


@record
class Selection:
    """What is compiled of a description: all but those `omitted`, for whom some of the others stand, by their `weights`.

    All of these are ids of nodes, `new` those of all parts that are described anew. `theirs` are the owners of the operations
    of those omitted, `ours` of the others and of what has gone, `standing` of those that stand.
    """

    said: Said
    description: Description
    touched: set[int]
    new: set[int]
    weights: dict[int, int]
    omitted: set[int]
    theirs: set[Owner]
    ours: set[Owner]
    standing: set[Owner]
    names: dict[str, int]
    taken: Taken


@record
class Edge:
    """The leaves by their ids, and by their looks in the order of the description; `leaf_of` the parts and owners that go with
    one. `names` are those of all nodes in small letters."""

    leaves: dict[int, _Leaf] = fresh(factory=dict)
    alike: dict[Look, dict[int, None]] = fresh(factory=dict)
    leaf_of: dict[Any, int] = fresh(factory=dict)
    names: dict[str, int] = fresh(factory=dict)
    taken: Taken = fresh(factory=Taken)

    @classmethod
    def of(cls, said: Said, table: OperationTable) -> "Edge":
        """Of a whole description, and of the plan that was made of it."""
        edge = cls()
        for row in table.owned():
            for owner, operations in row.items():
                edge.taken.add(owner, operations)
        edge._note(said, table, said.description.nodes, said.description.links)
        return edge

    def selection(self, said: Said, before: Said) -> Selection | None:
        """What is to be compiled when this is said instead of what was said before; None where that is most."""
        touched = said.touched(before)
        weights: dict[int, int] = {}
        omitted: set[int] = set()
        for members in self.alike.values():
            first, *others = [key for key in members if key not in touched] or [0]
            if others:
                weights[first] = 1 + len(others)
                omitted.update(others)
        whole = said.description
        if 2 * len(omitted) < len(whole.nodes):
            return None
        leaf_of, leaves = self.leaf_of, self.leaves
        description = replaced(
            whole,
            nodes=tuple(node for node in whole.nodes if id(node) not in omitted),
            links=tuple(link for link in whole.links if leaf_of.get(id(link)) not in omitted),
            interfaces=tuple(part for part in whole.interfaces if leaf_of.get(id(part)) not in omitted),
        )
        theirs = {owner for key in omitted for owner in leaves[key].owners}
        standing = {owner for key in weights for owner in leaves[key].owners}
        ours = _owners((*description.nodes, *description.links, *said.gone(before)))
        new = {id(part) for part in said.differing(before)}
        return Selection(said, description, touched, new, weights, omitted, theirs, ours, standing, self.names, self.taken)

    def become(self, selection: Selection, changes: list[Change], table: OperationTable) -> None:
        """A plan has become another: from now on this is of that."""
        for _, old, _ in changes:
            self.taken.drop(old)
        for owner, _, new in changes:
            self.taken.add(owner, new)
        owners = {owner for owner, _, _ in changes}
        again = selection.touched | {self.leaf_of[owner] for owner in owners if owner in self.leaf_of}
        nodes = [node for node in selection.said.description.nodes if id(node) in again]
        links = self._links(selection, nodes)
        self._forget(again)
        self._note(selection.said, table, nodes, links)

    def _links(self, selection: Selection, nodes: list[Node]) -> Sequence[Link]:
        """Those among which the links of nodes are: of one that was at the edge its own, of one that is new what is new."""
        description = selection.said.description
        known = {part for node in nodes if (leaf := self.leaves.get(id(node))) for part in leaf.parts}
        others = [node for node in nodes if type(node) is Host and id(node) not in self.leaves]
        if any(id(node) not in selection.new for node in others):
            return description.links
        return [link for link in description.links if id(link) in known or id(link) in selection.new]

    def _forget(self, nodes: set[int]) -> None:
        for key in nodes:
            if (leaf := self.leaves.pop(key, None)) is not None:
                del self.alike[leaf.look][key]
                if not self.alike[leaf.look]:
                    del self.alike[leaf.look]
                for part in (*leaf.parts, *leaf.owners):
                    self.leaf_of.pop(part, None)
        for name in [name for name, key in self.names.items() if key in nodes]:
            del self.names[name]

    def _note(self, said: Said, table: OperationTable, nodes: Iterable[Node], links: Iterable[Link]) -> None:
        """Takes the nodes that are at the edge, whose links are among these."""
        description = said.description
        wanted = {id(node): node for node in nodes}
        self.names.update((node.declaration.full_name.lower(), key) for key, node in wanted.items())
        at: dict[int, list[Link]] = {}
        for link in links:
            for key in {id(_node_of(link.a)), id(_node_of(link.b))} & wanted.keys():
                at.setdefault(key, []).append(link)
        busy = _busy(said)
        rows = table.rows_of(AddAddress)
        grown: set[Look] = set()
        for key, node in wanted.items():
            if key in busy or type(node) is not Host or not vars(node).keys() <= _OF_HOSTS:
                continue
            if (leaf := _leaf(node, at.get(key, []), rows)) is not None:
                self.leaves[key] = leaf
                self.leaf_of.update(dict.fromkeys((*leaf.parts, *leaf.owners), key))
                grown.add(leaf.look)
                self.alike.setdefault(leaf.look, {})[key] = None
        if grown and [*wanted] != [*map(id, description.nodes[-len(wanted) :])]:
            places = {id(node): place for place, node in enumerate(description.nodes)}
            for look in grown:
                self.alike[look] = dict.fromkeys(sorted(self.alike[look], key=places.__getitem__))


def _owners(parts: Iterable[DescribedPart]) -> set[Owner]:
    """Of the operations of nodes and links, the root's own outside with it."""
    names = {part.declaration.full_name for part in parts if isinstance(part, Node)}
    return {*names, "outside", *(id(part.declaration) for part in parts)}


def _leaf(node: Host, links: list[Link], rows: list[dict[Owner, tuple[Part, ...]]]) -> _Leaf | None:
    look: list[object] = [_sayings(node)]
    parts: list[int] = []
    name = node.declaration.full_name
    for link in links:
        near, far = (link.a, link.b) if _node_of(link.a) is node else (link.b, link.a)
        peer = _node_of(far)
        if type(link) is not Link or not vars(link).keys() <= _OF_LINKS or not isinstance(peer, Switch):
            return None
        if type(near) not in (Host, Interface) or not (isinstance(far, Switch) or type(far) in (Interface, Port)):
            return None
        if not all(cannot_change(value) for part in (node, link, near, far) for value in vars(part).values()):
            return None
        given = len(near.addresses) if isinstance(near, Interface) else 0
        own = [op for row in rows for op in row.get(id(link.declaration), ()) if isinstance(op, AddAddress) and op.node == name]
        look += [id(peer), _sayings(link), _sayings(near), _sayings(far), given, *(op.address.network for op in own)]
        parts += [id(part) for part in (link, near, far) if not isinstance(part, Node)]
    if not links:
        return None
    return _Leaf(tuple(look), tuple(parts), (name, *(id(link.declaration) for link in links)))


def _sayings(part: DescribedPart) -> tuple[tuple[str, object], ...]:
    """What a host, link or interface says of itself that others may see; nothing of the node that stands for an interface."""
    if isinstance(part, Node) and not isinstance(part, Host):
        return ()
    return tuple((name, (type(value), value)) for name, value in vars(part).items() if name not in _OWN)


def _node_of(end: object) -> object:
    return getattr(end, "node", None) if isinstance(end, Interface) else end


def _busy(said: Said) -> set[int]:
    """The ids of nodes at which there is more than hosts at the edge have, or which other parts speak of."""
    description = said.description
    links = [link for link in description.links if type(link) is not Link]
    others = [part for part in said.interfaces if type(part) not in (Interface, Port)]
    parts = (*description.services, *description.filters, *links, *others)
    return {id(node) for part in parts for node in nodes_of(part)}


class Theirs(Container[object]):
    """What some have, of a table of what is whose."""

    def __init__(self, table: Mapping[Any, Any], owners: Container[Any]) -> None:
        self._table, self._owners = table, owners

    def __contains__(self, thing: object) -> bool:
        return self._table.get(thing) in self._owners
