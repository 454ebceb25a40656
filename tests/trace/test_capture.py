"""Captures: what tshark reads of them, and what becomes of them when something goes wrong."""

import errno
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from pynetemu import FilterError, Gre, Host, Interface, LabError, Link, Network, Router, Topology, Vxlan, WireGuard
from pynetemu.capture.capture import Capture
from pynetemu.capture.selection import find
from pynetemu.topology.tunnels import Tunnel
from tests.support.leftovers import of_machine
from tests.support.pair import Pair
from tests.support.tshark import about, fields
from tests.support.wait import wait_until

_PLACE = ("frame.interface_name", "frame.packet_flags_direction", "ip.src_host", "ip.dst_host")
_OUT, _IN = "0x00000002", "0x00000001"


def _ping(net: Network, count: int = 1) -> None:
    net["blue"].run("ping", f"-c{count}", "-i0.002", "10.0.0.1", check=True)


def test_a_ping_at_both_ends_in_order_with_names(tmp_path: Path) -> None:
    with Network(Pair()) as net:
        with net.capture(tmp_path / "x.pcapng", filter="icmp") as capture:
            _ping(net)
        assert (capture.packets, capture.lost) == (4, 0)
    assert fields(tmp_path / "x.pcapng", *_PLACE) == [
        ("blue:eth0", _OUT, "blue", "root"),
        ("root:eth0", _IN, "blue", "root"),
        ("root:eth0", _OUT, "root", "blue"),
        ("blue:eth0", _IN, "root", "blue"),
    ]
    assert "blue:eth0" in about(tmp_path / "x.pcapng")


@pytest.mark.slow
def test_nodes_interfaces_links_and_filters_choose(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    with Network(Pair()) as net:
        for what, filter, places in (
            (["blue"], "icmp", {"blue:eth0"}),
            (["root.eth0"], "icmp", {"root:eth0"}),
            (["root:lo"], "", set()),
            (["root-blue"], "icmp", {"blue:eth0", "root:eth0"}),
            (["blue"], "src root", {"blue:eth0"}),
            ([], "icmp and host blue and not dst root", {"blue:eth0", "root:eth0"}),
            (["blue", "blue.lo", "blue"], "tcp", set()),
        ):
            with net.capture(path, *what, filter=filter):
                _ping(net)
            assert {place for (place,) in fields(path, "frame.interface_name")} == places, (what, filter)


_TUNNELS: dict[str, Callable[[Interface, Interface], Tunnel]] = {
    "VXLAN": lambda a, b: Vxlan(a, b, id=10),
    "GRE": Gre,
    "GRE over IPv6": lambda a, b: Gre(a, b, endpoints=("fd00:1::1", "fd00:2::1")),
    "WireGuard": WireGuard,
}


class Tunneled(Topology):
    """Two hosts with a router between them, and a tunnel of some sort from one to the other."""

    def build(self, sort: str) -> None:
        self.h1, self.r1, self.h2 = Host(), Router(), Host()
        near, far = (
            self.r1.interface("eth1", "10.1.0.2/24", "fd00:1::2/64"),
            self.r1.interface("eth2", "10.2.0.2/24", "fd00:2::2/64"),
        )
        self.a = Link(self.h1.interface("eth0", "10.1.0.1/24", "fd00:1::1/64"), near)
        self.b = Link(self.h2.interface("eth0", "10.2.0.1/24", "fd00:2::1/64"), far)
        ends = self.h1.interface("tun0", "10.9.0.1/24"), self.h2.interface("tun1", "10.9.0.2/24")
        self.tunnel = _TUNNELS[sort](*ends)


@pytest.mark.parametrize("sort", _TUNNELS)
def test_a_tunnels_two_nodes_name_it_as_those_of_a_wire_do(sort: str) -> None:
    assert find(Network(Tunneled(sort=sort)), "h2-h1") == {"h1": {"tun0"}, "h2": {"tun1"}}
    assert find(Network(Tunneled(sort=sort)), "h1-r1") == {"h1": {"eth0"}, "r1": {"eth1"}}


@pytest.mark.slow
@pytest.mark.parametrize(
    "sort",
    [
        pytest.param("VXLAN", marks=pytest.mark.needs("vxlan")),
        pytest.param("GRE", marks=pytest.mark.needs("gre")),
        pytest.param("GRE over IPv6", marks=pytest.mark.needs("gre over IPv6")),
        pytest.param("WireGuard", marks=pytest.mark.needs("wireguard")),
    ],
)
def test_what_is_in_a_tunnel_is_captured_at_both_ends(sort: str, tmp_path: Path) -> None:
    with Network(Tunneled(sort=sort)) as net:
        with net.capture(tmp_path / "x.pcapng", "h1-h2") as capture:
            net["h1"].run("ping", "-c1", "-W5", "10.9.0.2", check=True)
            net["h1"].run("ping", "-c1", "-W5", "10.2.0.1", check=True)  # beside the tunnel
        assert capture.lost == 0
    seen = fields(tmp_path / "x.pcapng", "frame.interface_name", "ip.dst", display_filter="icmp.type == 8")
    assert seen == [("h1:tun0", "10.9.0.2"), ("h2:tun1", "10.9.0.2")]


@pytest.mark.slow
def test_all_of_many_packets_are_there_once_and_in_order(tmp_path: Path) -> None:
    with Network(Pair()) as net:
        with net.capture(tmp_path / "x.pcapng", filter="icmp") as capture:
            _ping(net, 200)
        assert (capture.packets, capture.lost) == (800, 0)
    read = fields(tmp_path / "x.pcapng", "frame.time_epoch", "icmp.seq", "icmp.type")
    assert len(set(read)) == 800
    assert read == sorted(read, key=lambda row: row[0])


def test_interfaces_that_come_later_are_named(tmp_path: Path) -> None:
    with Network(Pair()) as net:
        with net.capture(tmp_path / "x.pcapng", "blue", filter="arp or icmp"):
            net["blue"].run("ip", "link", "add", "late", "type", "veth", "peer", "name", "other", check=True)
            net["blue"].run(
                "sh", "-c", "ip addr add 10.9.0.1/24 dev late; ip link set late up; ip link set other up", check=True
            )
            wait_until(lambda: net["blue"].run("cat", "/sys/class/net/late/operstate").stdout == "up\n")
            net["blue"].run("ping", "-c1", "-W0.1", "10.9.0.2")
        assert ("blue:late",) in fields(tmp_path / "x.pcapng", "frame.interface_name")


_TUNNEL = """
import fcntl, os, struct
tunnel = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tunnel, 0x400454CA, struct.pack("16sH14x", b"tun", 0x1001))  # TUNSETIFF: IFF_TUN | IFF_NO_PI
while os.read(tunnel, 2048): pass
"""


@pytest.mark.root  # the device is often for root alone
def test_tunnels_have_no_ethernet_and_are_read_all_the_same(tmp_path: Path) -> None:
    with Network(Pair()) as net:
        tunnel = net["blue"].start("python3", "-c", _TUNNEL)
        wait_until(lambda: "tun" in [state.name for state in net.interfaces("blue")], what="the tunnel")
        net["blue"].run("sh", "-c", "ip addr add 10.8.0.2/24 dev tun; ip link set tun up", check=True)
        with net.capture(tmp_path / "x.pcapng", "blue.tun"), net.trace("icmp") as trace:
            net["blue"].run("ping", "-c1", "-W0.05", "10.8.0.1")
        tunnel.kill()
        tunnel.wait()
        tunnel.close()
    seen = fields(tmp_path / "x.pcapng", "frame.interface_name", "frame.protocols", "ip.src_host", display_filter="icmp")
    assert [(place, protocols[:7], source) for place, protocols, source in seen] == [("blue:tun", "raw:ip:", "blue")]
    assert trace.find("echo request seq 1")[0].first.interface == "tun"


@pytest.mark.slow
def test_from_the_first_moment_to_the_last(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    net = Network(Pair(), capture=path)
    for _ in range(2):  # and again, into a new file
        with net:
            _ping(net)
        assert net.captured is not None and net.captured.packets >= 4
        icmp = fields(path, *_PLACE, display_filter="icmp")
        assert icmp[:2] == [("blue:eth0", _OUT, "blue", "root"), ("root:eth0", _IN, "blue", "root")]
    with pytest.raises(OSError, match="Is a directory"):
        Network(Pair(), capture=tmp_path).open()


@pytest.mark.parametrize(
    ("what", "filter", "error", "words"),
    [
        (["bleu"], "", LabError, "did you mean 'blue'"),
        (["blue.eth1"], "", LabError, "blue has no interface 'eth1'; did you mean 'eth0'"),
        (["blue-green"], "", LabError, "no node, interface"),
        ([], "tcp porrt 80", FilterError, "syntax error"),
    ],
)
def test_wrong_calls_are_refused_before_anything_happens(
    tmp_path: Path, what: list[str], filter: str, error: type[Exception], words: str
) -> None:
    with Network(Pair()) as net, pytest.raises(error, match=words):
        net.capture(tmp_path / "x.pcapng", *what, filter=filter).start()
    assert not (tmp_path / "x.pcapng").exists()


def test_a_file_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with Network(Pair()) as net:
        for path, words in (
            (tmp_path, "Is a directory"),
            (tmp_path / "no" / "x", "No such file"),
            ("/dev/full", "No space left"),
        ):
            with pytest.raises(OSError, match=words) as caught:
                net.capture(path).start()
            assert caught.value.filename == str(path)


def test_a_full_disk_ends_the_capture_and_keeps_what_there_was(tmp_path: Path) -> None:
    path, before = tmp_path / "x.pcapng", resource.getrlimit(resource.RLIMIT_FSIZE)
    with Network(Pair()) as net:
        capture = net.capture(path, filter="icmp").start()
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_001, before[1]))
        try:
            _ping(net, 60)
            assert wait_until(lambda: capture.wait(0.01), what="the end of the capture")
            with pytest.raises(OSError, match="File too large") as caught:
                capture.stop()
            assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert 19_000 < path.stat().st_size <= 20_001
        assert len(fields(path, "frame.number")) == capture.packets > 50


def test_a_reader_that_goes_away_ends_the_capture() -> None:
    with Network(Pair()) as net:
        read, write = os.pipe()
        capture = net.capture(write, "blue").start()
        os.close(read)
        _ping(net)
        wait_until(lambda: capture.wait(0.01), what="the end of the capture")
        with pytest.raises(BrokenPipeError):
            capture.stop()
        os.close(write)


def test_the_end_of_the_lab_ends_the_capture_and_keeps_what_there_was(tmp_path: Path) -> None:
    before = of_machine()
    net = Network(Pair()).open()
    capture = net.capture(tmp_path / "x.pcapng", filter="icmp").start()
    _ping(net)
    net.close()
    wait_until(lambda: capture.wait(0.01), what="the end of the capture")
    assert of_machine() <= before
    capture.stop()
    assert capture.packets == len(fields(tmp_path / "x.pcapng", "frame.number")) == 4


def test_an_exception_in_the_block_is_the_one_that_is_seen() -> None:
    def use(capture: Capture) -> None:
        with capture:
            raise ZeroDivisionError

    with Network(Pair()) as net:
        with pytest.raises(ZeroDivisionError):
            use(net.capture(os.devnull))
        capture = net.capture(os.devnull).start()
        capture.stop()
        capture.stop()
