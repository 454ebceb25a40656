"""Shortest ways through a routed network (Dijkstra), for one IP version."""

from collections.abc import Hashable, Iterator
from heapq import heappop, heappush

from pynetemu.frozen import fresh, record
from pynetemu.plan.operations import Address, InterfaceAddress, IPNetwork
from pynetemu.plan.resolve.network import ResolvedNode

Hops = tuple[Address, ...]  # the first gateways of ways that cost the same


@record
class Member:
    """A node in a segment: the address by which it is a gateway there, and what it costs the node to send into it.

    One that `hides` leads nowhere from there, though it is a router.
    """

    node: ResolvedNode
    address: InterfaceAddress
    cost: int
    hides: bool = False


@record
class Segment:
    """A network where it can be reached: an IP network in one broadcast domain, or on one node alone.

    The same network may be in several domains; `first` is the number of its first segment.
    """

    network: IPNetwork
    number: int = 0
    first: int = 0
    members: dict[ResolvedNode, Member] = fresh(factory=dict)
    routers: list[Member] = fresh(factory=list)
    size: int = 0  # of its members, those too for which others stand

    def join(self, member: Member) -> None:
        """Adds a node, which is a member once, by its first address."""
        if member.node not in self.members:
            self.members[member.node] = member
            self.size += member.node.weight
            if member.node.forwards and not member.hides:
                self.routers.append(member)


Ways = list[tuple[Segment, Hops]]


class Graph:
    """Segments, and the nodes that join them: a way costs what the interfaces cost by which its frames are sent."""

    def __init__(self, segments: list[Segment]) -> None:
        self.segments = segments
        self.places: dict[ResolvedNode, list[tuple[Segment, Member]]] = {}
        for segment in segments:
            for member in segment.members.values():
                self.places.setdefault(member.node, []).append((segment, member))
        self._vertices = {node: len(segments) + number for number, node in enumerate(self.places)}
        # For each segment, then each node: where it leads, what that costs, and by which gateway.
        self._shared: dict[Hashable, Ways] = {}  # by the places of who passes nothing on
        self._edges: list[list[tuple[int, int, Hops]]] = [[] for _ in range(len(segments) + len(self.places))]
        for node, places in self.places.items():
            onward = [(s, m) for s, m in places if node.forwards or s.size == 1]
            self._edges[self._vertices[node]] = [(segment.number, member.cost, ()) for segment, member in onward]
            for segment, member in ((s, m) for s, m in places if onward and not m.hides):
                self._edges[segment.number].append((self._vertices[node], 0, (member.address.ip,)))

    def leads_on(self, node: ResolvedNode) -> bool:
        """Whether anybody in a node's segments leads anywhere, it too: without that it reaches its own networks only."""
        return any(self._edges[segment.number] for segment, _ in self.places[node])

    def routers_next_to(self, node: ResolvedNode) -> dict[ResolvedNode, Address]:
        """The routers that a node shares a segment with, each with its address there, on the cheapest one."""
        found: dict[ResolvedNode, Address] = {}
        for segment, _ in sorted(self.places.get(node, ()), key=lambda place: place[1].cost):
            for member in segment.routers:
                if member.node is not node:
                    found.setdefault(member.node, member.address.ip)
        return found

    def ways(self, start: ResolvedNode, several: bool) -> Ways:
        """For each network that `start` can reach through others, the gateway that leads there; with `several`, all.

        No way leads through a node that passes nothing on, so that all of these that are at the same places go the same ways.
        """
        if self._edges[self._vertices[start]]:
            return [*self._ways(start, several)]
        places = several, *((segment.number, member.cost) for segment, member in self.places[start])
        found = self._shared.get(places)
        if found is None:
            found = self._shared[places] = [*self._ways(start, several)]
        return found

    def _ways(self, start: ResolvedNode, several: bool) -> Iterator[tuple[Segment, Hops]]:
        cost, hops = self._search(start, several)
        told = {segment.first for segment, _ in self.places.get(start, ())}
        for segment in self.segments:
            if segment.number in cost and segment.first not in told:
                told.add(segment.first)
                yield segment, hops[segment.number]

    def _search(self, start: ResolvedNode, several: bool) -> tuple[dict[int, int], dict[int, Hops]]:
        """What the way to each vertex costs that can be reached, and its first gateways.

        The queue has segments before nodes where the cost is the same: by then all ways into a node are known.
        """
        cost: dict[int, int] = {}
        hops: dict[int, Hops] = {}
        queue: list[tuple[int, int]] = []
        for segment, member in self.places.get(start, ()):
            cost[segment.number], hops[segment.number] = member.cost, ()
            heappush(queue, (member.cost, segment.number))
        done = {self._vertices[start]} if start in self._vertices else set[int]()
        while queue:
            so_far, vertex = heappop(queue)
            if vertex in done:
                continue
            done.add(vertex)
            for target, more, gateway in self._edges[vertex]:
                if target in done:
                    continue
                known, total, way = cost.get(target), so_far + more, hops[vertex] or gateway
                if known is None or known > total:
                    cost[target], hops[target] = total, way
                    heappush(queue, (total, target))
                elif several and known == total and hops[target] and hops[target] != way:
                    hops[target] = tuple(dict.fromkeys(hops[target] + way))
        return cost, hops
