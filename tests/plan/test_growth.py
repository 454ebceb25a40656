"""Large plans take as much more work as they have more nodes, and routes are the shortest whatever the network."""

import random
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from pynetemu import Host, Link, Router, Topology
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.operations import AddAddress, AddMultipathRoute, Address, AddRoute, IPNetwork, Plan
from pynetemu.topology.shapes import Single


def _lines_run(work: Callable[[], object]) -> int:
    """How many lines of Python a call takes: the same on every machine, however busy."""
    lines = 0

    def count(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize("addresses", ["ipv4", "dual"])
def test_three_times_the_hosts_take_three_times_the_work(addresses: str) -> None:
    kind = type("Many", (Single,), {"addresses": addresses})
    small, large = _lines_run(lambda: compile_plan(kind(hosts=300))), _lines_run(lambda: compile_plan(kind(hosts=900)))
    assert large < 3.4 * small


class _Random(Topology):
    """Routers and hosts joined at random, by links of equal cost."""

    addresses = "dual"

    def build(self, seed: int = 0) -> None:
        numbers = random.Random(seed)
        nodes: list[Host] = [
            self.add(f"r{n}", Router(multipath=numbers.random() < 0.5)) if n < 7 else self.add(f"h{n}", Host())
            for n in range(10)
        ]
        for place, node in enumerate(nodes[1:], start=1):
            self.add(Link(node, numbers.choice(nodes[: min(place, 7)])))
        for _ in range(6):
            self.add(Link(*numbers.sample(nodes[:7], 2)))


@pytest.mark.parametrize("seed", range(20))
def test_every_network_is_reached_the_shortest_way(seed: int) -> None:
    plan = compile_plan(_Random(seed=seed))
    reached = 0
    for version in 4, 6:
        lab = _Followed(plan, version)
        for network in lab.networks:
            shortest = lab.shortest(network)
            for node in plan.nodes:
                assert lab.follow(node, network) == {shortest[node]}
                reached += 1
    assert reached > 200


class _Followed:
    """A plan's addresses and routes of one IP version, read as a kernel would."""

    def __init__(self, plan: Plan, version: int) -> None:
        self.at: dict[str, set[IPNetwork]] = {node: set() for node in plan.nodes}
        self.owners: dict[Address, str] = {}
        self.routes: dict[str, dict[IPNetwork, tuple[Address, ...]]] = {node: {} for node in plan.nodes}
        for operation in plan.operations:
            match operation:
                case AddAddress(node, _, address) if address.version == version:
                    self.at[node].add(address.network)
                    self.owners[address.ip] = node
                case AddRoute(node, destination, via) if via.version == version:
                    self.routes[node][destination] = (via,)
                case AddMultipathRoute(node, destination, vias) if destination.version == version:
                    self.routes[node][destination] = vias
        self.networks = {network for there in self.at.values() for network in there}

    def shortest(self, target: IPNetwork) -> dict[str, int]:
        """How many links lead to a network from each node: all of the network's own first, then their neighbors."""
        links = {node: 1 for node, there in self.at.items() if target in there}
        while len(links) < len(self.at):
            routers = [node for node in links if node.startswith("r")]
            near = [
                (links[r] + 1, node) for r in routers for node in self.at if node not in links and self.at[node] & self.at[r]
            ]
            links[min(near)[1]] = min(near)[0]
        return links

    def follow(self, node: str, target: IPNetwork) -> set[int]:
        """How many links the ways have that packets may take, by all gateways."""
        if target in self.at[node]:
            return {1}
        everywhere = next((vias for network, vias in self.routes[node].items() if network.prefixlen == 0), ())
        vias = self.routes[node].get(target, everywhere)
        return {1 + further for via in vias for further in self.follow(self.owners[via], target)}
