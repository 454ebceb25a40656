"""Frames of all that labs are made of, made by scapy, and what random mistakes make of them."""

import random
from collections.abc import Iterator

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_Router_Alert, fragment
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import ARP, GRE, LLC, STP, Dot1Q, Dot3, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

_MAC = "02:00:00:00:00:01"
_ETHER = Ether(src=_MAC, dst="02:00:00:00:00:02")  # else scapy looks them up on the machine
_4, _6 = IP(src="10.0.1.2", dst="10.0.2.2"), IPv6(src="fd00::1", dst="fd00::2")
_TCP, _UDP = TCP(sport=4000, dport=80, flags="PA"), UDP(sport=5000, dport=5001)
_QUESTION = DNS(rd=1, qd=DNSQR(qname="blue.lab"))
_ANSWER = DNS(qr=1, qd=DNSQR(qname="blue.lab"), an=DNSRR(rrname="blue.lab", rdata="10.0.1.2"))
_IGMP = Raw(bytes.fromhex("1600d8e6e0000019"))  # a report of version 2 (RFC 2236)
_LEASE = BOOTP(chaddr=b"\2\0\0\0\0\1") / DHCP(options=[("message-type", "discover"), "end"])

_PACKETS: list[Packet] = [
    ARP(op=1, psrc="10.0.1.2", pdst="10.0.1.1", hwsrc=_MAC),
    ARP(op=2, psrc="10.0.1.1", pdst="10.0.1.2", hwsrc=_MAC),
    _4 / ICMP(id=5, seq=3) / Raw(b"abc"),
    _4 / ICMP(type=3, code=3) / IP(src="10.0.2.2", dst="10.0.1.2") / UDP(dport=9),
    _4 / ICMP(type=5, gw="10.0.1.9") / _4 / _UDP,
    IP(src="10.0.1.2", dst="224.0.0.22", proto=2, options=[IPOption_Router_Alert()]) / _IGMP,
    _4 / _TCP / Raw(b"GET /index.html HTTP/1.1\r\nHost: web\r\n\r\n"),
    _4 / TCP(sport=80, dport=4000, flags="SA", options=[("MSS", 1460), ("NOP", None), ("WScale", 7)]),
    _4 / TCP(sport=80, dport=4000, flags="A") / Raw(b"HTTP/1.1 200 OK\r\n\r\n"),
    _4 / _UDP / Raw(b"hello"),
    _4 / UDP(sport=5000, dport=53) / _QUESTION,
    _4 / UDP(sport=53, dport=5000) / _ANSWER,
    IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / _LEASE,
    *fragment(_4 / _UDP / Raw(bytes(3000)), 1400),  # type: ignore[no-untyped-call]
    _6 / ICMPv6EchoRequest(id=1, seq=2),
    _6 / ICMPv6ND_NS(tgt="fd00::2") / ICMPv6NDOptSrcLLAddr(lladdr=_MAC),
    _6 / ICMPv6ND_NA(tgt="fd00::2") / ICMPv6NDOptDstLLAddr(lladdr=_MAC),
    _6 / ICMPv6ND_RA(),
    _6 / ICMPv6DestUnreach(code=4) / IPv6(src="fd00::2", dst="fd00::1") / _UDP,
    _6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting(addresses=["fd00::9"]) / _TCP,
    _6 / IPv6ExtHdrFragment(offset=0, m=1, id=7) / _UDP / Raw(bytes(64)),
    _6 / IPv6ExtHdrFragment(offset=100, id=7) / Raw(bytes(64)),
    _6 / UDP(sport=5000, dport=53) / _QUESTION,
    Dot1Q(vlan=10) / _4 / ICMP(),
    Dot1Q(vlan=10) / Dot1Q(vlan=20) / _6 / _TCP,
    _4 / UDP(sport=5000, dport=4789) / VXLAN(vni=5, flags=8) / _ETHER / _4 / ICMP(),
    _4 / GRE() / _4 / _UDP,
    _4 / GRE(key_present=1, key=7, seqnum_present=1) / _6 / _TCP,
    _4 / GRE(proto=0x6558) / _ETHER / ARP(op=1, psrc="10.0.1.2", pdst="10.0.1.1"),
    _4 / IP(src="10.9.0.1", dst="10.9.0.2") / _TCP,
    _4 / _6 / _UDP,
]
_LLDP = bytes.fromhex("0180c200000e02000000000188cc0207040200000000010403657468300602007800000000")
FRAMES = [
    *(bytes(_ETHER / packet) for packet in _PACKETS),
    bytes(Dot3(src=_MAC, dst="01:80:c2:00:00:00") / LLC() / STP()),
    _LLDP,
]


def mutated(number: int, seed: int = 1) -> Iterator[bytes]:
    """So many frames with one to six mistakes each, the same ones for a seed."""
    chance = random.Random(seed)
    for _ in range(number):
        frame = bytearray(chance.choice(FRAMES))
        for _ in range(chance.randint(1, 6)):
            chance.choice(_MISTAKES)(frame, chance)
        yield bytes(frame)


def _flip(frame: bytearray, chance: random.Random) -> None:
    if frame:
        frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)


def _set(frame: bytearray, chance: random.Random) -> None:
    """A byte of the headers, to what often breaks things."""
    if len(frame) > 14:
        frame[chance.randrange(12, min(len(frame), 90))] = chance.choice(
            [0, 1, 4, 6, 17, 41, 47, 58, 0x40, 0x45, 0x60, 0x81, 0xFF]
        )


def _cut(frame: bytearray, chance: random.Random) -> None:
    del frame[chance.randint(0, len(frame)) :]


def _repeat(frame: bytearray, chance: random.Random) -> None:
    """Headers once more: stacks of tags, tunnels in tunnels."""
    start = chance.choice([12, 14, chance.randint(0, len(frame))])
    frame[start:start] = frame[start : start + chance.choice([4, 20, 40])] * chance.randint(1, 12)


def _splice(frame: bytearray, chance: random.Random) -> None:
    other = chance.choice(FRAMES)
    frame[chance.randint(0, len(frame)) :] = other[chance.randint(0, len(other)) :]


def _garbage(frame: bytearray, chance: random.Random) -> None:
    at = chance.randint(0, len(frame))
    frame[at : at + 8] = chance.randbytes(chance.randint(0, 16))


_MISTAKES = (_flip, _set, _set, _cut, _repeat, _splice, _garbage)
