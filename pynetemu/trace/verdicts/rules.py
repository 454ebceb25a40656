"""The rules that choose a routing table, or refuse a packet themselves (ip-rule(8), linux/fib_rules.h)."""

import socket
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from pynetemu.engine.messages.framing import as_text, attributes, unpack
from pynetemu.packets.dissect import Packet

_BODY = struct.Struct("=BBBBxxxBI")  # struct fib_rule_hdr: family, lengths of both prefixes, DS field, action, flags
_ACTIONS = {6: "blackhole", 7: "unreachable", 8: "prohibit"}  # FR_ACT_*
_TARGET, _SOURCE, _INPUT, _PRIORITY, _MARK, _PROTOCOL, _OUTPUT = 1, 2, 3, 6, 10, 22, 17  # FRA_*
_SOURCE_PORTS, _TARGET_PORTS = 23, 24
_PROTOCOLS = {"ICMP": 1, "TCP": 6, "UDP": 17, "ICMPv6": 58}
_INVERTED = 0x2  # FIB_RULE_INVERT


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; what it does not ask for is empty or None. `action` is "" for one that leads to a table."""

    family: int
    priority: int
    action: str
    source: str = ""
    target: str = ""
    interface: str = ""
    protocol: int = 0
    ports: tuple[int, int] | None = None
    asks_more: bool = False

    @property
    def text(self) -> str:
        """As `ip rule` shows it: "from 10.1.0.0/24 iif eth0 blackhole"."""
        words = [f"from {self.source or 'all'}"]
        words += [f"to {self.target}"] if self.target else []
        words += [f"iif {self.interface}"] if self.interface else []
        words += [f"ipproto {self.protocol}"] if self.protocol else []
        words += [f"dport {self.ports[0]}-{self.ports[1]}"] if self.ports else []
        return " ".join([*words, self.action])

    def is_about(self, packet: Packet, interface: str) -> bool:
        """Whether it is certain that the rule is for a packet that came by an interface."""
        is_ipv6 = ":" in packet.destination
        if self.asks_more or is_ipv6 != (self.family == socket.AF_INET6) or self.interface not in ("", interface):
            return False
        prefixes = ((self.source, packet.source), (self.target, packet.destination))
        if not all(not prefix or ip_address(address) in ip_network(prefix, strict=False) for prefix, address in prefixes):
            return False
        first, last = self.ports or (0, 0xFFFF)
        return self.protocol in (0, _PROTOCOLS.get(packet.protocol)) and first <= packet.ports[1] <= last


def rule_of(body: bytes) -> Rule:
    """The rule of an answer of the kernel."""
    family, target_length, source_length, tos, action, flags = unpack(_BODY, body)
    found = dict(attributes(body, _BODY.size))

    def prefix(kind: int, length: int) -> str:
        return f"{socket.inet_ntop(family, found[kind])}/{length}" if kind in found else ""

    def name(kind: int) -> str:
        return as_text(found.get(kind, b""))

    ports = struct.unpack("=HH", found[_TARGET_PORTS]) if _TARGET_PORTS in found else None
    return Rule(
        family=family,
        priority=int.from_bytes(found.get(_PRIORITY, b"\0\0\0\0"), sys.byteorder),
        action=_ACTIONS.get(action, ""),
        source=prefix(_SOURCE, source_length),
        target=prefix(_TARGET, target_length),
        interface=name(_INPUT),
        protocol=found.get(_PROTOCOL, b"\0")[0],
        ports=ports,
        asks_more=bool(tos or flags & _INVERTED or name(_OUTPUT) or any(found.get(_MARK, b"")) or _SOURCE_PORTS in found),
    )


def first_refusing(rules: Sequence[Rule], packet: Packet, interface: str) -> Rule | None:
    """The first rule that refuses a packet that came by an interface ("" for the node's own)."""
    return next((rule for rule in rules if rule.action and rule.is_about(packet, interface)), None)
