"""Traces under load: every packet's journey whole, none joined wrongly, none missed; and what a trace adds to a command."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pynetemu import Host, Link, Network, Router, Topology
from pynetemu.shell.shell import Shell
from pynetemu.trace.trace import Trace
from tests.benchmarks.measure import TABLE, Row, compare, seconds_of
from topologies.blue import Blue
from topologies.star import Star

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

_FLOOD = str(Path(__file__).with_name("flood.py"))
_RATE, _SECONDS = 20_000, 4  # packets a second, both directions together
_NUMBER = slice(42, 50)  # where a packet's number is in its frame: behind Ethernet, IPv4 and UDP


class TwoHops(Topology):
    blue, green = Host(), Host()
    r1 = Router()
    near = Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24"))
    far = Link(r1.interface("eth1", "10.0.2.1/24"), green.interface("eth0", "10.0.2.2/24"))


def test_journeys_at_20000_packets_a_second() -> None:
    with Network(TwoHops()) as network:
        takers = [network[node].start(sys.executable, _FLOOD, stdout=subprocess.PIPE) for node in ("blue", "green")]
        for taker in takers:
            assert taker.stdout and taker.stdout.readline()
        network["blue"].run("ping", "-c1", "10.0.2.2", check=True)
        tracer = network.trace("udp port 9000")
        trace = tracer.start()
        number = str(_RATE * _SECONDS // 2)
        floods = [
            network[node].start(sys.executable, _FLOOD, address, number, str(_RATE // 2))
            for node, address in (("blue", "10.0.2.2"), ("green", "10.0.1.2"))
        ]
        for flood in floods:
            assert flood.wait() == 0
        start = time.perf_counter()
        tracer.stop()
        TABLE.append(
            Row(
                f"{_RATE * _SECONDS:,} traced packets, 4 sightings each, joined ({trace.engine})",
                time.perf_counter() - start,
                "the time they took",
                float(_SECONDS),
            )
        )
        for taker in takers:
            taker.kill()
            taker.wait()
            taker.close()
    _all_whole(trace, _RATE * _SECONDS)


def _all_whole(trace: Trace, number: int) -> None:
    ways = {("blue", "r1", "green"), ("green", "r1", "blue")}
    whole = sum(journey.path in ways and journey.links_crossed == 2 for journey in trace)
    wrong = sum(len({sighting.event.data[_NUMBER] for sighting in journey.sightings}) > 1 for journey in trace)
    assert (trace.lost, whole, wrong) == (0, number, 0)


@pytest.mark.parametrize(("topology", "a", "b"), [(Blue(), "blue", "root"), (Star(n=100), "h1", "h2")], ids=["blue", "star"])
def test_what_a_trace_adds(topology: Topology, a: str, b: str) -> None:
    with Network(topology) as network:
        shell = Shell(network)
        nodes = len(network)
        compare(
            f"`trace {a} ping -c1 {b}`, {nodes} nodes",
            lambda: seconds_of(_quietly(lambda: shell.run_line(f"trace {a} ping -c1 {b}"))),
            f"`{a} ping -c1 {b}`",
            lambda: seconds_of(_quietly(lambda: shell.run_line(f"{a} ping -c1 {b}"))),
            runs=9,
            goal="+ 0.3 s",
        )


def _quietly(function: Callable[[], object]) -> Callable[[], None]:
    """With the descriptor of standard output closed off, which programs in nodes have as well."""

    def run() -> None:
        sys.stdout.flush()
        kept, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        try:
            function()
            sys.stdout.flush()
        finally:
            os.dup2(kept, 1)
            os.close(kept)
            os.close(nothing)

    return run
