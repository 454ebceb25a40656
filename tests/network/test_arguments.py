"""What users ask of a network arrives where it is done, each argument at its place."""

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from pynetemu import Network, Process, UsageError
from pynetemu.engine.protocol.requests import ReadNames
from pynetemu.network.node import RunningNode
from pynetemu.testing import FakeEngine
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
        ("pynetemu.trace.tracer.Tracer", lambda net: net.trace(), ("",), {"snap": None, "engine": ""}),
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


_NO_SECONDS = "timeout='x' is not a number of seconds up to 1,000,000\n    hint: a number, as in timeout=2.5"
_NO_FILE = "is not a file\n    hint: an open file, its descriptor, PIPE, DEVNULL or None"
_VERSION = "version=5 is not an IP version\n    hint: version=4 or version=6"

_WRONG: list[tuple[Callable[[Any, Any, Any], object], str]] = [
    (lambda net, node, process: net.remove(3), "remove: name=3 is not text"),
    (lambda net, node, process: net.move(3, "a", "b"), "node=3 is not text"),
    (lambda net, node, process: net.move("a", 3, "b"), "old=3 is not text"),
    (lambda net, node, process: net.move("a", "b", 3), "to=3 is not text"),
    (lambda net, node, process: net.set_link("blue", "root", up=1), "up=1 is neither True nor False"),
    (lambda net, node, process: net.throughput("blue", "root", seconds=0), "seconds=0: more than 0 seconds are needed"),
    (lambda net, node, process: net.throughput("blue", "root", version=5), _VERSION),
    (
        lambda net, node, process: net.throughput("blue", "root", rate=-1),
        "rate=-1 is not a number of bits per second\n    hint: 10 Mbit/s are rate=10e6",
    ),
    (lambda net, node, process: net.ping_all(count=0), "count=0 is not a whole number from 1 on"),
    (lambda net, node, process: net.ping_all(timeout=0), "timeout=0: more than 0 seconds are needed"),
    (lambda net, node, process: net.ping_all(version=5), _VERSION),
    (lambda net, node, process: net.save(3), "file=3 is not a path"),
    (lambda net, node, process: net.forget_neighbors(unanswered_too=1), "unanswered_too=1 is neither True nor False"),
    (lambda net, node, process: net.events(timeout="x"), _NO_SECONDS),
    (lambda net, node, process: net.open_log(3), "name=3 is not text"),
    (lambda net, node, process: net.capture("x", filter=3), "filter=3 is not text"),
    (lambda net, node, process: net.capture("x", limit=-1), "limit=-1 is not a whole number from 0 on"),
    (lambda net, node, process: net.trace(3), "filter=3 is not text"),
    (lambda net, node, process: net.trace(snap=-1), "snap=-1 is not a whole number from 0 on"),
    (lambda net, node, process: net.link("wire").schedule((0, {}), linear=1), "linear=1 is neither True nor False"),
    (lambda net, node, process: net.link("wire").replay(3), "file=3 is not a path"),
    (lambda net, node, process: net.link("wire").replay(a_to_b=3), "a_to_b=3 is not a path"),
    (lambda net, node, process: net.link("wire").replay(b_to_a=3), "b_to_a=3 is not a path"),
    (lambda net, node, process: net.link("wire").journal(3), "a_to_b=3 is not a path"),
    (lambda net, node, process: net.link("wire").journal("x", b_to_a=3), "b_to_a=3 is not a path"),
    (lambda net, node, process: net.link("wire").journal("x", most=0), "most=0 is not a whole number from 1 on"),
    (
        lambda net, node, process: net.link("wire").set(a_to_b=3),
        "a_to_b=3 is not a table of settings\n    hint: a_to_b={'delay': '10ms'}",
    ),
    (
        lambda net, node, process: net.link("wire").set(b_to_a=3),
        "b_to_a=3 is not a table of settings\n    hint: b_to_a={'delay': '10ms'}",
    ),
    (lambda net, node, process: Network(Pair(), privileged=1), "privileged=1 is neither True nor False"),  # type: ignore[arg-type]
    (lambda net, node, process: Network(Pair(), host=1), "host=1 is neither True nor False"),  # type: ignore[arg-type]
    (lambda net, node, process: node.run("x", input=3), "input=3 is neither text nor bytes"),
    (lambda net, node, process: node.run("x", timeout="x"), _NO_SECONDS),
    (lambda net, node, process: node.run("x", check=1), "check=1 is neither True nor False"),
    (lambda net, node, process: node.run("x", text=1), "text=1 is neither True nor False"),
    (lambda net, node, process: node.run("x", cwd=3), "cwd=3 is not a path"),
    (lambda net, node, process: node.run("x", env=3), "env=3 is not a table\n    hint: env={'LANG': 'C'}"),
    (lambda net, node, process: node.run("x", user=1.5), "user=1.5: a user is a name or a number"),
    (lambda net, node, process: node.start("x", stdin=1.5), f"stdin=1.5 {_NO_FILE}"),
    (lambda net, node, process: node.start("x", stdout=1.5), f"stdout=1.5 {_NO_FILE}"),
    (lambda net, node, process: node.start("x", stderr=1.5), f"stderr=1.5 {_NO_FILE}"),
    (lambda net, node, process: node.send("p", count=-1), "count=-1 is not a whole number from 0 on"),
    (lambda net, node, process: node.send("p", inter="x"), _NO_SECONDS.replace("timeout", "inter")),
    (lambda net, node, process: node.send("p", iface=3), "iface=3 is not text"),
    (lambda net, node, process: node.sr("p", timeout="x"), _NO_SECONDS),
    (lambda net, node, process: node.sr1("p", timeout="x"), _NO_SECONDS),
    (lambda net, node, process: node.sniff(3), "filter=3 is not text"),
    (lambda net, node, process: node.sniff(count=-1), "count=-1 is not a whole number from 0 on"),
    (lambda net, node, process: node.sniff(timeout="x"), _NO_SECONDS),
    (lambda net, node, process: process.wait("x"), _NO_SECONDS),
    (lambda net, node, process: process.wait_change("x"), _NO_SECONDS),
    (lambda net, node, process: process.communicate(3), "input=3 is neither text nor bytes"),
    (lambda net, node, process: process.communicate(timeout="x"), _NO_SECONDS),
    (lambda net, node, process: process.send_signal("x"), "number='x' is not a whole number from 0 on"),
]


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Network, RunningNode, Process]]:
    """A lab of an engine that was told hardly anything: whatever is done with it raises another error."""
    engine = FakeEngine()
    engine.program("server", waits=True)
    engine.answer(ReadNames, "")
    with Network(Pair(), sandbox=engine) as net:
        process = net["blue"].start("server")
        yield net, net["blue"], process
        process.kill()
        process.close()


@pytest.mark.parametrize(("ask", "told"), _WRONG, ids=[f"{place}-{told.split()[0]}" for place, (_, told) in enumerate(_WRONG)])
def test_wrong_arguments_are_refused_by_their_names_before_anything_is_done(
    running: tuple[Network, RunningNode, Process], ask: Callable[..., object], told: str
) -> None:
    with pytest.raises(UsageError) as refused:
        ask(*running)
    assert str(refused.value) == told
