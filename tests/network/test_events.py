"""Events of a running lab, judged by what `ip -j` says before and after."""

import asyncio
import json
import random
import select
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pynetemu import (
    AddressEvent,
    CaptureEvent,
    ChangeEvent,
    Events,
    Host,
    LabError,
    LabEvent,
    Link,
    LinkEvent,
    LostEvent,
    NeighborEvent,
    Network,
    ProcessEvent,
    RouteEvent,
    Router,
    RuleEvent,
    Service,
    ServiceEvent,
    Switch,
    Topology,
)
from pynetemu.lab.listening import of_rules
from pynetemu.lab.state import RuleState
from pynetemu.plan.compile import compile_plan
from tests.support.pynetemu import PROGRAM, environment

_E = TypeVar("_E", bound=LabEvent)


class _Lab(Topology):
    r1 = Router()
    h1, h2, h3 = Host(), Host(), Host()
    s1 = Switch()
    up = Link(r1.interface("eth0", "10.0.0.254/24"), s1)
    a = Link(h1.interface("eth0", "10.0.0.1/24"), s1)
    b = Link(h2.interface("eth0", "10.0.0.2/24"), s1)
    side = Link(r1.interface("eth1", "10.1.0.254/24"), h3.interface("eth0", "10.1.0.3/24"))
    short = Service(h3, "sleep 60")


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(_Lab()) as network:
        for node in network.nodes:
            network[node].run("true")
        yield network


def _run(network: Network, node: str, words: str) -> None:
    network[node].run(*words.split(), check=True)


def test_each_change_is_told_with_what_was_and_what_is(network: Network) -> None:
    before = time.time()
    with network.events() as events:

        def told(kind: type[_E], condition: Callable[[_E], object] | None = None, node: str = "") -> _E:
            event = events.wait(kind, condition, node=node)
            assert before <= event.since <= event.time <= time.time()
            return event

        _run(network, "h1", "ip link set eth0 down")
        down = told(LinkEvent, node="h1")
        assert (down.what, down.before and down.before.is_up, down.after and down.after.is_up) == ("down", True, False)
        gone = {event.before.text for event in (told(RouteEvent, node="h1") for _ in range(3)) if event.before}
        assert {"default via 10.0.0.254 dev eth0", "10.0.0.0/24 dev eth0 src 10.0.0.1"} < gone  # the kernel tells of neither
        assert told(LinkEvent, node="s1").what == "down"

        _run(network, "h1", "ip link set eth0 name wan")
        renamed = told(LinkEvent, node="h1")
        assert (renamed.what, str(renamed)) == ("renamed", "h1 eth0 is called wan now")
        _run(network, "h1", "ip link set wan up")
        assert told(LinkEvent, node="h1").what == "up"

        _run(network, "h1", "ip addr add 10.0.0.9/32 dev wan")
        assert (
            str(told(AddressEvent, lambda event: event.after is not None and event.after.version == 4).after) == "10.0.0.9/32"
        )
        _run(network, "h1", "ip route add 10.9.0.0/16 via 10.0.0.254")
        told(RouteEvent, lambda event: "10.9.0.0/16" in str(event))  # two changes that are read at once are one
        _run(network, "h1", "ip route replace 10.9.0.0/16 via 10.0.0.2")
        replaced = told(RouteEvent, lambda event: event.before is not None and event.after is not None)
        assert str(replaced) == "h1 route 10.9.0.0/16 via 10.0.0.254 dev wan → 10.9.0.0/16 via 10.0.0.2 dev wan"
        _run(network, "h1", "ip rule add from 10.0.0.0/24 lookup 100 pref 7")
        assert str(told(RuleEvent)) == "h1 rule 7: from 10.0.0.0/24 lookup 100 is new"
        _run(network, "h1", "ip rule del pref 7")
        assert told(RuleEvent).after is None

        _run(network, "h2", "ip link set eth0 netns h3 name moved")
        far = told(LinkEvent, lambda event: event.what == "changed", node="s1")
        assert str(far) == "s1 h2 changed: other end h2 eth0 → h3 moved"  # of this the kernel says nothing in s1
        moved = told(LinkEvent, lambda event: event.what == "moved")
        assert (moved.node, moved.after and (moved.after.node, moved.after.name)) == ("h2", ("h3", "moved"))
        _run(network, "r1", "ip link del eth1")
        assert told(LinkEvent, lambda event: event.what == "removed", node="h3").after is None
        _run(network, "h1", "ip link add mine type veth peer theirs netns h2")
        added = told(LinkEvent, lambda event: event.what == "added", node="h1")
        assert added.after is not None
        assert added.after.peer == ("h2", "theirs")


def test_a_neighbor_that_does_not_answer_a_process_and_a_service_are_told(network: Network) -> None:
    with network.events() as events, network.events("h2") as of_h2:
        network["h1"].run("ping", "-c1", "-W0.1", "10.0.0.77")
        ended = events.wait(ProcessEvent)
        assert (ended.node, ended.argv[0], ended.status) == ("h1", "ping", 1)
        failed = events.wait(NeighborEvent)
        assert (str(failed.after.address), failed.after.state) == ("10.0.0.77", "failed")
        (state,) = network.services
        _run(network, "h3", f"kill {state.pid}")
        assert (event := events.wait(ServiceEvent)) and (event.node, event.name, event.status) == ("h3", "short", -15)
        network["h2"].run("sh", "-c", "exit 3")
        assert str(of_h2.next(5)).startswith("h2 sh (process ")
        assert of_h2.pending() == []
        assert json.loads(json.dumps(ended.as_data()))["argv"][:2] == ["ping", "-c1"]


def test_commands_of_other_terminals_are_told_when_they_end(network: Network) -> None:
    with network.events() as events, Network.attach(network.name) as other:
        assert other["h2"].run("sh", "-c", "exit 3").status == 3
        first = events.wait(ProcessEvent, timeout=10)
        killed = other["h1"].start("sleep", "1000")
        killed.kill()
        killed.wait(10)
        second = events.wait(ProcessEvent, timeout=10)
    assert [(one.node, one.argv, one.status) for one in (first, second)] == [
        ("h2", ("sh", "-c", "exit 3"), 3),
        ("h1", ("sleep", "1000"), -9),
    ]
    assert second.pid == killed.pid


def test_iteration_ends_after_a_time_without_events_and_with_the_lab() -> None:
    with Network(_Lab()) as network:
        events = network.events("h1", timeout=0.2)
        _run(network, "h1", "ip addr add 10.0.0.9/32 dev eth0")
        for kind in AddressEvent, ProcessEvent:
            events.wait(kind)
        assert list(events) == []
        _run(network, "h1", "ip addr del 10.0.0.9/32 dev eth0")
        select.select([events], [], [], 10)
        assert {type(event) for event in events} & {AddressEvent, ProcessEvent}
        with pytest.raises(TimeoutError, match=f"nothing has happened in {network.name} for 0 s"):
            events.next(0)
        with pytest.raises(LabError, match=r"no LinkEvent in h2 like this has come in 0\.1 s"):
            events.wait(LinkEvent, node="h2", timeout=0.1)
        with pytest.raises(LabError, match="no node 'h9'"):
            network.events("h9")
    assert list(events) == []
    with pytest.raises(LabError, match="have ended"):
        events.next()
    with pytest.raises(LabError):
        network.events()


def test_callbacks_and_asyncio(network: Network) -> None:
    heard: list[LabEvent] = []

    async def first_of(events: Events) -> LabEvent:
        beside = asyncio.create_task(asyncio.sleep(0.01, "beside"))
        async for event in events:
            if isinstance(event, AddressEvent):
                return event
        raise AssertionError(await beside)

    with network.events("h1", callback=heard.append), network.events("h1", timeout=5) as events:
        _run(network, "h1", "ip addr add 10.0.0.9/32 dev eth0")
        assert str(asyncio.run(first_of(events))) == "h1 eth0 has 10.0.0.9/32"
        events.wait(ProcessEvent)
    assert [str(event) for event in heard if isinstance(event, AddressEvent)] == ["h1 eth0 has 10.0.0.9/32"]


_NODES = ("h1", "h2", "h3", "r1", "s1")


class _Replayed:
    """The interfaces, addresses and routes that events lead to, from what was there before them."""

    def __init__(self, network: Network) -> None:
        self.links = {(i.node, i.name, i.is_up) for i in network.state(tables=("links",)).interfaces}
        self.addresses = {(i.node, i.name, str(a)) for i in network.interfaces() for a in i.addresses}
        self.routes = {(r.node, r.text) for r in network.routes(all_tables=True)}

    def take(self, event: LabEvent) -> None:
        match event:
            case LinkEvent(before=before, after=after):
                self.links -= {(i.node, i.name, i.is_up) for i in [before] if i}
                self.links |= {(i.node, i.name, i.is_up) for i in [after] if i}
                if before and after and event.what == "renamed":
                    node, old, new = before.node, before.name, after.name
                    self.addresses = {(n, new if (n, i) == (node, old) else i, a) for n, i, a in self.addresses}
                    self.routes = {
                        (n, f"{t} ".replace(f"dev {old} ", f"dev {new} ").strip() if n == node else t) for n, t in self.routes
                    }
            case AddressEvent(node=node, interface=interface, before=old, after=new):
                self.addresses -= {(node, interface, str(old))}
                self.addresses |= {(node, interface, str(new))} if new else set()
            case RouteEvent(node=node, before=before, after=after):
                self.routes -= {(node, before.text)} if before else set()
                self.routes |= {(node, after.text)} if after else set()


def _shown(network: Network) -> dict[str, set[Any]]:
    """What `ip -j` says."""
    links: set[Any] = set()
    addresses: set[Any] = set()
    routes: set[Any] = set()
    for node in _NODES:
        for link in json.loads(network[node].run("ip", "-j", "addr").stdout):
            links.add((node, link["ifname"], "UP" in link["flags"]))
            addresses |= {(node, link["ifname"], f"{a['local']}/{a['prefixlen']}") for a in link["addr_info"]}
        for version in "-4", "-6":
            told = json.loads(network[node].run("ip", "-j", version, "route", "show", "table", "all").stdout or "[]")
            kept = [r for r in told if r.get("table") != "local" and r.get("type", "unicast") != "multicast"]
            routes |= {(node, r["dst"].removesuffix("/32").removesuffix("/128"), r.get("gateway", ""), r["dev"]) for r in kept}
    return {"links": links, "addresses": addresses, "routes": routes}


def _as_shown(replayed: _Replayed) -> dict[str, set[Any]]:
    routes = set()
    for node, text in replayed.routes:
        words = text.split()
        gateway = words[words.index("via") + 1] if "via" in words else ""
        routes.add((node, words[0].removesuffix("/32").removesuffix("/128"), gateway, words[words.index("dev") + 1]))
    return {"links": replayed.links, "addresses": replayed.addresses, "routes": routes}


def _change(network: Network, chance: random.Random, number: int) -> None:
    """Something that users do; what the kernel refuses is no change."""
    node = chance.choice(_NODES)
    interface = chance.choice([i.name for i in network.state(node, tables=("links",)).interfaces])
    other = "" if interface in ("lo", "br0") else interface
    words = [
        f"link set {interface} {chance.choice(('up', 'down'))}",
        f"link set {other} name x{number}",
        f"addr add 10.{number % 5}.0.{number % 250 + 1}/24 dev {interface}",
        f"addr flush dev {interface} scope global",
        f"route add 10.{number % 200 + 20}.0.0/16 via 10.{number % 5}.0.{number % 250 + 2}",
        f"link set {other} netns {chance.choice(_NODES)}",
        f"link set {other} down",
    ]
    network[node].run("ip", *chance.choice(words[: None if other else 1]).split())


@pytest.mark.slow
@pytest.mark.parametrize("room", [4 << 20, 2048], ids=["all messages", "messages are lost"])
def test_events_lead_from_what_was_to_what_is(network: Network, room: int) -> None:
    """Whatever the kernel does not tell, and whatever it cannot since the socket is full."""
    chance = random.Random(7)
    lost = 0
    with network.events() as events:
        events._listening.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        replayed = _Replayed(network)
        events.pending()
        for number in range(60):
            _change(network, chance, number)
        _run(network, "h1", "ip link add last type veth peer of_all")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for event in events.pending():
                lost += isinstance(event, LostEvent)
                replayed.take(event)
            if _as_shown(replayed) == _shown(network):
                break
        assert _as_shown(replayed) == _shown(network)
    assert lost or room > 2048


def test_a_change_of_the_lab_is_told_and_new_nodes_are_followed(network: Network) -> None:
    class More(_Lab):
        h4 = Host()
        d = Link(h4.interface("eth0", "10.0.0.4/24"), _Lab.s1)

    with network.events() as events:
        network.apply(compile_plan(More))
        change = events.wait(ChangeEvent)
        assert (change.added, change.removed, change.changed) == (("h4",), (), ("s1",))
        assert str(change) == "the lab was changed: added h4; changed s1"
        assert change.as_data()["added"] == ["h4"]
        _run(network, "h4", "ip addr add 10.0.0.44/32 dev eth0")
        added = events.wait(AddressEvent, lambda event: str(event.after) == "10.0.0.44/32", node="h4")
        assert added.interface == "eth0"


def test_another_terminal_is_told_as_text_and_as_data() -> None:
    with Network(_Lab(), name="told") as network:
        # Two events, in either order: the address, and the end of the command that changes it.
        for words, awaited in (["h1", "--count", "2"], "h1 eth0 has 10.0.0.9/32"), (["--json", "-c", "2", "h1"], '"address"'):
            told = subprocess.Popen(
                [*PROGRAM, "events", network.name, *words], stdout=-1, stderr=-1, text=True, env=environment()
            )
            assert told.stderr is not None
            assert told.stderr.readline() == "showing what happens; Ctrl-C ends\n"
            _run(network, "h1", f"ip addr {'del' if '--json' in words else 'add'} 10.0.0.9/32 dev eth0")
            out, err = told.communicate(timeout=10)
            (line,) = (line for line in out.splitlines() if awaited in line)
            assert (told.returncode, err, out.count("\n")) == (0, "", 2)
        data = json.loads(line)
        assert (data["event"], data["interface"], data["before"], data["after"]) == ("address", "eth0", "10.0.0.9/32", None)
        assert data["since"] <= data["time"]


def test_what_a_capture_lacks_is_told_when_it_ends(network: Network, tmp_path: Path) -> None:
    with network.events() as events:
        with network.capture(tmp_path / "x.pcapng", "h1") as capture:
            assert capture._merged.statistics().keys() == {"h1"}
            capture._merged.statistics = lambda: {"h1": (10, 3)}  # type: ignore[method-assign]  # as if it had been too slow
        lost = events.wait(CaptureEvent)
    assert (lost.node, lost.lost, lost.file) == ("h1", 3, str(tmp_path / "x.pcapng"))
    assert str(lost) == f"h1 3 packets are not in {tmp_path}/x.pcapng: they came too fast"


def test_a_rule_in_the_place_of_another_is_one_event() -> None:
    usual = RuleState("h1", 4, 32766, "table", 254)
    old, new = (RuleState("h1", 4, 7, "table", table, source="10.0.0.0/24") for table in (100, 200))
    other = RuleState("h1", 6, 7, "blackhole")
    (event,) = of_rules("h1", [old, usual], [new, usual], 1.0, 2.0)
    assert str(event) == "h1 rule 7: from 10.0.0.0/24 lookup 100 → from 10.0.0.0/24 lookup 200"
    found = [str(event) for event in of_rules("h1", [old, usual], [usual, other], 1.0, 2.0)]
    assert found == ["h1 rule 7: from 10.0.0.0/24 lookup 100 is gone", "h1 rule 7: from all blackhole is new"]
