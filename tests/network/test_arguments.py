"""What users ask of a network arrives where it is done, each argument at its place."""

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

from pynetemu import Network
from pynetemu.network.node import RunningNode
from tests.support.pair import Pair

pytestmark = pytest.mark.pure

_PING, _THROUGHPUT, _LINKS = "pynetemu.measure.ping.ping_all", "pynetemu.measure.throughput", "pynetemu.lab.links"


def _progress(*_: object) -> None: ...


@pytest.mark.parametrize(
    ("target", "ask", "positional", "named"),
    [
        (
            _PING,
            lambda net: net.ping_all("a", "b", count=3, timeout=2.5, version=6, progress=_progress),
            (("a", "b"),),
            {"count": 3, "timeout": 2.5, "version": 6, "progress": _progress},
        ),
        (_PING, lambda net: net.ping_all(), ((),), {"count": 1, "timeout": 1.0, "version": None, "progress": None}),
        (f"{_THROUGHPUT}.tcp", lambda net: net.throughput("blue", "root"), ("blue", "root", 2.0, None), {}),
        (
            f"{_THROUGHPUT}.tcp",
            lambda net: net.throughput("blue", "root", seconds=3.5, version=6),
            ("blue", "root", 3.5, 6),
            {},
        ),
        (
            f"{_THROUGHPUT}.udp",
            lambda net: net.throughput("blue", "root", seconds=3.5, rate=7e6, version=4),
            ("blue", "root", 3.5, 7e6, 4),
            {},
        ),
        (f"{_LINKS}.between", lambda net: net.links("blue", "root:eth0"), ("blue", "root:eth0"), {}),
        (f"{_LINKS}.links", lambda net: net.links(), (), {}),
        ("pynetemu.lab.impairments.find", lambda net: net.link("blue", "root"), ("blue", "root"), {}),
        ("pynetemu.lab.drift.differences", lambda net: net.differences("blue"), (["blue"],), {}),
        ("pynetemu.lab.drift.differences", lambda net: net.differences(), ([],), {}),
        ("pynetemu.lab.changing.undo", lambda net: net.undo(), (), {}),
        ("pynetemu.lab.services.open_log", lambda net: net.open_log("blue.web"), ("blue.web",), {}),
        (
            "pynetemu.capture.capture.Capture",
            lambda net: net.capture("x.pcapng", "blue", "root.eth0", filter="icmp", limit=7),
            ("x.pcapng", "blue", "root.eth0"),
            {"filter": "icmp", "limit": 7},
        ),
        ("pynetemu.capture.capture.Capture", lambda net: net.capture(5), (5,), {"filter": "", "limit": 0}),
        (
            "pynetemu.trace.tracer.Tracer",
            lambda net: net.trace("arp", snap=99, engine="sockets"),
            ("arp",),
            {"snap": 99, "engine": "sockets"},
        ),
        ("pynetemu.trace.tracer.Tracer", lambda net: net.trace(), ("",), {"snap": 512, "engine": ""}),
    ],
)
def test_each_argument_arrives(
    target: str,
    ask: Callable[[Network], Any],
    positional: tuple[Any, ...],
    named: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net, done = Network(Pair()), Mock()
    monkeypatch.setattr(target, done)
    assert ask(net) is done.return_value
    done.assert_called_once_with(net, *positional, **named)


@pytest.mark.parametrize("up", [True, False])
def test_links_are_taken_up_and_down_between_both_ends(up: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    net, between, done = Network(Pair()), Mock(), Mock()
    monkeypatch.setattr(f"{_LINKS}.between", between)
    monkeypatch.setattr(f"{_LINKS}.set_links", done)
    net.set_link("blue", "root", up=up)
    between.assert_called_once_with(net, "blue", "root")
    done.assert_called_once_with(net, between.return_value, up)


_SCAPY = "pynetemu.crafting.scapy_node"


@pytest.mark.parametrize(
    ("function", "ask", "positional", "named"),
    [
        ("send", lambda node: node.send("p", count=3, inter=0.5, iface="eth1"), ("p", 3, 0.5, "eth1"), {}),
        ("send", lambda node: node.send("p"), ("p", 1, 0.0, ""), {}),
        ("sr", lambda node: node.sr("p", timeout=3.5, iface="eth1", multi=1), ("p", 3.5, "eth1"), {"multi": 1}),
        ("sr", lambda node: node.sr("p"), ("p", 2.0, ""), {}),
        ("sr1", lambda node: node.sr1("p", timeout=3.5, iface="eth1", retry=2), ("p", 3.5, "eth1"), {"retry": 2}),
        ("sr1", lambda node: node.sr1("p"), ("p", 2.0, ""), {}),
        ("sniff", lambda node: node.sniff("arp", count=2, timeout=1.5, prn=_progress), ("arp", 2, 1.5, _progress), {}),
        ("sniff", lambda node: node.sniff(), ("", 0, None, None), {}),
        ("scapy_in", lambda node: node.scapy(), (), {}),
    ],
)
def test_each_argument_to_a_node_arrives(
    function: str,
    ask: Callable[[RunningNode], Any],
    positional: tuple[Any, ...],
    named: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node, done = Network(Pair())["blue"], Mock()
    monkeypatch.setattr(f"{_SCAPY}.{function}", done)
    assert ask(node) is done.return_value
    done.assert_called_once_with(node, *positional, **named)
