"""A trace from Python: journeys, assertions whose failure shows the ladder, files for others."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pynetemu import FilterError, Network, UsageError
from pynetemu.trace.trace import Trace
from tests.support.pair import Pair
from tests.trace.scenarios import Crossing
from topologies.docker import Docker


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network(Crossing()) as network:
        yield network


@pytest.fixture(scope="module")
def trace(network: Network) -> Trace:
    """A ping from blue to root through everything, and one to an address that red has not."""
    with network.trace() as trace:
        network["blue"].run("ping", "-c1", "10.0.2.2", check=True)
        network["red"].run("ping", "-c1", "-t1", "-W0.2", "10.0.2.2")
    return trace


def test_journeys_and_their_hops(trace: Trace) -> None:
    (ping,) = trace.find("echo request seq 1 blue → root")
    assert trace[ping.number] is ping
    assert ping.path == ("blue", "sw1", "r1", "sw2", "root")
    assert [hop.node for hop in ping.hops] == ["blue", "sw1", "r1", "sw2", "root"]
    times = [hop.time for hop in ping.hops]
    assert times == sorted(times)
    assert ping.links_crossed == 4
    assert [journey.number for journey in trace] == list(range(1, len(trace) + 1))
    assert trace.lost == 0
    assert ping.scapy.summary().startswith("Ether / IP / ICMP 10.0.1.2 > 10.0.2.2 echo-request")
    story = trace.story(ping.number)
    assert re.search(r"r1 +eth0 ▸ eth1 +[\d.]+ µs +routed · ttl 64→63 · MACs rewritten\n", story)
    assert re.search(r"root +✔ delivered +answered by packet \d+$", story)
    assert trace.engine == "packet sockets" if os.getuid() else trace.engine in ("kernel", "packet sockets")
    with pytest.raises(LookupError, match=r"no packet 999; it has 1 to \d+"):
        trace[999]


def test_what_is_expected(trace: Trace) -> None:
    found = trace.expect("ARP who-has 10.0.1.1 tell blue", "echo request", "echo reply", "time exceeded")
    assert [journey.number for journey in found] == sorted(journey.number for journey in found)
    trace.path("echo request.* blue", "blue sw1 r1 sw2 root")
    trace.path("echo reply", "root .* blue")
    trace.delivered("echo reply")
    trace.delivered("10.0.1.2 → 10.0.2.2")
    assert trace.dropped(node="r1", reason="ttl").first.node == "red"
    trace.dropped("echo request", reason="TTL expired")
    trace.never("SYN")


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("expect", ("echo reply", "echo request seq 9"), "step 2 of 2: no packet like 'echo request seq 9' after packet "),
        ("path", ("echo request.* blue", "blue root"), "the ways were: blue sw1 r1 sw2 root"),
        ("delivered", ("echo request.* red",), "was not delivered: TTL expired in r1"),
        ("delivered", ("SYN",), "no packet like 'SYN'"),
        ("dropped", ("", "nft"), "no packet was dropped because of 'nft'"),
        ("never", ("echo reply",), "is like 'echo reply'"),
    ],
)
def test_a_failed_assertion_shows_the_ladder(trace: Trace, method: str, arguments: tuple[str, ...], message: str) -> None:
    keywords = {"reason": arguments[1]} if method == "dropped" else {}
    positional = arguments[:1] if method == "dropped" else arguments
    with pytest.raises(AssertionError) as failure:
        getattr(trace, method)(*positional, **keywords)
    assert message in str(failure.value)
    assert re.search(r"\n +0\.000 .*●━.* ARP who-has", str(failure.value))


def test_tshark_reads_what_it_saves(trace: Trace, tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    trace.save(file)
    (ping,) = trace.find("echo request seq 1 blue → root")
    fields = ["frame.interface_name", "frame.packet_flags_direction", "ip.ttl"]
    seen = _tshark(file, f"frame.packet_id == {ping.number}", fields)
    assert (seen[0][0], int(seen[0][1], 0), seen[0][2]) == ("blue:eth0", 2, "64")
    assert [row[0] for row in seen if row[0] != "drops"] == [
        f"{sighting.event.node}:{sighting.event.interface}" for sighting in ping.sightings if sighting.event.kind != "drop"
    ]
    comments = [text for (text,) in _tshark(file, "frame.comment", ["frame.comment"])]
    assert any("TTL expired in r1" in text for text in comments)
    named = _tshark(file, f"frame.packet_id == {ping.number}", ["ip.dst_host"], "-N", "n")
    assert named[0] == ["root"]


def _tshark(file: Path, display: str, fields: list[str], *options: str) -> list[list[str]]:
    argv = ["tshark", "-r", str(file), *options, "-Y", display, "-T", "fields"]
    argv += [word for name in fields for word in ("-e", name)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_as_data_and_as_a_diagram(trace: Trace) -> None:
    data = json.loads(json.dumps(trace.data()))
    assert data["version"] == 1
    packets = data["packets"]
    dead = [packet for packet in packets if any(ending.get("reason") == "ttl" for ending in packet["endings"])]
    assert [(packet["path"][0], packet["text"]) for packet in dead] == [("red", "ICMP echo request seq 1")]
    lines = trace.to_mermaid().splitlines()
    assert lines[0] == "sequenceDiagram"
    assert "    participant blue" in lines
    assert "    blue->>root: ICMP echo request seq 1 (via sw1, r1, sw2)" in lines
    assert any(re.fullmatch(r"    red-xr1: ICMP echo request seq 1 \(via sw1\)", line) for line in lines)


def test_several_traces_at_once_and_filters_by_name(network: Network) -> None:
    with network.trace("icmp and host red") as ours, network.trace("udp") as others:
        network["red"].run("ping", "-c1", "10.0.1.1", check=True)
        network["blue"].run("ping", "-c1", "10.0.1.1", check=True)
    assert len(ours) == 2
    assert len(others) == 0
    with pytest.raises(FilterError), network.trace("nonsense and"):
        pass


def test_ipv6_is_followed_like_ipv4(network: Network) -> None:
    for node, address in (("blue", "fd00:1::2/64"), ("r1", "fd00:1::1/64")):
        network[node].run("ip", "addr", "add", address, "dev", "eth0", "nodad", check=True)
    with network.trace("icmp6") as trace:
        network["blue"].run("ping", "-c1", "fd00:1::1", check=True)
        network["blue"].run("ping", "-c1", "-W0.2", "fd00:2::1")
    trace.expect("ND who-has fd00:1::1", "ND fd00:1::1 is-at", "echo request seq 1 fd00:1::2", "echo reply")
    trace.path("echo request", "blue sw1 r1")


def test_a_packet_through_a_tunnel_is_one_journey(network: Network) -> None:
    """blue and red, each with an address on a VXLAN between them."""
    for node, other, address in (("blue", "10.0.1.3", "10.7.0.2"), ("red", "10.0.1.2", "10.7.0.3")):
        network[node].run("ip", "link", "add", "t7", "type", "vxlan", "id", "7", "remote", other, "dstport", "4789", check=True)
        network[node].run("sh", "-c", f"ip addr add {address}/24 dev t7 && ip link set t7 up", check=True)
    with network.trace("udp port 4789 or icmp") as trace:
        network["blue"].run("ping", "-c1", "10.7.0.3", check=True)
    ping = trace.path("echo request seq 1 10.7.0.2 → 10.7.0.3", "blue sw1 red")
    seen = [(sighting.event.node, sighting.event.interface) for sighting in ping.sightings]
    assert seen == [("blue", "t7"), ("blue", "eth0"), ("sw1", "blue"), ("sw1", "red"), ("red", "eth0"), ("red", "t7")]
    assert re.search(r"echo request seq 1 .*blue: into VXLAN 7 · red: out of VXLAN 7", trace.ladder())
    trace.delivered("echo")


def test_links_that_somebody_adds_are_followed_too(network: Network) -> None:
    network["root"].run(
        "ip", "link", "add", "x0", "netns", "blue", "type", "veth", "peer", "name", "x1", "netns", "red", check=True
    )
    for node, interface, address in (("blue", "x0", "10.8.0.2"), ("red", "x1", "10.8.0.3")):
        network[node].run("sh", "-c", f"ip addr add {address}/24 dev {interface} && ip link set {interface} up", check=True)
    with network.trace("arp or icmp") as trace:
        network["blue"].run("ping", "-c1", "10.8.0.3", check=True)
    trace.path("echo request.*10.8.0.3", "blue red")
    trace.path("echo reply", "red blue")


def test_tcp_with_what_it_carries(network: Network) -> None:
    server = network["root"].start(
        "python3", "-m", "http.server", "8000", "--directory", "/sys/class/net", stdout=-1, stderr=-1
    )
    try:
        network["root"].run("sh", "-c", "until curl -s 127.0.0.1:8000 >/dev/null; do :; done", timeout=10)
        with network.trace("tcp") as trace:
            network["blue"].run("curl", "-s", "http://10.0.2.2:8000/", check=True)
    finally:
        server.kill()
        server.wait()
        server.close()
    # The kernel engine has the headers: what TCP carries lies elsewhere (in the pages of sk_buff's fragments).
    carried = ["GET / HTTP/1.1", "HTTP/1.0 200 OK"] if trace.engine == "packet sockets" else []
    trace.expect("SYN", r"SYN\+ACK", *carried, "FIN")
    trace.delivered("TCP")
    assert "connected in" in trace.ladder()


def test_a_bridge_in_a_host_is_on_the_way_and_not_its_end() -> None:
    with Network(Docker()) as network:
        with network.trace("tcp") as trace:
            network["laptop"].run("curl", "-s", "machine:8080", check=True)
        assert " ✔ connected in " in trace.ladder()
        trace.path("SYN", "laptop machine web")
        trace.delivered("GET")


def test_as_much_is_kept_of_each_packet_as_is_asked_for() -> None:
    kept = {("sockets", 0): 1442, ("sockets", 60): 60, ("sockets", None): 512, ("", 0): 1442, ("", 1000): 1000, ("", 60): 60}
    with Network(Pair()) as network:
        for (engine, snap), size in kept.items():
            with network.trace("icmp", snap=snap, engine=engine) as trace:
                network["blue"].run("ping", "-c1", "-s1400", "root", check=True)
            assert {len(sighting.event.data) for journey in trace.journeys for sighting in journey.sightings} == {size}
        with pytest.raises(UsageError, match="192 bytes"), network.trace(snap=1000, engine="kernel"):
            pass
