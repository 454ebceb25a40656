"""Packets that end where a tunnel begins or ends: VXLAN, GRE, IP in IP, WireGuard.

What a tunnel's interface was handed is routed to the tunnel's other end as any packet of the node, or is not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pynetemu.engine.messages.wireguard import Device
from pynetemu.trace.evidence.lookups import Decision, Link, NodeTables
from pynetemu.trace.evidence.routing import Route
from pynetemu.trace.evidence.rules import Keys
from pynetemu.trace.verdicts.case import TABLES, Case
from pynetemu.trace.verdicts.causes import refused_by_routing
from pynetemu.trace.verdicts.interfaces import far_end_down, link_down
from pynetemu.trace.verdicts.verdict import Reason

BY_ADDRESSES = ("GRE", "IPIP")
IN_UDP = ("VXLAN", "GENEVE")
TUNNELS = ("VXLAN", *BY_ADDRESSES)
_KINDS_OF_REASONS = {"GRE": "gre", "IPIP": "tunnel"}
_GRE = ("gre", "gretap", "ip6gre", "ip6gretap")
_PROTOCOLS = {**dict.fromkeys((*_GRE, "erspan"), 47), "ipip": 4, "sit": 41, "vti": 50}
_ANY = ("0.0.0.0", "::")
_DEFAULT = "00:00:00:00:00:00"  # the entry for MAC addresses that a VXLAN interface does not know
_REFUSED = ("no route", "unreachable", "prohibit", "blackhole")
_SOME_PORT = 49152  # a tunnel by UDP sends from another one for each flow


def end_of_tunnel(case: Case) -> Reason | None:
    """A tunnel's packet that no interface of the node takes."""
    tables = case.evidence.tables(case.node)
    if tables is None:
        return None
    if case.packet.protocol == "VXLAN":
        return _end_of_vxlan(case, tables)
    return _end_by_addresses(case, tables) if case.packet.protocol in BY_ADDRESSES else None


def not_sent(case: Case) -> Reason | None:
    """What was handed to a tunnel's interface, and did not leave the node, or does not come out at the other end."""
    link = case.evidence.link(case.node, case.interface)
    if link is None:
        return None
    lost = _without_destination(case, link) if link.kind == "vxlan" else None
    lost = lost or (_by_wireguard(case) if link.kind == "wireguard" else None)
    return lost or _not_carried(case, link)


def _end_of_vxlan(case: Case, tables: NodeTables) -> Reason | None:
    frame = case.leaf.event.data
    at = _payload(frame) + 8
    wanted = int.from_bytes(frame[at + 4 : at + 7]), case.packet.ports[1]
    ends = {link.vxlan: link.name for link in tables.links.values() if link.vxlan is not None}
    name = ends.get(wanted, ends.get((0, wanted[1]), ""))
    if name:
        return link_down(case.node, name, case.evidence)
    others = [f"{name} has id {number} and port {port}" for (number, port), name in ends.items()]
    text = f"{case.node} has no VXLAN interface of id {wanted[0]} (VNI) on port {wanted[1]}"
    told = f"{text}: {others[0]}" if others else text
    return Reason("vxlan", told, tuple(others[1:]), f"{case.node} ip -d link show type vxlan", TABLES)


def _payload(frame: bytes) -> int:
    """Where what an IP header carries begins."""
    return 14 + ((frame[14] & 15) * 4 if frame[12:14] == b"\x08\x00" else 40)


def _without_destination(case: Case, link: Link) -> Reason | None:
    tables, mac = case.evidence.tables(case.node), case.leaf.event.data[:6].hex(":")
    entries = tables.forwarding_entries if tables is not None else ()
    if tables is None or any(entry.mac in (mac, _DEFAULT) for entry in entries if entry.interface == link.index):
        return None
    text = f"{case.node} {link.name} has no destination for {mac}: neither an entry for it, nor one for unknown addresses"
    hint = f"{case.node} bridge fdb append {_DEFAULT} dev {link.name} dst {_other_end(case, link)}"
    return Reason("vxlan", text, (), hint, TABLES)


def _other_end(case: Case, link: Link) -> str:
    """The address of the node at the other end of a VXLAN tunnel: of one with an interface of the same id and port."""
    for node in case.wiring.kinds:
        tables = case.evidence.tables(node) if node != case.node else None
        if tables is not None and any(other.vxlan == link.vxlan for other in tables.links.values()):
            for own in case.wiring.prefixes.get(node, ()):
                on = tables.links.get(case.wiring.interface_of(str(own.ip)))
                if on is not None and on.vxlan is None:
                    return str(own.ip)
    return "ADDRESS"


def _end_by_addresses(case: Case, tables: NodeTables) -> Reason | None:
    """For GRE and for IP in IP, whose interfaces are told by the addresses of both ends."""
    named, kinds = case.packet.protocol, _kinds(case)
    ends = case.packet.destination, case.packet.source
    fitting = [(link, link.tunnel) for link in tables.links.values() if link.kind in kinds and link.tunnel is not None]
    fitting = [(link, tunnel) for link, tunnel in fitting if _fits(tunnel.ends, ends)]
    # Without those that the kernel's module has made itself (gre0, tunl0).
    fitting = [(link, tunnel) for link, tunnel in fitting if link.up or not set(tunnel.ends) <= set(_ANY)]
    fitting.sort(key=lambda found: sum(end in _ANY for end in found[1].ends))  # that for these ends before one for any
    if not fitting:
        text = f"{case.node} has no {named} interface for what comes from {case.who(ends[1])} to {ends[0]}"
        return Reason(_KINDS_OF_REASONS[named], text, (), f"{case.node} ip -d link show type {kinds[0]}", TABLES)
    key = _gre_key(case.leaf.event.data) if named == "GRE" else None
    if any(tunnel.key == key for _, tunnel in fitting):
        return next((down for link, _ in fitting if (down := link_down(case.node, link.name, case.evidence))), None)
    link, tunnel = fitting[0]
    text = f"{case.node} {link.name} takes GRE with {_named(tunnel.key)}, and this has {_named(key)}"
    hint = f"{case.node} ip -d link show {link.name}"
    if link.kind == "gre" and key is not None:
        hint = f"{case.node} ip tunnel change {link.name} mode gre local {tunnel.ends[0]} remote {tunnel.ends[1]} key {key}"
    return Reason("gre", text, (), hint, TABLES)


def _kinds(case: Case) -> tuple[str, ...]:
    """The kinds of interfaces that could take a tunnel's packet."""
    if case.packet.protocol == "GRE":
        return _GRE
    is_in_ipv6 = ":" in case.packet.destination
    return ("ip6tnl",) if is_in_ipv6 else ("sit",) if case.leaf.event.data[23:24] == b"\x29" else ("ipip",)


def _fits(link: tuple[str, str], ends: tuple[str, str]) -> bool:
    return all(known in (*_ANY, seen) for known, seen in zip(link, ends, strict=True))


def _named(key: int | None) -> str:
    return "no key" if key is None else f"key {key}"


def _gre_key(frame: bytes) -> int | None:
    """The key of a GRE packet (RFC 2890)."""
    at = _payload(frame)
    flags = int.from_bytes(frame[at : at + 2])
    start = at + 4 + 4 * bool(flags & 0x8000)  # behind the checksum
    return int.from_bytes(frame[start : start + 4]) if flags & 0x2000 else None


def _by_wireguard(case: Case) -> Reason | None:
    """What WireGuard sends to nobody, or what its other end does not take, by the allowed addresses of the peers."""
    packet, here = case.packet, case.evidence.wireguard(case.node, case.interface)
    if here is None or packet.ttl is None:
        return None
    key = here.peer_for(packet.destination)
    if key is None:
        text = f"no WireGuard peer of {case.node} {case.interface} has {case.who(packet.destination)} in its allowed addresses"
        return Reason("wireguard", text, _allowed(here), f"{case.node} wg show {case.interface} allowed-ips", TABLES)
    for node, interface, there in _devices(case):
        if there.key != key:
            continue
        if down := link_down(node, interface, case.evidence):
            return down
        if here.key not in there.peers:
            text = f"{node} {interface} does not know the WireGuard key of {case.node}"
            return Reason("wireguard", text, (), f"{node} wg show {interface}", TABLES)
        if there.peer_for(packet.source) != here.key:
            return _not_allowed(case, node, interface, there.peers[here.key], here.key)
    return None


def _not_allowed(case: Case, node: str, interface: str, allowed: tuple[str, ...], key: str) -> Reason:
    source, own = case.packet.source, ", ".join(allowed) or "none"
    text = (
        f"{node} {interface} takes nothing from {case.who(source)} by WireGuard: the allowed addresses of that peer are {own}"
    )
    network = case.wiring.network_of(source)
    hint = f"{node} wg set {interface} peer {key} allowed-ips {','.join((*allowed, network))}"
    return Reason("wireguard", text, (), hint, TABLES)


def _devices(case: Case) -> Iterator[tuple[str, str, Device]]:
    for node in case.wiring.kinds:
        tables = case.evidence.tables(node)
        for link in tables.links.values() if tables else ():
            if link.kind == "wireguard" and (device := case.evidence.wireguard(node, link.name)) is not None:
                yield node, link.name, device


def _allowed(device: Device) -> tuple[str, ...]:
    return tuple(f"a peer has {', '.join(allowed) or 'none'}" for allowed in device.peers.values())


def _not_carried(case: Case, link: Link) -> Reason | None:
    """For what was handed to a tunnel's interface."""
    tables = case.evidence.tables(case.node)
    if tables is None:
        return None
    for other, mark in _other_ends(case, link, tables):
        if (reason := _towards(case, link, other, mark, tables)) is not None:
            return reason
    return None


def _other_ends(case: Case, link: Link, tables: NodeTables) -> Iterator[tuple[str, int]]:
    """The addresses that a packet may be sent to, each with the mark that it then has."""
    if link.tunnel is not None and link.tunnel.ends[1] not in _ANY:
        yield link.tunnel.ends[1], link.tunnel.mark
    if link.kind == "vxlan":
        mac = case.leaf.event.data[:6].hex(":")
        entries = [entry for entry in tables.forwarding_entries if entry.interface == link.index and entry.address]
        known = [entry.address for entry in entries if entry.mac == mac]
        for address in known or [entry.address for entry in entries if entry.mac == _DEFAULT]:
            yield address, 0
    if link.kind == "wireguard" and (device := case.evidence.wireguard(case.node, link.name)) is not None:
        end = device.endpoints.get(device.peer_for(case.packet.destination) or "") if case.packet.ttl is not None else None
        if end:
            yield end, device.mark


def _towards(case: Case, link: Link, other: str, mark: int, tables: NodeTables) -> Reason | None:
    node, own = case.node, link.tunnel.ends[0] if link.tunnel else _ANY[0]
    keys = _keys(link, "" if own in _ANY else own, other, mark)
    decision = tables.decide(keys)
    case.evidence.note(node, f"route for {keys.text}, the other end of {link.name}", decision.text(tables.names))
    if own not in _ANY and own not in tables.addresses:
        return _not_own(case, link, own, other, tables)
    bound = tables.names.get(link.tunnel.link, "") if link.tunnel else ""
    if bound:  # it leaves by this interface, whatever the routes say
        return link_down(node, bound, case.evidence)
    if decision.kind in _REFUSED:
        reason = refused_by_routing(node, decision, keys, case.wiring, case.evidence)
        hint = reason.hint
        if reason.text.startswith("no route"):
            hint = f"{node} ip {_version(other)}route add {case.wiring.route_to(node, other, without=link.name)}"
        return replace(reason, text=f"{reason.text}, the other end of its tunnel {link.name}", hint=hint)
    if decision.kind == "local":
        text = f"the other end of {node} {link.name} is {other}, an address of {node} itself"
        return Reason("address", text, (), f"{node} ip -d link show {link.name}", TABLES)
    if decision.kind != "forwarded":
        return None
    if circle := _circle(link, keys, decision, tables):
        return _into_itself(case, link, circle, tables)
    out = tables.names.get(decision.interface, "")
    down = link_down(node, out, case.evidence)
    return down or far_end_down(node, out, case.wiring, case.evidence) or _silent(case, link, decision, other, out)


def _keys(link: Link, own: str, other: str, mark: int) -> Keys:
    if link.kind in _PROTOCOLS:
        return Keys(own, other, "", _PROTOCOLS[link.kind], mark=mark)
    ports = (_SOME_PORT, link.vxlan[1]) if link.vxlan else None
    return Keys(own, other, "", 17, ports, mark=mark)


def _not_own(case: Case, link: Link, own: str, other: str, tables: NodeTables) -> Reason:
    """A source that the kernel lets no packet of the node have."""
    node = case.node
    text = f"{node} {link.name} is to send from {own}, and {node} has no such address"
    way = tables.decide(Keys("", other, mark=0))
    fitting = [
        address for address, index in tables.addresses.items() if index == way.interface and (":" in address) == (":" in other)
    ]
    hint = f"{node} ip -d link show {link.name}"
    if fitting and way.kind == "forwarded" and link.kind != "wireguard":
        hint = f"{node} ip link set {link.name} type {link.kind} local {fitting[0]}" + _kept(link, other)
    return Reason("address", text, (), hint, TABLES)


def _kept(link: Link, other: str) -> str:
    """What `ip link set` sets to nothing for a tunnel by IP where it is not named."""
    if link.vxlan:
        return ""
    key = f" key {link.tunnel.key}" if link.tunnel is not None and link.tunnel.key is not None else ""
    return f" remote {other}{key}"


def _circle(link: Link, keys: Keys, decision: Decision, tables: NodeTables) -> list[tuple[Keys, int]]:
    """How what a tunnel sends comes to the tunnel again, at once or by way of others: what each sends, and by which interface;
    nothing where it does not."""
    found = [(keys, decision.interface)]
    while found[-1][1] != link.index and len(found) <= len(tables.links):
        through = tables.links.get(tables.names.get(found[-1][1], ""))
        tunnel = through.tunnel if through else None
        if through is None or tunnel is None or tunnel.ends[1] in _ANY or tunnel.link:
            return []
        keys = _keys(through, "" if tunnel.ends[0] in _ANY else tunnel.ends[0], tunnel.ends[1], tunnel.mark)
        following = tables.decide(keys)
        if following.kind != "forwarded":
            return []
        found.append((keys, following.interface))
    return found if found[-1][1] == link.index else []


def _into_itself(case: Case, link: Link, circle: Sequence[tuple[Keys, int]], tables: NodeTables) -> Reason:
    node, other, out = case.node, circle[0][0].destination, tables.names.get(circle[0][1], link.name)
    text = f"the tunnel {link.name} of {node} leads into itself: the route to its other end, {case.who(other)}, is by {out}"
    found = [(keys, tables.routing.walk(keys).route) for keys, _ in circle]
    details = tuple(f"by the route {route.named}" for _, route in found if route is not None)
    spared = (route for keys, route in found if route is not None and _leads_out(route, keys, circle, tables))
    if (route := next(spared, None)) is not None:
        return Reason("route", text, details, f"{node} ip {_version(other)}route del {route.named}", TABLES)
    gateway = case.wiring.gateway_of(node, ":" if ":" in other else ".", without=out)
    return Reason("route", text, details, f"{node} ip {_version(other)}route replace {other} via {gateway}", TABLES)


def _leads_out(route: Route, keys: Keys, circle: Sequence[tuple[Keys, int]], tables: NodeTables) -> bool:
    """Whether without a route what it leads round in a circle leaves by another interface."""
    left = tables.routing.without(route).walk(keys)
    indexes = {hop.index for hop in left.route.hops} if left.route is not None else set()
    return left.kind == "forwarded" and not indexes & {interface for _, interface in circle}


def _version(address: str) -> str:
    """The option by which `ip` is told of IPv6."""
    return "-6 " if ":" in address else ""


def _silent(case: Case, link: Link, decision: Decision, other: str, out: str) -> Reason | None:
    """A next hop that did not answer when it was asked."""
    hop = decision.gateway or other
    if case.conversations.asked(case.node, hop) is None:
        return None
    asked = "neighbor discovery" if ":" in hop else "ARP"
    text = f"nobody answered the {asked} of {case.node} for {case.who(hop)} on {out}"
    return Reason("arp", text, (f"that leads to the other end of its tunnel {link.name}",), f"{case.node} ip neigh", TABLES)
