"""From a description to a plan: `compile_plan(Blue)` says what the kernel must become."""

from collections.abc import Iterator

from pynetemu.plan.macs import Macs
from pynetemu.plan.no_gc import no_collection
from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddDevice,
    AddHttpServer,
    AddMacvlan,
    AddMultipathRoute,
    AddNeighbors,
    AddNode,
    AddPeer,
    AddRoute,
    AddRuleset,
    AddService,
    AddTunnel,
    AddVeth,
    AddVlan,
    AddWireGuard,
    EndTable,
    InterfaceAddress,
    Operation,
    Plan,
    SetMaster,
    SetPort,
    SetPortVlans,
    SetSysctl,
    SetUp,
    StartSpanningTree,
    TunnelKind,
)
from pynetemu.plan.problems import Problems
from pynetemu.plan.resolve import resolve
from pynetemu.plan.resolve.addresses import ending_number
from pynetemu.plan.resolve.gateways import EVERYWHERE
from pynetemu.plan.resolve.network import (
    BRIDGE,
    ROOT_INTERFACE,
    ResolvedFirewall,
    ResolvedHttpServer,
    ResolvedInterface,
    ResolvedLink,
    ResolvedNeighbors,
    ResolvedNetwork,
    ResolvedNode,
    ResolvedRoute,
    ResolvedService,
)
from pynetemu.plan.signatures import explain_arguments, explain_parameters
from pynetemu.topology.description import Description, describe
from pynetemu.topology.part import WrongSettingError
from pynetemu.topology.topology import Topology


def compile_plan(topology: Topology | type[Topology], host: bool = False) -> Plan:
    """What the kernel must become.

        compile_plan(Blue).operations == (AddNode("root", "root"), AddNode("outside", "outside"), ...)

    With `host` the root is the machine itself, with the addresses that it has. Raises DescriptionError, with everything
    that is wrong.
    """
    with no_collection():
        return _compile(describe(topology() if isinstance(topology, type) else topology), host)


def _compile(description: Description, host: bool) -> Plan:
    problems = Problems()
    _check_use(description, problems)
    network = resolve(description, problems, host)
    rulesets = list(_rulesets(network, problems))
    problems.raise_all()
    root = next((node for node in network.nodes if node.own_address), None)
    own = None if host or root is None else root.own_address
    if root and own:
        _plug_in(root, own, network)
    _choose_macs(network)
    if any(node.bridge.stp for node in network.nodes):
        from pynetemu.plan.resolve.loops import block_ports

        block_ports(network)
    operations = tuple(_operations(network, rulesets))
    return Plan(network.name, operations, host, own.ip if own else None, problems.warnings)


def _check_use(description: Description, problems: Problems) -> None:
    """What Python itself refused: arguments that do not fit, and an exception in `build`."""
    for part in (*description.nodes, *description.interfaces, *description.links, *description.services, *description.filters):
        if part.declaration.refused:
            problems.add_all(part.declaration, explain_arguments(type(part), part.declaration.refused))
    _check_topology(description, problems)
    if not description.nodes and not description.failure and not description.declaration.refused:
        problems.add(description.kind_declaration, f"{description.name} has no nodes", "for instance: h1 = Host()")


def _check_topology(description: Description, problems: Problems) -> None:
    """Its parameters and its `build`, and those of the topologies in it."""
    if description.declaration.refused:
        _, given = description.declaration.refused
        problems.add_all(description.declaration, explain_parameters(description.name, description.kind.build, given))
    elif isinstance(description.failure, WrongSettingError):
        problems.add(description.declaration, f"{description.name}: {description.failure.text}", description.failure.hint)
    elif description.failure:
        from pynetemu.plan.failures import explain_failure, place_of_build

        where = place_of_build(description.kind) or description.kind_declaration.where
        problems.add_first(explain_failure(description.failure, f"{description.name}.build failed", where))
    for inner in description.inner:
        _check_topology(inner, problems)


def _plug_in(root: ResolvedNode, address: InterfaceAddress, network: ResolvedNetwork) -> None:
    """Gives the root its own interface, with an outside to be plugged into."""
    outside = ResolvedNode("outside", "outside", root.declared)
    near, far = root.interfaces[ROOT_INTERFACE], ResolvedInterface(outside, ROOT_INTERFACE, root.declared)
    near.addresses.append(address)
    network.nodes.insert(network.nodes.index(root) + 1, outside)
    network.links.insert(0, ResolvedLink(near, far, root.declared))


def _rulesets(network: ResolvedNetwork, problems: Problems) -> Iterator[AddRuleset]:
    if not network.filters:
        return
    from pynetemu.plan.resolve.firewalls import ruleset_of_nat, rulesets_of_firewall

    for part in network.filters:
        if isinstance(part, ResolvedFirewall):
            yield from rulesets_of_firewall(part)
        else:
            yield ruleset_of_nat(part, problems)


def _operations(network: ResolvedNetwork, rulesets: list[AddRuleset]) -> Iterator[Operation]:
    """All operations, in their phases: each finds what those before it have made."""
    nodes, links = network.nodes, network.links
    ends = [end for link in links for end in (link.a, link.b)]
    ports = [end for end in ends if end.node.bridges or end.master]
    devices = _by_kind(network.devices)
    bridges, macvlans = devices.pop("bridge", []), devices.pop("macvlan", [])
    others = [device for found in devices.values() for device in found]
    vlans = [(end, number, vlan) for end in (*ends, *network.devices) for number, vlan in end.vlans.items()]
    every = [*ends, *others, *(vlan for _, _, vlan in vlans), *macvlans]
    # Ports first: an interface whose link's other end is up already has its carrier at once.
    rising = sorted(every, key=lambda end: not end.bridged)
    trees = [node for node in nodes if node.bridge.stp]
    late = {end for link in links if link.a.blocked or link.b.blocked for end in (link.a, link.b)}
    yield from (AddNode(node.name, node.kind, node.source) for node in nodes)
    yield from (setting for node in nodes for setting in _settings(node))
    yield from (_bridge(node) for node in nodes if node.bridges)
    yield from (_bridge_in_host(bridge) for bridge in bridges)
    yield from (_veth(link) for link in links if not link.tunnel)
    tunnels = [(link, *ends) for link in links if link.tunnel for ends in _both_ways(link)]
    wireguards = [tunnel for tunnel in tunnels if tunnel[0].tunnel and tunnel[0].tunnel.kind == "wireguard"]
    yield from (_tunnel(*tunnel) for tunnel in tunnels if tunnel not in wireguards)
    yield from (_wireguard(*tunnel) for tunnel in wireguards)
    yield from (_device(device) for device in others)
    yield from (AddVlan(end.node.name, vlan.name, end.name, number, vlan.source) for end, number, vlan in vlans)
    yield from (_macvlan(device) for device in macvlans)
    yield from (SetMaster(end.node.name, end.name, end.master.name if end.master else BRIDGE, end.source) for end in ports)
    yield from (SetMaster(end.node.name, end.name, end.vrf.name, end.source) for end in (*every, *bridges) if end.vrf)
    yield from (SetPort(end.node.name, end.name, end.port.settings, end.source) for end in ports if end.port.settings)
    yield from (_port_vlans(end) for end in ports if end.port.vlan or end.port.trunk)
    yield from (AddAddress(node.name, "lo", address, node.source) for node in nodes for address in node.loopback)
    # A node's first address is its name's for those on no network with it: of a router with Nat, the one outside.
    addressed = sorted((*every, *bridges), key=lambda end: not end.hides)
    yield from (AddAddress(end.node.name, end.name, address, end.source) for end in addressed for address in end.addresses)
    yield from rulesets
    yield from (SetUp(end.node.name, end.name, end.source) for end in rising if end not in late)
    yield from (StartSpanningTree(node.name, BRIDGE, node.source) for node in trees)
    yield from (SetUp(end.node.name, end.name, end.source) for end in rising if end in late)
    yield from map(_neighbors, network.neighbors)
    for several in False, True:
        routers = (*nodes, *network.parts)
        yield from (_route(node, route) for node in routers for route in node.routes if (len(route.vias) > 1) is several)
    for router in network.parts:
        yield from (EndTable(router.name, everywhere, router.table, router.source) for everywhere in EVERYWHERE.values())
    peers = [_peer(*tunnel) for tunnel in wireguards]  # who begins comes last, when the other end knows its key
    yield from sorted(peers, key=lambda peer: peer.keepalive)
    servers = [part for part in network.services if isinstance(part, ResolvedHttpServer)]
    yield from (AddHttpServer(part.node.name, part.name, part.port, part.source) for part in servers)
    yield from (_service(part) for part in network.services if isinstance(part, ResolvedService))


def _neighbors(found: ResolvedNeighbors) -> AddNeighbors:
    ends = [end for end, _ in found.members]
    return AddNeighbors(
        nodes=tuple(end.node.name for end in ends),
        interfaces=tuple(end.name for end in ends),
        addresses=tuple(address for _, address in found.members),
        macs=tuple(end.mac for end in ends),
        centers=tuple(found.centers),
        source=ends[0].source,
    )


def _service(part: ResolvedService) -> AddService:
    return AddService(part.node.name, part.name, part.command, part.directory, part.ready, part.timeout, part.env, part.source)


def _settings(node: ResolvedNode) -> Iterator[SetSysctl]:
    """What the kernel has to do differently in a node; "default" is what interfaces to come will have (ip-sysctl.rst)."""
    settings: list[str] = []
    if node.forwards and node.has_ipv6:
        # In its first second a link-local address is in duplicate detection, and a router cannot ask for neighbors.
        settings += ["net.ipv6.conf.default.accept_dad=0"]
    if node.forwards:  # rp_filter, which machines set to different values, drops what comes back another way
        settings += ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]
        settings += ["net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0"]
    if node.multipath:  # by ports too, so that the flows between two hosts are shared
        settings += ["net.ipv4.fib_multipath_hash_policy=1", "net.ipv6.fib_multipath_hash_policy=1"]
    for setting in settings:
        name, _, value = setting.partition("=")
        yield SetSysctl(node.name, name, value, node.source)


def _route(node: ResolvedNode, route: ResolvedRoute) -> AddRoute | AddMultipathRoute:
    if len(route.vias) == 1:
        return AddRoute(node.name, route.destination, route.vias[0], node.table, route.source)
    return AddMultipathRoute(node.name, route.destination, route.vias, node.table, route.source)


def _bridge(node: ResolvedNode) -> AddBridge:
    filtering = ("vlan_filtering 1",) if node.bridge.filters_vlans else ()
    return AddBridge(node.name, BRIDGE, (*node.bridge.settings, *filtering), node.mac, node.source)


def _port_vlans(end: ResolvedInterface) -> SetPortVlans:
    return SetPortVlans(end.node.name, end.name, end.port.vlan or 0, end.port.trunk, end.source)


def _veth(link: ResolvedLink) -> AddVeth:
    a, b = link.a, link.b
    return AddVeth(a.node.name, a.name, a.mac, b.node.name, b.name, b.mac, link.mtu, link.source)


def _by_kind(devices: list[ResolvedInterface]) -> dict[str, list[ResolvedInterface]]:
    found: dict[str, list[ResolvedInterface]] = {}
    for device in devices:
        assert device.device
        found.setdefault(device.device.kind, []).append(device)
    return found


def _bridge_in_host(interface: ResolvedInterface) -> AddBridge:
    assert interface.device
    return AddBridge(interface.node.name, interface.name, interface.device.settings, interface.mac, interface.source)


def _device(interface: ResolvedInterface) -> AddDevice:
    device = interface.device
    assert device and device.kind in ("bond", "dummy", "vrf")
    return AddDevice(interface.node.name, interface.name, device.kind, device.settings, interface.mac, interface.source)


def _macvlan(interface: ResolvedInterface) -> AddMacvlan:
    device = interface.device
    assert device and device.parent
    place, below = (interface.node.name, interface.name), (device.parent.node.name, device.parent.name)
    return AddMacvlan(*place, *below, device.settings, interface.mac, interface.source)


def _tunnel(link: ResolvedLink, end: ResolvedInterface, peer: ResolvedInterface) -> AddTunnel:
    tunnel = link.tunnel
    assert tunnel and tunnel.kind != "wireguard"
    local, remote = tunnel.endpoints if end is link.a else reversed(tunnel.endpoints)
    assert local and remote
    kind: TunnelKind = tunnel.kind
    settings = tunnel.settings
    if kind == "gre" and local.version == 6:  # without it the packets have an option that takes 8 bytes (RFC 2473)
        kind, settings = "ip6gre", (*settings, "encaplimit none")
    mac = end.mac if kind == "vxlan" else ""
    place = end.node.name, end.name
    return AddTunnel(*place, kind, settings, local, remote, mac, link.mtu, peer.node.name, peer.name, link.source)


def _wireguard(link: ResolvedLink, end: ResolvedInterface, peer: ResolvedInterface) -> AddWireGuard:
    assert link.tunnel
    port = link.tunnel.ports[end is not link.a]
    return AddWireGuard(end.node.name, end.name, port, link.mtu, peer.node.name, peer.name, link.source)


def _peer(link: ResolvedLink, end: ResolvedInterface, peer: ResolvedInterface) -> AddPeer:
    assert link.tunnel
    side = int(end is not link.a)
    own, remote, port = link.tunnel.endpoints[side], link.tunnel.endpoints[1 - side], link.tunnel.ports[1 - side]
    endpoint = "" if remote is None else f"{remote}:{port}" if remote.version == 4 else f"[{remote}]:{port}"
    keepalive = 0 if own else 25  # s: what the makers of WireGuard advise for an end behind address translation
    return AddPeer(end.node.name, end.name, peer.node.name, peer.name, endpoint, keepalive, link.source)


def _both_ways(link: ResolvedLink) -> tuple[tuple[ResolvedInterface, ResolvedInterface], ...]:
    return (link.a, link.b), (link.b, link.a)


def _choose_macs(network: ResolvedNetwork) -> None:
    """For interfaces without one, and for bridges with a spanning tree: by theirs the root is chosen."""
    ends = [end for link in network.links for end in (link.a, link.b)]
    ends += network.devices
    macs = Macs(end.mac for end in ends if end.mac)
    for end in ends:
        end.mac = end.mac or macs.take(f"{end.node.name} {end.name}", end.addresses)
        for vlan in end.vlans.values():
            vlan.mac = end.mac
    for node in network.nodes:
        if node.bridge.stp:
            node.mac = macs.take_number(ending_number(node.name), f"{node.name} {BRIDGE}")
