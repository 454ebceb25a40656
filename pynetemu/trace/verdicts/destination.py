"""Why a packet that has come to where it was to go did not come to a program there."""

import struct

from pynetemu.trace.verdicts.case import BYTES, Case
from pynetemu.trace.verdicts.causes import filtered_by_source
from pynetemu.trace.verdicts.firewall import by_rule
from pynetemu.trace.verdicts.tunnels import end_of_tunnel
from pynetemu.trace.verdicts.verdict import Reason

_CHECKSUMS = {"TCP": (6, 16), "UDP": (17, 6), "ICMP": (1, 2)}  # the protocol's number, and where its checksum lies
_COUNTERS = {"TCP": ("TcpInCsumErrors",), "UDP": ("UdpInCsumErrors", "Udp6InCsumErrors")}


def at_destination(case: Case) -> Reason | None:
    """None where nothing speaks against that it was delivered."""
    reason = by_rule(case)
    if reason is None and case.counted("TcpExtIPReversePathFilter"):
        reason = filtered_by_source(case)
    return reason or wrong_checksum(case) or end_of_tunnel(case)


def wrong_checksum(case: Case) -> Reason | None:
    """A checksum that is wrong, in a node that has counted such."""
    packet, event = case.packet, case.leaf.event
    if packet.protocol not in _COUNTERS or not any(case.counted(name) for name in _COUNTERS[packet.protocol]):
        return None
    if len(event.data) < event.length or not _is_wrong(event.data, packet.protocol):
        return None
    text = f"{case.node} discards it: its {packet.protocol} checksum is wrong"
    return Reason("checksum", text, (), f"{case.node} nstat -az {_COUNTERS[packet.protocol][0]}", BYTES)


def has_right_checksum(case: Case) -> bool:
    """Whether a checksum is right that the kernel calls wrong: it does so of answers that only a raw socket waits for."""
    event, packet = case.leaf.event, case.packet
    if not event.reason.endswith("_CSUM") or packet.protocol not in _CHECKSUMS or len(event.data) < event.length:
        return False
    return event.data[12:14] == b"\x08\x00" and not _is_wrong(event.data, packet.protocol)


def _is_wrong(frame: bytes, protocol: str) -> bool:
    """Whether a checksum is neither right nor, as hosts leave it to their network cards, that of the addresses only."""
    number, place = _CHECKSUMS[protocol]
    is_ipv4 = frame[12:14] == b"\x08\x00"
    at = 14 + (frame[14] & 15) * 4 if is_ipv4 else 54
    end = 14 + int.from_bytes(frame[16:18]) if is_ipv4 else 54 + int.from_bytes(frame[18:20])
    payload, addresses = frame[at:end], frame[26:34] if is_ipv4 else frame[22:54]
    told = payload[place : place + 2]
    if protocol == "UDP" and told == b"\0\0" and is_ipv4:
        return False
    pseudo = addresses + struct.pack(">II", len(payload), number) if protocol != "ICMP" else b""
    return _sum(pseudo + payload) != 0xFFFF and int.from_bytes(told) != _sum(pseudo)


def _sum(data: bytes) -> int:
    """The sum of 16-bit words in ones' complement (RFC 1071)."""
    padded: bytes = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total
