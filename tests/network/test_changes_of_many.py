"""Changes of a lab that is large enough for what differs to be compiled by itself."""

import json
from collections.abc import Callable

from pynetemu import Host, Link, Network
from pynetemu.engine.protocol.requests import ReadDescription, ReadPlan
from pynetemu.plan import again
from pynetemu.plan.data import from_data
from pynetemu.topology.data import from_data as topology_from_data
from pynetemu.topology.data import to_data
from tests.support.labs import mine
from topologies.star import Star


def test_engine_and_client_agree_on_what_a_large_lab_has_become() -> None:
    with Network(Star(n=again.FEW), name=mine("many")) as network:
        steps: list[Callable[[], object]] = [
            lambda: network.add("x1", Host(), Link("x1", "s1")),
            lambda: network.add("x2", Host(), Link("x2", "s1"), "x3", Host(), Link("s1", "x3")),
            lambda: network.remove("h7", "x1"),
            network.undo,
            network.undo,
            lambda: network.add("x4", Host(), Link("x4", "s1")),
        ]
        for step in steps:
            assert step()
            assert tuple(from_data(network.control.ask(ReadPlan())).operations) == tuple(network.plan.operations)
            told = network.control.ask(ReadDescription()).description
            assert told is not None
            there = to_data(topology_from_data(json.loads(told)))
            assert there == to_data(topology_from_data(to_data(network.description)))
        assert network.nodes[-2:] == ("x1", "x4")
        assert network["x4"].run("ping", "-c5", "-i0.2", "h7").status == 0
