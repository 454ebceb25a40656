"""netem as the kernel has it: what the engine sets is what tc(8) sets by the printed command, and does what it says."""

import json
import re
from typing import Any

import pytest

from pynetemu import Host, Link, Network, Topology, four_state, gilbert_elliott
from pynetemu.plan.as_shell import commands
from pynetemu.plan.operations import Impair

pytestmark = pytest.mark.needs("netem", "fq_codel", "pie")


class Lab(Topology):
    h1, h2 = Host(), Host()
    delay = Link(h1.interface("delay", "10.1.0.1/24"), h2.interface("delay", "10.1.0.2/24"), delay="60ms")
    jitter = Link(h1, h2, delay="50ms", jitter="5ms", distribution="uniform")
    normal = Link(h1, h2, delay="50ms", jitter="5ms", rate="20mbit")
    loss = Link(h1.interface("loss", "10.2.0.1/24"), h2.interface("loss", "10.2.0.2/24"), a_to_b={"loss": "50%"})
    bursts = Link(h1, h2, loss=gilbert_elliott("1%", "25%", "90%", "2%"))
    states = Link(h1, h2, loss=four_state("1%", "90%", "5%", "80%", "2%"))
    doubled = Link(h1.interface("doubled"), h2, delay="10ms", duplicate="5%", reorder="20%", corrupt="1%")
    slots = Link(h1, h2, slot="10ms 20ms")
    rate = Link(h1.interface("rate", "10.3.0.1/24"), h2.interface("rate", "10.3.0.2/24"), delay="10ms", rate="4mbit")


def _disciplines(net: Network, node: str) -> dict[str, Any]:
    shown = json.loads(net[node].run("tc", "-j", "qdisc", "show", check=True).stdout)
    for discipline in shown:
        discipline["options"].pop("seed", None)  # which the kernel chooses, since 6.6
    return {q["dev"]: (q["kind"], q["options"]) for q in shown}


def _disciplines_of(net: Network, node: str, interface: str) -> list[Any]:
    found: list[Any] = json.loads(net[node].run("tc", "-s", "-j", "qdisc", "show", "dev", interface, check=True).stdout)
    return found


def test_it_is_set_as_tc_sets_it_by_the_printed_commands() -> None:
    with Network(Lab(), name="netem-set") as net:
        ops = [op for op in net.plan.operations if isinstance(op, Impair)]
        assert {op.mechanism for op in ops} == {"netem"}
        ours = {node: _disciplines(net, node) for node in ("h1", "h2")}
        for op in ops:
            line = next(line for line in commands(op, op.node) if line.startswith("tc "))
            net[op.node].run("tc", "qdisc", "delete", "dev", op.interface, "root", check=True)
            net[op.node].run(*line.split(), check=True)
        assert ours == {node: _disciplines(net, node) for node in ("h1", "h2")}
        assert {kind for kind, _ in ours["h1"].values()} - {"noqueue"} == {"netem"}  # never below a tbf, nor twice
        assert ours["h1"]["delay"][1]["limit"] > 1000  # its default, which drops what a long delay at a high rate holds
        assert len(_disciplines_of(net, "h1", "doubled")) == 1  # two that double in a tree double each other's, or are refused
        assert ours["h2"].get("loss", ("noqueue",))[0] == "noqueue"  # 0 %, which tc refuses, is no discipline


def test_delays_losses_and_rates_are_those_that_were_asked() -> None:
    with Network(Lab(), name="netem-does") as net:
        told = str(net["h1"].run("ping", "-q", "-c5", "-i0.2", "10.1.0.2").stdout)
        assert 120 <= float(re.findall(r"= ([\d.]+)/", told)[0]) < 150
        lost = str(net["h1"].run("ping", "-q", "-c100", "-i0.01", "-W2", "10.2.0.2").stdout)
        assert 25 <= int(re.findall(r"(\d+) received", lost)[0]) <= 75

        rate = net.link("rate")
        assert net.throughput("h1", "h2", seconds=0.2).rate > 0
        (sent,) = _disciplines_of(net, "h1", "rate")
        assert sent["bytes"] <= 1514 * sent["packets"]  # whole buffers of TCP would be lost, delayed and counted as one packet
        rate.set(delay="100ms")  # in place: netem stays
        assert _disciplines(net, "h1")["rate"][1]["delay"]["delay"] == pytest.approx(0.1)
        rate.reset()
        assert _disciplines(net, "h1")["rate"][0] == "noqueue"
        for queue, below in ("fq_codel", ["fq_codel"]), ("pie", ["pie"]), ("pfifo", []):
            rate.set(rate="4mbit", queue=queue, delay=None)
            kinds = [found["kind"] for found in _disciplines_of(net, "h1", "rate")]
            assert kinds == ["tbf", *below]  # its own queue is not shown
        rate.reset()
        rate.set(delay="100ms", seed=7)  # which netem does not do: the relay takes over
        told = str(net["h1"].run("ping", "-q", "-c3", "-i0.2", "-W3", "10.3.0.2").stdout)
        assert float(re.findall(r"= ([\d.]+)/", told)[0]) >= 200
