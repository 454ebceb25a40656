"""What packets between two nodes of a shared segment meet, and those to others do not."""

from collections.abc import Iterator

import pytest

from pynetemu import Host, LabError, Link, Network, Router, Switch, Topology, UsageError
from tests.support.pynetemu import pynetemu
from tests.support.round_trips import check_round_trip, ping


class Lan(Topology):
    """Two switches in a row, and a router with a network of its own behind it."""

    addresses, arp = "dual", "permanent"
    h1, h2, h3, far, r1 = Host(), Host(), Host(), Host(), Router()
    s1, s2 = Switch(), Switch()
    wires = Link(h1, s1), Link(h2, s1), Link(s1, s2), Link(h3, s2), Link(r1, s2), Link(r1, far)


@pytest.fixture
def lan() -> Iterator[Network]:
    with Network(Lan(), name="pairs") as net:
        yield net


def _answers(net: Network, a: str, b: str, patience: str = "-W5") -> int:
    return ping(net[a], b, "-c3", patience)[0]


def test_only_packets_between_both_are_delayed_and_lost(lan: Network) -> None:
    pair = lan.pair("h1", "h3")
    pair.set(delay="20ms")
    check_round_trip(lan["h1"], "h3", at_least=40, below=80)
    check_round_trip(lan["h3"], "h1", "-6", at_least=40, below=80)
    for a, b in (("h1", "h2"), ("h2", "h3"), ("h1", "far"), ("h3", "far")):
        check_round_trip(lan[a], b, below=15)
    assert [one.impairment.words for one in pair.directions] == [("delay 20ms",)] * 2

    lan.link("h1", "s1").set(delay="5ms")  # of all packets, besides
    check_round_trip(lan["h1"], "h3", at_least=50, below=90)
    check_round_trip(lan["h1"], "h2", at_least=10, below=35)

    lan.pair("h1", "h2").set(a_to_b={"loss": "100%"})
    assert (_answers(lan, "h1", "h2", "-W0.5"), _answers(lan, "h1", "h3"), _answers(lan, "h2", "h3")) == (0, 3, 3)
    counters = lan.link("h1", "s1").directions[0].counters
    assert counters
    assert counters.lost == 3
    with lan.trace() as trace:
        _answers(lan, "h1", "h2", "-W0.5")
    assert "lost by the link from h1 eth0 to s1 h1 (delay 5ms, towards h2 does loss 100%" in trace.ladder(everything=True)

    lan.pair("h1", "h2").reset()
    assert _answers(lan, "h1", "h2") == 3
    lan.undo()
    assert _answers(lan, "h1", "h2", "-W0.5") == 0
    lan.undo()
    pair.set(delay=None)
    check_round_trip(lan["h1"], "h3", below=35)


def test_a_change_keeps_what_is_on_its_way(lan: Network) -> None:
    pair = lan.pair("h1", "h3")
    pair.set(delay="150ms")
    with lan["h1"].start("ping", "-q", "-c20", "-i0.01", "-W5", "h3", stdout=-1) as ping:
        assert ping.stdout
        pair.set(delay="1ms")
        pair.reset()
        told = ping.stdout.read().decode()
        ping.wait()
    assert "20 received" in told


def test_what_is_no_pair_is_refused_with_the_reason(lan: Network) -> None:
    for a, b in (("h1", "far"), ("h1", "h1"), ("h1", "nobody"), ("h1:eth7", "h2")):
        with pytest.raises(LabError, match=f"{a} and {b} share no switch or hub"):
            lan.pair(a, b)
    pair = lan.pair("h1:eth0", "h2")
    for settings, told in (
        ({"seed": 3}, "seed is of a whole link"),
        ({"mechanism": "netem"}, "mechanism is of a whole link"),
        ({"schedule": "0s does delay 1ms"}, "schedule is of a whole link"),
        ({"b_to_a": {"seed": 3}}, "seed is of a whole link"),
        ({"delay": "5"}, "delay: '5' has no unit"),
        ({"queue": "fq_codel", "rate": "1mbit"}, "queue=fq_codel is the kernel's"),
        ({"preset": "x"}, "preset='x' is not known"),
    ):
        with pytest.raises(UsageError, match=told):
            pair.set(**settings)
    with pytest.raises(UsageError, match="towards does not change over time"):
        lan.link("h1", "s1").schedule((0, {"towards": {"h2": {"delay": "1ms"}}}))
    with pytest.raises(UsageError, match="mechanism=netem treats all packets alike"):
        lan.link("h1", "s1").set(a_to_b={"towards": {"h2": {"delay": "1ms"}}}, mechanism="netem")


class Described(Topology):
    arp = "permanent"
    h1, h2, h3, s1 = Host(), Host(), Host(), Switch()
    wires = Link(h1, s1, a_to_b={"towards": {"h2": {"delay": "20ms", "loss": "0.001%"}}}), Link(h2, s1), Link(h3, s1)


def test_it_is_described_and_the_shell_shows_and_changes_it() -> None:
    with Network(Described(), name="described-pair") as net:
        check_round_trip(net["h1"], "h2", at_least=20, below=40)
        check_round_trip(net["h1"], "h3", below=15)
    done = pynetemu(
        "run", "tests/network/test_pairs.py:Described", "-c", "impair h1 h2", "-c", "impair h1 h2 delay=30ms", "-c", "impair",
        "-c", "impair h1 h2 off --one-way", "-c", "impair h1 h2",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "h1:eth0  h2:eth0  delay 20ms, loss 0.001%  relay" in done.stdout
    assert "h1:eth0  h2:eth0  delay 30ms, loss 0.001%  relay" in done.stdout
    assert "towards h1 does delay 30ms" in done.stdout
    assert done.stdout.count("a wire") == 3  # back, before; there, afterwards, twice
