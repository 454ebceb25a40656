"""The lab as it is, and changes of it: reading state, one change by hand, an event to who listens."""

import pytest

from pynetemu import Host, Link, LinkEvent, Network
from tests.benchmarks.measure import compare, seconds_of
from topologies.star import Star

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]


def test_the_state_of_1000_nodes() -> None:
    with Network(Star(n=1000)) as network:
        compare(
            "links, addresses, routes and rules of 1,001 nodes, read and taken apart",
            lambda: seconds_of(lambda: _look(network)),
            "the same of one node",
            lambda: seconds_of(lambda: _look(network, "h1")),
            runs=5,
            goal="0.4 s",
        )


def _look(network: Network, *nodes: str) -> None:
    state = network.state(*nodes, tables=("links", "addresses", "routes", "rules"))
    assert state.interfaces and state.routes and state.rules


@pytest.mark.parametrize(("hosts", "goal"), [(2, "5 ms"), (1000, "30 ms")])
def test_one_change_by_hand(hosts: int, goal: str) -> None:
    with Network(Star(n=hosts)) as network:
        network.add("x0", Host(), Link("x0", "s1"))  # imports what changes need
        network.remove("x0")

        def change() -> None:
            network.add("x1", Host(), Link("x1", "s1"))

        def timed() -> float:
            seconds = seconds_of(change)
            network.remove("x1")
            return seconds

        compare(
            f"a host added to a star of {hosts}",
            timed,
            "`net['h1'].run('true')`",
            lambda: seconds_of(lambda: network["h1"].run("true")),
            runs=9,
            goal=goal,
        )


def test_an_event_to_its_reader() -> None:
    with Network(Star(n=2)) as network, network.events("h1") as events:
        state = {"up": True}

        def switch() -> None:
            state["up"] = not state["up"]
            network.set_link("h1", "s1", up=state["up"])

        def switched_and_told() -> None:
            switch()
            events.wait(LinkEvent, node="h1", timeout=5)

        def told() -> float:
            list(events.pending())
            return seconds_of(switched_and_told)

        compare("a link down, to the event of it", told, "the link down alone", lambda: seconds_of(switch), runs=15)
