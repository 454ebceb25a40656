"""From a description to a plan: `compile_plan(Blue)` says what the kernel must become."""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from pynetemu.plan.macs import Macs
from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddHttpServer,
    AddNode,
    Address,
    AddRoute,
    AddService,
    AddVeth,
    InterfaceAddress,
    Operation,
    Plan,
    SetMaster,
    SetUp,
)
from pynetemu.plan.problems import Problems
from pynetemu.plan.resolve import (
    BRIDGE,
    ROOT_INTERFACE,
    ResolvedHttpServer,
    ResolvedInterface,
    ResolvedLink,
    ResolvedNetwork,
    ResolvedNode,
    ResolvedService,
    resolve,
)
from pynetemu.plan.signatures import explain_arguments, explain_parameters
from pynetemu.topology.topology import Description, Topology, describe


def compile_plan(topology: Topology | type[Topology], host: bool = False) -> Plan:
    """What the kernel must become.

        compile_plan(Blue).operations == (AddNode("root", "root"), AddNode("outside", "outside"), ...)

    With `host` the root is the machine itself, with the addresses that it has. Raises DescriptionError, with everything
    that is wrong.
    """
    description = describe(topology() if isinstance(topology, type) else topology)
    problems = Problems()
    _check_use(description, problems)
    network = resolve(description, problems)
    problems.raise_all()
    root = next((node for node in network.nodes if node.own_address), None)
    if host or root is None or root.own_address is None:
        return Plan(network.name, tuple(_operations(network)), host)
    _plug_in(root, root.own_address, network)
    return Plan(network.name, tuple(_operations(network)), host, root.own_address.ip)


def _check_use(description: Description, problems: Problems) -> None:
    """What Python itself refused: arguments that do not fit, and an exception in `build`."""
    for part in (*description.nodes, *description.interfaces, *description.links, *description.services):
        if part.declaration.refused:
            problems.add_all(part.declaration, explain_arguments(type(part), part.declaration.refused))
    if description.declaration.refused:
        _, given = description.declaration.refused
        problems.add_all(description.declaration, explain_parameters(description.name, description.kind.build, given))
    elif description.failure:
        from pynetemu.plan.failures import explain_failure

        problems.add_first(explain_failure(description.failure, f"{description.name}.build failed"))
    elif not description.nodes:
        problems.add(description.kind_declaration, f"{description.name} has no nodes", "for instance: h1 = Host()")


def _plug_in(root: ResolvedNode, address: InterfaceAddress, network: ResolvedNetwork) -> None:
    """Gives the root its own interface, with an outside to be plugged into."""
    outside = ResolvedNode("outside", "outside", root.source)
    near, far = root.interfaces[ROOT_INTERFACE], ResolvedInterface(outside, ROOT_INTERFACE, root.source)
    near.addresses.append(address)
    network.nodes.insert(network.nodes.index(root) + 1, outside)
    network.links.insert(0, ResolvedLink(near, far, root.source))


def _operations(network: ResolvedNetwork) -> Iterator[Operation]:
    """All operations, in their phases."""
    nodes, links = network.nodes, network.links
    ends = [end for link in links for end in (link.a, link.b)]
    yield from (AddNode(node.name, node.kind, node.source) for node in nodes)
    yield from (AddBridge(node.name, BRIDGE, node.source) for node in nodes if node.kind == "switch")
    macs = Macs()
    yield from (_veth(link, macs) for link in links)
    yield from (SetMaster(end.node.name, end.name, BRIDGE, end.source) for end in ends if end.node.kind == "switch")
    yield from (AddAddress(end.node.name, end.name, address, end.source) for end in ends for address in end.addresses)
    yield from (SetUp(end.node.name, end.name, end.source) for end in ends)
    yield from (_default_route(node, node.gateway) for node in nodes if node.gateway)
    servers = [part for part in network.services if isinstance(part, ResolvedHttpServer)]
    yield from (AddHttpServer(part.node.name, part.name, part.port, part.source) for part in servers)
    yield from (_service(part) for part in network.services if isinstance(part, ResolvedService))


def _service(part: ResolvedService) -> AddService:
    return AddService(part.node.name, part.name, part.command, part.directory, part.ready, part.timeout, part.env, part.source)


def _default_route(node: ResolvedNode, gateway: Address) -> AddRoute:
    everywhere = IPv4Network("0.0.0.0/0") if gateway.version == 4 else IPv6Network("::/0")
    return AddRoute(node.name, everywhere, gateway, node.source)


def _veth(link: ResolvedLink, macs: Macs) -> AddVeth:
    mac, peer_mac = (macs.take(f"{end.node.name} {end.name}", end.addresses) for end in (link.a, link.b))
    return AddVeth(link.a.node.name, link.a.name, mac, link.b.node.name, link.b.name, peer_mac, link.source)
