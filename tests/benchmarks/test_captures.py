"""Captures under a flood: everything that four interfaces see of it, in the file, with nothing lost."""

import os
import sys
import time
from pathlib import Path

import pytest

from pynetemu import Host, Link, Network, Router, Topology
from tests.benchmarks.measure import TABLE, Row

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

_BURST = str(Path(__file__).with_name("burst.py"))
_PACKETS, _SIGHTINGS = 400_000, 4
_GOAL = 500_000  # sightings a second


class TwoHops(Topology):
    blue, green = Host(), Host()
    r1 = Router()
    near = Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24"))
    far = Link(r1.interface("eth1", "10.0.2.1/24"), green.interface("eth0", "10.0.2.2/24"))


def test_a_flood_into_a_file(tmp_path: Path) -> None:
    """The sender and the forwarding have one processor, the capture the other."""
    with Network(TwoHops()) as network:
        network["green"].run("nft", "table inet quiet { chain i { type filter hook input priority 0; udp dport 9 drop; }; }")
        network["blue"].run("ping", "-c1", "10.0.2.2", check=True)
        with network.capture(tmp_path / "x.pcapng", filter="udp port 9") as capture:
            own = os.times()
            start = time.perf_counter()
            network["blue"].run("taskset", "-c", "0", sys.executable, _BURST, "10.0.2.2", str(_PACKETS), check=True)
            seconds = time.perf_counter() - start
        spent = os.times()
    seen = capture.packets + capture.lost
    used = spent.user + spent.system - own.user - own.system
    print(f"{capture.packets:,} of {seen:,} captured, {seen / seconds:,.0f}/s, {used / seen * 1e6:.2f} µs each")
    TABLE.append(
        Row(f"capture of {seen:,} sightings to pcapng, {capture.lost:,} lost", used, "at 500,000/s", seen / _GOAL, "1")
    )
    assert capture.lost == 0 and seen == _PACKETS * _SIGHTINGS
