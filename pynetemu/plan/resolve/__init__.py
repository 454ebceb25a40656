"""From a description to its network: what the user left open is filled in, and what is wrong is found.

The parts are looked up first (`references`); then the network as a whole gets what the user left open: `domains` finds who
hears whom, `addresses` gives networks and addresses, `routes` the shortest paths, and `tunnels` what is below them. What
few labs have is imported when one does.
"""

from collections.abc import Callable

from pynetemu.plan.operations.values import Kernel
from pynetemu.plan.problems import Problems
from pynetemu.plan.resolve.address_settings import read_address_settings
from pynetemu.plan.resolve.addresses import give_addresses
from pynetemu.plan.resolve.checks import check_network
from pynetemu.plan.resolve.domains import find_domains
from pynetemu.plan.resolve.gateways import check_gateways
from pynetemu.plan.resolve.neighbors import find_neighbors
from pynetemu.plan.resolve.network import ResolvedNetwork
from pynetemu.plan.resolve.references import Resolver
from pynetemu.plan.resolve.routes import give_routes
from pynetemu.plan.standing import Standing
from pynetemu.topology.description import Description
from pynetemu.topology.devices import Device
from pynetemu.topology.memo import Memo
from pynetemu.topology.nodes import VlanInterface


def resolve(
    description: Description,
    problems: Problems,
    host: bool,
    kernel: Callable[[], Kernel],
    standing: Standing,
    memo: Memo | None = None,
) -> ResolvedNetwork:
    """What is wrong goes to `problems`; where there is any, the result is only good for finding more.

    With `host` the root is the machine itself, whose own address is not the description's. `kernel` is asked when a link is
    more than a wire. What the `memo` knows of parts is not read again.
    """
    network, resolver = _look_up(description, problems, kernel, standing, memo)
    settings = read_address_settings(description, problems)
    if "loops" not in settings.allowed and sum(node.bridges for node in network.nodes) > 0:
        from pynetemu.plan.resolve.loops import check_loops

        check_loops(network, problems)
    domains = find_domains(network)
    give_addresses(network, domains, settings, problems, standing)
    if not resolver.incomplete:
        check_gateways(network, domains, settings.allowed, problems)
    give_routes(network, domains, host)
    if any(link.tunnel for link in network.links):
        from pynetemu.plan.resolve.tunnels import lay_tunnels

        lay_tunnels(network, domains, problems)
    if not resolver.incomplete:
        check_network(network, domains, settings.allowed, problems)
    network.neighbors = find_neighbors(domains, settings.arp, problems, standing)
    return network


def _look_up(
    description: Description, problems: Problems, kernel: Callable[[], Kernel], standing: Standing, memo: Memo | None
) -> tuple[ResolvedNetwork, Resolver]:
    resolver = Resolver(description, problems, kernel, standing.others, memo)
    for node in description.nodes:
        resolver.add_node(node)
    devices = [part for part in description.interfaces if isinstance(part, Device)]
    if devices:
        from pynetemu.plan.resolve.devices import Devices

        reading = Devices(resolver, problems)
        for device in devices:
            reading.read(device)
    ends = [(link, resolver.end(link, "a"), resolver.end(link, "b")) for link in description.links]
    joined = [(link, *resolver.kept_ends(link, a, b, standing)) for link, a, b in ends if a and b]
    links = [resolver.link(link, a, b) for link, a, b in joined]  # now that all given names are known
    made = reading.name() if devices else []
    for interface in description.interfaces:
        if isinstance(interface, VlanInterface):
            resolver.vlan_interface(interface)
        resolver.check_linked(interface)
    if devices:
        reading.join()
    found = ResolvedNetwork(
        description.name, list(resolver.nodes.values()), links, made, reading.parts if devices else [], [], []
    )
    if description.services:
        from pynetemu.plan.resolve.services import Services

        reader = Services(resolver, problems)
        found.services = [service for part in description.services if (service := reader.read(part))]
    if description.filters:
        from pynetemu.plan.resolve.firewalls import Filters

        translator = Filters(resolver, problems)
        found.filters = [filtered for part in description.filters if (filtered := translator.read(part))]
    return found, resolver
