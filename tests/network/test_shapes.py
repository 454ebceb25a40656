"""Shapes at work: all hosts reach each other, over spanning trees and routes."""

import json

import pytest

from pynetemu import Network
from pynetemu.plan.load import load
from tests.support.wait import wait_until
from topologies.dumbbell import Bottleneck
from topologies.fat_tree import DataCenter


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["tree:depth=2,fanout=3", "ring", "torus", "fat-tree:k=4,routed=true", "dumbbell:routed=true"])
def test_all_hosts_of_a_shape_reach_each_other(spec: str) -> None:
    with Network(load(spec)) as net:
        pings = net.ping_all()
        assert pings.loss == 0, pings.lost
        assert len(pings.pairs) > 0


@pytest.mark.slow
def test_a_bottleneck_carries_no_more_than_its_rate() -> None:
    with Network(Bottleneck()) as net:
        assert net.ping_all().loss == 0
        limit = "tc qdisc add dev s2 root tbf rate 10mbit burst 32kbit latency 50ms"
        net["s1"].run(*limit.split(), check=True)
        wait_until(lambda: 5e6 < net.throughput("h1", "h3", seconds=1).rate < 10.5e6)
        assert "Hello from h4" in str(net["h1"].run("curl", "-s", "h4").stdout)


def test_a_data_center_shares_the_flows_among_its_ways() -> None:
    with Network(DataCenter()) as net:
        (route,) = json.loads(net["r13"].run("ip", "-j", "route", "show", "10.200.16.0/24").stdout)
        assert len(route["nexthops"]) == 2
        assert "Hello from h16" in str(net["h1"].run("curl", "-s", "h16").stdout)
