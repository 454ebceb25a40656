"""Pings between all nodes, and throughput, judged by what was done to the network and by iperf3."""

import pytest

from pynetemu import Host, LabError, Link, Network, Root, Switch, Topology, UsageError
from pynetemu.measure.ping import Pinger, Pings
from pynetemu.measure.throughput import Throughput
from tests.support.wait import wait_until
from topologies.star import Star


class Both(Topology):
    """Two versions of IP, and one host that has only one of them."""

    root = Root()
    s1 = Switch()
    a = Host()
    b = Host()
    c = Host()
    root_wire = Link(root.interface("up", "10.0.0.9/24"), s1)
    a_wire = Link(a.interface("eth0", "10.0.0.1/24", "fd00::1/64"), s1)
    b_wire = Link(b.interface("eth0", "10.0.0.2/24", "fd00::2/64"), s1)
    c_wire = Link(c.interface("eth0", "fd00::3/64"), s1)


def _lost(pings: Pings) -> set[tuple[str, str]]:
    return {(ping.source, ping.target) for ping in pings.lost}


def _when_lost(network: Network, expected: set[tuple[str, str]]) -> Pings | None:
    """All pings, if just these pairs are lost; on a busy machine others may be late."""
    pings = network.ping_all(timeout=0.3)
    return pings if _lost(pings) == expected else None


def test_every_pair_of_both_versions_answers() -> None:
    with Network(Both()) as network:
        pings = network.ping_all()
        assert pings.nodes == ("root", "a", "b", "c")
        assert _lost(pings) == {("root", "c"), ("c", "root")}
        assert pings["root", "c"].error == "no address of the same IP version"
        assert (pings["a", "b"].address, pings["a", "c"].address) == ("10.0.0.2", "fd00::3")
        assert 0 < pings["a", "b"].rtts[0] < 10_000, "milliseconds"
        for version, kind in ((None, "the same IP version"), (4, "IPv4"), (6, "IPv6")):
            with pytest.raises(LabError, match=f"root and c have no addresses of {kind}"):
                network.throughput("root", "c", version=version)

        sixth = network.ping_all(version=6)
        assert sixth.nodes == ("a", "b", "c") and sixth.loss == 0 and sixth.sent == 6
        thrice = network.ping_all("a", "b", count=3)
        assert (thrice.sent, thrice.received) == (6, 6)


def test_what_is_broken_is_lost_and_says_why() -> None:
    hook = "type filter hook input priority 0;"
    reject = f"table t {{ chain c {{ {hook} icmp type echo-request reject with icmp type host-unreachable; }}; }}"
    with Network(Star(n=6)) as network:
        network["h2"].run("ip", "route", "flush", "all", check=True)
        network["s1"].run("ip", "link", "set", "h3", "down", check=True)
        network["h4"].run("nft", "-f", "-", input=reject, check=True)
        alive = {"h1", "h5", "h6"}
        expected = {(a, b) for a in network.nodes for b in network.nodes if a != b and not {a, b} <= alive}
        expected = {(a, b) for a, b in expected if "s1" not in (a, b) and (a, b) not in {("h4", name) for name in alive}}
        pings = wait_until(lambda: _when_lost(network, expected), what="all the others to answer in time")
        assert pings["h2", "h1"].error == "no route"
        assert pings["h1", "h4"].error == "host unreachable"
        assert pings.seconds < 0.3 * len(expected) / 2, "one after the other they take twice as long"


class Far(Topology):
    """The third is silent."""

    arp = "permanent"  # for what nobody answers, the kernel says after three seconds that there is nobody
    a, b, c = Host(), Host(), Host()
    far = Link(a, b, delay="25ms")
    cut = Link(b, c, loss="100%")


def test_a_round_begins_when_all_but_silent_nodes_have_answered_the_one_before() -> None:
    with Network(Far()) as network:
        pings = network.ping_all(count=10, timeout=0.5)
        assert (len(pings["a", "b"].rtts), pings["b", "c"].rtts, pings["c", "b"].sent) == (10, [], 10)
        assert pings.seconds >= 0.5 + 9 * 0.05, "the silent are waited for once, the others each time"
        assert pings.seconds < 10 * 0.5, "and for the silent only once more, at the end"


def test_more_pairs_than_the_kernel_keeps_neighbors() -> None:
    """40 hosts that all talk need 1560 neighbors, and the kernel keeps 1024 for all namespaces together."""
    with Network(Star(n=40)) as network:
        progress: list[tuple[int, int]] = []
        pings = network.ping_all(progress=lambda done, of: progress.append((done, of)))
        assert (pings.sent, pings.received) == (1560, 1560)
        assert progress[-1] == (1560, 1560)


def test_what_can_still_be_answered_after_an_interrupt_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with Network(Star(n=3)) as network:
        pinger = Pinger(network, network.nodes, timeout=60)
        monkeypatch.setattr(pinger, "_hear", interrupt)
        with pytest.raises(KeyboardInterrupt):
            pinger.run()
        pings = pinger.result(interrupted=True)
        assert (pings.interrupted, pings.sent, pings.lost) == (True, 0, ())


def test_wrong_arguments_are_refused() -> None:
    with Network(Star(n=2)) as network:
        with pytest.raises(LabError, match="two nodes with an address of IPv6"):
            network.ping_all(version=6)
        with pytest.raises(LabError, match="has no node 'h9'"):
            network.ping_all("h1", "h9")
        with pytest.raises(UsageError, match="count=0"):
            network.ping_all(count=0)
        with pytest.raises(KeyError, match="no ping from h1 to h9"):
            network.ping_all()["h1", "h9"]


def test_a_link_that_was_down_is_the_link_it_was_before() -> None:
    with Network(Both()) as network:
        network["a"].run("ip", "route", "add", "192.0.2.0/24", "via", "10.0.0.2", "metric", "7", check=True)
        network["a"].run("ip", "route", "add", "2001:db8::/32", "via", "fd00::2", check=True)
        routes, addresses = network.routes("a"), network.interfaces("a")[1].addresses
        network.set_link("a", "s1", up=False)
        assert [link.node for link in network.links() if not link.is_up] == ["a"]
        assert network.ping_all("a", "b", timeout=0.2).loss == 1
        network.set_link("s1", "a:eth0", up=True)
        wait_until(lambda: all(link.is_up for link in network.links()))
        wait_until(lambda: network.ping_all("a", "b", timeout=0.2).loss == 0)
        assert set(map(str, network.interfaces("a")[1].addresses)) == set(map(str, addresses))
        assert set(network.routes("a")) == set(routes)
        with pytest.raises(LabError, match="no link between a and b; a has links to s1"):
            network.set_link("a", "b", up=False)


def _carries_half(datagrams: Throughput) -> bool:
    return 16e6 < datagrams.rate < 21e6 and 0.3 < datagrams.loss < 0.7


def test_a_throughput_says_what_was_measured() -> None:
    with Network(Star(n=2)) as network:
        stream = network.throughput("h1", "h2", seconds=0.05)
        assert (stream.source, stream.target, stream.protocol, stream.sent, stream.received) == ("h1", "h2", "tcp", 0, 0)
        assert stream.bytes > 0
        assert stream.seconds >= 0.05
        datagrams = network.throughput("h2", "h1", seconds=0.05, rate=5e6)
        assert (datagrams.source, datagrams.target, datagrams.protocol, datagrams.seconds) == ("h2", "h1", "udp", 0.05)
        assert 0 < datagrams.received <= datagrams.sent
        assert datagrams.bytes == datagrams.received * 1470


@pytest.mark.slow
def test_throughput_is_what_the_link_carries() -> None:
    """A token bucket of 20 Mbit/s, which iperf3 measures as well: never more, and less only while the machine is kept busy."""
    with Network(Star(n=2)) as network:
        shape = "tc qdisc add dev h2 root tbf rate 20mbit burst 5k latency 20ms"
        network["s1"].run(*shape.split(), check=True)
        wait_until(lambda: 16e6 < network.throughput("h1", "h2", seconds=1).rate < 21e6)
        wait_until(lambda: _carries_half(network.throughput("h1", "h2", seconds=1, rate=40e6)))
        network["h2"].run("ip", "link", "set", "eth0", "down", check=True)
        with pytest.raises(LabError, match=r"h1 cannot connect to h2|no addresses"):
            network.throughput("h1", "h2", seconds=1)
