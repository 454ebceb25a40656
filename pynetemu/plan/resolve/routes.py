"""Routes that are found automatically: each node gets those that it needs to reach every network, the shortest way."""

from collections.abc import Iterator

from pynetemu.plan.operations import InterfaceAddress, IPNetwork
from pynetemu.plan.resolve.domains import Domain
from pynetemu.plan.resolve.gateways import EVERYWHERE
from pynetemu.plan.resolve.graph import Graph, Member, Segment
from pynetemu.plan.resolve.network import ResolvedNetwork, ResolvedNode, ResolvedRoute


def give_routes(network: ResolvedNetwork, domains: list[Domain], host: bool) -> None:
    """Adds to each node's own routes those that it lacks."""
    for version in 4, 6:
        graph = Graph(_segments(network, domains, version, host))
        for node in graph.places:
            if node.auto_routes and graph.leads_on(node):
                _fill(node, graph, version, may_default=not (host and node.kind == "root"))


def _fill(node: ResolvedNode, graph: Graph, version: int, may_default: bool) -> None:
    """A machine that is the root itself keeps its own default route."""
    given = {route.destination for route in node.routes}
    if given and EVERYWHERE[version] in given and not node.forwards:
        return  # the user's default route covers all
    routes = _automatic(node, graph, version, may_default)
    node.routes += [route for route in routes if not given or route.destination not in given]


def _automatic(node: ResolvedNode, graph: Graph, version: int, may_default: bool) -> Iterator[ResolvedRoute]:
    routers = graph.routers_next_to(node)
    if len(routers) == 1 and not node.forwards and may_default:
        yield ResolvedRoute(EVERYWHERE[version], tuple(routers.values()), node.source)
        return
    source = node.source
    for segment, hops in graph.ways(node, node.multipath):
        yield ResolvedRoute(segment.network, hops, source)


def _segments(network: ResolvedNetwork, domains: list[Domain], version: int, host: bool) -> list[Segment]:
    """The networks of one IP version, each in a domain, and those on one node alone."""
    segments: list[Segment] = []
    for domain in domains:
        here: dict[IPNetwork, Segment] = {}
        for interface in domain.interfaces:
            for address in _routed(interface.addresses, version):
                subnet = address.network
                segment = here.get(subnet) or here.setdefault(subnet, Segment(subnet))
                segment.join(Member(interface.node, address, interface.cost, interface.hides))
        segments += here.values()
    for node in network.nodes:
        own = [*node.loopback, *([node.own_address] if node.own_address and not host else [])]
        for address in _routed(own, version):
            segments.append(Segment(address.network))
            segments[-1].join(Member(node, address, 1))
    firsts: dict[IPNetwork, int] = {}
    for number, segment in enumerate(segments):
        segment.number, segment.first = number, firsts.setdefault(segment.network, number)
    return segments


def _routed(addresses: list[InterfaceAddress], version: int) -> list[InterfaceAddress]:
    return [a for a in addresses if a.version == version and not (version == 6 and a.is_link_local)]
