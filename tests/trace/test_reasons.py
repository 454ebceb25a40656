"""What a trace comes to, as values: its reason, the node to blame, what the nodes were asked; and words that do not exist."""

import json
from collections.abc import Iterator

import pytest

from pynetemu import LabError, Network
from pynetemu.trace.trace import Trace
from pynetemu.trace.views.report import why
from pynetemu.trace.views.style import Style
from tests.support.pynetemu import CLONE, pynetemu
from tests.trace.cases.labs import Office

_LABS = CLONE / "tests" / "trace" / "cases" / "labs.py"


@pytest.fixture(scope="module")
def refused() -> Iterator[tuple[Network, Trace]]:
    """An office whose r2 refuses packets for web by a rule and a table of its own, and the trace of a ping to it."""
    with Network(Office, name="refused") as net:
        for line in "ip route add blackhole default table 66", "ip rule add from 10.1.0.0/24 ipproto icmp lookup 66":
            net["r2"].run(*line.split(), check=True)
        with net.trace() as trace:
            assert net["h1"].run("ping", "-c1", "-W0.3", "10.2.0.21").status
        yield net, trace


def test_it_names_the_reason_and_the_node_to_blame(refused: tuple[Network, Trace]) -> None:
    _, trace = refused
    assert trace.reason is not None
    assert (trace.blame, trace.reason.kind) == ("r2", "route")
    assert "blackhole default table 66" in trace.reason.text
    assert [(line.node, line.status) for line in trace.lines] == [("h1", 1)]
    assert trace.outcome.status == 1


def test_it_says_what_the_nodes_were_asked(refused: tuple[Network, Trace]) -> None:
    _, trace = refused
    shown = why(trace, Style(), with_evidence=True)
    assert "route for 10.1.0.11 → 10.2.0.21 iif eth0 ipproto icmp → blackhole" in shown
    assert "by the rule from 10.1.0.0/24 ipproto icmp lookup 66 by the route blackhole default table 66" in shown


def test_nothing_of_a_reason_is_cut_on_narrow_screens(refused: tuple[Network, Trace]) -> None:
    _, trace = refused
    assert trace.reason is not None
    for width in 60, 80:
        lines = trace.ladder(Style(width=width)).splitlines()
        start = next(number for number, line in enumerate(lines) if line.startswith(" ✗ "))
        end = next(number for number, line in enumerate(lines) if "missed ·" in line)
        assert " ".join(line.strip() for line in lines[start:end]) == f"✗ {trace.reason.text}"
        assert max(map(len, lines[start:end])) <= width


def test_what_does_not_exist_is_told(refused: tuple[Network, Trace]) -> None:
    net, trace = refused
    with pytest.raises(LabError, match="no node 'r9'"):
        trace.dropped(node="r9")
    with pytest.raises(LabError, match="no reason is of the kind 'quota'"):
        trace.dropped(reason="quota")
    with pytest.raises(LabError, match="not a regular expression"):
        trace.find("echo (request")
    with pytest.raises(LabError, match="there are kernel and sockets"):
        net.trace(engine="tap")
    assert trace.dropped("echo request", node="r2", reason="route").path == ("h1", "s1", "r1", "r2")


def test_packet_sockets_can_be_chosen(refused: tuple[Network, Trace]) -> None:
    net, _ = refused
    with net.trace(engine="sockets") as trace:
        net["h1"].run("ping", "-c1", "-W0.3", "10.2.0.21")
    assert (trace.engine, trace.blame) == ("packet sockets", "r2")


@pytest.mark.slow
def test_data_stand_alone_on_standard_output() -> None:
    done = pynetemu(f"{_LABS}:Office", "-c", "trace --json h1 ping -c1 10.1.0.1")
    packets = json.loads(done.stdout)["packets"]
    assert "ICMP echo request seq 1" in {packet["text"] for packet in packets}
    assert "1 packets transmitted" in done.stderr


@pytest.mark.slow
def test_a_count_may_stand_behind_the_filter_of_sniff() -> None:
    done = pynetemu(f"{_LABS}:Office", "-c", "h1 ping -c200 -i0.2 h2 &", "-c", "h2 sniff icmp -c 2")
    assert done.stdout.count("ICMP") == 2, done.stdout + done.stderr
