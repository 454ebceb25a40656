"""The routes that the user gives: read, and checked for gateways that their node can reach."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network

from pynetemu.plan.operations import Address, IPNetwork
from pynetemu.plan.problems import Problems, Wrong
from pynetemu.plan.resolve.domains import Domain
from pynetemu.plan.resolve.network import ResolvedNetwork, ResolvedNode, ResolvedRoute
from pynetemu.plan.values import read_gateway, read_route_destination, read_several
from pynetemu.topology.nodes import Host
from pynetemu.topology.part import quoted

EVERYWHERE: dict[int, IPNetwork] = {4: IPv4Network("0.0.0.0/0"), 6: IPv6Network("::/0")}


def read_routes(part: Host, problems: Problems) -> list[ResolvedRoute]:
    """The routes of `default_via` and `routes`, whose gateways `check_gateways` looks at when all addresses are known."""
    if part.default_via is None and part.routes is Host.routes:
        return []  # as most nodes have it
    found: list[ResolvedRoute] = []
    for route in (*_defaults(part, problems), *_routes(part, problems)):
        first = next((other for other in found if other.destination == route.destination), None)
        if first is None:
            found.append(route)
        else:
            name = "default routes" if route.destination.prefixlen == 0 else f"routes to {route.destination}"
            text = f"{part.declaration.full_name} has two {name}: {first.said} and {route.said}"
            problems.add(part.declaration, text, "leave one out")
    return found


def _defaults(part: Host, problems: Problems) -> Iterator[ResolvedRoute]:
    for text in problems.check(part.declaration, read_several, part.default_via) or ():
        said = f"default_via={quoted(text)}"
        if gateway := problems.check(part.declaration, read_gateway, text, said):
            yield ResolvedRoute(EVERYWHERE[gateway.version], (gateway,), part.declaration.where, said)


def _routes(part: Host, problems: Problems) -> Iterator[ResolvedRoute]:
    declaration = part.declaration
    if not isinstance(part.routes, Mapping):
        text = f"routes={quoted(part.routes)} is not a table"
        problems.add(declaration, text, "it has gateways by their destination: routes={'10.9.0.0/16': '10.0.0.1'}")
        return
    for destination, gateways in part.routes.items():
        where = problems.check(declaration, read_route_destination, destination)
        said = f"routes={{{quoted(destination)}: {quoted(gateways)}}}"
        texts = problems.check(declaration, read_several, gateways) or ()
        vias = [problems.check(declaration, read_gateway, text, said) for text in texts]
        found = tuple(via for via in vias if via)
        if gateways is None or not (vias or isinstance(gateways, str)):
            problems.add(declaration, f"{said} has no gateway", "an address: routes={'10.9.0.0/16': '10.0.0.1'}")
        if where is None or len(found) < len(vias) or not found:
            continue
        if any(via.version != where.version for via in found):
            problems.add(declaration, f"{said} mixes IPv4 and IPv6", "a route and its gateways are of one version")
        else:
            yield ResolvedRoute(where, found, declaration.where, said)


def check_gateways(network: ResolvedNetwork, domains: list[Domain], allowed: set[str], problems: Problems) -> None:
    """Whether each node is on a network with its gateways, and whether somebody there has their addresses."""
    if not any(node.routes for node in network.nodes):
        return
    ends = [(end, domain) for domain in domains for end in domain.interfaces]
    owners = {address.ip: domain for end, domain in ends for address in end.addresses}
    homes: dict[ResolvedNode, list[Domain]] = {}
    for end, domain in ends:
        homes.setdefault(end.node, []).append(domain)
    incomplete = {node for end, domain in ends if end.node.incomplete for node in (e.node for e in domain.interfaces)}
    for node in network.nodes:
        for route in node.routes:
            if about := list(_about_destination(node, route)):
                problems.add_all(node.declared, about)
                continue
            for via in route.vias:
                try:
                    said = f"{via} in {route.said}" if len(route.vias) > 1 else route.said
                    _check_gateway(node, via, f"{said} is")
                    if node not in incomplete and "gateways" not in allowed and owners.get(via) not in homes.get(node, ()):
                        raise Wrong(
                            f"{route.said}: no node on this network has the gateway address {via}",
                            "use the address of a neighbor; or if it is meant so, say: allow = 'gateways'",
                        )
                except Wrong as wrong:
                    problems.add(node.declared, wrong.text, wrong.hint)


def _about_destination(node: ResolvedNode, route: ResolvedRoute) -> Iterator[tuple[str, str]]:
    """A route to where the node is already: the kernel refuses it, or never takes it."""
    for interface in node.interfaces.values():
        for address in interface.addresses:
            if route.destination == address.network:
                text = f"{route.said} leads to a network that {node.name} is on itself ({interface.name})"
                yield text, "leave it out: what is on a link is reached without a gateway"


def _check_gateway(node: ResolvedNode, via: Address, what: str) -> None:
    ends = [(address, interface) for interface in node.interfaces.values() for address in interface.addresses]
    networks = [address.network for address, _ in ends if via in address.network]
    if any(address.ip == via for address, _ in ends):
        raise Wrong(f"{what} {node.name}'s own address", "name the neighbor that leads further")
    if node.own_address and not networks and via in node.own_address.network:
        hint = "leave it out; with --host the machine keeps its own default route"
        raise Wrong(f"{what} beyond {node.name}'s own eth0, where there is no node: the lab ends there", hint)
    if networks and networks[0].prefixlen < networks[0].max_prefixlen - 1 and via in (networks[0][0], networks[0][-1]):
        raise Wrong(f"{what} no host's address", f"a host has one like {networks[0][1]}")
    if networks or node.incomplete:
        return
    there = ", ".join(f"{address.network} ({interface.name})" for address, interface in ends)
    raise Wrong(
        f"{what} on no network of {node.name}", f"{node.name} is on {there}" if there else f"{node.name} has no address"
    )
