"""What the ladder says of packets, against frames that scapy made."""

import struct

import pytest
from scapy.contrib.geneve import GENEVE
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6PacketTooBig,
    IPv6,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import ARP, GRE, LLC, STP, Dot1Q, Dot3, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from pynetemu.packets.application import dns, http
from pynetemu.packets.background import is_background
from pynetemu.packets.dissect import dissect
from pynetemu.packets.identity import identity

pytestmark = pytest.mark.pure

_ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")  # else scapy looks them up on the machine
_A, _B = "10.0.1.2", "10.0.2.2"
_PING = IP(src=_A, dst=_B, id=7) / ICMP(id=5, seq=3) / Raw(b"abc")
_V6 = IPv6(src="fd00::1", dst="fd00::2")


def _text(packet: Packet) -> str:
    return dissect(bytes(_ETHER / packet)).text


@pytest.mark.parametrize(
    ("packet", "text"),
    [
        (ARP(op=1, psrc=_A, pdst=_B), "ARP who-has 10.0.2.2 tell 10.0.1.2"),
        (ARP(op=2, psrc=_B, pdst=_A, hwsrc="02:00:00:00:00:09"), "ARP 10.0.2.2 is-at 02:00:00:00:00:09"),
        (ARP(op=1, psrc="0.0.0.0", pdst=_B), "ARP probe 10.0.2.2"),
        (ARP(op=1, psrc=_A, pdst=_A), "ARP announcement 10.0.1.2"),
        (_PING, "ICMP echo request seq 3"),
        (IP(src=_B, dst=_A) / ICMP(type=3, code=3) / IP(src=_A, dst=_B) / UDP(dport=9), "ICMP unreachable (port)"),
        (
            IP(src=_B, dst=_A) / ICMP(type=3, code=4, nexthopmtu=1000) / IP(src=_A, dst=_B) / UDP(dport=9),
            "ICMP unreachable (fragmentation needed), mtu 1000",
        ),
        (IP(src=_B, dst=_A) / ICMP(type=11) / IP(src=_A, dst=_B) / UDP(dport=9), "ICMP time exceeded"),
        (IP(src=_B, dst=_A) / ICMP(type=5, code=1, gw="10.0.1.9") / _PING, "ICMP redirect: use 10.0.1.9"),
        (IP(src=_A, dst=_B) / TCP(sport=4000, dport=80, flags="S"), "TCP 4000 → 80 SYN"),
        (IP(src=_A, dst=_B) / TCP(sport=80, dport=4000, flags="SA"), "TCP 80 → 4000 SYN+ACK"),
        (IP(src=_A, dst=_B) / TCP(sport=80, dport=4000, flags="PA") / Raw(bytes(10)), "TCP 80 → 4000 ACK 10 bytes"),
        (
            IP(src=_A, dst=_B) / TCP(sport=4000, dport=80, flags="PA") / Raw(b"GET / HTTP/1.1\r\nHost: web\r\n"),
            "TCP 4000 → 80 GET / HTTP/1.1",
        ),
        (
            IP(src=_A, dst=_B) / TCP(sport=80, dport=4000, flags="PA") / Raw(b"HTTP/1.1 404 Not Found\r\n"),
            "TCP 80 → 4000 HTTP/1.1 404 Not Found",
        ),
        (IP(src=_A, dst=_B) / UDP(sport=4000, dport=9) / Raw(b"hi"), "UDP 4000 → 9 2 bytes"),
        (IP(src=_A, dst=_B) / UDP(sport=4000, dport=53) / DNS(qd=DNSQR(qname="web")), "UDP 4000 → 53 DNS A web?"),
        (
            IP(src=_B, dst=_A) / UDP(sport=53, dport=4000) / DNS(qr=1, qd=DNSQR(qname="web"), an=DNSRR(rrname="web", rdata=_B)),
            "UDP 53 → 4000 DNS A web: 1 answer",
        ),
        (
            IP(src=_B, dst=_A) / UDP(sport=53, dport=4000) / DNS(qr=1, rcode=3, qd=DNSQR(qname="web")),
            "UDP 53 → 4000 DNS A web: no such name",
        ),
        (_V6 / ICMPv6EchoRequest(seq=2), "ICMPv6 echo request seq 2"),
        (_V6 / ICMPv6ND_NS(tgt="fd00::2"), "ND who-has fd00::2 tell fd00::1"),
        (
            _V6 / ICMPv6ND_NA(tgt="fd00::1") / ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:00:07"),
            "ND fd00::1 is-at 02:00:00:00:00:07",
        ),
        (_V6 / ICMPv6PacketTooBig(mtu=1280) / _V6 / UDP(), "ICMPv6 packet too big, mtu 1280"),
        (_V6 / IPv6ExtHdrHopByHop() / UDP(sport=1, dport=2), "UDP 1 → 2 0 bytes"),
        (
            _V6 / IPv6ExtHdrFragment(offset=10, id=9, nh=17) / Raw(bytes(24)),
            "UDP fragment, bytes 80 to 104, id 9",
        ),
        (Dot1Q(vlan=10) / _PING, "ICMP echo request seq 3"),
        (
            IP(src=_A, dst=_B) / UDP(dport=4789) / VXLAN(vni=42) / _ETHER / _PING,
            "VXLAN 42 [ICMP echo request seq 3 10.0.1.2 → 10.0.2.2]",
        ),
        (
            IP(src=_A, dst=_B) / UDP(dport=8472) / VXLAN(vni=42) / _ETHER / _PING,
            "VXLAN 42 [ICMP echo request seq 3 10.0.1.2 → 10.0.2.2]",
        ),
        (
            IP(src=_A, dst=_B) / UDP(dport=5500) / VXLAN(vni=42, flags=8) / _ETHER / _PING,
            "VXLAN 42 [ICMP echo request seq 3 10.0.1.2 → 10.0.2.2]",
        ),
        (
            IP(src=_A, dst=_B) / UDP(dport=6081) / GENEVE(vni=42, proto=0x6558) / _ETHER / _PING,
            "GENEVE 42 [ICMP echo request seq 3 10.0.1.2 → 10.0.2.2]",
        ),
        (IP(src=_A, dst=_B) / UDP(sport=1, dport=5500) / Raw(b"\x08" + bytes(40)), "UDP 1 → 5500 41 bytes"),
        (IP(src=_A, dst=_B) / GRE() / _PING, "GRE [ICMP echo request seq 3 10.0.1.2 → 10.0.2.2]"),
        (IP(src=_A, dst=_B) / GRE(key_present=1, key=5) / _PING, "GRE [ICMP echo request seq 3 10.0.1.2 → 10.0.2.2]"),
        (IP(src=_A, dst=_B) / _PING, "IPIP [ICMP echo request seq 3 10.0.1.2 → 10.0.2.2]"),
        (IP(src=_A, dst=_B, proto=89), "OSPF"),
        (IP(src=_A, dst=_B, proto=200), "IP protocol 200"),
    ],
)
def test_the_text_of_a_packet(packet: Packet, text: str) -> None:
    assert _text(packet) == text


def test_fragments() -> None:
    whole = IP(src=_A, dst=_B, id=77) / UDP(sport=1, dport=2) / Raw(bytes(2000))
    first, second = fragment(whole, fragsize=1480)  # type: ignore[no-untyped-call]
    assert _text(first) == "UDP 1 → 2 1472 bytes (first fragment, id 77)"
    assert _text(second) == "UDP fragment, bytes 1480 to 2008, id 77"


def test_tags_errors_and_names() -> None:
    tagged = dissect(bytes(_ETHER / Dot1Q(vlan=10) / _PING))
    assert (tagged.vlan, tagged.ttl, tagged.source) == (10, 64, _A)
    error = dissect(bytes(_ETHER / IP(src=_B, dst=_A) / ICMP(type=3, code=3) / IP(src=_A, dst=_B) / UDP(sport=5, dport=9)))
    assert error.quoted
    assert (error.quoted.source, error.quoted.ports) == (_A, (5, 9))
    named = dissect(bytes(_ETHER / ARP(op=1, psrc=_A, pdst=_B)), {_A: "blue"}.__getitem__)
    assert named.text == "ARP who-has 10.0.2.2 tell blue"


def test_cut_packets_are_no_error() -> None:
    packets = (_PING, ARP(), _V6 / ICMPv6ND_NS(), IP() / TCP(), IP(dst=_B) / UDP(dport=4789) / VXLAN() / _ETHER / _PING)
    for frame in [bytes(_ETHER / packet) for packet in packets]:
        whole, addresses = dissect(frame), (_A, _B, "fd00::1", "fd00::2")
        for length in range(len(frame)):
            cut = dissect(frame[:length])
            assert {cut.source, cut.destination} <= {"", *whole.macs, whole.source, whole.destination, *addresses}
            assert cut.ports in ((0, 0), whole.ports) and cut.ttl in (None, whole.ttl)
            identity(frame[:length])
            is_background(frame[:length])  # and no answer of it, since what is cut breaks its rules


def test_what_hops_change_takes_no_part_in_the_identity() -> None:
    before = bytes(_ETHER / IP(src=_A, dst=_B, id=7, ttl=64) / UDP(sport=5, dport=6) / Raw(b"x"))
    routed = bytes(
        Ether(src="02:00:00:00:00:09", dst="02:00:00:00:00:08")
        / IP(src=_A, dst=_B, id=7, ttl=63)
        / UDP(sport=5, dport=6)
        / Raw(b"x")
    )
    translated = bytes(_ETHER / IP(src="10.9.9.9", dst=_B, id=7, ttl=63) / UDP(sport=77, dport=6) / Raw(b"x"))
    other = bytes(_ETHER / IP(src=_A, dst=_B, id=8, ttl=64) / UDP(sport=5, dport=6) / Raw(b"x"))
    assert identity(before).key == identity(routed).key == identity(translated).key != identity(other).key
    assert identity(before).flow == identity(routed).flow != identity(translated).flow


def test_background_traffic_is_told_apart() -> None:
    stp = Dot3(dst="01:80:c2:00:00:00") / LLC() / STP()
    assert is_background(bytes(stp))
    assert dissect(bytes(stp)).protocol == "STP"
    probe = _ETHER / IPv6(src="::", dst="ff02::1:ff00:1") / ICMPv6ND_NS(tgt="fd00::1")
    assert is_background(bytes(probe))
    assert not is_background(bytes(_ETHER / _V6 / ICMPv6ND_NS(tgt="fd00::2")))
    assert not is_background(bytes(_ETHER / _PING))


def _asked(kind: int, flags: int = 0, answers: int = 0, questions: int = 1) -> bytes:
    return struct.pack(">HHHHHH", 7, flags, questions, answers, 0, 0) + b"\x04blue\x03lab\0" + struct.pack(">HH", kind, 1)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *((1, "A"), (2, "NS"), (5, "CNAME"), (6, "SOA"), (12, "PTR"), (15, "MX"), (16, "TXT")),
        *((28, "AAAA"), (33, "SRV"), (255, "ANY"), (64, "type 64")),
    ],
)
def test_what_dns_asks(kind: int, name: str) -> None:
    assert dns(_asked(kind)) == f"DNS {name} blue.lab?"


@pytest.mark.parametrize(
    ("flags", "answers", "text"),
    [
        (0x8000, 0, "0 answers"),
        (0x8180, 1, "1 answer"),
        (0x8180, 2, "2 answers"),
        (0x8001, 0, "format error"),
        (0x8002, 0, "server failure"),
        (0x8183, 0, "no such name"),
        (0x8004, 0, "not implemented"),
        (0x8005, 0, "refused"),
        (0x8009, 0, "error 9"),
    ],
)
def test_what_dns_answers(flags: int, answers: int, text: str) -> None:
    assert dns(_asked(1, flags, answers)) == f"DNS A blue.lab: {text}"


def test_what_is_no_dns() -> None:
    assert dns(_asked(1, questions=2)) == dns(_asked(1)[:16]) == dns(_asked(1)[:22]) == ""
    assert dns(struct.pack(">HHHHHH", 7, 0, 1, 0, 0, 0) + b"\0\0\1\0\1") == "DNS A .?"
    assert dns(_asked(1).replace(b"blue", b"bl\xffe")) == "DNS A bl\ufffde.lab?"


@pytest.mark.parametrize(
    ("payload", "line"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n", "GET / HTTP/1.1"),
        (b"HTTP/1.0 404 Not Found\r\n", "HTTP/1.0 404 Not Found"),
        (b"GET /\xff HTTP/1.1\r\n", "GET /\ufffd HTTP/1.1"),
        (b"GET /" + b"x" * 46 + b" HTTP/1.1", "GET /" + "x" * 46 + " HTTP/1.1"),
        (b"GET /" + b"x" * 47 + b" HTTP/1.1", "GET /" + "x" * 47 + " HTTP/1…"),
        (b"GET / HTTP/2", ""),
        (b"BREW / HTTP/1.1", ""),
    ],
)
def test_the_first_line_of_http(payload: bytes, line: str) -> None:
    assert http(payload) == line


_OF_IANA = "2 IGMP, 50 ESP, 88 EIGRP, 89 OSPF, 103 PIM, 112 VRRP, 132 SCTP, 99 IP protocol 99"


@pytest.mark.parametrize("named", _OF_IANA.split(", "))
def test_ip_protocols_have_their_names_over_both_versions(named: str) -> None:
    number, _, name = named.partition(" ")
    assert _text(IP(src=_A, dst=_B, proto=int(number)) / Raw(bytes(40))) == name
    assert _text(IPv6(src="fd00::1", dst="fd00::2", nh=int(number)) / Raw(bytes(40))) == name


_KINDS_OF_ICMP = """3 0 unreachable (net); 3 1 unreachable (host); 3 2 unreachable (protocol); 3 5 unreachable (source route)
3 9 unreachable (net prohibited); 3 10 unreachable (host prohibited); 3 13 unreachable (prohibited); 4 0 source quench
12 0 bad header"""
_KINDS_OF_ICMPV6 = """1 0 unreachable (no route)
1 1 unreachable (prohibited); 1 3 unreachable (address); 1 4 unreachable (port)
1 5 unreachable (source policy); 1 6 unreachable (route rejected); 3 0 time exceeded; 4 0 bad header; 137 0 redirect
130 0 MLD query; 131 0 MLD report; 132 0 MLD done; 143 0 MLD report; 133 0 ND router solicitation
134 0 ND router advertisement"""


def _told(number: str, code: str, over: Packet) -> str:
    return _text(over / Raw(bytes([int(number), int(code)]) + bytes(6)))


def test_kinds_of_icmp_have_their_names() -> None:
    for kind in _KINDS_OF_ICMP.replace("\n", "; ").split("; "):
        number, code, name = kind.split(" ", 2)
        assert _told(number, code, IP(src=_A, dst=_B, proto=1)) == f"ICMP {name}"
    for kind in _KINDS_OF_ICMPV6.replace("\n", "; ").split("; "):
        number, code, name = kind.split(" ", 2)
        own = name if name.startswith(("MLD", "ND")) else f"ICMPv6 {name}"
        assert _told(number, code, IPv6(src="fd00::1", dst="fd00::2", nh=58)) == own
