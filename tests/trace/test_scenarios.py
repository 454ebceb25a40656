"""What a trace says about 28 things that can happen to a packet, and those of IPv6: its reason, where, and what proves it."""

from collections.abc import Iterator

import pytest

from pynetemu import Network
from pynetemu.packets.background import is_background
from pynetemu.trace.trace import Trace
from tests.trace.scenarios import SCENARIOS, Crossing, Scenario, play, prepare
from tests.trace.scenarios6 import SCENARIOS6, Crossing6

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def crossing() -> Iterator[Network]:
    with Network(Crossing()) as network:
        prepare(network)
        yield network


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_it_says_what_happened(crossing: Network, scenario: Scenario) -> None:
    _check(play(crossing, scenario), scenario)


@pytest.fixture(scope="module")
def crossing6() -> Iterator[Network]:
    with Network(Crossing6()) as network:
        next(iter(network)).run("true", check=True)  # opens the connection for processes, which stays
        yield network


@pytest.mark.parametrize("scenario", SCENARIOS6, ids=[scenario.name for scenario in SCENARIOS6])
def test_it_says_what_happened_to_ipv6(crossing6: Network, scenario: Scenario) -> None:
    _check(play(crossing6, scenario), scenario)


def _check(trace: Trace, scenario: Scenario) -> None:
    shown = trace.ladder()
    ours = [journey for journey in trace if not is_background(journey.first.data)]
    told = [ending for journey in ours for ending in trace.endings(journey) if ending.reason and ending.fate != "ignored"]
    if not scenario.kind:
        assert not told and not trace.node_problems, shown
        assert "answered in" in shown
        trace.path("echo request", "blue sw1 r1 sw2 root")
        return
    found = [(ending.reason, ending.node) for ending in told if ending.reason] + [
        (reason, "blue") for reason in trace.node_problems
    ]
    reasons = [(reason.kind, node) for reason, node in found if scenario.text in reason.text and reason.kind == scenario.kind]
    assert (scenario.kind, scenario.node) in reasons, shown
    if scenario.details:
        assert scenario.details in [text for reason, _ in found for text in reason.details], shown
    assert f"\n ✗ {scenario.text}" in f"\n{shown}" or scenario.kind == "arp", shown
    assert trace.lost == 0
