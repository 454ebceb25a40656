"""Rings: every packet of a node's interfaces, with direction, time, filter and count; judged by `ping` and by `ip`."""

import select
import socket
import time

from pynetemu import Network
from pynetemu.capture.pcap_filter import compile_filter
from pynetemu.capture.ring import Packet, Ring, packets
from tests.support.pair import Pair
from tests.support.wait import wait_until


def _ring(net: Network, node: str, text: str = "", **wanted: object) -> Ring:
    return Ring.open(net[node], compile_filter(text), **wanted)  # type: ignore[arg-type]


def _all(ring: Ring) -> list[Packet]:
    return [packet for block in ring.rest() for packet in packets(block)]


def test_both_directions_of_a_ping_with_times_and_names() -> None:
    with Network(Pair()) as net, _ring(net, "blue", "icmp") as ring:
        before = time.time_ns()
        net["blue"].run("ping", "-c1", "10.0.0.1", check=True)
        seen = _all(ring)
        assert [(ring.interface(packet.ifindex), packet.outgoing) for packet in seen] == [("eth0", True), ("eth0", False)]
        assert [packet.data[34] for packet in seen] == [8, 0]  # ICMP echo request and reply
        assert before < seen[0].time < seen[1].time < time.time_ns()
        assert all(packet.length == len(packet.data) == 98 for packet in seen)
        assert ring.statistics() == (2, 0)


def test_only_the_interfaces_that_are_asked_for() -> None:
    with Network(Pair()) as net:
        net["root"].run("ip", "link", "add", "other", "type", "veth", "peer", "name", "end", check=True)
        index = int(net["root"].run("cat", "/sys/class/net/other/ifindex").stdout)
        with _ring(net, "root", "icmp or ip6", indexes=[index]) as ring:
            net["blue"].run("ping", "-c1", "root", check=True)
            for name in "other", "end":
                net["root"].run("ip", "link", "set", name, "up", check=True)
            wait_until(ring.pending, what="a packet of the other interface")
            assert {ring.interface(packet.ifindex) for packet in _all(ring)} == {"other"}


def test_a_vlan_tag_that_the_kernel_took_out_is_put_back() -> None:
    frame = bytes.fromhex("ffffffffffff 020000000001 8100 0007 0800") + bytes(46)
    with Network(Pair()) as net, _ring(net, "root") as ring, net["blue"].socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("eth0", 0))
        raw.send(frame)
        (packet,) = (packet for packet in _all(ring) if packet.data[:6] == b"\xff" * 6)
        assert (packet.data, packet.length) == (frame, len(frame))


def test_what_a_full_ring_must_miss_is_counted() -> None:
    with Network(Pair()) as net, _ring(net, "blue", "udp", memory=1) as ring, net["blue"].socket(type=socket.SOCK_DGRAM) as udp:
        for _ in range(400):
            udp.sendto(bytes(1400), ("10.0.0.1", 9))
        received, lost = ring.statistics()
        assert received == 400
        assert 0 < lost == 400 - len(_all(ring))


def test_an_idle_ring_has_nothing_and_does_not_wait() -> None:
    with Network(Pair()) as net, _ring(net, "blue", "udp port 1") as ring:
        assert not select.select([ring], [], [], 0)[0]
        assert _all(ring) == []


def test_a_packet_on_loopback_is_seen_once() -> None:
    with Network(Pair()) as net, _ring(net, "blue", "icmp") as ring:
        net["blue"].run("ping", "-c1", "127.0.0.1", check=True)
        assert [(ring.interface(packet.ifindex), packet.outgoing, packet.data[34]) for packet in _all(ring)] == [
            ("lo", False, 8),
            ("lo", False, 0),
        ]
