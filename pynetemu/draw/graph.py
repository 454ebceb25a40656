"""A plan as a graph: `read(plan)` is all that a picture shows, and the only place that reads operations.

An operation that is not known here changes nothing in the picture.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from pynetemu.plan.inventory import Inventory, LinkOperation, Place, ends
from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddDevice,
    AddHttpServer,
    AddMacvlan,
    AddNode,
    AddRuleset,
    AddService,
    AddTunnel,
    AddVeth,
    AddVlan,
    AddWireGuard,
    Part,
    Plan,
    SetPortVlans,
    StartSpanningTree,
    parts_of,
)
from pynetemu.plan.text import tunnel_text

_Line = LinkOperation | AddMacvlan


@dataclass(frozen=True)
class Interface:
    """One end of a link: `labels` are its addresses, and later what else is said on it, such as VLANs."""

    node: str
    name: str
    labels: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.name, *self.labels]).strip()


@dataclass(frozen=True)
class Node:
    """A box: `interfaces` are those that no drawn link ends at, `labels` what runs there, `members` who is in a group."""

    name: str
    kind: str
    interfaces: tuple[Interface, ...] = ()
    labels: tuple[str, ...] = ()
    members: tuple["Node", ...] = ()


@dataclass(frozen=True)
class Link:
    """A line between two boxes."""

    a: Interface
    b: Interface
    labels: tuple[str, ...] = ()
    is_tunnel: bool = False  # it goes by way of other links

    def end(self, node: str) -> Interface:
        """The end at a node, for a link from a node to itself the first one."""
        return self.a if self.a.node == node else self.b

    def other(self, node: str) -> str:
        return self.b.node if self.a.node == node else self.a.node


@dataclass(frozen=True)
class Graph:
    """The nodes and links of a picture, in the order of the description."""

    name: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]

    @cached_property
    def links_of(self) -> dict[str, list[Link]]:
        """For each node its links; one from a node to itself counts twice."""
        found: dict[str, list[Link]] = {node.name: [] for node in self.nodes}
        for link in self.links:
            found[link.a.node].append(link)
            found[link.b.node].append(link)
        return found

    @cached_property
    def neighbors(self) -> dict[str, list[str]]:
        """For each node the others that it is linked to, each once."""
        return {
            name: list(dict.fromkeys(other for link in links if (other := link.other(name)) != name))
            for name, links in self.links_of.items()
        }

    @cached_property
    def node(self) -> dict[str, Node]:
        """The nodes by their names."""
        return {node.name: node for node in self.nodes}


def read(
    plan: Plan, addresses: bool = True, interfaces: bool = True, notes: Mapping[Place, Iterable[str]] | None = None
) -> Graph:
    """The graph of a plan; without `addresses`, or without `interfaces` (their names), it has none to show.

    `notes` are what is said of interfaces besides.
    """
    reading = _Reading(plan, notes or {})
    return Graph(
        plan.name,
        tuple(reading.node(op, addresses, interfaces) for op in reading.nodes),
        tuple(reading.link(op, addresses, interfaces) for op in reading.links),
    )


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sorts h2 before h10."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name))


class _Reading:
    """What the operations say, by node and interface."""

    def __init__(self, plan: Plan, notes: Mapping[Place, Iterable[str]]) -> None:
        self._inventory, self._notes = Inventory(plan), notes
        self.nodes = [op for op in self._inventory.of_type(AddNode) if op.kind != "outside"]
        self.links: list[_Line] = [*self._inventory.links, *self._inventory.of_type(AddMacvlan)]
        self._linked = {end for link in self.links for end in _ends(link)}
        self._addresses: dict[str, dict[str, list[str]]] = {}
        self._labels: dict[str, list[str]] = {}
        self._vlans: dict[Place, str] = {}
        for operation in parts_of(plan):
            self._read(operation)

    def _read(self, operation: Part) -> None:
        match operation:
            case AddAddress(node=node, interface=interface, address=address):
                self._addresses.setdefault(node, {}).setdefault(interface, []).append(str(address))
            case AddHttpServer(node=node, port=port):
                self._labels.setdefault(node, []).append(f"http :{port}")
            case AddBridge(node=node) if self._inventory.is_bridge(node):
                pass
            case AddVlan() | AddDevice() | AddBridge():
                node, interface = operation.node, operation.interface
                self._addresses.setdefault(node, {}).setdefault(interface, [])
            case SetPortVlans(node=node, interface=interface):
                self._vlans[node, interface] = _vlans(operation)
            case StartSpanningTree(node=node):
                self._labels.setdefault(node, []).append("stp")
            case AddService(node=node, name=name) | AddRuleset(node=node, name=name):
                self._labels.setdefault(node, []).append(name)
            case _:
                pass

    def node(self, op: AddNode, addresses: bool, interfaces: bool) -> Node:
        lone = [name for name in self._addresses.get(op.node, ()) if (op.node, name) not in self._linked]
        shown = [self._interface(op.node, name, addresses, interfaces) for name in lone if addresses]
        return Node(op.node, op.kind, tuple(shown), tuple(self._labels.get(op.node, ())))

    def link(self, op: _Line, addresses: bool, interfaces: bool) -> Link:
        near, far = (self._interface(*end, addresses, interfaces) for end in _ends(op))
        if isinstance(op, AddMacvlan):  # its parent is drawn with the link that it is an end of
            far = Interface(op.parent_node, "")
        return Link(near, far, _said(op), not isinstance(op, AddVeth))

    def _interface(self, node: str, name: str, addresses: bool, interfaces: bool) -> Interface:
        labels = [*self._addresses.get(node, {}).get(name, ())] if addresses else []
        if vlans := self._vlans.get((node, name)):
            labels.append(vlans)
        labels += self._notes.get((node, name), ())
        return Interface(node, name if interfaces else "", tuple(labels))


def _vlans(port: SetPortVlans) -> str:
    """An access port's is "vlan 10", a trunk's "trunk 10,20-22", and with a native VLAN "vlan 1 trunk 10"."""
    access = [f"vlan {port.untagged}"] if port.untagged else []
    return " ".join([*access, *([f"trunk {_ranges(port.tagged)}"] if port.tagged else [])])


def _ranges(numbers: Iterable[int]) -> str:
    """Numbers as people write them: _ranges([10, 20, 21, 22]) is 10,20-22."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _ends(op: _Line) -> tuple[Place, Place]:
    if isinstance(op, AddMacvlan):
        return (op.node, op.interface), (op.parent_node, op.parent)
    return ends(op)


def _said(op: _Line) -> tuple[str, ...]:
    """What is said of a link as a whole."""
    if isinstance(op, AddTunnel | AddWireGuard):
        return (tunnel_text(op),)
    if isinstance(op, AddMacvlan):
        return ("macvlan",)
    return (f"mtu {op.mtu}",) if op.mtu else ()
