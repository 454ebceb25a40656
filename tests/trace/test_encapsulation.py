"""What is in the packets of tunnels, of frames that scapy makes; what is no tunnel's has nothing in it."""

import pytest
from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_RR
from scapy.layers.inet6 import HBHOptUnknown, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop
from scapy.layers.l2 import GRE, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from pynetemu.packets.encapsulation import inner_frame

pytestmark = pytest.mark.pure

_ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
_OUTER = _ETHER / IP(src="10.0.0.1", dst="10.0.0.2")
_WITH_OPTIONS = _ETHER / IP(src="10.0.0.1", dst="10.0.0.2", options=[IPOption_RR()])
_OUTER_6 = _ETHER / IPv6(src="fd00::1", dst="fd00::2")
_LIMITED_6 = _OUTER_6 / IPv6ExtHdrDestOpt(options=HBHOptUnknown(otype=4, optdata=b"\4"))
_PING = IP(src="10.9.0.1", dst="10.9.0.2") / ICMP(seq=7)
_PING_6 = IPv6(src="fd09::1", dst="fd09::2") / UDP(sport=1, dport=2) / Raw(b"x")
_FRAME = Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:0b") / _PING
_BARE = Ether(src="00:00:00:00:00:00", dst="00:00:00:00:00:00")


@pytest.mark.parametrize("outer", [_OUTER, _WITH_OPTIONS, _OUTER_6, _LIMITED_6], ids=["IPv4", "options", "IPv6", "limit"])
@pytest.mark.parametrize(
    ("tunnel", "inner"),
    [
        (UDP(dport=4789) / VXLAN(vni=7) / _FRAME, _FRAME),
        (UDP(dport=8472) / VXLAN(vni=7, flags=0x88) / _FRAME, _FRAME),
        (UDP(dport=5500) / VXLAN(vni=7, flags=8) / _FRAME, _FRAME),
        (UDP(dport=6081) / GENEVE(vni=7, proto=0x6558) / _FRAME, _FRAME),
        (UDP(dport=6081) / GENEVE(vni=7, proto=0x0800, options=[GeneveOptions(length=1, data=b"more")]) / _PING, _BARE / _PING),
        (GRE() / _PING, _BARE / _PING),
        (GRE() / _PING_6, _BARE / _PING_6),
        (GRE(key_present=1, key=9) / _PING, _BARE / _PING),
        (GRE(chksum_present=1, key_present=1, seqnum_present=1, key=9, sequence_number=3) / _PING, _BARE / _PING),
        (GRE(proto=0x6558) / _FRAME, _FRAME),
        (_PING, _BARE / _PING),
        (_PING_6, _BARE / _PING_6),
    ],
    ids=[
        "VXLAN",
        "policy",
        "other port",
        "Geneve",
        "Geneve of IPv4",
        "GRE",
        "GRE of IPv6",
        "key",
        "checksum, key, number",
        "bridged GRE",
        "IP in IP",
        "IPv6 in IP",
    ],
)
def test_what_a_tunnel_carries(outer: Packet, tunnel: Packet, inner: Packet) -> None:
    assert inner_frame(bytes(outer / tunnel)) == bytes(inner)


@pytest.mark.parametrize(
    "packet",
    [
        _OUTER / UDP(dport=4790) / VXLAN(vni=7, reserved2=9) / _FRAME,
        _OUTER / UDP(dport=4790) / VXLAN(vni=7) / Raw(bytes(40)),
        Raw(bytes(_OUTER / UDP(dport=6081) / GENEVE())[:46]),
        _OUTER / UDP(sport=4789, dport=53) / Raw(bytes(40)),
        _OUTER / TCP(dport=4789) / Raw(bytes(40)),
        _OUTER / ICMP(),
        _OUTER_6 / IPv6ExtHdrHopByHop() / ICMP(),
        Raw(bytes(_OUTER / GRE())[:36]),
        Raw(bytes(_OUTER)[:34]),
        Raw(bytes(_OUTER_6)[:54]),
        _LIMITED_6 / TCP(),
        Raw(bytes(_LIMITED_6)[:56]),
        Raw(bytes(_ETHER / Raw(b"\x44" + bytes(_OUTER / GRE() / _PING)[15:]))),
    ],
)
def test_what_is_no_tunnels_packet_carries_none(packet: Packet) -> None:
    assert inner_frame(bytes(packet)) is None
