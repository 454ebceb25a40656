"""Loops of switches: those without a spanning tree are refused, the others get their tree computed beforehand.

The kernel's bridges find the tree themselves, but a port is not used for twice `forward_delay`, 4 s at least. When the
ports of the tree come up first and the spanning tree is turned on then, they stay in use, and those that it will shut
come up last: so the network forwards at once and never has a loop. See net/bridge/br_stp.c, br_make_forwarding.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from pynetemu.plan.problems import Problems
from pynetemu.plan.resolve.domains import Groups, joined_places, tags_in_use
from pynetemu.plan.resolve.network import ResolvedInterface, ResolvedNetwork, ResolvedNode

_COST = 2  # of a port of 10 Gbit/s, which veth says it is: br_initial_port_cost in net/bridge/br_if.c


def check_loops(network: ResolvedNetwork, problems: Problems) -> None:
    """Bridges without a spanning tree send frames round a loop for ever."""
    tags, joined = tags_in_use(network), Groups()
    for link in network.links:
        a, b = link.a.node, link.b.node
        if not (link.a.bridged and link.b.bridged) or a.bridge.stp or b.bridge.stp:
            continue
        new = [joined.join(*places) for places in joined_places(link, tags)]
        if not all(new):
            how = "itself" if a is b else f"{b.name}, with which it is joined already"
            hint = f"frames would circle for ever: leave one link of the loop out, or {a.name} = Switch(stp=True)"
            problems.add(link.declared, f"this link makes a loop: from {a.name} to {how}", hint)


@dataclass(eq=False)
class _Port:
    interface: ResolvedInterface
    segment: Hashable
    number: tuple[int, int]  # its priority, and its place among the bridge's ports

    @property
    def cost(self) -> int:
        return self.interface.port.cost or _COST


@dataclass(eq=False)
class _Bridge:
    identifier: tuple[int, str]  # its priority and MAC; the lowest is the root
    ports: list[_Port] = field(default_factory=list)
    cost: int = -1  # of its way to the root
    root_port: _Port | None = None


def block_ports(network: ResolvedNetwork) -> None:
    """Marks the ports that the spanning tree will shut: those that are neither a bridge's way to the root, nor a segment's."""
    bridges = _bridges(network)
    segments: dict[Hashable, list[tuple[_Bridge, _Port]]] = {}
    for bridge in bridges:
        for port in bridge.ports:
            segments.setdefault(port.segment, []).append((bridge, port))
    _find_ways(bridges, segments)
    for places in segments.values():
        _, designated = min(places, key=lambda place: (place[0].cost, place[0].identifier, place[1].number))
        for bridge, port in places:
            port.interface.blocked = port is not designated and port is not bridge.root_port


def _bridges(network: ResolvedNetwork) -> list[_Bridge]:
    """Those with a spanning tree, each port in a segment: a link, or all that is joined by switches without one."""
    segments = Groups()
    for link in network.links:
        for end in (link.a, link.b):
            if end.bridged and not end.node.bridge.stp:
                segments.join(id(link), id(end.master or end.node))
    found: dict[ResolvedNode, _Bridge] = {}
    for link in network.links:
        for end in (link.a, link.b):
            if end.node.bridge.stp:
                bridge = found.setdefault(end.node, _Bridge((end.node.bridge.priority, end.node.mac)))
                number = (end.port.priority, len(bridge.ports) + 1)
                bridge.ports.append(_Port(end, segments.of(id(link)), number))
    return list(found.values())


def _find_ways(bridges: list[_Bridge], segments: dict[Hashable, list[tuple[_Bridge, _Port]]]) -> None:
    """Each bridge's cheapest way to the root of its tree, and the port by which it goes (IEEE 802.1D-1998, 8.6.8)."""
    for root in sorted(bridges, key=lambda bridge: bridge.identifier):
        if root.cost >= 0:
            continue  # it is in the tree of a better root
        queue: list[tuple[int, tuple[int, str], int]] = [(0, root.identifier, 0)]
        waiting = [root]
        while queue:
            cost, _, index = heappop(queue)
            bridge = waiting[index]
            if bridge.cost >= 0:
                continue
            bridge.cost = cost
            for port in bridge.ports:
                for other, entrance in segments[port.segment]:
                    if other.cost < 0:
                        waiting.append(other)
                        heappush(queue, (cost + entrance.cost, other.identifier, len(waiting) - 1))
    for bridge in bridges:
        ways = [
            (above.cost + port.cost, above.identifier, exit.number, port.number, port)
            for port in bridge.ports
            for above, exit in segments[port.segment]
            if above is not bridge and above.cost + port.cost == bridge.cost
        ]
        bridge.root_port = min(ways, key=lambda way: way[:4])[4] if ways else None
