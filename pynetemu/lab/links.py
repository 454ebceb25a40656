"""The links of a running network as they are now: what they join, whether they are up; taking them down, and up again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetemu.engine.protocol.requests import Place as InterfacePlace
from pynetemu.engine.protocol.requests import ReadIndexes, SwitchInterfaces
from pynetemu.errors import LabError
from pynetemu.lab.state import InterfaceState
from pynetemu.plan.inventory import Place, ends
from pynetemu.plan.operations import AddVeth
from pynetemu.wording import near_or_all

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab


@dataclass(frozen=True, slots=True)
class LinkState:
    """A link between two interfaces, with the names that these have now; `is_up` when both ends are up and carry."""

    node: str
    interface: str
    peer_node: str
    peer_interface: str
    is_up: bool

    @property
    def ends(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Both ends, each (node, interface)."""
        return (self.node, self.interface), (self.peer_node, self.peer_interface)

    def joins(self, a: str, b: str) -> bool:
        """Whether it is between these nodes or interfaces, each NODE or NODE:INTERFACE."""
        (first, second) = ({node, f"{node}:{interface}"} for node, interface in self.ends)
        return (a in first and b in second) or (a in second and b in first)


def links(lab: "Lab", *nodes: str) -> list[LinkState]:
    """The links between some nodes, or all: those of the description, in its order, and those that users have made.

    Veth pairs are told by the kernel, whatever their ends are called now. The ends of a tunnel do not know each other: it is a
    link while both of the description's interfaces are there, renamed or not.
    """
    found = [i for i in lab.state(*nodes, tables=("links",)).interfaces if i.name != "lo"]
    states = {(i.node, i.name): i for i in found}
    pairs = {place: i.peer for place, i in states.items() if i.peer in states and is_of_lab(lab, i)}
    planned, tunnels = _planned(lab, found)
    order = {place: number for number, place in enumerate(planned)}
    ways = [*tunnels, *pairs.items()]
    ways.sort(key=lambda way: min(order.get(end, len(order)) for end in way))
    once: dict[frozenset[Place], tuple[Place, Place]] = {}
    for near, far in ways:
        first = min(near, far, key=lambda end: order.get(end, len(order)))
        once.setdefault(frozenset((near, far)), (first, far if first == near else near))
    return [LinkState(*near, *far, _is_up(states, near, far)) for near, far in once.values()]


def _planned(lab: "Lab", found: list[InterfaceState]) -> tuple[list[Place], list[tuple[Place, Place]]]:
    """The ends of the description's links that are there, by the names that they have now, in its order; and its tunnels."""
    now = names_of_now(lab, found)
    order: list[Place] = []
    tunnels: list[tuple[Place, Place]] = []
    for link in lab.inventory.links:
        near, far = map(now.get, ends(link))
        order += [place for place in (near, far) if place is not None]
        if not isinstance(link, AddVeth) and near is not None and far is not None:
            tunnels.append((near, far))
    return order, tunnels


def names_of_now(lab: "Lab", found: Sequence[InterfaceState]) -> dict[Place, Place]:
    """The interfaces of the description that are there, by their names in it, with their names now.

    They are known by their indexes. The kernel gives that of a deleted one to another, which has another MAC address.
    """
    indexes = lab.control.ask(ReadIndexes(tuple({i.node for i in found})))
    by_index = {(i.node, i.index): i for i in found}
    now: dict[Place, Place] = {}
    for node, own in indexes.items():
        for name, index in own.items():
            interface = by_index.get((node, index))
            if interface is not None and (interface.name == name or interface.mac == lab.inventory.macs.get((node, name))):
                now[node, name] = node, interface.name
    if lab.host:  # the machine's interfaces have the indexes that the kernel chose
        now |= {(i.node, i.name): (i.node, i.name) for i in found if i.node == lab.inventory.root}
    return now


def is_of_lab(lab: "Lab", interface: InterfaceState) -> bool:
    """The machine that is a lab's root has links of its own, which are not the lab's affair."""
    root = lab.inventory.root
    return not (lab.host and interface.node == root and interface.peer is not None and interface.peer[0] == root)


def _is_up(states: dict[Place, InterfaceState], *ends: Place) -> bool:
    return all(states[end].is_up and states[end].has_carrier for end in ends)


def between(lab: "Lab", a: str, b: str) -> list[LinkState]:
    """The links between two nodes, or interfaces (NODE:INTERFACE); raises LabError when there is none."""
    if wrong := [end for end in (a, b) if not isinstance(end, str)]:
        raise LabError(f"{wrong[0]!r} is not a node or interface; {near_or_all(wrong[0], lab.nodes, 'the nodes are')}")
    named = {end.partition(":")[0] for end in (a, b)}
    nodes = [node for node in lab.nodes if node in named]
    chosen = [link for link in links(lab, *nodes) if link.joins(a, b)] if len(nodes) == len(named) else []
    if not chosen:
        raise LabError(f"there is no link between {a} and {b}; {_neighbors_of(links(lab), a)}")
    return chosen


def _neighbors_of(found: list[LinkState], end: str) -> str:
    node = end.partition(":")[0]
    theirs = sorted({other for link in found for other in _far(link, node)})
    return f"{node} has links to {', '.join(theirs)}" if theirs else f"{node} has no links"


def _far(link: LinkState, node: str) -> list[str]:
    (a, _), (b, _) = link.ends
    return [b] if a == node else [a] if b == node else []


def set_links(lab: "Lab", links: Sequence[LinkState], up: bool) -> None:
    """Sets both ends of links up, or down; raises LabError and KernelError.

    What the kernel forgets with a link that goes down the engine sets again when it comes up, whoever takes it up.
    """
    places = tuple(InterfacePlace(*end) for link in links for end in link.ends)
    lab.control.ask(SwitchInterfaces(places, up))
