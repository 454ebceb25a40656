"""The rules of iptables-legacy with their counters, by getsockopt(2) as iptables asks (linux/netfilter_ipv4/ip_tables.h).

    before = read(network["r1"], ("filter", ""))
    ...
    moved(before, read(...))            the rules that have counted packets meanwhile

The kernel traces these rules in its log only; a rule that drops and has counted is what proves that it was one.
"""

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from pynetemu.engine.messages.framing import as_text
from pynetemu.packets.dissect import Packet

if TYPE_CHECKING:
    from pynetemu.lab.lab import LabNode

PROGRAMS = ("iptables-legacy", "ip6tables-legacy")
_INFO, _ENTRIES = 64, 65  # IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES
_INFORMATION = struct.Struct("=32sI5I5III")  # struct ipt_getinfo: name, hooks, their first rules, their policies, number, size
_HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
_HEAD_OF_ENTRIES = 40  # bytes before the first rule in struct ipt_get_entries
_TARGET_HEAD = _MATCH_HEAD = 32  # bytes of struct xt_entry_target, of struct xt_entry_match
_DROP = -1  # the verdict -NF_DROP - 1
_ENDS = ("REJECT", "NFQUEUE", "TARPIT")

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a rule has what, in bytes from its beginning."""

    level: int
    address: int
    interfaces: int
    protocol: int
    inverted: int
    offsets: int
    counters: int


_LAYOUTS: dict[int, _Layout] = {socket.AF_INET: _Layout(socket.IPPROTO_IP, 4, 16, 80, 83, 88, 96),
            socket.AF_INET6: _Layout(socket.IPPROTO_IPV6, 16, 64, 128, 132, 140, 152)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ports:
    """What a rule asks of a packet's source port (0), its destination port (1) or either (2)."""

    which: int
    ranges: tuple[tuple[int, int], ...]
    is_inverted: bool = False

    def have(self, ports: tuple[int, int]) -> bool:
        asked = ports if self.which == 2 else (ports[self.which],)
        return any(first <= port <= last for port in asked for first, last in self.ranges) != self.is_inverted


@dataclass(frozen=True, slots=True)
class LegacyRule:
    """A rule, or with `number` 0 a chain's policy, that ends packets: `target` is DROP, REJECT or NFQUEUE."""

    family: int
    table: str
    chain: str
    number: int
    target: str
    source: tuple[int, int]
    destination: tuple[int, int]
    interface: str
    output: str
    protocol: int
    inverted: int
    ports: tuple[Ports, ...] = ()

    @property
    def program(self) -> str:
        return "ip6tables-legacy" if self.family == socket.AF_INET6 else "iptables-legacy"

    def is_for(self, address: str) -> bool:
        """Whether packets to an address may be its own."""
        return (":" in address) == (self.family == socket.AF_INET6) and self._has(1, self.destination, address)

    def _has(self, number: int, wanted: tuple[int, int], address: str) -> bool:
        matches = int(ip_address(address)) & wanted[1] == wanted[0]
        return matches != bool(self.inverted & (0x08 << number))  # IPT_INV_SRCIP, IPT_INV_DSTIP

    def is_about(self, packet: Packet, protocol: int, interface: str, ports: tuple[int, int] | None) -> bool:
        """Whether the packet is one of its own, as far as addresses, protocol, ports and input interface tell."""
        if (":" in packet.destination) != (self.family == socket.AF_INET6):
            return False
        if not self._has(0, self.source, packet.source) or not self._has(1, self.destination, packet.destination):
            return False
        if ports is not None and not all(wanted.have(ports) for wanted in self.ports):
            return False
        is_protocol = self.protocol in (0, protocol)
        is_interface = not self.interface or interface.startswith(self.interface)
        return is_protocol != bool(self.inverted & 0x40) and is_interface != bool(self.inverted & 0x01)


Counted = Mapping[LegacyRule, int]


def read(node: "LabNode", names: tuple[str, str]) -> Counted:
    """How many packets each rule that ends packets has counted; `names` are the tables of IPv4 and of IPv6."""
    found: dict[LegacyRule, int] = {}
    for family, text in zip(_LAYOUTS, names, strict=True):
        for table in text.split():
            with suppress(OSError), node.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as asked:
                found.update(_rules(asked, family, table))
    return found


def moved(before: Counted, after: Counted) -> list[LegacyRule]:
    """The rules that have counted packets meanwhile."""
    return [rule for rule, number in after.items() if number > before.get(rule, 0)]


def _rules(asked: socket.socket, family: int, table: str) -> Iterator[tuple[LegacyRule, int]]:
    layout = _LAYOUTS[family]
    information = _ask(asked, layout.level, _INFO, table.encode().ljust(_INFORMATION.size, b"\0"))
    _, valid, *rest = _INFORMATION.unpack(information)
    starts, policies, size = rest[:5], rest[5:10], rest[11]
    named = table.encode().ljust(32, b"\0") + struct.pack("=I4x", size)
    entries = _ask(asked, layout.level, _ENTRIES, named + bytes(size))[_HEAD_OF_ENTRIES:]
    chains = {start: hook for number, (hook, start) in enumerate(zip(_HOOKS, starts, strict=True)) if valid >> number & 1}
    ends = {end for number, end in enumerate(policies) if valid >> number & 1}
    chain, number, at = "", 0, 0
    while at + layout.counters + 16 <= len(entries):
        target, following = struct.unpack_from("=HH", entries, at + layout.offsets)
        if at in chains:
            chain, number = chains[at], 0
        name = as_text(entries[at + target + 2 : at + target + 31])
        if name == "ERROR":
            chain, number = as_text(entries[at + target + _TARGET_HEAD : at + target + _TARGET_HEAD + 30]), 0
        else:
            number += 1
            (verdict,) = struct.unpack_from("=i", entries, at + target + _TARGET_HEAD)
            word = "DROP" if not name and verdict == _DROP else name
            if word == "DROP" or word in _ENDS:
                (count,) = struct.unpack_from("=Q", entries, at + layout.counters)
                yield _rule(entries, at, layout, (family, table, chain, 0 if at in ends else number, word)), count
        at += following or len(entries)


def _rule(entries: bytes, at: int, layout: _Layout, named: tuple[int, str, str, int, str]) -> LegacyRule:
    size = layout.address
    source, destination, source_mask, destination_mask = (
        int.from_bytes(entries[at + number * size : at + (number + 1) * size]) for number in range(4)
    )
    came, went = (as_text(entries[at + start : at + start + 16]) for start in (layout.interfaces, layout.interfaces + 16))
    protocol = int.from_bytes(entries[at + layout.protocol : at + layout.protocol + 2], "little")
    ends = (source, source_mask), (destination, destination_mask)
    (target,) = struct.unpack_from("=H", entries, at + layout.offsets)
    asked = tuple(_ports(entries[at + layout.counters + 16 : at + target]))
    return LegacyRule(*named, *ends, came, went, protocol, entries[at + layout.inverted], asked)


def _ports(matches: bytes) -> Iterator[Ports]:
    """What the matches of a rule ask of ports: of tcp, udp and multiport (linux/netfilter/xt_tcpudp.h, xt_multiport.h)."""
    at = 0
    while at + _MATCH_HEAD <= len(matches):
        size, name, revision = int.from_bytes(matches[at : at + 2], sys.byteorder), *_match(matches, at)
        told = matches[at + _MATCH_HEAD : at + size]
        if name in ("tcp", "udp") and len(told) >= 9:
            ranges, inverted = struct.unpack_from("=4H", told), told[11] if name == "tcp" else told[8]
            for which in (0, 1):
                first, last = ranges[2 * which : 2 * which + 2]
                if (first, last) != (0, 0xFFFF):
                    yield Ports(which, ((first, last),), bool(inverted & 1 << which))
        elif name == "multiport" and revision == 1 and len(told) >= 48:
            kind, count, *numbers = struct.unpack_from("=BB15H", told)
            yield Ports(kind, tuple(_ranges(numbers[:count], told[32:47])), bool(told[47]))
        at += size or len(matches)


def _match(matches: bytes, at: int) -> tuple[str, int]:
    return as_text(matches[at + 2 : at + 31]), matches[at + 31]


def _ranges(numbers: Sequence[int], begins: bytes) -> Iterator[tuple[int, int]]:
    """Ports and ranges: a flag says which numbers are followed by a range's last."""
    at = 0
    while at < len(numbers):
        is_range = bool(begins[at]) and at + 1 < len(numbers)
        yield numbers[at], numbers[at + is_range]
        at += 1 + is_range


def _ask(asked: socket.socket, level: int, option: int, question: bytes) -> bytes:
    """getsockopt(2) with a question in the buffer, which Python's own cannot; raises OSError."""
    buffer = ctypes.create_string_buffer(question, len(question))
    length = ctypes.c_uint32(len(question))
    if _libc.getsockopt(asked.fileno(), level, option, buffer, ctypes.byref(length)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return buffer.raw[: length.value]
