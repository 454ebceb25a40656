"""What links do to packets, measured by other programs beside what was asked. The table is the result; see docs/benchmarks.md.

A run during which a control timer was late, or others had the processor that the relay needed, is discarded, and counted: then
the machine was busy, and the link is not to blame.
"""

import json
import os
import random
import re
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from socket import SO_RCVBUF, SOCK_DGRAM, SOL_SOCKET, socket
from statistics import median
from tempfile import TemporaryFile

import pytest

from pynetemu import Host, Link, Network, Topology
from pynetemu.lab.connection import is_readable
from tests.benchmarks.measure import FIGURES, Figure
from tests.support.relays import processor_seconds, relays, waited_seconds
from tests.support.wait import wait_until

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore:.*are not linked to")]

_LATENESS, _PACKETS = (str(Path(__file__).with_name(name)) for name in ("lateness.py", "packets.py"))
_LATE = 0.0005  # seconds that 99 of 100 wakes of the control timer are late at most
_MOST_WAITED = 0.1  # of the time
_SATURATED = 0.005  # where the load itself takes both processors of a small machine
_TRIES = 5
_COUNTED, _SINK = 9, 10  # UDP ports, of what is counted and of what loads
_TIMESTAMPNS = 35  # SO_TIMESTAMPNS
_HEADERS = 14 + 20 + 32  # bytes of Ethernet, IPv4, and TCP with time stamps
_DATA = 1500 - 52  # bytes of data of a full packet
_ANSWERS = "reno"  # to losses, as the machine's own congestion control may not: BBR keeps its queue whatever is dropped
_COUNTER = """table netdev counting {
  chain c { type filter hook ingress device "%s" priority 0
    udp dport 9 counter drop
    udp dport 10 drop
  }
}"""


class Disturbed(Exception):
    """A control timer was late, or relays had to wait."""


@contextmanager
def undisturbed(most: float) -> Iterator[None]:
    """Raises Disturbed at its end when a control timer was late meanwhile, or relays waited for a processor."""
    pids = relays()
    waited, begin = waited_seconds(pids), time.monotonic()
    with subprocess.Popen([sys.executable, _LATENESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as timer:
        assert timer.stdin and timer.stdout
        timer.stdout.readline()
        yield
        timer.stdin.close()
        late = float(timer.stdout.read())
    waited = (waited_seconds(pids) - waited) / (time.monotonic() - begin)
    if late > most or waited > _MOST_WAITED:
        raise Disturbed


def note(what: str, bound: str, measure: Callable[[], tuple[str, bool]], late: float = _LATE) -> None:
    """Adds a line: the first run that was not disturbed."""
    for discarded in range(_TRIES):
        try:
            with undisturbed(late):
                measured, holds = measure()
        except Disturbed:
            continue
        more = f" ({discarded} disturbed {'run' if discarded == 1 else 'runs'} discarded)" if discarded else ""
        FIGURES.append(Figure(what, measured + more, bound, holds))
        return
    FIGURES.append(Figure(what, f"{_TRIES} runs, all disturbed", bound, False))


class Pair(Topology):
    arp = "permanent"
    h1, h2 = Host(), Host()
    wire = Link(h1.interface("e", "10.1.0.1/24"), h2.interface("e", "10.1.0.2/24"), seed=1, delay="10ms")


class Bucket(Topology):
    """A link that nothing but tbf shapes."""

    arp = "permanent"

    def build(self, mbit: int) -> None:
        h1, h2 = (self.add(name, Host()) for name in ("h1", "h2"))
        ends = h1.interface("e", "10.1.0.1/24"), h2.interface("e", "10.1.0.2/24")
        self.add(Link(*ends, a_to_b={"rate": f"{mbit}mbit"}, mechanism="tbf"))


@contextmanager
def _pair() -> Iterator[Network]:
    with Network(Pair(), name="measured") as net:
        _count(net, "h2", "e")
        yield net


def _count(net: Network, node: str, interface: str) -> None:
    net[node].run("nft", _COUNTER % interface, check=True)


def _counted(net: Network, node: str) -> int:
    told = json.loads(net[node].run("nft", "-j", "list", "table", "netdev", "counting", check=True).stdout)
    expressions = (e for entry in told["nftables"] if "rule" in entry for e in entry["rule"]["expr"])
    return sum(e["counter"]["packets"] for e in expressions if "counter" in e)


def _send_counted(net: Network, address: str, number: int, rate: int, node: str = "h1") -> None:
    net[node].run(sys.executable, _PACKETS, address, str(_COUNTED), str(number), str(rate), check=True)


def _wait_for_the_last(net: Network, a: str = "h1", b: str = "h2") -> None:
    def waiting() -> int:
        counters = net.link(a, b).directions[0].counters
        return counters.waiting if counters else 0

    wait_until(lambda: waiting() == 0, what="the last packets")


@contextmanager
def _load(net: Network, node: str, address: str, rate: int, seconds: float) -> Iterator[None]:
    """Packets beside what is measured, as many a second; 0 for none."""
    if not rate:
        yield
        return
    argv = (sys.executable, _PACKETS, address, str(_SINK), str(int(rate * seconds)), str(rate))
    with net[node].start(*argv) as loader:
        yield
        loader.kill()
        loader.wait()


def _round_trips(net: Network, address: str, count: int, interval: float) -> list[float]:
    """In ms, by the kernel's stamps that tcpdump prints: ping's own have a digit too few."""
    argv = ("tcpdump", "-i", "e", "-n", "-tt", "--nano", "-U", "--immediate-mode", "-l", "icmp")
    with TemporaryFile() as printed, net["h1"].start(*argv, stdout=printed, stderr=subprocess.PIPE) as dump:

        def told() -> str:
            return os.pread(printed.fileno(), 1 << 24, 0).decode()

        assert dump.stderr
        next(line for line in dump.stderr if b"listening" in line)
        pinged = str(net["h1"].run("ping", "-q", f"-c{count}", f"-i{interval}", "-W2", address, check=True).stdout)
        received = int(re.findall(r"(\d+) received", pinged)[0])
        wait_until(lambda: told().count("echo reply") >= received, what="tcpdump's last line")
        dump.terminate()
        dump.wait()
        lines = told()
    found = re.findall(r"^([\d.]+) IP .* echo (request|reply), .* seq (\d+)", lines, re.MULTILINE)
    sent = {number: float(at) for at, what, number in found if what == "request"}
    return [(float(at) - sent[number]) * 1e3 for at, what, number in found if what == "reply"]


@pytest.mark.parametrize("beside", [0, 50_000])
@pytest.mark.parametrize(("delay", "most"), [(1, 2.0), (10, 2.0), (100, 8.0)])
def test_delays(delay: int, most: float, beside: int) -> None:
    def measure() -> tuple[str, bool]:
        with _load(net, "h1", "10.1.0.2", beside, 10):
            errors = sorted(abs(time - 2 * delay) for time in _round_trips(net, "10.1.0.2", 500, 0.005))
        middle, nearly_all = median(errors), errors[len(errors) * 99 // 100]
        holds = len(errors) == 500 and middle <= 0.3 and nearly_all <= most
        return f"{middle:.2f} ms, {nearly_all:.2f} ms", holds

    with _pair() as net:
        net.link("wire").set(delay=f"{delay}ms")
        load = f", beside {beside:,} packets/s" if beside else ""
        note(f"round trip with {delay} ms each way{load}: error, median and 99 %", f"0.3 ms, {most:g} ms", measure)


@pytest.mark.parametrize("share", [1, 10])
def test_losses(share: int) -> None:
    count, p = 100_000, share / 100
    most = 3.29 * (p * (1 - p) / count) ** 0.5

    def measure() -> tuple[str, bool]:
        before = _counted(net, "h2")
        _send_counted(net, "10.1.0.2", count, 50_000)
        _wait_for_the_last(net)
        lost = 1 - (_counted(net, "h2") - before) / count
        return f"{lost:.3%}", abs(lost - p) < most

    with _pair() as net:
        net.link("wire").set(delay=None, loss=f"{share}%")
        note(f"loss of {share} % of {count:,} packets", f"{p - most:.3%} to {p + most:.3%}", measure)


def _goodput(net: Network, seconds: float, discarded: float, streams: int = 1) -> float:
    """Bits of data per second of TCP, by iperf3."""
    with net["h2"].start("iperf3", "-s", "-1", "--forceflush", stdout=subprocess.PIPE) as server:
        assert server.stdout
        next(line for line in server.stdout if b"listening" in line)
        argv = ("iperf3", "-c", "10.1.0.2", "-J", "-t", f"{seconds:g}", "-O", f"{discarded:g}", "-P", str(streams))
        told = json.loads(net["h1"].run(*argv, check=True).stdout)
        server.wait()
    return float(told["end"]["sum_received"]["bits_per_second"])


@pytest.mark.parametrize("how", ["relay", "relay, delay=10ms", "tbf"])
@pytest.mark.parametrize("mbit", [1, 10, 100, 500, 1000])
def test_rates(mbit: int, how: str) -> None:
    def measure() -> tuple[str, bool]:
        possible = mbit * 1e6 * _DATA / (_DATA + _HEADERS)
        share = _goodput(net, 4 if mbit > 1 else 12, 2) / possible  # at 1 mbit a packet that is sent again late is 1 % of 4 s
        return f"{share:.1%}", 0.95 <= share <= 1.05

    with Network(Bucket(mbit=mbit) if how == "tbf" else Pair(), name="measured") as net:
        if how != "tbf":
            net.link("wire").set(delay=how.partition("=")[2] or None, a_to_b={"rate": f"{mbit}mbit"})
        note(f"TCP over {mbit} mbit ({how}), of what the rate allows", "95 to 105 %", measure, late=_SATURATED)


def test_packets_per_second() -> None:
    def measure() -> tuple[str, bool]:
        count = rate * 3
        before, (relay,) = _counted(net, "h2"), relays()
        used = processor_seconds(relay)
        _send_counted(net, "10.1.0.2", count, rate)
        _wait_for_the_last(net)
        lost = count - (_counted(net, "h2") - before)
        used = processor_seconds(relay) - used
        return f"{lost:,} of {count:,}, {used / count * 1e6:.1f} µs of a processor for each", lost == 0

    with _pair() as net:
        for rate in 50_000, 100_000, 200_000, 300_000:
            bound = "none" if rate <= 200_000 else ""
            note(f"lost of {rate:,} packets/s, delay=10ms", bound, measure, late=_SATURATED)


class Many(Topology):
    """Links that share a relay, each with two hosts of its own."""

    arp = "permanent"

    def build(self, links: int) -> None:
        for number in range(links):
            a, b = (self.add(f"{side}{number}", Host()) for side in "ab")
            ends = (node.interface("e", f"10.{number + 1}.0.{host}/24") for host, node in enumerate((a, b), 1))
            self.add(Link(*ends, delay="10ms", seed=1))


def test_a_flooded_link_takes_nothing_from_others() -> None:
    def measure() -> tuple[str, bool]:
        before = _counted(net, "b1")
        with _load(net, "a0", "10.1.0.2", 1_000_000, 60):
            _send_counted(net, "10.2.0.2", 5000, 1000, "a1")
            _wait_for_the_last(net, "a1", "b1")
            arrived = (_counted(net, "b1") - before) / 5000
        return f"{arrived:.2%}", arrived >= 0.99

    with Network(Many(links=2), name="fair") as net:
        _count(net, "b0", "e")
        _count(net, "b1", "e")
        note("of 1,000 packets/s, what arrives beside a flood on another link", "99 %", measure, late=_SATURATED)


def test_idle_links_cost_nothing() -> None:
    def measure() -> tuple[str, bool]:
        used = {}
        for count, net in networks.items():
            (relay,) = relays() - {other for number, other in of.items() if number != count}
            before = processor_seconds(relay)
            with _load(net, "a0", "10.1.0.2", 10_000, 60):
                _send_counted(net, "10.2.0.2", 30_000, 10_000, "a1")
            used[count] = processor_seconds(relay) - before
        ratio = used[100] / used[10]
        return f"{ratio:.2f} ({used[100]:.2f} s and {used[10]:.2f} s of a processor in 3 s)", ratio < 1.2

    networks: dict[int, Network] = {}
    of: dict[int, int] = {}
    with ExitStack() as stack:
        for count in 10, 100:
            before = relays()
            networks[count] = stack.enter_context(Network(Many(links=count), name=f"idle-{count}"))
            (of[count],) = relays() - before
            _count(networks[count], "b0", "e")
            _count(networks[count], "b1", "e")
        note("processor time of a relay with 100 links, of that with 10, 2 of which have 20,000 packets/s", "1.2", measure)


@pytest.mark.parametrize(("queue", "least", "most"), [("pfifo", 150.0, 241.0), ("codel", 0.0, 40.0)])
def test_standing_queues(queue: str, least: float, most: float) -> None:
    def measure() -> tuple[str, bool]:
        with net["h2"].start("iperf3", "-s", "-1", "--forceflush", stdout=subprocess.PIPE) as server:
            assert server.stdout
            next(line for line in server.stdout if b"listening" in line)
            with net["h1"].start(
                "iperf3", "-c", "10.1.0.2", "-C", _ANSWERS, "-t", "20", "-P8", "--forceflush", stdout=subprocess.PIPE
            ) as client:
                assert client.stdout
                next(line for line in client.stdout if re.search(rb"-1[5-9]\.\d\d ", line))
                trips = _round_trips(net, "10.1.0.2", 200, 0.02)
                client.wait()
            server.wait()
        middle = median(trips)
        return f"{middle:.0f} ms, at most {max(trips):.0f} ms", least <= middle <= most and max(trips) < 260

    with Network(Pair(), name="measured") as net:
        limit = {"limit": "300kb"} if queue == "pfifo" else {"limit": "1mb"}  # 240 ms, 800 ms
        net.link("wire").set(delay=None, a_to_b={"rate": "10mbit", "queue": queue, **limit})
        note(f"round trip beside 8 TCP streams, 10 mbit ({queue})", f"{least:g} to {most:g} ms", measure, late=_SATURATED)


def test_replays(tmp_path: Path) -> None:
    """Every millisecond of a second a random number of opportunities, 12 mbit on average: what leaves when."""
    chosen = random.Random(1)
    times = [*sorted(chosen.randrange(1, 2000) for _ in range(1999)), 2000]
    trace = tmp_path / "varying.pps"
    trace.write_text("".join(f"{time}\n" for time in times))

    def measure() -> tuple[str, bool]:
        size = 1500 - 14 - 28  # of data, so that a frame is an opportunity
        with net["h2"].socket(type=SOCK_DGRAM) as receiver:
            receiver.bind(("10.1.0.2", 7000))
            receiver.setsockopt(SOL_SOCKET, _TIMESTAMPNS, 1)
            receiver.setsockopt(SOL_SOCKET, SO_RCVBUF, 1 << 22)
            argv = (sys.executable, _PACKETS, "10.1.0.2", "7000", "8000", "1300", str(size))
            with net["h1"].start(*argv) as sender:
                arrivals = _stamps(receiver)  # meanwhile: its buffer does not hold them all
                sender.wait()
        lateness, rate = _against(times, arrivals)
        return f"{lateness:.2f} ms, {rate:.1%}", lateness < 2 and 0.95 < rate < 1.05

    with _pair() as net:
        net.link("wire").set(delay=None)
        net.link("wire").replay(str(trace))
        note("replay: 99 % after their opportunity, bytes of those of whole periods", "2 ms, 95 to 105 %", measure)


def _stamps(receiver: socket) -> list[float]:
    """When datagrams arrived, in ms, by the kernel."""
    found = []
    while is_readable(receiver, 1.0):
        _, ((_, _, stamp),), _, _ = receiver.recvmsg(2048, 64)
        seconds, nanoseconds = struct.unpack("=qq", stamp)
        found.append(seconds * 1e3 + nanoseconds / 1e6)
    return found


def _against(times: list[int], arrivals: list[float]) -> tuple[float, float]:
    """By how many ms 99 % came after their opportunity, and how many came of those that there were in two whole periods.

    The begin of the trace is where it fits best: with the queue never empty each opportunity has a packet.
    """
    period = times[-1]
    gaps = [later - earlier for earlier, later in pairwise(times)] + [times[0]]
    seen = [later - earlier for earlier, later in pairwise(arrivals)]
    count = len(times)
    middle = len(seen) // 4  # the queue has filled by then
    part = seen[middle : middle + 400]
    shift = min(range(count), key=lambda s: sum(abs(part[i] - gaps[(s + i) % count]) for i in range(len(part))))
    first = shift - middle
    due = [(first + i) // count * period + times[(first + i) % count] for i in range(middle, len(arrivals))]
    offsets = [arrival - when for arrival, when in zip(arrivals[middle:], due, strict=True)]
    begin = sorted(offsets)[len(offsets) // 100]
    errors = sorted(abs(offset - begin) for offset in offsets)
    within = sum(1 for arrival in arrivals if arrivals[middle] <= arrival < arrivals[middle] + 2 * period)
    return errors[len(errors) * 99 // 100], within / (2 * count)


class Seeded(Topology):
    arp = "permanent"
    h1, h2 = Host(), Host()
    wire = Link(
        h1.interface("e", "10.1.0.1/24"), h2.interface("e", "10.1.0.2/24"), delay="2ms", jitter="1ms", loss="5%", seed=0
    )


def test_seeds(tmp_path: Path) -> None:
    """Of 20 seeds the journals of a flow of 2,000 numbered packets, alone and beside 20,000 packets/s.

    A run in which the relay was too slow, and said so, is discarded: what it has not seen has no number.
    """
    same = discarded = 0
    for seed in range(20):
        journals: list[list[str]] = []
        for load in (0, 20_000):
            while not (journal := _journal(tmp_path / "fates", seed, load)):
                discarded += 1
                assert discarded < _TRIES * 20
            journals.append(journal)
        same += journals[0] == journals[1]
    text = f"{same} ({discarded} runs of a relay that was too slow discarded)" if discarded else str(same)
    FIGURES.append(Figure("journals equal with and without load, of 20 seeds", text, "20", same == 20))


def _journal(file: Path, seed: int, load: int) -> list[str]:
    """The flow's lines; none when the relay was too slow."""
    flow = "110a0100010a010002" + f"{5000 + _COUNTED:04x}{_COUNTED:04x}"
    file.unlink(missing_ok=True)
    with Network(Seeded(), name="seeded") as net:
        wire = net.link("wire")
        wire.set(seed=seed)
        wire.journal(file, most=2_000_000)
        with _load(net, "h1", "10.1.0.2", load, 60):
            _send_counted(net, "10.1.0.2", 2000, 4000)
        _wait_for_the_last(net)
        counters = wire.directions[0].counters
        assert counters
        if counters.overload:
            return []
    lines = [line for line in file.read_text().splitlines() if line.startswith(flow)]
    assert len(lines) == 2000
    return lines
