"""The links of a running network: what they join, whether they are up, taking them down and bringing them back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetemu.errors import LabError
from pynetemu.lab.state import InterfaceState, RouteState
from pynetemu.plan.inventory import Place, ends

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.plan.operations import Address


@dataclass(frozen=True, slots=True)
class LinkState:
    """A link between two nodes' interfaces; `is_up` when both ends are up and carry."""

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


def links(lab: "Lab") -> list[LinkState]:
    """The links of the description, in its order, with their state now."""
    states = {(state.node, state.name): state for state in lab.interfaces()}
    return [LinkState(*near, *far, _is_up(states, near, far)) for near, far in map(ends, lab.inventory.links)]


def _is_up(states: dict[Place, InterfaceState], *ends: Place) -> bool:
    found = map(states.get, ends)
    return all(end is not None and end.is_up and end.has_carrier for end in found)


def between(lab: "Lab", a: str, b: str) -> list[LinkState]:
    """The links between two nodes, or interfaces (NODE:INTERFACE); raises LabError when there is none."""
    found = links(lab)
    chosen = [link for link in found if link.joins(a, b)]
    if not chosen:
        raise LabError(f"there is no link between {a} and {b}; {_neighbors_of(found, a)}")
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
