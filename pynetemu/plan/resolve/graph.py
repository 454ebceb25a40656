"""Shortest ways through a routed network (Dijkstra), for one IP version."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from pynetemu.plan.operations import Address, IPNetwork
from pynetemu.plan.resolve.network import ResolvedNode

Hops = tuple[Address, ...]  # the first gateways of ways that cost the same


@dataclass(eq=False)
class Member:
    """A node in a segment: the address by which it is a gateway there, and what it costs the node to send into it.

    One that `hides` leads nowhere from there, though it is a router.
    """

    node: ResolvedNode
    address: Address
    cost: int
    hides: bool = False


@dataclass(eq=False)
class Segment:
    """A network where it can be reached: an IP network in one broadcast domain, or on one node alone."""

    network: IPNetwork
    number: int
    members: list[Member] = field(default_factory=list)


class Graph:
    """Segments, and the nodes that join them: a way costs what the interfaces cost by which its frames are sent."""

    def __init__(self, segments: list[Segment]) -> None:
        self.segments = segments
        self.places: dict[ResolvedNode, list[tuple[Segment, Member]]] = {}
        for segment in segments:
            for member in segment.members:
                self.places.setdefault(member.node, []).append((segment, member))
        self._vertices = {node: len(segments) + number for number, node in enumerate(self.places)}
        # For each segment, then each node: where it leads, what that costs, and by which gateway.
        self._edges: list[list[tuple[int, int, Hops]]] = [[] for _ in range(len(segments) + len(self.places))]
        for node, places in self.places.items():
            onward = [(s, m) for s, m in places if node.forwards or len(s.members) == 1]
            self._edges[self._vertices[node]] = [(segment.number, member.cost, ()) for segment, member in onward]
            for segment, member in ((s, m) for s, m in places if onward and not m.hides):
                self._edges[segment.number].append((self._vertices[node], 0, (member.address,)))

    def routers_next_to(self, node: ResolvedNode) -> dict[ResolvedNode, Address]:
        """The routers that a node shares a segment with, each with its address there, on the cheapest one."""
        found: dict[ResolvedNode, Address] = {}
        for segment, _ in sorted(self.places.get(node, ()), key=lambda place: place[1].cost):
            for member in segment.members:
                if member.node.forwards and not member.hides and member.node is not node:
                    found.setdefault(member.node, member.address)
        return found

    def ways(self, start: ResolvedNode, several: bool) -> Iterator[tuple[Segment, Hops]]:
        """For each segment that `start` can reach through others, the gateway that leads there; with `several`, all."""
        places = self.places.get(start, ())
        cost, hops = self._search(start, several)
        own = {segment.network for segment, _ in places}
        for segment in self.segments:
            if cost[segment.number] is not None and segment.network not in own:
                yield segment, hops[segment.number]

    def _search(self, start: ResolvedNode, several: bool) -> tuple[list[int | None], list[Hops]]:
        """What the way to each vertex costs, None where there is none, and its first gateways.

        The queue has segments before nodes where the cost is the same: by then all ways into a node are known.
        """
        cost: list[int | None] = [None] * len(self._edges)
        hops: list[Hops] = [()] * len(self._edges)
        queue: list[tuple[int, int]] = []
        for segment, member in self.places.get(start, ()):
            cost[segment.number] = member.cost
            heappush(queue, (member.cost, segment.number))
        done = [False] * len(self._edges)
        done[self._vertices.get(start, 0)] = start in self._vertices
        while queue:
            so_far, vertex = heappop(queue)
            if done[vertex]:
                continue
            done[vertex] = True
            for target, more, gateway in self._edges[vertex]:
                known = cost[target]
                if done[target] or (known is not None and known < so_far + more):
                    continue
                way = hops[vertex] or gateway
                if known == so_far + more:
                    hops[target] = tuple(dict.fromkeys(hops[target] + way)) if several and hops[target] else hops[target]
                else:
                    cost[target], hops[target] = so_far + more, way
                    heappush(queue, (so_far + more, target))
        return cost, hops
