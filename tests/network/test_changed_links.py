"""What links do to packets, changed while packets are under way."""

import json
import os
import re
import signal
from pathlib import Path
from socket import SOCK_DGRAM
from typing import Any

import pytest

from pynetemu import Host, LabError, Link, Network, Router, Shell, Switch, Topology, UsageError, Vxlan, schedule
from pynetemu.lab.connection import is_readable
from tests.support.pynetemu import pynetemu
from tests.support.relays import relays
from tests.support.round_trips import check_round_trip, ping
from tests.support.wait import wait_until


class Lab(Topology):
    addresses = "dual"
    h1, r1, s1, h2 = Host(), Router(), Switch(), Host()
    wire = Link(h1, r1)
    lan = [Link(r1, s1), Link(h2, s1.port(learning=False, hairpin=True))]


def _settings(net: Network) -> dict[str, Any]:
    """What nodes have, as `ip` tells it, but for which namespace is at the other end.

    Link-local addresses count when duplicate detection is over, some time after the lab's start.
    """
    found: dict[str, Any] = {}
    for node in "h1", "r1":
        links = json.loads(net[node].run("ip", "-j", "addr", check=True).stdout)
        other_end = "link_index", "link", "link_netnsid"
        routes = [net[node].run("ip", "-j", f, "route", "show", "table", "all").stdout for f in ("-4", "-6")]
        shown = [sorted(line for route in json.loads(text) if "fe80" not in (line := json.dumps(route))) for text in routes]
        addresses = [{k: v for k, v in link.items() if k not in (*other_end, "addr_info")} for link in links]
        inner = [
            sorted((a["local"], a["prefixlen"], a["scope"]) for a in link["addr_info"] if a["scope"] != "link")
            for link in links
        ]
        found[node] = addresses, inner, shown
    (port,) = json.loads(net["s1"].run("bridge", "-j", "-d", "link", "show", "dev", "h2").stdout)
    found["port"] = {key: value for key, value in port.items() if key != "link"}
    return found


def test_a_link_becomes_a_relayed_one_and_nothing_but_its_delay_is_another() -> None:
    with Network(Lab(), name="becomes") as net, net["h2"].socket() as listener, net["h1"].socket() as client:
        listener.bind(("0.0.0.0", 7000))
        listener.listen()
        client.connect((_address(net, "h2"), 7000))
        server, _ = listener.accept()
        net["h1"].run("ip", "route", "add", "10.99.0.0/16", "via", _address(net, "r1"), "metric", "5", check=True)
        net["r1"].run("sysctl", "-w", "net.ipv4.conf.eth0.proxy_arp=1", check=True)
        check_round_trip(net["h1"], "h2", "-4", below=5)
        before = _settings(net)
        with server:
            change = net.link("wire").set(delay="10ms", seed=1)  # which is the relay's on any kernel
            (told,) = change.told
            became = "the link between h1 eth0 and r1 eth0 became a relayed one"
            assert re.fullmatch(rf"{became}: what was sent within \d+ ms is lost", told)
            assert net.link("wire").set(delay="11ms").told == ()
            assert _settings(net) == before
            check_round_trip(net["h1"], "h2", "-4", at_least=20, below=60)
            net.link("h2", "s1").set(delay="5ms", seed=1)
            assert _settings(net) == before
            check_round_trip(net["h1"], "h2", "-6", at_least=30, below=80)
            client.sendall(b"still here")
            assert is_readable(server, 5)
            assert server.recv(20) == b"still here"
        assert [link.ends for link in net.links()] == [
            (("h1", "eth0"), ("r1", "eth0")),
            (("r1", "eth1"), ("s1", "r1")),
            (("h2", "eth0"), ("s1", "h2")),
        ]
        net.link("wire").reset()
        check_round_trip(net["h1"], "h2", "-4", at_least=10, below=30)
        net.undo()
        check_round_trip(net["h1"], "h2", "-4", at_least=30, below=80)
        assert str(net["r1"].run("sysctl", "-n", "net.ipv4.conf.eth0.proxy_arp").stdout) == "1\n"
        (relay,) = relays()
        headings, figures = (line.split() for line in Path(f"/proc/{relay}/net/snmp").read_text().splitlines()[:2])
        assert figures[headings.index("InReceives")] == "0"  # frames end at its rings: the kernel looks for no route there


class Wires(Topology):
    h1, h2 = Host(), Host()
    wire = Link(h1.interface("e", "10.1.0.1/24"), h2.interface("e", "10.1.0.2/24"), delay="60ms", rate="10mbit", seed=1)
    double = [Link(h1, h2), Link(h1, h2)]


def test_no_packet_is_lost_by_a_change_and_none_overtakes_another() -> None:
    with Network(Wires(), name="in-place") as net:
        wire = net.link("wire")
        net["h1"].run("ping", "-c1", "10.1.0.2")
        with net["h1"].socket(type=SOCK_DGRAM) as sender, net["h2"].socket(type=SOCK_DGRAM) as receiver:
            receiver.bind(("10.1.0.2", 5000))
            sent = 0
            for settings in ({"delay": "5ms"}, {"rate": "100mbit"}, {"jitter": "2ms"}, {"rate": None, "queue": None}):
                for _ in range(20):
                    sender.sendto(b"%04d" % sent, ("10.1.0.2", 5000))
                    sent += 1
                wire.set(**settings)
            got: list[int] = []
            while len(got) < sent and is_readable(receiver, 5):
                got.append(int(receiver.recv(10)))
        assert got == list(range(sent))
        there, back = wire.directions
        assert there.impairment.words == ("delay 5ms", "jitter 2ms", "seed 1")
        assert there.counters and back.counters
        assert there.counters.sent >= sent
        assert there.counters.overload == there.counters.dropped == 0


def test_what_cannot_be_is_told_and_changes_nothing(tmp_path: Path) -> None:
    with Network(Wires(), name="told") as net:
        wire = net.link("wire")
        before = wire.directions[0].impairment
        for settings, text in (
            ({"delay": "5"}, "delay: '5' has no unit"),
            ({"dealy": "5ms"}, "a link has no setting 'dealy'\n    hint: did you mean 'delay'"),
            ({"dealy": None}, "a link has no setting 'dealy'"),
            ({"rate": None, "limit": "5 packets"}, "limit needs a rate"),
            ({"mechanism": "tbf"}, "mechanism=tbf does rates"),
            ({"preset": "fast"}, "preset='fast' is not known"),
            ({"delay": None, "rate": None, "mechanism": "tc"}, "mechanism='tc' is not known"),
            ({"a_to_b": {"towards": {"h3": {"delay": "1ms"}}}}, "towards: there is no node 'h3'"),
            ({"a_to_b": {"towards": {"h2": {"schedule": schedule((0, {}))}}}}, "h2: schedule is of the whole direction"),
        ):
            with pytest.raises(UsageError, match=re.escape(text)):
                wire.set(**settings)
        for step, text in (
            ({"rate": "1mbit", "queue": "fq_codel"}, "queue=fq_codel is the kernel's, and of all packets"),
            ({"seed": 4}, "the step at 0 has what does not change over time"),
            ({"schedule": schedule((0, {}))}, "the step at 0 has what does not change over time"),
        ):
            with pytest.raises(UsageError, match=text):
                wire.schedule((0, step))
        table = tmp_path / "table.csv"
        table.write_text("time,rate,queue\n0,1mbit,pie\n")
        with pytest.raises(UsageError, match="queue=pie is the kernel's"):
            wire.replay(table)
        table.write_bytes(b"\xef\xbb\xbftime,delay\r\n0,60ms\r\n")  # as Excel writes it
        wire.replay(table)
        wire.stop()
        assert wire.directions[0].impairment == before
        with pytest.raises(LabError, match="several links between h1 and h2; say which: h1:e h2:e, h1:eth0 h2:eth0"):
            net.link("h1", "h2")
        with pytest.raises(LabError, match="no link 'wir'; did you mean 'wire'"):
            net.link("wir")
        assert net.link("h2:e", "h1").a == ("h2", "e")
        net["h1"].run("ip", "link", "del", "e", check=True)
        wait_until(lambda: not any(i.name == "e" for i in net.interfaces("h2")), what="the link's end")
        with pytest.raises(LabError, match="the link between h1 e and h2 e has gone: somebody has deleted"):
            wire.set(delay="9ms")


def test_the_kernels_mechanisms_are_changed_in_place_and_taken_away() -> None:
    def kinds(net: Network) -> set[str]:
        return {q["kind"] for q in json.loads(net["h1"].run("tc", "-j", "qdisc", "show", "dev", "eth0").stdout)}

    with Network(Lab(), name="kernels") as net:
        wire = net.link("wire")
        wire.set(rate="8mbit", mechanism="tbf")
        assert kinds(net) == {"tbf"}
        wire.set(rate="16mbit")
        (tbf,) = json.loads(net["h1"].run("tc", "-j", "-d", "qdisc", "show", "dev", "eth0").stdout)
        assert tbf["options"]["rate"] == 2_000_000
        wire.set(rate=None, a_to_b={"loss": "50%"}, mechanism="filter")
        assert kinds(net) == {"noqueue"}
        assert "bpf" in str(net["r1"].run("tc", "filter", "show", "dev", "eth0", "ingress").stdout)
        wire.reset()
        assert str(net["r1"].run("tc", "filter", "show", "dev", "eth0", "ingress").stdout) == ""
        assert not any(direction.impairment for direction in wire.directions)


class Plain(Topology):
    arp = "permanent"
    h1, h2 = Host(), Host()
    wire = Link(h1, h2)


def test_recorded_links_are_replayed_and_schedules_go_on_by_themselves(tmp_path: Any) -> None:
    (tmp_path / "12mbit.pps").write_text("".join(f"{millisecond}\n" for millisecond in range(1, 501)))
    (tmp_path / "steps.csv").write_text("time,delay\n0,5ms\n0.3,60ms\n0.6,5ms\n")
    with Network(Plain(), name="replayed") as net:
        wire = net.link("wire")
        wire.replay(str(tmp_path / "12mbit.pps"))
        wait_until(lambda: 8e6 < net.throughput("h1", "h2", seconds=1.0).rate < 12.5e6)
        wire.stop()
        wait_until(lambda: _shows_both_steps(net, tmp_path / "steps.csv"))
        wire.stop()
        wire.schedule((0, {"delay": "5ms"}), ("2s", {"delay": "205ms"}), linear=True)
        wait_until(lambda: 60 < _least(net) < 350, what="what lies between both steps")
        net.schedule("wire", (0, {"loss": "100%"}), ("300ms", {}))
        wait_until(lambda: net["h1"].run("ping", "-c1", "-W0.2", "h2").status == 0, what="the end of the outage")
        wire.stop()
        assert net["h1"].run("ping", "-c1", "-W5", "h2").status == 0
        (tmp_path / "bad.pps").write_text("1\nx\n")
        with pytest.raises(UsageError, match=r"bad\.pps: line 2 is 'x'"):
            wire.replay(str(tmp_path / "bad.pps"))
        (tmp_path / "bad.txt").write_text("# fates: flow, number of its packet, what became of it\n11 0 gone\n")
        with pytest.raises(UsageError, match=r"bad\.txt: line 2 is '11 0 gone'"):
            wire.replay(str(tmp_path / "bad.txt"))
        with pytest.raises(UsageError, match="every=1 is over before the last step"):
            net.schedule(("h1", "h2"), (0, {}), (1, {"loss": "1%"}), every=1)
        with pytest.raises(LabError, match="has no link 'wires'"):
            net.schedule("wires", (0, {}))


def test_what_is_set_again_holds_again_after_a_schedule_and_reset_ends_it() -> None:
    with Network(Plain(), name="set-again") as net:
        wire = net.link("wire")
        wire.set(delay="5ms")
        for _ in range(2):
            wire.schedule((0, {"delay": "5ms"}), ("100ms", {"delay": "150ms"}))
            wait_until(lambda: _least(net) >= 300, what="the schedule's last step")
            wire.set(delay="5ms", a_to_b={"loss": None})
            wait_until(lambda: 10 <= _least(net) < 200, what="what was set before, too")
        wire.schedule((0, {"delay": "150ms"}), ("1h", {"delay": "200ms"}), linear=True)
        wait_until(lambda: _least(net) >= 300, what="the ramp")
        wire.reset()
        wait_until(lambda: 0 < _least(net) < 100, what="a plain wire")


def test_a_link_that_flaps_is_there_and_gone_again_and_again() -> None:
    with Network(Plain(), name="flapping") as net:
        net.link("wire").schedule((0, {}), ("600ms", {"loss": "100%"}), every="1.2s")
        for answers in (0, 1) * 3:  # of ping: 0 for an answer, 1 for none
            wait_until(lambda: net["h1"].run("ping", "-c1", "-W0.2", "h2").status == answers, what="a flap")  # noqa: B023

        def both_happened() -> bool:
            net["h1"].run("ping", "-c1", "-W0.2", "h2")
            there, back = (direction.counters for direction in net.link("wire").directions)
            return bool(there and back and there.lost >= 2 and there.sent >= 3 and back.sent >= 3)

        wait_until(both_happened, what="losses and answers in the link's counters")


class Scheduled(Topology):
    arp = "permanent"
    h1, h2 = Host(), Host()
    wire = Link(
        h1, h2, schedule=schedule((0, {"delay": "30ms"}), ("400ms", {"delay": "100ms"}), ("1h", {})), a_to_b={"seed": 3}
    )


def test_a_described_schedule_begins_with_the_link_and_goes_on_after_changes_and_a_killed_relay() -> None:
    others = relays()
    with Network(Scheduled(), name="scheduled") as net:
        wire = net.link("wire")
        assert wire.directions[1].impairment.words == ("schedule 0ns does delay 30ms | 400ms does delay 100ms | 3600s does",)
        wait_until(lambda: _least(net) >= 200, what="the second step")
        wire.set(loss="0.001%")
        assert _least(net, "-W5") >= 200
        for relay in relays() - others:
            os.kill(relay, signal.SIGKILL)
        wait_until(lambda: _least(net) > 0, what="the relay")
        assert _least(net, "-W5") >= 200
        wire.set(schedule=None)
        wire.set(delay="1ms")
        check_round_trip(net["h1"], "h2", below=100)
        net.undo()
        net.undo()
        wait_until(lambda: _least(net) >= 200, what="the schedule from its begin")


def _least(net: Network, patience: str = "-W1") -> float:
    return ping(net["h1"], "h2", "-c1", patience)[1]


def _shows_both_steps(net: Network, steps: Path) -> bool:
    """A schedule of delays, from its begin: a second of pings meets both, where the machine has time for it."""
    net.link("wire").replay(str(steps))
    told = str(net["h1"].run("ping", "-c10", "-i0.1", "-W1", "h2").stdout)
    times = [float(time) for time in re.findall(r"time=([\d.]+)", told)]
    return any(time < 60 for time in times) and any(time >= 120 for time in times)


def test_the_shell_changes_links_and_shows_what_they_do(tmp_path: Any) -> None:
    (tmp_path / "lab.py").write_text(
        "from pynetemu import Host, Link, Topology\n\n\nclass Two(Topology):\n"
        "    h1, h2 = Host(), Host()\n    wire = Link(h1, h2, loss='1%')\n"
    )
    lines = "impair h1 h2 delay=5ms loss=off seed=1", "links", "impair --json", "impair h1 h2 off --one-way", "impair h1 h2"
    done = pynetemu("run", tmp_path / "lab.py", *(word for line in lines for word in ("-c", line)))
    assert done.returncode == 0, done.stderr
    assert "pynetemu: the link between h1 eth0 and h2 eth0 became a relayed one: what was sent within" in done.stderr
    assert "h1:eth0  h2:eth0    up     delay 5ms, seed 1  delay 5ms, seed 1" in done.stdout
    (shown,) = re.findall(r"^\[.*?^\]", done.stdout, re.MULTILINE | re.DOTALL)
    there, _ = json.loads(shown)
    assert (there["from"], there["to"], there["by"], there["settings"]) == (
        "h1:eth0",
        "h2:eth0",
        "relay",
        ["delay 5ms", "seed 1"],
    )
    assert "h1:eth0  h2:eth0  a wire" in done.stdout.split("]")[-1]
    wrong = pynetemu("run", tmp_path / "lab.py", "-c", "impair h1 h2 delay")
    assert "'delay' is not a setting: write NAME=VALUE" in wrong.stderr


class Tunneled(Topology):
    h1, h2 = Host(), Host()
    wire = Link(h1, h2)
    overlay = Vxlan(h1, h2, id=7)


@pytest.mark.needs("vxlan")
def test_tunnels_are_refused_with_the_reason() -> None:
    with Network(Tunneled(), name="tunnels-are-refused") as net:
        assert net.link("h1", "h2").a == ("h1", "eth0")
        with pytest.raises(LabError, match="joined by a tunnel"):
            net.link("h1:vxlan7", "h2:vxlan7")


def _address(net: Network, node: str) -> str:
    found = next(i for i in net.interfaces(node) if i.name == "eth0")
    return str(next(a.ip for a in found.addresses if a.version == 4))


def test_links_are_listed_with_what_they_do_and_have_counted(capsys: pytest.CaptureFixture[str]) -> None:
    class Lossy(Topology):
        h1, h2, h3 = Host(), Host(), Host()
        wire = Link(h1, h2, a_to_b={"loss": "100%"}, mechanism="relay")
        plain = Link(h2, h3)

    with Network(Lossy()) as net:
        assert net["h1"].run("ping", "-c3", "-i0.01", "-W0.1", "h2").status == 1
        before = net.link("wire").directions[0].counters
        assert Shell(net).run_line("links --json") == 0
        first, second = json.loads(capsys.readouterr().out)
        after = net.link("wire").directions[0].counters  # the kernel asks for the neighbor again meanwhile
        assert before is not None and after is not None and before.lost >= 1
        assert first["there"] == ["loss 100%"]
        assert before.lost <= int(first["lost"].partition("/")[0]) <= after.lost
        assert (second["there"], second["lost"]) == ([], None)
