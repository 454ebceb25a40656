"""No frame, whatever is in it, is too much for what reads frames."""

import io
import os
import sys
import time
from itertools import islice, pairwise
from pathlib import Path

import pytest

from pynetemu import Network
from pynetemu.capture.live import Sighting
from pynetemu.capture.pcapng import Writer
from pynetemu.capture.ring import as_ethernet
from pynetemu.packets.background import is_background
from pynetemu.packets.dissect import dissect
from pynetemu.packets.encapsulation import inner_frame
from pynetemu.packets.identity import identity
from pynetemu.plan.compile import compile_plan
from pynetemu.trace.journeys.join import join
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event
from pynetemu.trace.verdicts.conversations import Conversations
from pynetemu.trace.views.changes import changes, on_the_way
from tests.support import tshark
from tests.support.frames import FRAMES, mutated
from topologies.blue import Blue

_FRAMES = int(os.environ.get("PYNETEMU_FRAMES", "50000"))  # a million takes five minutes
_SEED = int(os.environ.get("PYNETEMU_SEED", "1"))
_ITSELF = bytes.fromhex("ffffffffffff0200000000010800" + "4000003c00000000400400000a0100010a010002") + bytes(40)
_IPV4 = bytes.fromhex("ffffffffffff0200000000010800")
_IPIP = bytes.fromhex("4500000000000000 40040000 0a010001 0a010002")
_GRE_BRIDGED = bytes.fromhex("4500000000000000 402f0000 0a010001 0a010002 00006558") + _IPV4
_TUNNEL6 = bytes.fromhex("6000000000002940") + bytes(32)
_ICMP6_IN_IPV4 = bytes.fromhex("4500003800000000 403a0000 0a010001 0a010002 87000000") + bytes(32)
_BOGUS: tuple[str, ...] = ("_ws.malformed", "_ws.short", "ip.bogus_header_length", "ip.bogus_ip_length", "ip.bogus_ip_version")
_BOGUS += ("tcp.bogus_header_length", "udp.length.bad", "ipv6.bogus_ipv6_version")


@pytest.mark.pure
@pytest.mark.slow
@pytest.mark.timeout(60 + _FRAMES / 200)
def test_frames_with_mistakes_are_read() -> None:
    wiring = Wiring(compile_plan(Blue()))
    writer = Writer(io.BytesIO())
    blue = writer.interface("blue:eth0")
    frames = mutated(_FRAMES, _SEED)
    while some := list(islice(frames, 500)):
        for frame in some:
            packet = dissect(frame, wiring.name)
            assert packet.protocol and packet.text, frame.hex()
            assert Sighting(0, "blue", "eth0", True, packet, "", "", len(frame)).text
            dissect(as_ethernet(frame[14:]))
            identity(frame)
            is_background(frame)
            if (inner := inner_frame(frame)) is not None:
                assert inner != frame
                identity(inner)
            writer.packet(blue, 0, frame, comment=packet.text)
        for before, after in pairwise(map(dissect, some)):
            changes(before, after)
        places = [("blue", "eth0", "out"), ("root", "eth0", "in"), ("root", "eth0", "drop")]
        events = [
            Event(time, *place, frame, len(frame))  # type: ignore[arg-type]
            for time, (frame, place) in enumerate((frame, place) for frame in some for place in places)
        ]
        journeys = join(events, wiring)
        Conversations(journeys)
        assert all(on_the_way(journey, wiring.name) is not None and journey.hops for journey in journeys)


@pytest.mark.pure
@pytest.mark.parametrize(
    "frame",
    [
        _ITSELF,
        _IPV4 + _IPIP * 400,
        _IPV4 + _GRE_BRIDGED * 300,
        _IPV4[:12] + b"\x86\xdd" + _TUNNEL6 * 220,
        _IPV4[:12] + bytes.fromhex("81000001") * 2000,
        _IPV4 + _IPIP.replace(b"\x40\x04", b"\x40\x01") + (bytes.fromhex("0300000000000000") + _IPIP) * 300,
        _IPV4[:12] + b"\x86\xdd" + bytes.fromhex("6000ffff00000040") + bytes(32) + bytes(8) * 1000,
    ],
    ids=["itself", "IPIP", "GRE", "6in6", "VLAN", "quotes", "options"],
)
def test_depth_does_not_grow_with_the_packet(frame: bytes) -> None:
    depth, inner = 0, sys._getframe()
    while (inner := inner.f_back) is not None:  # type: ignore[assignment]
        depth += 1
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 80)
    began = time.process_time()
    try:
        packet = dissect(frame)
        identity(frame)
        inner_frame(frame)
    finally:
        sys.setrecursionlimit(usual)
    assert len(packet.text) < 600
    assert time.process_time() - began < 1


@pytest.mark.pure
@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (_ITSELF, "malformed IPv4: a header of 0 bytes"),
        (_IPV4 + b"\x45" + bytes(8), "malformed IPv4: 9 bytes of 20 at least"),
        (_IPV4 + b"\x65" + bytes(30), "malformed IPv4: version 6"),
        (_IPV4 + bytes.fromhex("4f00003c00000000400400000a0100010a010002"), "malformed IPv4: 20 bytes, with a header of 60"),
        (
            _IPV4 + bytes.fromhex("4500000a00000000400400000a0100010a010002"),
            "malformed IPv4: 10 bytes in all, with a header of 20",
        ),
        (_IPV4 + _ICMP6_IN_IPV4, "malformed ICMPv6: in IPv4"),
        (_IPV4 + bytes.fromhex("4500001800000000400600000a0100010a01000200500050"), "malformed TCP: 4 bytes of 20 at least"),
        (_IPV4 + bytes.fromhex("4500001c00000000401100000a0100010a0100020050005000030000"), "malformed UDP: 3 bytes in all"),
        (_IPV4[:12] + b"\x86\xdd" + b"\x40" + bytes(39), "malformed IPv6: version 4"),
        (_IPV4[:12] + b"\x08\x06" + bytes(10), "malformed ARP: 10 bytes of 28 at least"),
    ],
)
def test_malformed_is_told_as_malformed(frame: bytes, text: str) -> None:
    packet = dissect(frame)
    assert (packet.text, packet.kind) == (text, "malformed")


@pytest.mark.pure
def test_tshark_agrees_about_headers(tmp_path: Path) -> None:
    """What is malformed to us is so to tshark; and of what scapy made nothing is, to neither."""
    wrong = [frame for frame in mutated(3000, seed=2) if _has_wrong_header(frame)]
    assert len(wrong) > 100
    with open(tmp_path / "x.pcapng", "wb") as file:
        writer = Writer(file)
        blue = writer.interface("blue:eth0")
        for frame in [*FRAMES, *wrong]:
            writer.packet(blue, 0, frame)
    told = [any(values) for values in tshark.fields(tmp_path / "x.pcapng", *_BOGUS)]
    assert not any("malformed" in dissect(frame).text for frame in FRAMES)
    assert not any(told[: len(FRAMES)])
    assert [frame.hex() for frame, is_told in zip(wrong, told[len(FRAMES) :], strict=True) if not is_told] == []


def _has_wrong_header(frame: bytes) -> bool:
    """tshark does not read a fragment's extension headers before the whole is there, so those are left out."""
    packet = dissect(frame)
    is_header = packet.protocol in ("IPv4", "IPv6") and "extension" not in packet.text
    return packet.kind == "malformed" and packet.inner is None and is_header


def test_a_lab_outlives_them() -> None:
    frames = [_ITSELF, _IPV4 + _IPIP * 60, _IPV4 + _ICMP6_IN_IPV4, *mutated(300, seed=3)]
    with Network(Blue()) as network:
        with network.trace() as trace:
            with network["blue"].socket(17, 3, 0) as packets:  # AF_PACKET, SOCK_RAW
                packets.bind(("veth_blue", 0))
                for frame in frames:
                    packets.send(frame[:1514].ljust(60, b"\0"))
            network["blue"].run("ping", "-c1", "root", check=True)
        assert trace.dropped("a header of 0 bytes", node="root", reason="malformed").number
        refused = network["root"].run("sh", "-c", "awk '/^Ip: [0-9]/ {print $5}' /proc/net/snmp").stdout
        assert int(refused) > 0  # InHdrErrors
        trace.delivered("echo request .* blue → root")
        assert trace.ladder(everything=True) and trace.data()["packets"] and trace.to_mermaid()
        assert all(trace.story(journey.number) for journey in trace)
