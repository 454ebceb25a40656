"""Links like real ones in a lab: each mechanism as traffic finds it, and as tc(8) shows it."""

import json
import os
import re
import signal
from pathlib import Path
from socket import SOCK_DGRAM, socket
from typing import Any

import pytest

from pynetemu import Host, KernelError, Link, Network, Root, Switch, Topology, codel
from pynetemu.lab.connection import is_readable
from pynetemu.plan.shaping.journals import HEADER
from tests.support.machine import Machine
from tests.support.pynetemu import PROGRAM
from tests.support.relays import relays
from tests.support.round_trips import check_round_trip, ping
from tests.support.wait import wait_until


class Lab(Topology):
    """Links of each sort between two hosts; `mid` is a switch, behind which there is another."""

    addresses, arp = "dual", "permanent"  # an ARP request may be lost, and is repeated after a second
    h1, h2, mid = Host(), Host(), Switch()
    slow = Link(h1.interface("slow", "10.1.0.1/24"), h2.interface("slow", "10.1.0.2/24"), delay="20ms", seed=1)
    rated = Link(h1.interface("rated", "10.2.0.1/24"), h2.interface("rated", "10.2.0.2/24"), rate="20mbit", delay="2ms", seed=1)
    bucket = Link(h1.interface("bucket", "10.3.0.1/24"), h2.interface("bucket", "10.3.0.2/24"), rate="20mbit", mechanism="tbf")
    lossy = Link(h1.interface("lossy", "10.4.0.1/24"), h2.interface("lossy", "10.4.0.2/24"), loss="30%", mechanism="filter")
    bursty = Link(h1.interface("bursty", "10.5.0.1/24"), h2.interface("bursty", "10.5.0.2/24"), loss="30%", mechanism="relay")
    jumbo = Link(h1.interface("jumbo", "10.6.0.1/24"), h2.interface("jumbo", "10.6.0.2/24"), delay="1ms", mtu=9000, seed=1)
    wrong = Link(
        h1.interface("wrong", "10.7.0.1/24"), h2.interface("wrong", "10.7.0.2/24"), a_to_b={"corrupt": "30%"}, mechanism="relay"
    )
    near = Link(h1.interface("near", "10.8.0.1/24"), mid)
    far = Link(h2.interface("far", "10.8.0.2/24"), mid, delay="10ms", queue=codel(), rate="50mbit")
    plain = Link(h1.interface("plain", "10.9.0.1/24"), h2.interface("plain", "10.9.0.2/24"))


@pytest.fixture(scope="module")
def lab() -> Any:
    with Network(Lab(), name="impaired") as net:
        for node in net:
            node.run("true")  # the processes that they keep are there from now on
        yield net


def test_delays_are_those_that_were_asked_over_ipv4_and_ipv6(lab: Network) -> None:
    h1 = lab["h1"]
    assert ping(h1, "10.1.0.2", "-c20", "-W5")[0] == 20
    inside = next(a for a in _interface(lab, "h2", "slow").addresses if a.version == 6 and not a.is_link_local)
    check_round_trip(h1, "10.1.0.2", at_least=40, below=60)
    check_round_trip(h1, str(inside.ip), at_least=40, below=60)
    check_round_trip(h1, "10.8.0.2", at_least=20, below=40)
    check_round_trip(h1, "10.9.0.2", below=2)


def test_large_frames_and_fragments_pass(lab: Network) -> None:
    assert ping(lab["h1"], "10.6.0.2", "-c3", "-W5", "-s8900", "-Mdo")[0] == 3
    assert ping(lab["h1"], "10.1.0.2", "-c3", "-W5", "-s20000")[0] == 3


@pytest.mark.parametrize(("target", "link"), [("10.4.0.2", ""), ("10.5.0.2", "bursty")])
def test_losses_are_within_the_binomial_interval_and_no_sender_is_told(lab: Network, target: str, link: str) -> None:
    count = 3000
    with lab["h2"].socket(type=SOCK_DGRAM) as receiver, lab["h1"].socket(type=SOCK_DGRAM) as sender:
        receiver.bind((target, 5000))
        got = _sent(lab, link, sender, receiver, [b"%d" % number for number in range(count)])  # sending would raise ENOBUFS
    assert abs(len(got) - count * 0.7) < 5 * (count * 0.7 * 0.3) ** 0.5  # but for one in a million


def test_rates_are_those_that_were_asked(lab: Network) -> None:
    for target in ("10.2.0.2", "10.3.0.2"):
        wait_until(lambda: 12e6 < _received(lab, target, 1.5) < 21e6, 30, target)  # noqa: B023  # a loaded machine sends less


def test_a_bad_frame_is_noticed_by_its_receiver(lab: Network) -> None:
    """The relay completes the checksum before it flips a bit: what arrives is right, or does not arrive."""
    texts = [b"%04d" % number * 100 for number in range(300)]
    with lab["h2"].socket(type=SOCK_DGRAM) as receiver, lab["h1"].socket(type=SOCK_DGRAM) as sender:
        receiver.bind(("10.7.0.2", 5000))
        got = _sent(lab, "wrong", sender, receiver, texts)
    assert set(got) <= set(texts)
    assert 150 < len(got) < 260


def test_the_kernel_has_what_is_the_kernels(lab: Network) -> None:
    disciplines = {q["dev"]: q for q in json.loads(lab["h1"].run("tc", "-j", "-d", "qdisc", "show").stdout)}
    assert disciplines["bucket"]["kind"] == "tbf"
    assert disciplines["bucket"]["options"]["rate"] == 20_000_000 // 8
    assert disciplines["plain"]["kind"] == "noqueue"


class Small(Topology):
    h1, h2 = Host(), Host()
    wire = Link(h1.interface("eth0", "10.1.0.1/24"), h2.interface("eth0", "10.1.0.2/24"), delay="20ms", seed=1)


def test_a_killed_relay_is_started_again_and_told() -> None:
    others = relays()
    with Network(Small(), name="killed") as net:
        news, (relay,) = net.service_news(), relays() - others
        os.kill(relay, signal.SIGKILL)
        wait_until(lambda: ping(net["h1"], "10.1.0.2", "-c1", "-W1")[0] == 1, what="the relay")
        assert [str(told) for told in news.read()] == ["the relay of the lab was ended by signal 9"]
        check_round_trip(net["h1"], "10.1.0.2", at_least=40, below=80)
        assert relay not in relays()
        news.close()


def test_a_relay_that_ends_again_and_again_takes_the_carriers_with_it() -> None:
    others = relays()
    with Network(Small(), name="ends-often") as net:
        news = net.service_news()
        for _ in range(6):
            wait_until(lambda: relays() - others, what="the relay")
            for relay in relays() - others:
                os.kill(relay, signal.SIGKILL)
            wait_until(news.read, what="the news")
        wait_until(lambda: not _interface(net, "h1", "eth0").has_carrier, what="the end of the carrier")
        assert not _interface(net, "h2", "eth0").has_carrier
        assert not relays() - others
        with pytest.raises(KernelError, match="the relay has ended 6 times within 10 s, and its links are down"):
            net.link("h1", "h2").set(delay="5ms")
        assert net.link("h1", "h2").directions[0].impairment.delay == 20_000_000
        news.close()


def test_what_goes_on_by_itself_goes_on_after_a_killed_relay(tmp_path: Path) -> None:
    """A schedule where it would be, a journal behind what it has, and the fates of another."""
    others, fates, lost = relays(), tmp_path / "fates.txt", tmp_path / "lost.txt"
    with Network(Small(), name="killed-later") as net:
        (relay,), wire = relays() - others, net.link("wire")
        with net["h1"].socket(type=SOCK_DGRAM) as sender:
            sender.bind(("10.1.0.1", 5000))
            lost.write_text(f"{HEADER}\n" + "".join(f"{_FLOW} {number} lost\n" for number in range(0, 40, 2)))
            wire.schedule((0, {"delay": "1ms", "jitter": "1ms"}), (0.3, {"delay": "50ms", "jitter": "1ms"}))
            wire.replay(a_to_b=str(lost))
            wire.journal(fates)
            for kill in (True, False):
                for number in range(40):
                    sender.sendto(b"%d" % number, ("10.1.0.2", 7000))
                wait_until(lambda: fates.read_text().count(_FLOW) == (80, 40)[kill], what="the packets in the journal")  # noqa: B023
                if kill:
                    os.kill(relay, signal.SIGKILL)
                    wait_until(lambda: ping(net["h1"], "10.1.0.2", "-c1", "-W1")[0] == 1, what="the relay")
        lines = [line for line in fates.read_text().splitlines() if line.startswith(_FLOW)]
        assert [line.endswith(" lost") for line in lines] == [True, False] * 40
        wait_until(lambda: ping(net["h1"], "10.1.0.2", "-c1", "-W1")[1] >= 90, what="the schedule's second step")


def test_the_ends_of_a_relayed_link_notice_of_each_other_what_those_of_a_wire_do() -> None:
    with Network(Small(), name="carrier") as net:
        (link,) = net.links()
        assert link.is_up
        assert link.ends == (("h1", "eth0"), ("h2", "eth0"))

        net["h1"].run("ip", "link", "set", "eth0", "down", check=True)
        wait_until(lambda: not _interface(net, "h2", "eth0").has_carrier, what="the carrier's end")
        net["h1"].run("ip", "link", "set", "eth0", "up", check=True)
        wait_until(lambda: _interface(net, "h2", "eth0").has_carrier, what="the carrier")
        wait_until(lambda: ping(net["h1"], "10.1.0.2", "-c2", "-W1")[0] == 2, what="answers")

        net["h1"].run("ip", "link", "set", "eth0", "name", "wan", check=True)
        assert net.links()[0].ends == (("h1", "wan"), ("h2", "eth0"))
        net["h1"].run("ip", "link", "del", "wan", check=True)
        wait_until(lambda: not any(i.name == "eth0" for i in net.interfaces("h2")), what="the other end to go, too")
        assert net.links() == []


class Lossy(Topology):
    arp = "permanent"
    h1, h2, h3 = Host(), Host(), Host()
    relayed = Link(h1, h2, loss="100%", seed=1)
    filtered = Link(h1, h3, loss="100%", mechanism="filter")
    full = Link(h2, h3, rate="8kbit", limit="2kb", seed=1, delay="1ms")


def test_traces_name_what_a_link_was_asked_to_lose() -> None:
    with Network(Lossy(), name="named") as net:
        with net.trace() as trace:
            net["h1"].run("ping", "-c2", "-i0.01", "-W0.1", "h2")
            net["h1"].run("ping", "-c1", "-W0.1", "h3")
            net["h2"].run("ping", "-c4", "-s1400", "-i0.002", "-W0.1", "h3")
        told = trace.ladder(everything=True)
    assert "lost by the link from h1 eth0 to h2 eth0 (loss 100%, seed 1), as packet 2 of its flow" in told
    assert "lost by the link from h1 eth1 to h3 eth0 (loss 100%)" in told
    assert "dropped by the queue of the link from h2 eth1 to h3 eth1 (delay 1ms, rate 8kbit, limit 2kb, seed 1)" in told


class Seeded(Topology):
    arp = "permanent"
    h1, h2 = Host(), Host()
    wire = Link(
        h1.interface("e", "10.1.0.1/24"), h2.interface("e", "10.1.0.2/24"), delay="2ms", jitter="1ms", loss="10%",
        duplicate="5%", corrupt="3%", seed=42,
    )  # fmt: skip


_FLOW = "11" + "0a010001" + "0a010002" + f"{5000:04x}{7000:04x}"


def _journal(file: Path, busy: bool) -> list[str]:
    """The lines of a flow of 300 packets, with or without others beside it."""
    with Network(Seeded(), name="seeded") as net:
        net.link("wire").journal(file)
        with net["h1"].socket(type=SOCK_DGRAM) as sender, net["h1"].socket(type=SOCK_DGRAM) as other:
            sender.bind(("10.1.0.1", 5000))
            for number in range(300):
                sender.sendto(b"%d" % number, ("10.1.0.2", 7000))
                for _ in range(number % 4 if busy else 0):
                    other.sendto(b"noise", ("10.1.0.2", 7001))
        wait_until(lambda: file.read_text().count(_FLOW) == 300, what="300 packets in the journal")
    lines = file.read_text().splitlines()
    assert (len(lines) > 600) is busy
    return [line for line in lines if line.startswith(_FLOW)]


def test_with_a_seed_the_fates_of_a_flow_are_the_same_whatever_else_is_sent(tmp_path: Path) -> None:
    journals = [_journal(tmp_path / f"{busy}.txt", busy) for busy in (False, True)]
    assert journals[0] == journals[1]
    assert 5 <= sum(line.endswith(" lost") for line in journals[0]) <= 60


class OnMachine(Topology):
    root, h1 = Root(), Host()
    wire = Link(root.interface("imp0", "10.203.77.1/30"), h1.interface("eth0", "10.203.77.2/30"), delay="5ms", seed=1)


@pytest.mark.root
def test_on_the_machine_itself() -> None:
    with Machine() as machine:
        file = "tests/network/test_impaired_links.py:OnMachine"
        told = machine.run(*PROGRAM, "--host", file, "-c", "root ping -q -c2 10.203.77.2")
        assert float(re.findall(r"= ([\d.]+)/", told.stdout)[0]) >= 10, told
        assert machine.run("ip", "link", "show", "imp0").returncode == 1


def _sent(lab: Network, link: str, sender: socket, receiver: socket, texts: list[bytes]) -> list[bytes]:
    """What arrives of datagrams to the receiver's address; `link` is the one that they pass if it has a relay."""
    got: list[bytes] = []
    before = _done(lab, link)
    for number, text in enumerate(texts, 1):
        sender.sendto(text, receiver.getsockname())
        if number % 50 == 0:  # of which the receiver's buffer holds a few hundred
            wait_until(lambda: not link or _done(lab, link) >= before + number, what="the relay")  # noqa: B023
            while is_readable(receiver, 0):
                got.append(receiver.recv(65536))
    return got


def _done(lab: Network, link: str) -> int:
    """How many packets towards its second end a relayed link is done with."""
    counters = lab.link(link).directions[0].counters if link else None
    return counters.sent + counters.lost if counters else 0


def _interface(lab: Network, node: str, name: str) -> Any:
    return next(found for found in lab.interfaces(node) if found.name == name)


def _received(lab: Network, target: str, seconds: float) -> float:
    """Bits per second that arrive by TCP."""
    listener = lab["h2"].socket()
    with listener, lab["h1"].socket() as sender:
        listener.bind((target, 0))
        listener.listen()
        sender.connect(listener.getsockname())
        there, _ = listener.accept()
        with there:
            return _pour(sender, there, seconds)


def _pour(sender: Any, receiver: Any, seconds: float) -> float:
    import select
    import time

    for end in sender, receiver:
        end.setblocking(False)
    began = first = time.monotonic()
    total, block = 0, bytes(1 << 16)
    while time.monotonic() - began < seconds:
        readable, writable, _ = select.select([receiver], [sender], [], 0.1)
        if writable:
            sender.send(block)
        if readable:
            total += len(receiver.recv(1 << 18))
            if time.monotonic() - began < seconds / 3:  # while it finds its pace
                total, first = 0, time.monotonic()
    return total * 8 / (time.monotonic() - first)
