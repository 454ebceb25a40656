"""Packets that end where a tunnel begins or ends: VXLAN, GRE, WireGuard."""

from collections.abc import Iterator

from pynetemu.engine.messages.wireguard import Device
from pynetemu.trace.evidence.lookups import Link, NodeTables
from pynetemu.trace.verdicts.case import TABLES, Case
from pynetemu.trace.verdicts.interfaces import link_down
from pynetemu.trace.verdicts.verdict import Reason

_ANY = ("0.0.0.0", "::")
_DEFAULT = "00:00:00:00:00:00"  # the entry for MAC addresses that a VXLAN interface does not know


def end_of_tunnel(case: Case) -> Reason | None:
    """A tunnel's packet that no interface of the node takes."""
    tables = case.evidence.tables(case.node)
    if tables is None:
        return None
    if case.packet.protocol == "VXLAN":
        return _end_of_vxlan(case, tables)
    return _end_of_gre(case, tables) if case.packet.protocol == "GRE" else None


def not_sent(case: Case) -> Reason | None:
    """What was handed to a tunnel's interface, and did not leave the node, or does not come out at the other end."""
    link = case.evidence.link(case.node, case.interface)
    if link is None:
        return None
    if link.kind == "vxlan":
        return _without_destination(case, link)
    return _by_wireguard(case) if link.kind == "wireguard" else None


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
    if tables is None or any(known in (mac, _DEFAULT) for known, index in tables.forwarding_entries if index == link.index):
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


def _end_of_gre(case: Case, tables: NodeTables) -> Reason | None:
    ends = case.packet.destination, case.packet.source
    fitting = [link for link in tables.links.values() if link.gre is not None and _fits(link.gre, ends)]
    fitting = [link for link in fitting if link.up or not set(link.gre or ()) <= set(_ANY)]  # without the module's own gre0
    fitting.sort(key=lambda link: sum(end in _ANY for end in link.gre or ()))  # that for these ends before one for any
    if not fitting:
        text = f"{case.node} has no GRE interface for what comes from {case.who(ends[1])} to {ends[0]}"
        return Reason("gre", text, (), f"{case.node} ip -d link show type gre", TABLES)
    key = _gre_key(case.leaf.event.data)
    if any(link.gre_key == key for link in fitting):
        return next((down for link in fitting if (down := link_down(case.node, link.name, case.evidence))), None)
    link = fitting[0]
    text = f"{case.node} {link.name} takes GRE with {_named(link.gre_key)}, and this has {_named(key)}"
    hint = f"{case.node} ip -d link show {link.name}"
    if link.kind == "gre" and link.gre is not None and key is not None:
        hint = f"{case.node} ip tunnel change {link.name} mode gre local {link.gre[0]} remote {link.gre[1]} key {key}"
    return Reason("gre", text, (), hint, TABLES)


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
