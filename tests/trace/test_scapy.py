"""scapy in nodes: sent and answered by the node's kernel, several nodes at once, and its picture of the machine unharmed."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from scapy.config import conf
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.utils import rdpcap

from pynetemu import Host, LabError, Link, Network, Topology
from pynetemu.crafting.scapy_node import NodeSocket
from tests.support.pair import Pair


class Routed(Topology):
    """blue ── r1 ── green."""

    blue = Host(default_via="10.0.1.1")
    r1 = Host()
    green = Host(default_via="10.0.2.1")
    left = Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24"))
    right = Link(r1.interface("eth1", "10.0.2.1/24"), green.interface("eth0", "10.0.2.2/24"))


@contextmanager
def _routed() -> Iterator[Network]:
    with Network(Routed()) as net:
        net["r1"].run("sysctl", "-qw", "net.ipv4.ip_forward=1", check=True)
        yield net


def test_answers_of_every_kind() -> None:
    with Network(Pair()) as net:
        blue = net["blue"]
        net["blue"].run("ip", "addr", "add", "fd00::2/64", "dev", "eth0", "nodad", check=True)
        net["root"].run("ip", "addr", "add", "fd00::1/64", "dev", "eth0", "nodad", check=True)
        for packet, words in (
            (IP(dst="10.0.0.1") / ICMP(), "echo-reply"),
            (IP(dst="10.0.0.1") / TCP(dport=81, flags="S"), "RA"),
            (IP(dst="10.0.0.1") / UDP(dport=9), "port-unreachable"),
            (ARP(pdst="10.0.0.1"), "ARP is at"),
            (Ether() / IP(dst="10.0.0.1") / ICMP(), "echo-reply"),
            (IPv6(dst="fd00::1") / ICMPv6EchoRequest(), "Echo Reply"),
        ):
            answer = blue.sr1(packet)
            assert answer is not None and words in answer.summary(), packet.summary()
        answered, unanswered = blue.sr(IP(dst="10.0.0.1") / TCP(dport=(80, 84), flags="S"))
        assert (len(answered), len(unanswered)) == (5, 0)
        assert blue.sr1(IP(dst="10.0.0.77") / ICMP(), timeout=0.05) is None


def test_the_nodes_own_routes_and_addresses_are_used() -> None:
    with _routed() as net:
        for name, far, own in (("blue", "10.0.2.2", "10.0.1.2"), ("green", "10.0.1.2", "10.0.2.2")):
            answer = net[name].sr1(IP(dst=far) / ICMP())
            assert answer is not None and (answer[IP].src, answer[IP].dst, answer[IP].ttl) == (far, own, 63)
        hop = net["blue"].sr1(IP(dst="10.0.2.2", ttl=1) / ICMP())
        assert hop is not None and hop.summary().startswith("IP / ICMP 10.0.1.1 > 10.0.1.2 time-exceeded")
        with pytest.raises(OSError, match="unreachable"):
            net["r1"].send(IP(dst="192.0.2.1") / ICMP())
        with pytest.raises(LabError, match="no interface 'eth7'"):
            net["blue"].send(Ether(), iface="eth7")
        with pytest.raises(LabError, match="a packet begins with"):
            net["blue"].send(ICMP())


def test_several_nodes_at_once_leave_scapys_own_picture_alone() -> None:
    before = repr(conf.route), repr(conf.ifaces), str(conf.iface)
    failed: list[str] = []
    with _routed() as net:

        def ask(name: str, far: str) -> None:
            for number in range(5):
                answer = net[name].sr1(IP(dst=far) / ICMP(id=number))
                if answer is None or answer[IP].src != far:
                    failed.append(f"{name}: {answer!r}")

        threads = [threading.Thread(target=ask, args=pair) for pair in (("blue", "10.0.2.2"), ("green", "10.0.1.2"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failed == []
    assert (repr(conf.route), repr(conf.ifaces), str(conf.iface)) == before


def test_all_of_scapy_in_a_node_and_the_machine_again_afterwards() -> None:
    before = repr(conf.route), repr(conf.ifaces), str(conf.iface), [dict(cache) for cache in conf.netcache._caches_list]
    with _routed() as net:
        for name, gateway, far in (("blue", "10.0.1.1", "green"), ("green", "10.0.2.1", "blue")):
            with net[name].scapy() as scapy:
                assert str(scapy.conf.iface) == "eth0"
                assert scapy.conf.route.route("192.0.2.1")[2] == gateway
                answer = scapy.sr1(scapy.IP(dst=far) / scapy.ICMP(), timeout=2, verbose=0)
                assert answer is not None and answer.ttl == 63
                answered, _ = scapy.arping(f"{gateway}/32", timeout=2, verbose=0)
                assert len(answered) == 1
                reached, _ = scapy.traceroute(far, maxttl=3, timeout=2, verbose=0)
                assert next(iter(reached.get_trace().popitem()[1].values())) == (gateway, False)
    assert (
        repr(conf.route),
        repr(conf.ifaces),
        str(conf.iface),
        [dict(cache) for cache in conf.netcache._caches_list],
    ) == before
    with pytest.raises(socket.gaierror):
        IP(dst="green.invalid")


def test_sniffing_takes_what_passes(tmp_path: Path) -> None:
    with Network(Pair()) as net:
        pinging = net["root"].start("ping", "-i0.05", "10.0.0.2", stdout=-3)
        seen: list[str] = []
        taken = net["blue"].sniff(
            "icmp and src host root", count=2, timeout=10, prn=lambda packet: seen.append(packet.summary())
        )
        pinging.terminate()
        pinging.wait()
        pinging.close()
        assert [packet.sniffed_on for packet in taken] == ["blue:eth0", "blue:eth0"]
        assert len(seen) == 2 and "echo-request" in seen[0]
        assert len(net["blue"].sniff("udp port 1", timeout=0.05)) == 0


def test_what_is_sent_is_what_leaves_the_node(tmp_path: Path) -> None:
    with Network(Pair()) as net:
        with net.capture(tmp_path / "x.pcapng", "blue", filter="ether proto 0x88b5 or udp"):
            assert net["blue"].send(Ether(dst="02:00:00:00:00:09", type=0x88B5) / b"payload" * 1, iface="eth0") == 1
            assert net["blue"].send([IP(dst="10.0.0.1") / UDP(dport=n) for n in (1, 2)], count=2) == 4
        frame, *datagrams = rdpcap(str(tmp_path / "x.pcapng"))
        assert (frame.src, frame.dst, bytes(frame.payload)) == ("02:42:0a:00:00:02", "02:00:00:00:00:09", b"payload")
        assert [datagram[UDP].dport for datagram in datagrams] == [1, 2, 1, 2]
        assert {datagram[IP].src for datagram in datagrams} == {"10.0.0.2"}


def test_addresses_of_a_link_are_sent_to_by_an_interface() -> None:
    needing = "fe80::1", "fe90::1", "fea0::1", "febf::1", "ff01::1", "ff02::1"
    with Network(Pair()) as net:
        (veth,) = (state for state in net.interfaces("blue") if state.name != "lo")
        for iface in veth.name, "":
            with closing(NodeSocket(net["blue"], link_layer=False, iface=iface)) as opened:
                assert [opened._scope(address) for address in needing] == [veth.index] * len(needing)
                assert not any(map(opened._scope, ("fec0::1", "fd00::1", "ff05::1", "2001:db8::fe80")))
