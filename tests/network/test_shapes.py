"""Shapes at work: all hosts reach each other, over spanning trees and routes."""

import pytest

from pynetemu import Network
from pynetemu.plan.load import load


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["tree:depth=2,fanout=3", "ring", "torus", "fat-tree:k=4,routed=true", "dumbbell:routed=true"])
def test_all_hosts_of_a_shape_reach_each_other(spec: str) -> None:
    with Network(load(spec)) as net:
        pings = net.ping_all()
        assert pings.loss == 0, pings.lost
        assert len(pings.pairs) > 0
