"""A resolved network as operations, phase by phase."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cached_property, partial
from typing import Any, Literal, Protocol, TypeVar

from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddDevice,
    AddFile,
    AddHttpServer,
    AddMacvlan,
    AddMultipathRoute,
    AddNeighbors,
    AddNode,
    AddPeer,
    Address,
    AddRoute,
    AddRuleset,
    AddService,
    AddTunnel,
    AddVeth,
    AddVlan,
    AddWireGuard,
    EndTable,
    Impair,
    InterfaceAddress,
    IPNetwork,
    ManyRoutes,
    Part,
    SetMaster,
    SetPort,
    SetPortVlans,
    SetSysctl,
    SetUp,
    StartSpanningTree,
    TunnelKind,
)
from pynetemu.plan.operations.phases import PHASES
from pynetemu.plan.resolve.gateways import EVERYWHERE
from pynetemu.plan.resolve.network import (
    BRIDGE,
    ResolvedHttpServer,
    ResolvedInterface,
    ResolvedLink,
    ResolvedNeighbors,
    ResolvedNetwork,
    ResolvedNode,
    ResolvedRoute,
    ResolvedService,
)
from pynetemu.topology.memo import Memo

_FEW_ROUTES = 16  # of a node, which are operations of their own
_T = TypeVar("_T")
Owner = str | int  # a node's name, or the id of a link's declaration
Sort = Literal["nodes", "links", "groups", "rest"]  # whose a section's operations are, in the order of the description
_OwnEnd = tuple[Owner, ResolvedInterface]  # of a link
_Tunnel = tuple[ResolvedLink, ResolvedInterface, ResolvedInterface]  # with the end that is made, and the other


class Made(Protocol):
    """Makes an operation of its values; or takes the same one, made before, see `Memo.made`."""

    def __call__(self, kind: Callable[..., _T], /, *values: Any, key: Hashable = None) -> _T: ...


def _anew(kind: Callable[..., _T], /, *values: Any, key: Hashable = None) -> _T:  # noqa: ARG001
    return kind(*values)


_Section = tuple[Sort, Callable[["_Parts"], Iterable[Any]]]


def sections_of(
    network: ResolvedNetwork, rulesets: list[AddRuleset], memo: Memo | None
) -> Iterator[tuple[Sort, Iterable[Any]]]:
    """All operations, in the order of their phases, each after its owner where the sort of its section has owners; `rulesets`
    have been read already. What the `memo` has is not made anew."""
    parts = _Parts(network, rulesets, memo)
    for phase in PHASES:
        for sort, make in _MAKERS[phase.name]:
            yield sort, make(parts)


class _Parts:
    """A network's parts by what becomes of them."""

    def __init__(self, network: ResolvedNetwork, rulesets: list[AddRuleset], memo: Memo | None) -> None:
        self.network = network
        self.made: Made = _anew if memo is None else memo.made
        self.rulesets = rulesets
        self.nodes, self.links = network.nodes, network.links
        self.ends = [(id(link.declared), end) for link in network.links for end in (link.a, link.b)]
        self.ports = [(owner, end) for owner, end in self.ends if end.node.bridges or end.master]
        devices = _by_kind(network.devices)
        self.bridges, self.macvlans = devices.pop("bridge", []), devices.pop("macvlan", [])
        self.devices = [device for found in devices.values() for device in found]
        ends = *(end for _, end in self.ends), *network.devices
        self.vlans = [(end, number, vlan) for end in ends if end.vlans for number, vlan in end.vlans.items()]
        self.others = [
            *self.devices,
            *(vlan for _, _, vlan in self.vlans),
            *self.macvlans,
        ]  # interfaces that are no ends of links

    @cached_property
    def rising(self) -> dict[bool, list[_OwnEnd]]:
        """The ends of links, by whether they are ports."""
        found: dict[bool, list[_OwnEnd]] = {True: [], False: []}
        for own in self.ends:
            found[own[1].bridged].append(own)
        return found

    @cached_property
    def late(self) -> set[ResolvedInterface]:
        """The ends of links that a spanning tree will shut."""
        return {end for link in self.links if link.a.blocked or link.b.blocked for end in (link.a, link.b)}

    @cached_property
    def tunnels(self) -> list[_Tunnel]:
        return [(link, *ends) for link in self.links if link.tunnel for ends in ((link.a, link.b), (link.b, link.a))]

    @cached_property
    def wireguards(self) -> list[_Tunnel]:
        return [tunnel for tunnel in self.tunnels if tunnel[0].tunnel and tunnel[0].tunnel.kind == "wireguard"]


def _nodes(parts: _Parts) -> Iterator[tuple[Owner, AddNode]]:
    return ((node.name, parts.made(AddNode, node.name, node.kind, node.source)) for node in parts.nodes)


def _settings(parts: _Parts) -> Iterator[tuple[Owner, SetSysctl]]:
    routing = (node for node in parts.nodes if node.forwards or node.multipath)
    return ((node.name, parts.made(SetSysctl, *setting)) for node in routing for setting in _settings_of(node))


def _files(parts: _Parts) -> Iterator[tuple[Owner, AddFile]]:
    for node in parts.nodes:
        for file in node.files:
            yield node.name, AddFile(node.name, file.path, file.kind, file.content, node.source)


def _links(parts: _Parts) -> Iterator[tuple[Owner, AddVeth]]:
    return ((id(link.declared), _veth(parts, link)) for link in parts.links if not link.tunnel)


def _masters(parts: _Parts) -> Iterator[tuple[Owner, SetMaster]]:
    for owner, end in parts.ports:
        master = end.master.name if end.master else BRIDGE
        yield owner, parts.made(SetMaster, end.node.name, end.name, master, end.source)


def _in_vrfs(parts: _Parts) -> Iterator[SetMaster]:
    for end in (*(end for _, end in parts.ends), *parts.others, *parts.bridges):
        if end.vrf:
            yield parts.made(SetMaster, end.node.name, end.name, end.vrf.name, end.source)


def _ports(parts: _Parts) -> Iterator[tuple[Owner, SetPort]]:
    for owner, end in parts.ports:
        if end.port.settings:
            yield owner, SetPort(end.node.name, end.name, end.port.settings, end.source)


def _vlans_of_ports(parts: _Parts) -> Iterator[tuple[Owner, SetPortVlans]]:
    for owner, end in parts.ports:
        if end.port.vlan or end.port.trunk:
            yield owner, SetPortVlans(end.node.name, end.name, end.port.vlan or 0, end.port.trunk, end.source)


def _loopbacks(parts: _Parts) -> Iterator[tuple[Owner, AddAddress]]:
    for node in parts.nodes:
        for address in node.loopback:
            yield node.name, _address(parts, node.name, "lo", address, node.source)


def _addresses(parts: _Parts, hides: bool) -> Iterator[tuple[Owner, AddAddress]]:
    """A node's first address is its name's for those on no network with it: of a router with Nat, the one outside."""
    for owner, end in parts.ends:
        if end.addresses and end.hides is hides:
            for address in end.addresses:
                yield owner, _address(parts, end.node.name, end.name, address, end.source)


def _addresses_of_others(parts: _Parts, hides: bool) -> Iterator[AddAddress]:
    for end in (*parts.others, *parts.bridges):
        if end.hides is hides:
            yield from (_address(parts, end.node.name, end.name, address, end.source) for address in end.addresses)


def _address(parts: _Parts, node: str, name: str, address: InterfaceAddress, source: str) -> AddAddress:
    """Known by its identity: its hash takes as long as all else here."""
    return parts.made(AddAddress, node, name, address, source, key=(node, name, id(address), source))


def _up(parts: _Parts, late: bool, is_port: bool) -> Iterator[tuple[Owner, SetUp]]:
    """Ports first: an interface whose link's other end is up already has its carrier at once."""
    for owner, end in parts.rising[is_port] if parts.late or not late else ():
        if (end in parts.late) is late:
            yield owner, parts.made(SetUp, end.node.name, end.name, late, end.source)


def _others_up(parts: _Parts, late: bool, is_port: bool) -> Iterator[SetUp]:
    ends = (end for end in parts.others if end.bridged is is_port and (end in parts.late) is late)
    return (parts.made(SetUp, end.node.name, end.name, late, end.source) for end in ends)


def _routes(parts: _Parts, nodes: Iterable[ResolvedNode], several: bool) -> Iterator[tuple[Owner, Part]]:
    for node in nodes:
        if not node.routes:
            continue
        routes = [route for route in node.routes if (len(route.vias) > 1) is several]
        found = [route for route in routes if not route.said] if len(routes) > _FEW_ROUTES else []
        yield from ((node.name, _route(parts, node, route)) for route in routes if route.said or not found)
        if found:
            ways: dict[tuple[Address, ...], list[IPNetwork]] = {}
            for route in found:
                ways.setdefault(route.vias, []).append(route.destination)
            together = tuple((vias, tuple(destinations)) for vias, destinations in ways.items())
            yield node.name, ManyRoutes(node.name, together, node.table, node.source)


def _routes_of_parts(parts: _Parts, several: bool) -> Iterator[Part]:
    return (route for _, route in _routes(parts, parts.network.parts, several))


def _ends_of_tables(parts: _Parts) -> Iterator[EndTable]:
    for router in parts.network.parts:
        yield from (EndTable(router.name, everywhere, router.table, router.source) for everywhere in EVERYWHERE.values())


def _peers(parts: _Parts) -> list[AddPeer]:
    """Who begins comes last, when the other end knows its key."""
    return sorted((_peer(*tunnel) for tunnel in parts.wireguards), key=lambda peer: peer.keepalive)


def _http_servers(parts: _Parts) -> Iterator[AddHttpServer]:
    for part in parts.network.services:
        if isinstance(part, ResolvedHttpServer):
            yield AddHttpServer(part.node.name, part.name, part.port, part.source)


def _sections_up(late: bool) -> tuple[_Section, ...]:
    return tuple(
        section
        for is_port in (True, False)
        for section in (
            ("links", partial(_up, late=late, is_port=is_port)),
            ("rest", partial(_others_up, late=late, is_port=is_port)),
        )
    )


_MAKERS: dict[str, tuple[_Section, ...]] = {
    "nodes": (("nodes", _nodes),),
    "settings": (("nodes", _settings),),
    "files": (("nodes", _files),),
    "bridges": (
        ("nodes", lambda parts: ((node.name, _bridge(node)) for node in parts.nodes if node.bridges)),
        ("rest", lambda parts: map(_bridge_in_host, parts.bridges)),
    ),
    "links": (("links", _links),),
    "tunnels": (("rest", lambda parts: (_tunnel(*tunnel) for tunnel in parts.tunnels if tunnel not in parts.wireguards)),),
    "WireGuard": (("rest", lambda parts: (_wireguard(*tunnel) for tunnel in parts.wireguards)),),
    "devices": (("rest", lambda parts: map(_device, parts.devices)),),
    "VLAN interfaces": (
        (
            "rest",
            lambda parts: (
                AddVlan(end.node.name, vlan.name, end.name, number, vlan.source) for end, number, vlan in parts.vlans
            ),
        ),
    ),
    "macvlans": (("rest", lambda parts: map(_macvlan, parts.macvlans)),),
    "masters": (("links", _masters), ("rest", _in_vrfs)),
    "ports": (("links", _ports),),
    "VLANs of ports": (("links", _vlans_of_ports),),
    "addresses": (
        ("nodes", _loopbacks),
        ("links", partial(_addresses, hides=True)),
        ("rest", partial(_addresses_of_others, hides=True)),
        ("links", partial(_addresses, hides=False)),
        ("rest", partial(_addresses_of_others, hides=False)),
    ),
    "rules": (("rest", lambda parts: parts.rulesets),),
    "impairments": (
        (
            "links",
            lambda parts: (
                (id(link.declared), made) for link in parts.links if any(link.directions) for made in _impairments(link)
            ),
        ),
    ),
    "up": _sections_up(late=False),
    "spanning trees": (
        (
            "nodes",
            lambda parts: (
                (node.name, StartSpanningTree(node.name, BRIDGE, node.source)) for node in parts.nodes if node.bridge.stp
            ),
        ),
    ),
    "up, for spanning trees to shut": _sections_up(late=True),
    "neighbors": (("groups", lambda parts: map(_neighbors, parts.network.neighbors)),),
    "routes": (
        ("nodes", lambda parts: _routes(parts, parts.nodes, several=False)),
        ("rest", partial(_routes_of_parts, several=False)),
    ),
    "routes by several gateways": (
        ("nodes", lambda parts: _routes(parts, parts.nodes, several=True)),
        ("rest", partial(_routes_of_parts, several=True)),
    ),
    "ends of tables": (("rest", _ends_of_tables),),
    "WireGuard peers": (("rest", _peers),),
    "web servers": (("rest", _http_servers),),
    "services": (
        (
            "rest",
            lambda parts: (_service(part) for part in parts.network.services if isinstance(part, ResolvedService)),
        ),
    ),
}


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
    return AddService(
        part.node.name, part.name, part.command, part.directory, part.ready, part.timeout, part.env, part.user, part.source
    )


def _settings_of(node: ResolvedNode) -> Iterator[tuple[str, str, str, str]]:
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
        yield node.name, name, value, node.source


def _route(parts: _Parts, node: ResolvedNode, route: ResolvedRoute) -> AddRoute | AddMultipathRoute:
    if len(route.vias) == 1:
        return parts.made(AddRoute, node.name, route.destination, route.vias[0], node.table, route.source)
    return parts.made(AddMultipathRoute, node.name, route.destination, route.vias, node.table, route.source)


def _bridge(node: ResolvedNode) -> AddBridge:
    filtering = ("vlan_filtering 1",) if node.bridge.filters_vlans else ()
    return AddBridge(node.name, BRIDGE, (*node.bridge.settings, *filtering), node.mac, node.source)


def _veth(parts: _Parts, link: ResolvedLink) -> AddVeth:
    a, b = link.a, link.b
    ends = a.node.name, a.name, a.mac, b.node.name, b.name, b.mac
    return parts.made(AddVeth, *ends, link.mtu, link.is_relayed, link.name, link.source)


def _impairments(link: ResolvedLink) -> Iterator[Impair]:
    for end, peer, direction in (link.a, link.b, link.directions[0]), (link.b, link.a, link.directions[1]):
        if direction:
            place = end.node.name, end.name, peer.node.name, peer.name
            yield Impair(*place, direction.mechanism, direction.settings, link.source)


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
