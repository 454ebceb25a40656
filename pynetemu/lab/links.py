"""The links of a running network as they are now: what they join, whether they are up; taking them down, and up again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetemu.engine.protocol.requests import ReadIndexes
from pynetemu.errors import LabError
from pynetemu.lab.state import InterfaceState, RouteState
from pynetemu.plan.inventory import Place, ends
from pynetemu.plan.operations import AddVeth

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.plan.operations import Address


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


class LostSettings:
    """What the kernel forgets when an interface goes down: routes by way of a gateway, and all of IPv6.

    It is kept here until the interface comes up again, so that a link that was down is the link it was before.
    """

    def __init__(self) -> None:
        self._commands: dict[tuple[str, str], list[list[str]]] = {}

    def note(self, lab: "Lab", node: str, interface: str) -> None:
        """Notes what is about to be lost, as the words of `ip` commands."""
        found = next((found for found in lab.interfaces(node) if found.name == interface), None)
        if found is None or not found.is_up:
            return
        addresses = [a for a in found.addresses if a.version == 6 and not a.is_link_local]
        routes = [route for route in lab.routes(node, all_tables=True) if any(name == interface for _, name in route.hops)]
        self._commands[node, interface] = [
            *(["ip", "addr", "add", str(address), "dev", interface, "nodad"] for address in addresses),
            *(_route_words(route) for route in routes if route.hops[0][0] is not None),
        ]

    def restore(self, lab: "Lab", node: str, interface: str) -> None:
        """Sets again what is missing; what somebody has set meanwhile stays."""
        for words in self._commands.pop((node, interface), []):
            lab[node].run(*words)


def _route_words(route: RouteState) -> list[str]:
    hops = [_hop_words(route, gateway, interface) for gateway, interface in route.hops]
    to = hops[0] if len(hops) == 1 else [word for hop in hops for word in ("nexthop", *hop)]
    metric = ["metric", str(route.metric)] if route.metric else []
    table = ["table", str(route.table)] if route.table else []
    return ["ip", "route", "add", str(route.destination), *table, *metric, *to]


def _hop_words(route: RouteState, gateway: "Address | None", interface: str) -> list[str]:
    family = ["inet6"] if gateway is not None and gateway.version != route.destination.version else []
    return [*(["via", *family, str(gateway)] if gateway is not None else []), "dev", interface]


def set_link(lab: "Lab", link: LinkState, lost: LostSettings, up: bool) -> None:
    """Sets both ends of a link up, or down; raises CommandFailed."""
    if not up:
        for node, interface in link.ends:
            lost.note(lab, node, interface)
    for node, interface in link.ends:
        lab[node].run("ip", "link", "set", "dev", interface, "up" if up else "down", check=True)
    if up:
        for node, interface in link.ends:
            lost.restore(lab, node, interface)
