"""Captures under a flood: everything that four interfaces see of it, in the file, with nothing lost."""

import os
import sys
import time
from pathlib import Path

import pytest

from pynetemu import Host, Link, Network, Router, Topology
from pynetemu.capture.pcapng import Writer
from tests.benchmarks.measure import TABLE, Row, seconds_of

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

_BURST = str(Path(__file__).with_name("burst.py"))
_SIGHTINGS = 4  # of each packet
_RECORDS = 1_000_000
_RATE, _SECONDS = 130_000, 3  # packets a second: 520,000 sightings


class TwoHops(Topology):
    blue, green = Host(), Host()
    r1 = Router()
    near = Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24"))
    far = Link(r1.interface("eth1", "10.0.2.1/24"), green.interface("eth0", "10.0.2.2/24"))


def test_a_flood_into_a_file(tmp_path: Path) -> None:
    """The sender and the forwarding have one processor, the capture the other; three tries, since others may use them too."""
    number = _RATE * _SECONDS
    with Network(TwoHops()) as network:
        network["green"].run("nft", "table inet quiet { chain i { type filter hook input priority 0; udp dport 9 drop; }; }")
        network["blue"].run("ping", "-c1", "10.0.2.2", check=True)
        lost, row = min((_flood(network, tmp_path / "x.pcapng", number) for _ in range(3)), key=lambda one: one[0])
    TABLE.append(row)
    assert lost == 0


def _flood(network: Network, path: Path, number: int) -> tuple[int, Row]:
    """How many sightings were lost, and the processor time that the others took."""
    with network.capture(path, filter="udp port 9") as capture:
        before, start = os.times(), time.perf_counter()
        burst = [sys.executable, _BURST, "10.0.2.2", str(number), str(_RATE)]
        network["blue"].run("taskset", "-c", "0", *burst, check=True)
        seconds = time.perf_counter() - start
    after = os.times()
    used = after.user + after.system - before.user - before.system
    seen = number * _SIGHTINGS
    assert capture.packets + capture.lost == seen
    what = f"capture of {seen / seconds:,.0f} sightings a second to pcapng, {capture.lost:,} lost: processor time"
    return capture.lost, Row(what, used, "the time they took", seconds, "1")


def test_records_to_a_file(tmp_path: Path) -> None:
    """What a trace of a million sightings takes to be saved."""
    frame = bytes(100)
    with (tmp_path / "x.pcapng").open("wb") as file:
        writer = Writer(file)
        eth0 = writer.interface("blue:eth0")

        def plain() -> None:
            for number in range(_RECORDS):
                writer.packet(eth0, number, frame)

        def full() -> None:
            for number in range(_RECORDS):
                writer.packet(eth0, number, frame, outgoing=True, number=number)

        seconds = seconds_of(plain), seconds_of(full)
    TABLE.append(Row(f"{_RECORDS:,} records to pcapng", seconds[0], "the same with direction and number", seconds[1], "1 s"))
