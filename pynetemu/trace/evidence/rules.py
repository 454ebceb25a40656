"""The rules that choose a routing table, or refuse a packet themselves (ip-rule(8), linux/fib_rules.h)."""

import socket
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Literal

from pynetemu.engine.messages import rules as messages
from pynetemu.packets.dissect import Packet

_ACTIONS: "dict[str, Action]" = {"table": "lookup", "goto": "goto", "nop": "nop", "blackhole": "blackhole",
                                 "unreachable": "unreachable", "prohibit": "prohibit"}  # fmt: skip
_NAMES = {253: "default", 254: "main", 255: "local"}
PROTOCOLS = {"ICMP": 1, "IGMP": 2, "IPIP": 4, "TCP": 6, "UDP": 17, "GRE": 47, "ICMPv6": 58}

Action = Literal["lookup", "goto", "nop", "blackhole", "unreachable", "prohibit"]
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Keys:
    """What a packet is looked up by: its own addresses, protocol, ports and DS field; the interface by which it came, "" for
    one that the node has made; the mark that it bears in the node, None where nobody has seen it. Of a packet that nobody has
    seen `is_guess` says that it may have any protocol, ports, mark and DS field that are not given."""

    source: str
    destination: str
    interface: str = ""
    protocol: int = 0
    ports: tuple[int, int] | None = None
    ds_field: int = 0
    mark: int | None = None
    is_guess: bool = False

    @property
    def text(self) -> str:
        """As words: "10.1.0.11 → 10.2.0.21 iif eth0 ipproto tcp mark 0x5"."""
        words = [f"{self.source or 'any'} → {self.destination}"]
        words += [f"iif {self.interface}"] if self.interface else []
        words += [f"ipproto {socket_name(self.protocol)}"] if self.protocol else []
        words += [f"ports {self.ports[0]} → {self.ports[1]}"] if self.ports else []
        words += [f"dsfield {self.ds_field:#04x}"] if self.ds_field else []
        words += [f"mark {self.mark:#x}"] if self.mark else []
        return " ".join(words)

    @property
    def family(self) -> int:
        return socket.AF_INET6 if ":" in self.destination else socket.AF_INET


def keys_of(packet: Packet, frame: bytes, interface: str, mark: int | None = None) -> Keys:
    """The keys of a frame that came by an interface."""
    protocol = _protocol(frame)
    has_ports = packet.kind != "fragment" and protocol in (6, 17)
    ports = packet.ports if has_ports else None
    return Keys(packet.source, packet.destination, interface, protocol, ports, _ds_field(frame), mark)


def _protocol(frame: bytes) -> int:
    """What an IP header says of its payload; of IPv6 that behind no or one extension header."""
    if frame[12:14] == b"\x08\x00":
        return frame[23] if len(frame) > 23 else 0
    if len(frame) <= 54:
        return 0
    return frame[54] if frame[20] in (0, 43, 44, 60) else frame[20]


def _ds_field(frame: bytes) -> int:
    """The six bits of differentiated services, where they lie in the octet (RFC 2474)."""
    if len(frame) < 16:
        return 0
    octet = frame[15] if frame[12:14] == b"\x08\x00" else (frame[14] & 15) << 4 | frame[15] >> 4
    return octet & 0xFC


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; what it does not ask for is empty or None."""

    family: int
    priority: int
    action: Action
    table: int = 0
    goto: int = 0
    source: str = ""
    target: str = ""
    interface: str = ""
    output: str = ""
    protocol: int = 0
    source_ports: Range | None = None
    target_ports: Range | None = None
    mark: Range | None = None  # value and mask
    ds_field: int | None = None
    shortest: int = -1  # routes whose prefix is no longer are passed over
    is_inverted: bool = False
    is_of_vrf: bool = False
    users: Range | None = None
    asks_more: bool = False

    @property
    def text(self) -> str:
        """As `ip rule` shows it: "from 10.1.0.0/24 iif eth0 blackhole"."""
        words = ["not"] if self.is_inverted else []
        words += [f"from {self.source or 'all'}"]
        words += [f"to {self.target}"] if self.target else []
        words += [f"dsfield {self.ds_field:#04x}"] if self.ds_field is not None else []
        words += (
            [f"fwmark {self.mark[0]:#x}" + (f"/{self.mark[1]:#x}" if self.mark[1] != 0xFFFFFFFF else "")] if self.mark else []
        )
        words += [f"iif {self.interface}"] if self.interface else []
        words += [f"oif {self.output}"] if self.output else []
        words += [f"uidrange {self.users[0]}-{self.users[1]}"] if self.users else []
        words += [f"ipproto {socket_name(self.protocol)}"] if self.protocol else []
        words += [f"sport {_range(self.source_ports)}"] if self.source_ports else []
        words += [f"dport {_range(self.target_ports)}"] if self.target_ports else []
        words += [f"lookup {table_name(self.table)}"] if self.action == "lookup" else [self.action]
        words += [f"suppress_prefixlength {self.shortest}"] if self.shortest >= 0 else []
        return " ".join(words)

    def is_about(self, keys: Keys) -> bool | None:
        """Whether a packet is meant; None where that depends on what nobody has seen."""
        if keys.family != self.family:
            return False
        matches: bool | None
        if not self._is_of_ends(keys):
            matches = False
        else:
            asked = (self._is_of_protocol(keys), self._is_of_ds_field(keys), self._has_ports(keys), self._is_of_mark(keys))
            matches = False if False in asked else None if None in asked else True
        return matches if matches is None else matches != self.is_inverted

    def _is_of_ends(self, keys: Keys) -> bool:
        if self.interface and self.interface != (keys.interface or "lo"):
            return False
        is_source = _is_in(self.source, keys.source) or (keys.is_guess and not keys.source)
        return is_source and _is_in(self.target, keys.destination)

    def _is_of_protocol(self, keys: Keys) -> bool | None:
        if self.protocol and not keys.protocol and keys.is_guess:
            return None
        return self.protocol in (0, keys.protocol)

    def _is_of_ds_field(self, keys: Keys) -> bool | None:
        if self.ds_field is not None and not keys.ds_field and keys.is_guess:
            return None
        return self.ds_field in (None, keys.ds_field)

    def _has_ports(self, keys: Keys) -> bool | None:
        has: bool | None = True
        for wanted, number in ((self.source_ports, 0), (self.target_ports, 1)):
            if wanted is None:
                continue
            if keys.ports is None or not keys.ports[number]:
                has = None if keys.is_guess else False
            elif not wanted[0] <= keys.ports[number] <= wanted[1]:
                return False
        return has

    def _is_of_mark(self, keys: Keys) -> bool | None:
        if self.output or self.users or self.asks_more:
            return None
        if self.mark is None:
            return True
        return None if keys.mark is None else (keys.mark ^ self.mark[0]) & self.mark[1] == 0


def _is_in(prefix: str, address: str) -> bool:
    return not prefix or (bool(address) and ip_address(address) in ip_network(prefix, strict=False))


def _range(ports: Range) -> str:
    return str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}"


def socket_name(protocol: int) -> str:
    """A protocol as `ip rule` writes it."""
    return next((name.lower() for name, number in PROTOCOLS.items() if number == protocol), str(protocol))


def table_name(table: int) -> str:
    """A routing table as `ip route` writes it."""
    return _NAMES.get(table, str(table))


def rule_of(body: bytes) -> Rule:
    """The rule of an answer of the kernel."""
    told = messages.rule_of(body)
    return Rule(
        family=told.family,
        priority=told.priority,
        action=_ACTIONS.get(told.action, "nop"),
        table=told.table,
        goto=told.goto,
        source=told.source,
        target=told.destination,
        interface=told.input,
        output=told.output,
        protocol=told.protocol,
        source_ports=told.source_ports,
        target_ports=told.destination_ports,
        mark=told.mark,
        ds_field=told.tos or None,
        shortest=-1 if told.suppressed_length is None else told.suppressed_length,
        is_inverted=told.is_inverted,
        is_of_vrf=told.of_vrfs,
        users=None if told.users == (0, 0xFFFFFFFF) else told.users,
        asks_more=told.suppressed_group is not None,
    )
