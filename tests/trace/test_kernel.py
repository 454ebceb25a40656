"""The kernel engine: every packet of the lab from its first interface to its end, why it was dropped, and how it refuses."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pynetemu import Host, Link, Network, Topology
from pynetemu.capture.pcap_filter import compile_filter
from pynetemu.trace.sources.events import Event
from pynetemu.trace.sources.kernel import btf
from pynetemu.trace.sources.kernel.source import KernelSource, Unavailable, refusal
from tests.support.pair import Pair
from tests.support.pynetemu import CLONE
from tests.support.wait import wait_until


class Routed(Topology):
    """blue ── r1 ── green."""

    blue = Host(default_via="10.0.1.1")
    r1 = Host()
    green = Host(default_via="10.0.2.1")
    left = Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24"))
    right = Link(r1.interface("eth1", "10.0.2.1/24"), green.interface("eth0", "10.0.2.2/24"))


@contextmanager
def _routed(privileged: bool = False) -> Iterator[Network]:
    with Network(Routed(), privileged=privileged) as net:
        net["r1"].run("sysctl", "-qw", "net.ipv4.ip_forward=1", check=True)
        yield net


def _until(source: KernelSource, wanted: Callable[[Event], object]) -> list[Event]:
    """The events up to one that is wanted."""
    seen: list[Event] = []

    def found() -> bool:
        select.select([source], [], [], 1)
        seen.extend(source.read())
        return any(wanted(event) for event in seen)

    wait_until(found, what=f"the event, after {seen}")
    return seen


def _places(events: list[Event], *kinds: str) -> list[tuple[str, str, str]]:
    return [(event.node, event.interface, event.kind) for event in events if event.kind in (kinds or ("in", "out", "drop"))]


def _reply_taken(event: Event) -> bool:
    return event.kind == "drop" and event.place.startswith("ping_rcv")  # the program read it from its raw socket


root_only = pytest.mark.root


@root_only
def test_a_ping_from_node_to_node_with_the_same_buffer_all_the_way() -> None:
    with _routed() as net:
        net["blue"].run("ping", "-c1", "10.0.2.2", check=True)  # resolves the neighbors
        source = KernelSource(net, net.nodes, compile_filter("icmp"))
        before = time.time_ns()
        net["blue"].run("ping", "-c1", "10.0.2.2", check=True)
        events = _until(source, _reply_taken)
        source.close()
    assert _places(events, "in", "out") == [
        ("blue", "eth0", "out"), ("r1", "eth0", "in"), ("r1", "eth1", "out"), ("green", "eth0", "in"),
        ("green", "eth0", "out"), ("r1", "eth1", "in"), ("r1", "eth0", "out"), ("blue", "eth0", "in"),
    ]  # fmt: skip
    there, back = events[:4], [event for event in events[4:] if event.kind in ("in", "out")]
    assert len({event.buffer for event in there}) == len({event.buffer for event in back}) == 1
    assert any(event.kind == "end" and event.buffer == there[0].buffer for event in events)
    assert [event.data[22] for event in there] == [64, 64, 63, 63]  # TTL
    assert all(event.length == len(event.data) == 98 for event in there + back)
    assert before < events[0].time < time.time_ns()
    assert source.lost == 0


@root_only
def test_a_packet_is_followed_through_address_translation() -> None:
    rules = "table ip nat { chain post { type nat hook postrouting priority 100; oifname eth1 masquerade; }; }"
    with _routed() as net:
        net["r1"].run("nft", rules, check=True)
        source = KernelSource(net, net.nodes, compile_filter("icmp and src host blue", {"blue": ["10.0.1.2"]}))
        net["blue"].run("ping", "-c1", "10.0.2.2", check=True)
        events = _until(source, lambda event: event.kind == "in" and event.node == "green")
        source.close()
    assert [event.data[26:30] for event in events if event.kind in ("in", "out")][:4] == [
        bytes((10, 0, 1, 2)),
        bytes((10, 0, 1, 2)),
        bytes((10, 0, 2, 1)),
        bytes((10, 0, 2, 1)),
    ]


_DROP_ALL = "table inet fw { chain c { type filter hook %s priority 0; policy drop; }; }"


@root_only
@pytest.mark.parametrize(
    ("node", "change", "reason", "place"),
    [
        ("r1", ["nft", _DROP_ALL % "forward"], "NETFILTER_DROP", "nft_do_chain"),
        ("blue", ["nft", _DROP_ALL % "output"], "NETFILTER_DROP", "nft_do_chain"),
        ("r1", ["ip", "route", "del", "10.0.2.0/24"], "IP_INNOROUTES", "ip_error"),
        ("r1", ["sysctl", "-qw", "net.ipv4.ip_forward=0"], "IP_INADDRERRORS", "ip_error"),
        ("r1", ["ip", "link", "set", "eth1", "mtu", "80"], "PKT_TOO_BIG", "ip_forward"),
    ],
)
def test_a_drop_says_why_and_in_which_function(node: str, change: list[str], reason: str, place: str) -> None:
    with _routed() as net:
        net[node].run(*change, check=True)
        source = KernelSource(net, net.nodes, compile_filter("icmp[icmptype] == icmp-echo"))
        net["blue"].run("ping", "-c1", "-W0.2", "-Mdo", "10.0.2.2")
        drop = next(event for event in _until(source, lambda event: event.kind == "drop") if event.kind == "drop")
        source.close()
    assert (drop.node, drop.reason) == (node, reason)
    assert place in drop.place.split(" < ")
    assert drop.data[12:14] == b"\x08\x00" and drop.data[34] == 8 and drop.length == 98


@root_only
@pytest.mark.parametrize(
    ("kind", "interface", "told"),
    [
        ("ingress", "eth0", "dropped by a tc filter as it entered r1 eth0"),
        ("egress", "eth1", "dropped by a tc filter as it left r1 eth1"),
        ("xdp", "eth0", "dropped by an XDP program on r1 eth0"),
    ],
)
def test_what_a_program_at_an_interface_drops_is_said_to_be_its_doing(kind: str, interface: str, told: str) -> None:
    with _routed(privileged=True) as net:
        net["blue"].run("ping", "-c1", "10.0.2.2", check=True)  # resolves the neighbors
        dropper = net["r1"].start(
            sys.executable, str(CLONE / "tests/support/dropper.py"), interface, kind, stdout=subprocess.PIPE
        )
        assert dropper.stdout is not None and dropper.stdout.readline() == b"drops\n"
        with net.trace("icmp") as trace:
            net["blue"].run("ping", "-c1", "-W0.1", "10.0.2.2")
        dropper.kill()
        dropper.wait()
        dropper.close()
    trace.dropped(node="r1", reason=told)


_FILTERS = """
arp or icmp or icmp6
tcp port 80 or udp portrange 5000-6000
host 10.0.1.2 and not tcp
icmp and not host 10.0.0.1
ip6
less 200
greater 90
tcp[tcpflags] & (tcp-syn|tcp-fin) != 0
udp[8:2] = 0x0102
ether[0] & 1 = 1
ip[8] < 10
ip6[40] = 128
tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420
len - 14 > 60
ip[2:2] * 2 > 100 and ether[6] % 3 != 1
vlan 7
net 10.0.0.0/8
ether host 02:00:00:00:00:01
port 53
ip proto 47
stp
"""


@pytest.mark.slow
@root_only
def test_the_verifier_takes_every_filter() -> None:
    with Network(Pair()) as net:
        for text in _FILTERS.strip().splitlines():
            KernelSource(net, net.nodes, compile_filter(text)).close()


@root_only
def test_a_filter_means_the_same_as_to_libpcap(tmp_path: Path) -> None:
    """A ping, its ARP and the answers, seen through filters that each take some of them, and by tshark through the same."""
    filters = ["icmp", "arp", "less 60", "icmp[icmptype] = 8", "ip[2:2] = 84", "ip[2:2] > 84", "ether[12:2] = 0x806"]
    filters += ["ip src 10.0.0.2", "icmp[4:2] != 0 and ip[8] = 64", "len = 98", "ip[2:2] * 2 = 168 and ip[8] % 3 = 1"]
    with Network(Pair()) as net:
        sources = [KernelSource(net, ("blue",), compile_filter(text), memory=1 << 16) for text in filters]
        with net.capture(tmp_path / "x.pcapng", "blue", filter="ip or arp"):
            net["blue"].run("ping", "-c1", "10.0.0.1", check=True)
        for text, source in zip(filters, sources, strict=True):
            seen = [event.data for event in source.read() if event.kind in ("in", "out")]
            taken = ["tcpdump", "-r", str(tmp_path / "x.pcapng"), "-Z", "root", "-t", text]
            lines = subprocess.run(taken, capture_output=True, text=True, check=True).stdout.splitlines()
            assert len(seen) == len(lines), (text, lines)
            source.close()


@root_only
def test_nothing_of_the_machine_is_seen_nor_of_other_labs() -> None:
    with Network(Pair()) as net, Network(Pair()) as other:
        source = KernelSource(net, ("blue",), compile_filter("icmp"))
        other["blue"].run("ping", "-c1", "10.0.0.1", check=True)
        net["blue"].run("ping", "-c1", "10.0.0.1", check=True)
        events = _until(source, _reply_taken)
        source.close()
    assert {event.node for event in events} == {"blue"}
    assert _places(events, "in", "out") == [("blue", "eth0", "out"), ("blue", "eth0", "in")]


@root_only
def test_what_a_full_ring_must_miss_is_counted() -> None:
    with Network(Pair()) as net:
        source = KernelSource(net, ("blue",), compile_filter("icmp and src 10.0.0.2"), memory=1 << 12)
        net["blue"].run("ping", "-c40", "-i0.002", "10.0.0.1", check=True)
        seen = [event for event in source.read() if event.kind == "out"]
        assert 0 < len(seen) < 40
        assert source.lost >= 40 - len(seen)
        source.close()
        assert source.lost > 0
        source.close()


@root_only
def test_the_layout_is_kept_until_the_machine_starts_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    layout = btf.load_layout()
    kept = tmp_path / "pynetemu" / "kernel.json"
    assert btf.load_layout() == layout == btf.read_layout()
    assert layout.reasons[2] == "NOT_SPECIFIED"
    kept.write_text(kept.read_text().replace('"boot": "', '"boot": "another '))
    assert btf.load_layout() == layout
    kept.write_text("{ half")
    assert btf.load_layout() == layout
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert btf.load_layout() == layout


@root_only
def test_a_machine_without_what_it_takes_says_what_that_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pynetemu.trace.sources.kernel import bpf, source

    def refuse(*_: object) -> int:
        raise PermissionError(1, "Operation not permitted")

    with Network(Pair()) as net:
        net["blue"].run("true", check=True)  # opens the connection for processes
        open_before = set(os.listdir("/proc/self/fd"))
        with monkeypatch.context() as patch:
            patch.setattr(source, "DESCRIPTION", str(tmp_path / "none"))
            with pytest.raises(Unavailable, match="CONFIG_DEBUG_INFO_BTF"):
                KernelSource(net, net.nodes)
        with monkeypatch.context() as patch:
            patch.setattr(bpf, "attach", refuse)
            with pytest.raises(Unavailable, match="the kernel refuses: Operation not permitted"):
                KernelSource(net, net.nodes)
            with net.trace("icmp") as trace:  # another engine takes its place
                net["blue"].run("ping", "-c1", "10.0.0.1", check=True)
            assert (trace.engine, len(trace.find("echo"))) == ("packet sockets", 2)
        assert set(os.listdir("/proc/self/fd")) == open_before


@pytest.mark.ordinary_user
def test_an_ordinary_user_is_told_that_it_needs_root() -> None:
    assert refusal() == "it needs root"
    with Network(Pair()) as net, pytest.raises(Unavailable, match="it needs root"):
        KernelSource(net, net.nodes)
