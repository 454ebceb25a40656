"""Tunnels: by which outer addresses their ends reach each other, and how large the packets are that fit into theirs."""

from collections.abc import Iterable, Iterator
from itertools import count, product
from typing import Any, Literal

from pynetemu.plan.operations import InterfaceAddress
from pynetemu.plan.problems import Problems, Wrong
from pynetemu.plan.resolve.domains import Domain
from pynetemu.plan.resolve.network import ResolvedInterface, ResolvedLink, ResolvedNetwork, ResolvedNode, ResolvedTunnel
from pynetemu.plan.resolve.paths import PacketPaths
from pynetemu.plan.values import read_number, read_plain_address
from pynetemu.topology.nodes import Interface
from pynetemu.topology.part import quoted
from pynetemu.topology.tunnels import Gre, Tunnel, Vxlan, WireGuard

_USUAL_MTU = 1500
_LEAST_MTU = 68  # of IPv4, RFC 791
_LARGEST_ID = (1 << 24) - 1  # RFC 7348
_IP_HEADER = {4: 20, 6: 40}
_VXLAN_HEADERS = 8 + 8 + 14  # UDP, VXLAN and the inner Ethernet header
_GRE_HEADER, _KEY_HEADER = 4, 4
_WIREGUARD_HEADERS = 8 + 16 + 16  # UDP, and of WireGuard the header and the authentication tag
_WIREGUARD_PORT = 51820  # that of all examples
_NAMES = {"vxlan": "VXLAN", "gre": "GRE", "wireguard": "WireGuard"}


def read_tunnel(part: Tunnel, problems: Problems) -> ResolvedTunnel:
    """What the user said of a tunnel, its ends aside."""
    declaration = part.declaration
    outer = problems.check(declaration, _read_endpoints, part.endpoints)
    tunnel = ResolvedTunnel(_kind(part), outer or (None, None))
    if isinstance(part, Vxlan):
        number = problems.check(declaration, read_number, getattr(part, "id", 1), "id", 1, _LARGEST_ID) or 0
        port = problems.check(declaration, read_number, part.port, "port", 1, 65535)
        tunnel.number, tunnel.headers = number, _VXLAN_HEADERS
        tunnel.settings = (f"id {number}", f"dstport {port}")
        tunnel.ports = (port or 0, port or 0)
    elif isinstance(part, Gre):
        tunnel.settings, tunnel.headers = ("ttl 64",), _GRE_HEADER
        if part.key is not None:
            key = problems.check(declaration, read_number, part.key, "key", 0, (1 << 32) - 1)
            tunnel.settings, tunnel.headers = (*tunnel.settings, f"key {key}"), _GRE_HEADER + _KEY_HEADER
    elif isinstance(part, WireGuard):
        port = 0 if part.port is None else problems.check(declaration, read_number, part.port, "port", 1, 65535) or 0
        tunnel.ports, tunnel.headers = (port, port), _WIREGUARD_HEADERS
    return tunnel


def _kind(part: Tunnel) -> Literal["vxlan", "gre", "wireguard"]:
    return "vxlan" if isinstance(part, Vxlan) else "gre" if isinstance(part, Gre) else "wireguard"


def interface_names(tunnel: ResolvedTunnel) -> Iterator[str]:
    """What the ends of a tunnel are called, best first."""
    if tunnel.kind == "vxlan":
        yield f"vxlan{tunnel.number}"
        yield from (f"vxlan{tunnel.number}-{number}" for number in count(2))
    elif tunnel.kind == "gre":
        yield from (f"gre{number}" for number in count(1))  # gre0 is the kernel's, in every namespace
    else:
        yield from (f"wg{number}" for number in count())


def check_ends(link: ResolvedLink, problems: Problems) -> None:
    """Whether the ends of a tunnel can be such."""
    assert link.tunnel
    for end in (link.a, link.b):
        if end.node.bridges:
            text = f"{end.node.name} is a switch, which has no address to send a tunnel's packets from"
            problems.add(link.declared, text, "a tunnel is between hosts or routers")
        if (end.mac or end.master) and link.tunnel.kind != "vxlan":
            what = f"is to be a port of {end.master.name}" if end.master else "is given a MAC address"
            text = f"{end.node.name} {end.name} {what}, and {_NAMES[link.tunnel.kind]} carries no Ethernet"
            problems.add(end.declared, text, "take a Vxlan")
    if link.a.node is link.b.node:
        problems.add(link.declared, f"this tunnel leads from {link.a.node.name} to itself", "it joins two nodes")


def lay_tunnels(network: ResolvedNetwork, domains: list[Domain], problems: Problems) -> None:
    """Finds the endpoints and the MTU of each tunnel, now that all addresses and routes are known."""
    tunnels = [link for link in network.links if link.tunnel]
    if not tunnels:
        return
    _choose_ports(tunnels)
    digger = _Digger(network, domains, problems)
    for link in tunnels:
        digger.find_endpoints(link)
    for link in tunnels:
        digger.find_mtu(link, ())
    for domain in domains:
        _make_fit(domain)
    _check_numbers([link for link in tunnels if link.tunnel], problems)


def _choose_ports(tunnels: list[ResolvedLink]) -> None:
    """For each WireGuard without one the first UDP port from 51820 on that is free on its node."""
    taken = {(end.node, port) for link in tunnels for end, port in _ends_with(link, "ports") if port}
    for link in tunnels:
        if link.tunnel and link.tunnel.kind == "wireguard" and not all(link.tunnel.ports):
            ports = []
            for node in (link.a.node, link.b.node):
                ports.append(next(port for port in count(_WIREGUARD_PORT) if (node, port) not in taken))
                taken.add((node, ports[-1]))
            link.tunnel.ports = ports[0], ports[1]


def _make_fit(domain: Domain) -> None:
    """Gives the links that a bridge joins with a tunnel its MTU: a bridge drops what is larger (net/bridge/br_forward.c)."""
    limits = [link.mtu for link in domain.links if link.tunnel and link.mtu]
    for link in domain.links if limits else ():
        link.mtu = link.mtu or min(limits)


class _Digger:
    def __init__(self, network: ResolvedNetwork, domains: list[Domain], problems: Problems) -> None:
        self._paths = PacketPaths(network, domains)
        self._problems = problems
        self._link = {end: link for link in network.links for end in (link.a, link.b)}
        self._link |= {vlan: link for end, link in list(self._link.items()) for vlan in end.vlans.values()}
        self._below: dict[ResolvedLink, list[ResolvedInterface]] = {}  # by which interfaces a tunnel's packets leave

    def find_endpoints(self, link: ResolvedLink) -> None:
        assert link.tunnel
        nodes = link.a.node.whole, link.b.node.whole
        if nodes[0] is nodes[1] or any(node.incomplete or node.bridges for node in nodes):
            return
        near, far = (self._candidates(link, end, wanted) for end, wanted in _ends_with(link, "wanted"))
        leads_back = False
        for one, other in sorted(product(near, far), key=_pair_rank):
            if one.version != other.version:
                continue
            paths = self._paths.find(nodes[0], other.ip), self._paths.find(nodes[1], one.ip)
            below = [interface for way in paths for interface in way or ()]
            there, back = paths
            if any(self._is_on(interface, link) for interface in below):
                leads_back = True
            elif there is None or back is None:
                if link.tunnel.kind == "wireguard" and there != back and link not in self._below:
                    link.tunnel.endpoints = None if back is None else one.ip, None if there is None else other.ip
                    self._below[link] = below
            elif not any(lower.tunnel for interface in below for lower in self._links_at(interface)):
                link.tunnel.endpoints, self._below[link] = (one.ip, other.ip), below
                return
            elif None in link.tunnel.endpoints:  # by way of other tunnels, if there is no way without
                link.tunnel.endpoints, self._below[link] = (one.ip, other.ip), below
        if near and far and link not in self._below:
            self._problems.add(link.declared, *_no_way(link, leads_back))

    def _candidates(self, link: ResolvedLink, end: ResolvedInterface, wanted: object) -> list[InterfaceAddress]:
        """The addresses of a tunnel's end that may be its outer one, best first."""
        node = end.node.whole
        if isinstance(wanted, Interface):
            found = next((one for one in node.interfaces.values() if one.declared is wanted.declaration), None)
            if found is None:
                text = f"the endpoint {quoted(wanted.name)} is not an interface of {node.name}"
                self._problems.add(link.declared, text, "endpoints=(...) are in the order of the tunnel's ends")
            return [] if found is None else _usable(found.addresses)
        every = [*self._own_addresses(node, link)]
        if wanted is None:
            if not every:
                text = f"{node.name} has no address besides the tunnel's to send its packets from"
                self._problems.add(link.declared, text, "a tunnel is between nodes that reach each other without it")
            return every
        mine = [address for interface in node.interfaces.values() for address in interface.addresses]
        chosen = [address for address in (*every, *mine) if address.ip == wanted][:1]
        if not chosen:
            there = ", ".join(str(address.ip) for address in every)
            text = f"the endpoint {wanted} is not an address of {node.name}"
            self._problems.add(link.declared, text, f"{node.name} has {there}" if there else "")
        return chosen

    def _is_on(self, interface: ResolvedInterface, tunnel: ResolvedLink) -> bool:
        """Whether what an interface sends may go through a tunnel, as frames in the same broadcast domain do."""
        return tunnel in self._links_at(interface)

    def _links_at(self, interface: ResolvedInterface) -> list[ResolvedLink]:
        """The links of an interface's broadcast domain."""
        domain = self._paths.domain(interface)
        return domain.links if domain else []

    def _own_addresses(self, node: ResolvedNode, tunnel: ResolvedLink) -> Iterator[InterfaceAddress]:
        """A node's addresses but those of tunnels; the outside of a Nat first, loopbacks last."""
        found = [one for one in node.interfaces.values() if one not in self._link or not self._link[one].tunnel]
        interfaces = [one for one in found if one.node is node and not self._is_on(one, tunnel)]
        for interface in sorted(interfaces, key=lambda interface: not interface.hides):
            yield from _usable(interface.addresses)
        yield from _usable(node.loopback)
        if node.own_address:
            yield node.own_address

    def find_mtu(self, link: ResolvedLink, above: tuple[ResolvedLink, ...]) -> int:
        """The MTU of a link; `above` are the tunnels whose packets go through it."""
        tunnel = link.tunnel
        if tunnel is None or link.mtu:
            return link.mtu or _USUAL_MTU
        if link in above:
            text = f"the packets of this tunnel would go through itself, by way of {_name(above[-1])}"
            self._problems.add(link.declared, text, "give one of them other endpoints=(...)")
            link.tunnel = None  # told once
            return _USUAL_MTU
        endpoint = tunnel.endpoints[0] or tunnel.endpoints[1]
        if endpoint is None:
            return _USUAL_MTU
        room = min((self._room(interface, (*above, link)) for interface in self._below[link]), default=_USUAL_MTU)
        # A WireGuard's end may move from IPv4 to IPv6: as wg-quick(8), room for both.
        mtu = room - tunnel.headers - _IP_HEADER[6 if tunnel.kind == "wireguard" else endpoint.version]
        if mtu < _LEAST_MTU:
            self._problems.add(link.declared, f"no packet fits into this tunnel: the way below has an MTU of {room}", "")
        link.mtu = mtu
        return mtu

    def _room(self, interface: ResolvedInterface, above: tuple[ResolvedLink, ...]) -> int:
        """The largest packet that passes wherever an interface sends: the smallest MTU of its broadcast domain."""
        links = self._links_at(interface)
        follows = any(link.tunnel for link in links)  # then the others get its MTU, unless they have their own
        sizes = (self.find_mtu(link, above) for link in links if link.mtu or link.tunnel or not follows)
        return min(sizes, default=_USUAL_MTU)


def _ends_with(link: ResolvedLink, field: Literal["wanted", "ports"]) -> Iterable[tuple[ResolvedInterface, Any]]:
    """The ends of a tunnel, each with its own of what the tunnel has for both."""
    return zip((link.a, link.b), getattr(link.tunnel, field), strict=True)


def _usable(addresses: Iterable[InterfaceAddress]) -> list[InterfaceAddress]:
    return [address for address in addresses if address.version == 4 or not address.is_link_local]


def _pair_rank(pair: tuple[InterfaceAddress, InterfaceAddress]) -> bool:
    """Pairs on one network come first; the others stay in their order."""
    return pair[0].network != pair[1].network


def _no_way(link: ResolvedLink, leads_back: bool) -> tuple[str, str]:
    a, b = link.a.node.name, link.b.node.name
    if leads_back:
        text = f"the packets of this tunnel between {a} and {b} would go through itself"
        return text, "there must be another way between them, of a lower cost= than the tunnel's"
    text = f"{a} and {b} do not reach each other without this tunnel"
    return text, "a tunnel needs a way below it: a link between them, or links and routers"


def _name(link: ResolvedLink) -> str:
    return f"{link.a.node.name} {link.a.name}"


def _check_numbers(tunnels: list[ResolvedLink], problems: Problems) -> None:
    """Tunnels that a node could not tell apart."""
    first: dict[tuple[object, ...], ResolvedLink] = {}
    for link in tunnels:
        assert link.tunnel
        for side, end in enumerate((link.a, link.b)):
            other = first.setdefault((end.node, link.tunnel.kind, *_marks(link.tunnel, side)), link)
            if other is not link:
                what = f"{end.node.name} has a tunnel with {_settings(link.tunnel)} already"
                option = {"vxlan": "id", "gre": "key", "wireguard": "port"}[link.tunnel.kind]
                hint = f"the other is at {other.source}; give this one another {option}="
                problems.add(link.declared, what, hint)
                break
    _check_ports(tunnels, problems)


def _check_ports(tunnels: list[ResolvedLink], problems: Problems) -> None:
    """UDP ports that tunnels of two kinds would listen on: all of one node's VXLANs share theirs, a WireGuard shares none."""
    first: dict[tuple[ResolvedNode, int], ResolvedLink] = {}
    for link in tunnels:
        for end, port in _ends_with(link, "ports") if link.tunnel else ():
            other = first.setdefault((end.node.whole, port), link) if port else link
            if link.tunnel and other.tunnel and other.tunnel.kind != link.tunnel.kind:
                text = f"port {port} of {end.node.name} is that of a {_NAMES[other.tunnel.kind]} tunnel already"
                problems.add(link.declared, text, f"the other is at {other.source}; give this one another port=")
                break


def _marks(tunnel: ResolvedTunnel, side: int) -> tuple[object, ...]:
    """That by which a node knows whose a packet is."""
    if tunnel.kind == "wireguard":
        return (tunnel.ports[side],)
    if tunnel.kind == "vxlan":
        return tunnel.settings
    ends = tunnel.endpoints if all(tunnel.endpoints) else (object(), object())
    return (*tunnel.settings, ends[side], ends[1 - side])


def _settings(tunnel: ResolvedTunnel) -> str:
    """What two tunnels have in common that a node cannot tell apart."""
    if tunnel.kind == "wireguard":
        return f"port {tunnel.ports[0]}"
    if tunnel.kind == "vxlan":
        return " and ".join(tunnel.settings)
    return "the same endpoints" + (" and key" if len(tunnel.settings) > 1 else "")


def _read_endpoints(endpoints: object) -> tuple[object, object]:
    if endpoints is None:
        return None, None
    if not isinstance(endpoints, tuple | list) or len(endpoints) != 2:
        raise Wrong(f"endpoints={quoted(endpoints)} are not two", "one of each end: endpoints=('10.0.1.1', '10.0.2.1')")
    first, second = (_read_endpoint(endpoint) for endpoint in endpoints)
    return first, second


def _read_endpoint(endpoint: object) -> object:
    if isinstance(endpoint, Interface):
        return endpoint
    if found := read_plain_address(endpoint):
        return found
    hint = "such as '10.0.0.1', without prefix length, or an interface"
    raise Wrong(f"the endpoint {quoted(endpoint)} is not an address", hint)
