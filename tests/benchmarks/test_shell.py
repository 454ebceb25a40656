"""What the shell does at once, next to what the kernel needs for it."""

import json
from functools import partial

import pytest

from pynetemu import Network, Shell
from pynetemu.shell.prompt.completion import completions, warm_up
from tests.benchmarks.measure import compare, seconds_of
from topologies.star import Star

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]


def test_pings_between_all() -> None:
    """9,900 pairs, whose neighbors the plan has made known; `ping -f` asks one pair so often."""
    with Network(Star(n=100)) as network:
        compare(
            "`pingall`, 9,900 pairs of 100 hosts",
            lambda: network.ping_all().seconds,
            "`h1 ping -f -c 9900 h2`",
            lambda: seconds_of(lambda: network["h1"].run("ping", "-f", "-q", "-c", "9900", "h2", check=True)),
            runs=5,
            goal="1 s",
        )


def test_throughput() -> None:
    """Seconds for a gigabyte, one stream."""
    with Network(Star(n=2)) as network:
        compare(
            "`iperf`, a gigabyte",
            lambda: 8e9 / network.throughput("h1", "h2", seconds=1).rate,
            "the same by iperf3",
            lambda: _by_iperf3(network),
            runs=5,
        )


def _by_iperf3(network: Network) -> float:
    server = network["h2"].start("sh", "-c", "exec iperf3 -s -1 >/dev/null")
    found = ""
    while "end" not in found or "error" in found:
        found = str(network["h1"].run("iperf3", "-c", "h2", "-t", "1", "-J").stdout)
    server.wait()
    rate: float = json.loads(found)["end"]["sum_received"]["bits_per_second"]
    return 8e9 / rate


def test_a_tab() -> None:
    """The slowest of what a Tab may ask for, among 500 nodes."""
    with Network(Star(n=500)) as network:
        shell = Shell(network)
        warm_up()
        lines = ("", "h4", "h1 ping h4", "h1 ip link set dev ", "link h1 ", "h1 /usr/b", "time pingall -")
        compare(
            "a Tab, 500 nodes, the slowest of seven",
            lambda: max(seconds_of(partial(completions, line, shell)) for line in lines),
            "`net.interfaces()` of one node",
            lambda: seconds_of(lambda: network.interfaces("h1")),
            runs=15,
            goal="20 ms",
        )
