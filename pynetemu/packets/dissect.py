"""What a packet says, in one line: addresses, protocol, and what it is for.

    packet = dissect(frame)
    packet.text                         "ICMP echo request seq 1"
    packet.source, packet.destination   "10.0.1.2", "10.0.2.2"

It knows what labs are made of: ARP, IPv4, IPv6 with its neighbor discovery, ICMP, TCP, UDP, VLAN tags, fragments, VXLAN and
GRE with what they carry, and the first line of DNS and HTTP. `Journey.scapy` takes a packet apart in full.

Every frame is taken apart, whatever is in it: what breaks its protocol's rules is told as malformed, and what lies
deeper than eight headers within headers is not looked at.
"""

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

from pynetemu.packets.application import dns, http
from pynetemu.packets.encapsulation import GENEVE_PORT, geneve_header, is_vxlan

Name = Callable[[str], str]  # the name to show for an address

_ICMP = {
    0: "echo reply",
    3: "unreachable",
    4: "source quench",
    5: "redirect",
    8: "echo request",
    11: "time exceeded",
    12: "bad header",
}
_UNREACHABLE = {
    0: "net",
    1: "host",
    2: "protocol",
    3: "port",
    4: "fragmentation needed",
    5: "source route",
    9: "net prohibited",
    10: "host prohibited",
    13: "prohibited",
}
_ICMP6 = {
    1: "unreachable",
    2: "packet too big",
    3: "time exceeded",
    4: "bad header",
    128: "echo request",
    129: "echo reply",
    130: "MLD query",
    131: "MLD report",
    132: "MLD done",
    133: "router solicitation",
    134: "router advertisement",
    137: "redirect",
    143: "MLD report",
}
_UNREACHABLE6 = {0: "no route", 1: "prohibited", 3: "address", 4: "port", 5: "source policy", 6: "route rejected"}
_PROTOCOLS = {2: "IGMP", 47: "GRE", 50: "ESP", 88: "EIGRP", 89: "OSPF", 103: "PIM", 112: "VRRP", 132: "SCTP"}
_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG")
_EXTENSIONS = (0, 43, 60)  # hop-by-hop, routing and destination options (RFC 8200)
_TRANSPORTS = {1: ("ICMP", 4), 58: ("ICMP", 4), 6: ("TCP", 20), 17: ("UDP", 8), 47: ("GRE", 4)}
_WHOLE = {0x0806: ("ARP", 28), 0x0800: ("IPv4", 20), 0x86DD: ("IPv6", 40)}  # the least that each must have
_DEEPEST = 8  # packets within packets: nobody builds more, and each is read again at every level above it


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet for people. `source` and `destination` are IP addresses, or MAC addresses below IP.

    `answers` is what an answer to it has as its own `question`: a ping's identifier, a connection's ports…
    `quoted` is the packet that an ICMP error is about, `inner` the one that a tunnel carries.
    """

    protocol: str
    source: str
    destination: str
    text: str
    ttl: int | None = None
    macs: tuple[str, str] = ("", "")  # source, destination
    vlan: int | None = None
    ports: tuple[int, int] = (0, 0)
    kind: str = ""
    size: int = 0  # of the IP packet, its header included
    dont_fragment: bool = False
    quoted: "Packet | None" = None
    inner: "Packet | None" = None

    @property
    def is_error(self) -> bool:
        """Whether it tells of a packet that died."""
        return self.quoted is not None


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a packet is read: `name` gives what to write for an address, `depth` is how many packets it lies in."""

    name: Name
    depth: int = 0

    def inside(self) -> "_Reading":
        """For the packet that the one at hand carries or quotes."""
        return _Reading(self.name, self.depth + 1)


def dissect(frame: bytes, name: Name = str) -> Packet:
    """Takes an Ethernet frame apart as far as it goes; `name` gives what to write for an address inside the text."""
    return _ethernet(frame, _Reading(name))


def is_to_many(frame: bytes) -> bool:
    """Whether a frame is for a group of receivers or for all, by its address."""
    return bool(frame) and bool(frame[0] & 1)


def _ethernet(frame: bytes, reading: _Reading) -> Packet:
    if len(frame) < 14:
        return Packet("frame", "", "", f"{len(frame)} bytes, no whole Ethernet header")
    macs = mac(frame[6:12]), mac(frame[:6])
    kind, start, vlan = int.from_bytes(frame[12:14]), 14, None
    while kind in (0x8100, 0x88A8) and len(frame) >= start + 4:
        vlan = int.from_bytes(frame[start : start + 2]) & 0xFFF
        kind, start = int.from_bytes(frame[start + 2 : start + 4]), start + 4
    return replace(_by_type(kind, frame, start, macs, reading), macs=macs, vlan=vlan)


def mac(data: bytes) -> str:
    return data.hex(":")


def _by_type(kind: int, frame: bytes, start: int, macs: tuple[str, str], reading: _Reading) -> Packet:
    rest = frame[start:]
    if reading.depth > _DEEPEST:
        return Packet("frame", *macs, "…")
    if kind in _WHOLE:
        protocol, least = _WHOLE[kind]
        if len(rest) < least:
            return _malformed(protocol, *macs, f"{len(rest)} bytes of {least} at least")
        return (_arp if kind == 0x0806 else _ipv4 if kind == 0x0800 else _ipv6)(rest, reading)
    if kind < 0x0600:  # IEEE 802.3: a length
        stp = rest[:3] == b"\x42\x42\x03"
        return Packet("STP" if stp else "LLC", *macs, _stp(rest) if stp else f"LLC {len(rest)} bytes")
    texts = {0x88CC: "LLDP", 0x8847: "MPLS", 0x8863: "PPPoE discovery", 0x8864: "PPPoE"}
    return Packet(texts.get(kind, "frame"), *macs, f"{texts.get(kind, f'Ethernet type 0x{kind:04x}')} {len(rest)} bytes")


def _malformed(protocol: str, source: str, destination: str, how: str) -> Packet:
    """A packet that breaks its protocol's rules."""
    return Packet(protocol, source, destination, f"malformed {protocol}: {how}", kind="malformed")


def _stp(data: bytes) -> str:
    return "STP topology change" if data[6:7] == b"\x80" else "STP"


def _arp(data: bytes, reading: _Reading) -> Packet:
    operation = int.from_bytes(data[6:8])
    sender, target = socket.inet_ntoa(data[14:18]), socket.inet_ntoa(data[24:28])
    if operation == 1 and sender == target:
        return Packet("ARP", sender, target, f"ARP announcement {sender}", kind="announcement")
    if operation == 1:
        probe = sender == "0.0.0.0"
        text = f"ARP probe {target}" if probe else f"ARP who-has {target} tell {reading.name(sender)}"
        return Packet("ARP", sender, target, text, kind="who-has")
    return Packet("ARP", sender, target, f"ARP {sender} is-at {mac(data[8:14])}", kind="is-at")


def _ipv4(data: bytes, reading: _Reading) -> Packet:
    header = (data[0] & 15) * 4
    size, number, flags = struct.unpack_from(">HHH", data, 2)
    source, destination = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
    if wrong := _wrong_ipv4(data, header, size):
        return replace(_malformed("IPv4", source, destination, wrong), ttl=data[8], size=size)
    offset = (flags & 0x1FFF) * 8
    payload = data[header:size] if size else data[header:]
    if offset:
        packet = Packet("IP", source, destination, _fragment(data[9], offset, size - header, number), kind="fragment")
    else:
        packet = _transport(data[9], payload, max(0, size - header), (source, destination), reading)
        if flags & 0x2000:
            packet = replace(packet, text=f"{packet.text} (first fragment, id {number})")
    return replace(packet, ttl=data[8], size=size, dont_fragment=bool(flags & 0x4000))


def _wrong_ipv4(data: bytes, header: int, size: int) -> str:
    """How a header breaks RFC 791, "" when it does not; segments larger than 64 kB have no size (BIG TCP)."""
    if data[0] >> 4 != 4:
        return f"version {data[0] >> 4}"
    if header < 20:
        return f"a header of {header} bytes"
    if len(data) < header:
        return f"{len(data)} bytes, with a header of {header}"
    return f"{size} bytes in all, with a header of {header}" if 0 < size < header else ""


def _ipv6(data: bytes, reading: _Reading) -> Packet:
    size, protocol, limit = struct.unpack_from(">HBB", data, 4)
    source, destination = (socket.inet_ntop(socket.AF_INET6, data[at : at + 16]) for at in (8, 24))
    if data[0] >> 4 != 6:
        wrong = _malformed("IPv6", source, destination, f"version {data[0] >> 4}")
        return replace(wrong, ttl=limit, size=size + 40)
    at, packet = 40, None
    while protocol in (*_EXTENSIONS, 44) and len(data) >= at + 8:
        if protocol == 44:
            offset, number = int.from_bytes(data[at + 2 : at + 4]) & 0xFFF8, int.from_bytes(data[at + 4 : at + 8])
            if offset:
                text = _fragment(data[at], offset, max(0, size + 40 - at - 8), number)
                packet = Packet("IPv6", source, destination, text, kind="fragment")
                break
        at, protocol = at + (8 if protocol == 44 else (data[at + 1] + 1) * 8), data[at]
    if packet is None and protocol in (*_EXTENSIONS, 44):
        packet = _malformed("IPv6", source, destination, "its extension headers are cut short")
    elif packet is None:
        packet = _transport(protocol, data[at : 40 + size], max(0, size + 40 - at), (source, destination), reading)
    return replace(packet, ttl=limit, size=size + 40, dont_fragment=True)


def _fragment(protocol: int, offset: int, size: int, number: int) -> str:
    named = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6", **_PROTOCOLS}.get(protocol, f"protocol {protocol}")
    return f"{named} fragment, bytes {offset} to {offset + size}, id {number}"


def _transport(protocol: int, data: bytes, size: int, ends: tuple[str, str], reading: _Reading) -> Packet:
    """`ends` are the addresses, `size` is how long the payload was on the wire; `data` may be cut."""
    is_ipv6 = ":" in ends[0]
    if protocol in (4, 41):
        kind = 0x0800 if protocol == 4 else 0x86DD
        return _tunnel("IPIP", *ends, _by_type(kind, data, 0, ("", ""), reading.inside()), reading)
    if protocol in (1, 58) and is_ipv6 != (protocol == 58):  # each belongs to one version (RFC 792, 4443)
        named = "ICMP" if protocol == 1 else "ICMPv6"
        return Packet("IP", *ends, f"malformed {named}: in IPv{'6' if is_ipv6 else '4'}", kind="malformed")
    if protocol not in _TRANSPORTS:
        named = _PROTOCOLS.get(protocol, "IP")
        return Packet(named, *ends, named if named != "IP" else f"IP protocol {protocol}")
    named, least = _TRANSPORTS[protocol]
    if len(data) < least:
        ports = struct.unpack_from(">HH", data) if protocol in (6, 17) and len(data) >= 4 else (0, 0)
        return replace(_malformed(named, *ends, f"{len(data)} bytes of {least} at least"), ports=ports)
    match protocol:
        case 1:
            return _icmp(data, *ends, reading)
        case 58:
            return _icmp6(data, *ends, reading)
        case 6:
            return _tcp(data, size, *ends)
        case 17:
            return _udp(data, size, *ends, reading)
    return _gre(data, *ends, reading)


def _icmp(data: bytes, source: str, destination: str, reading: _Reading) -> Packet:
    kind, code = data[0], data[1]
    words = _ICMP.get(kind, f"type {kind}")
    quotes = kind in (3, 11, 12) and len(data) >= 28 and reading.depth < _DEEPEST
    quoted = _ipv4(data[8:], reading.inside()) if quotes else None
    if kind in (0, 8) and len(data) >= 8:
        number, sequence = struct.unpack_from(">HH", data, 4)
        return Packet("ICMP", source, destination, f"ICMP {words} seq {sequence}", kind=words, ports=(number, sequence))
    if kind == 3:
        words += f" ({_UNREACHABLE.get(code, str(code))})"
        if code == 4 and len(data) >= 8:
            words += f", mtu {int.from_bytes(data[6:8])}"
    if kind == 11 and code == 1:
        words += " (reassembly)"
    if kind == 5 and len(data) >= 8:
        words += f": use {reading.name(socket.inet_ntoa(data[4:8]))}"
    return Packet("ICMP", source, destination, f"ICMP {words}", kind=words, quoted=quoted)


def _icmp6(data: bytes, source: str, destination: str, reading: _Reading) -> Packet:
    kind, code = data[0], data[1]
    if kind in (135, 136) and len(data) >= 24:
        target = socket.inet_ntop(socket.AF_INET6, data[8:24])
        if kind == 135:
            text = f"ND who-has {target} tell {reading.name(source)}" if source != "::" else f"ND probe {target}"
            return Packet("ND", source, target, text, kind="who-has")
        return Packet("ND", target, destination, f"ND {target} is-at {_link_address(data[24:])}".rstrip(), kind="is-at")
    words = _ICMP6.get(kind, f"type {kind}")
    if kind in (128, 129) and len(data) >= 8:
        number, sequence = struct.unpack_from(">HH", data, 4)
        return Packet("ICMP", source, destination, f"ICMPv6 {words} seq {sequence}", kind=words, ports=(number, sequence))
    if kind == 1:
        words += f" ({_UNREACHABLE6.get(code, str(code))})"
    if kind == 2 and len(data) >= 8:
        words += f", mtu {int.from_bytes(data[4:8])}"
    quotes = kind in (1, 2, 3, 4) and len(data) >= 48 and reading.depth < _DEEPEST
    quoted = _ipv6(data[8:], reading.inside()) if quotes else None
    protocol = "ND" if kind in (133, 134) else "MLD" if words.startswith("MLD") else "ICMP"
    text = f"ND {words}" if protocol == "ND" else words if protocol == "MLD" else f"ICMPv6 {words}"
    return Packet(protocol, source, destination, text, kind=words, quoted=quoted)


def _link_address(options: bytes) -> str:
    """The link-layer address among the options of neighbor discovery (RFC 4861, 4.6.1)."""
    while len(options) >= 8 and options[1]:
        if options[0] in (1, 2):
            return mac(options[2:8])
        options = options[options[1] * 8 :]
    return ""


def _tcp(data: bytes, size: int, source: str, destination: str) -> Packet:
    near, far = struct.unpack_from(">HH", data)
    header = (data[12] >> 4) * 4
    if header < 20:
        return replace(_malformed("TCP", source, destination, f"a header of {header} bytes"), ports=(near, far))
    flags = [word for bit, word in enumerate(_FLAGS) if data[13] & 1 << bit and word != "PSH"]
    carried = max(0, size - header)
    kind = "+".join(sorted(flags, key=("SYN", "FIN", "RST", "ACK", "URG").index))
    text = f"TCP {near} → {far} {kind}" + (f" {carried} bytes" if carried else "")
    line = http(data[header:]) if carried else ""
    if line:
        text = f"TCP {near} → {far} {line}"
    return Packet("TCP", source, destination, text, kind=kind, ports=(near, far))


def _udp(data: bytes, size: int, source: str, destination: str, reading: _Reading) -> Packet:
    near, far, length = struct.unpack_from(">HHH", data)
    if 0 < length < 8:  # 0 is a jumbogram's (RFC 2675)
        return replace(_malformed("UDP", source, destination, f"{length} bytes in all"), ports=(near, far))
    payload = data[8:]
    if is_vxlan(far, payload) and len(payload) >= 22:
        network = int.from_bytes(payload[4:7])
        carried = _tunnel(f"VXLAN {network}", source, destination, _ethernet(payload[8:], reading.inside()), reading)
        return replace(carried, ports=(near, far))
    if far == GENEVE_PORT and len(payload) >= 8:
        kind, network = int.from_bytes(payload[2:4]), int.from_bytes(payload[4:7])
        inner = _carried(kind, payload, geneve_header(payload), reading)
        return replace(_tunnel(f"GENEVE {network}", source, destination, inner, reading), ports=(near, far))
    line = dns(payload) if 53 in (near, far) else ""
    services = {67: "DHCP", 68: "DHCP", 123: "NTP", 546: "DHCPv6", 547: "DHCPv6", 5353: "mDNS"}
    word = line or services.get(far, "")
    text = f"UDP {near} → {far} " + (word or f"{max(0, size - 8)} bytes")
    return Packet("UDP", source, destination, text, ports=(near, far), kind=word.partition(" ")[0])


def _gre(data: bytes, source: str, destination: str, reading: _Reading) -> Packet:
    flags, kind = struct.unpack_from(">HH", data)
    start = 4 + sum(4 for bit in (0x8000, 0x2000, 0x1000) if flags & bit)  # checksum, key, sequence (RFC 2890)
    return _tunnel("GRE", source, destination, _carried(kind, data, start, reading), reading)


def _carried(kind: int, data: bytes, start: int, reading: _Reading) -> Packet:
    """What a tunnel carries from there on: a whole frame, or a packet."""
    if kind == 0x6558:
        return _ethernet(data[start:], reading.inside())
    return _by_type(kind, data, start, ("", ""), reading.inside())


def _tunnel(named: str, source: str, destination: str, inner: Packet, reading: _Reading) -> Packet:
    between = (
        ""
        if inner.protocol in ("ARP", "ND") or not inner.source
        else f" {reading.name(inner.source)} → {reading.name(inner.destination)}"
    )
    text = f"{named} [{inner.text}{between}]"
    return Packet(named.partition(" ")[0], source, destination, text, kind=inner.kind, inner=inner)
