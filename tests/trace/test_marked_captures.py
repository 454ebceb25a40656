"""What relayed links did to single packets is told with them in captures, read by tshark, and equals what the receiver got."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from socket import SOCK_DGRAM
from typing import Any, cast

import pytest

from pynetemu import Host, Link, Network, Shell, Topology, codel
from pynetemu.capture.marks import Marked
from pynetemu.engine.protocol.relay_requests import MarkedPacket
from pynetemu.lab.connection import is_readable
from tests.support.tshark import fields
from tests.support.wait import wait_until


class Lab(Topology):
    """Two hosts, with a link of each sort."""

    arp = "permanent"
    h1, h2 = Host(), Host()
    lossy = Link(
        h1.interface("lossy", "10.1.0.1/24"), h2.interface("lossy", "10.1.0.2/24"), seed=3, delay="5ms", loss="20%",
        duplicate="20%", reorder="10%",
    )  # fmt: skip
    rated = Link(
        h1.interface("rated", "10.2.0.1/24"), h2.interface("rated", "10.2.0.2/24"), rate="1mbit", queue=codel(), seed=1
    )
    plain = Link(h1.interface("plain", "10.3.0.1/24"), h2.interface("plain", "10.3.0.2/24"))


@pytest.fixture(scope="module")
def lab() -> Iterator[Network]:
    with Network(Lab(), name="marked") as net:
        for node in net:
            node.run("true")  # the processes that they keep are there from now on
        assert net.plan.nodes
        yield net


def _send(net: Network, link: str, port: int, texts: list[bytes]) -> list[bytes]:
    """What arrives of datagrams."""
    got: list[bytes] = []
    far = next(str(a.ip) for i in net.interfaces("h2") if i.name == link for a in i.addresses if a.version == 4)
    with net["h2"].socket(type=SOCK_DGRAM) as receiver, net["h1"].socket(type=SOCK_DGRAM) as sender:
        sender.bind(("0.0.0.0", port))
        receiver.bind((far, port))
        for text in texts:
            sender.sendto(text, (far, port))

        def took() -> bool:
            while is_readable(receiver, 0.1):
                got.append(receiver.recv(65536))
            counters = net.link(link).directions[0].counters
            return counters is None or not counters.waiting

        wait_until(took, what="the last packets")
        took()
    return got


def _comments(file: Path, link: str, port: int) -> list[str]:
    """Those of the packets that h1 sent, in their order."""
    chosen = f'udp.dstport == {port} && frame.interface_name == "h1:{link}"'
    return [comments for (comments,) in fields(file, "frame.comment", display_filter=chosen)]


def _numbered(count: int, size: int = 4) -> list[bytes]:
    return [b"%04d" % number * (size // 4) for number in range(count)]


def test_lost_and_doubled_packets_are_marked_and_no_others(lab: Network, tmp_path: Path) -> None:
    texts = _numbered(60)
    with lab.capture(tmp_path / "x.pcapng") as capture:
        got = _send(lab, "lossy", 7000, texts)
    assert capture.lost == 0
    comments = _comments(tmp_path / "x.pcapng", "lossy", 7000)
    assert ["lost by" not in comment for comment in comments] == [text in got for text in texts]
    assert ["duplicated by" in comment for comment in comments] == [got.count(text) == 2 for text in texts]
    settings = "(delay 5ms, loss 20%, duplicate 20%, reorder 10%, seed 3)"
    for number, comment in enumerate(comments, 1):
        if "lost" in comment:
            assert comment == f"lost by the link from h1 lossy to h2 lossy {settings}, as packet {number} of its flow"
    assert any("sent ahead of others" in comment for comment in comments)
    assert not any(
        comment for (comment,) in fields(tmp_path / "x.pcapng", "frame.comment", display_filter="frame.p2p_dir == 1")
    )


def test_of_packets_that_are_alike_the_right_ones_are_marked(lab: Network, tmp_path: Path) -> None:
    with lab.capture(tmp_path / "x.pcapng", "h1.lossy"):
        got = _send(lab, "lossy", 7001, [b"the same"] * 200)
    marked = [(place, re.findall(r"packet (\d+) of its flow", text)) for place, text in
              enumerate(_comments(tmp_path / "x.pcapng", "lossy", 7001), 1)]  # fmt: skip
    assert len(marked) == 200 > len(set(got)) == 1
    assert all(number == str(place) for place, numbers in marked for number in numbers)
    assert sum(bool(numbers) for _, numbers in marked) > 50


def test_what_a_queue_drops_later_is_marked(lab: Network, tmp_path: Path) -> None:
    """CoDel and drop-head choose when packets leave."""
    texts = _numbered(150, 400)
    lab.link("rated").set(a_to_b={"queue": "drop-head"})
    with lab.capture(tmp_path / "x.pcapng", "h1.rated"):
        got = _send(lab, "rated", 7000, texts)
    comments = _comments(tmp_path / "x.pcapng", "rated", 7000)
    assert ["dropped by the queue of the link from h1 rated" in comment for comment in comments] == [
        t not in got for t in texts
    ]
    assert 0 < len(got) < 150


def test_links_that_are_changed_meanwhile_are_marked_and_traces_mark_theirs(lab: Network, tmp_path: Path) -> None:
    texts = _numbered(20)
    with lab.capture(tmp_path / "x.pcapng", "h1"):
        assert len(_send(lab, "plain", 7000, texts)) == 20
        lab.link("plain").set(loss="50%", mechanism="relay", seed=5)
        with lab.trace("udp") as trace:
            got = _send(lab, "plain", 7001, texts)
    trace.save(tmp_path / "trace.pcapng")
    assert not any(_comments(tmp_path / "x.pcapng", "plain", 7000))
    lost = [text not in got for text in texts]
    assert 0 < sum(lost) < 20
    assert [c.startswith("lost by the link from h1 plain") for c in _comments(tmp_path / "x.pcapng", "plain", 7001)] == lost
    assert [c.startswith("lost by the link from h1 plain") for c in _comments(tmp_path / "trace.pcapng", "plain", 7001)] == lost


def test_the_shell_shows_it_with_the_packets(lab: Network, capsys: pytest.CaptureFixture[str]) -> None:
    lab.link("plain").set(loss="100%", mechanism="relay")
    Shell(lab).run_line("capture h1.plain icmp --during 'h1 ping -c1 -W0.1 10.3.0.2'")
    assert re.search(
        r"h1.plain out .*echo request.* bytes  lost by the link from h1 plain .*as packet 1", capsys.readouterr().out
    )


def test_what_a_schedule_loses_is_marked_and_named(lab: Network, tmp_path: Path) -> None:
    wire = lab.link("plain")
    wire.set(loss=None, seed=None)
    wire.schedule((0, {"loss": "100%"}))
    with lab.capture(tmp_path / "x.pcapng", "h1"), lab.trace("udp") as trace:
        assert _send(lab, "plain", 7003, _numbered(2)) == []
    wire.stop()
    wire.set(delay="1ms")
    told = "lost by the link from h1 plain to h2 plain, as packet 2 of its flow"
    assert _comments(tmp_path / "x.pcapng", "plain", 7003)[1] == told
    assert told in trace.ladder(everything=True)


def test_a_packets_story_tells_the_time_spent_in_the_link(lab: Network) -> None:
    lab.link("plain").set(loss=None, delay="30ms", mechanism="relay")
    with lab.trace("icmp") as trace:
        lab["h1"].run("ping", "-c1", "10.3.0.2", check=True)
    (spent,) = re.findall(r"link h1 plain . h2 plain   ([\d.]+) ms", trace.story(1))
    assert float(spent) >= 30


def test_where_no_link_is_relayed_nothing_is_held_back_and_nobody_is_asked(lab: Network) -> None:
    asked: list[object] = []
    marked = Marked[int](lab, [("h1", 9999)], asked.append, asked.append, asked.append)  # type: ignore[arg-type]
    found = [1, 2, 3]
    assert marked.pass_on(found) is found
    assert not marked.holds
    assert not asked


def test_what_is_told_of_a_packet_waits_until_the_capture_has_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rings are read block by block: what the relay knows of a packet may come first."""
    now = time.time_ns()
    early, late = (now - 2_000_000, b"early"), (now - 1_000_000, b"late")
    mark = MarkedPacket("h1", "eth0", 2, late[0] + 5_000, "lost", 7, late[1].hex())
    marked: Marked[tuple[int, bytes, str]] = Marked(
        cast("Any", None),
        [],
        lambda one: ("h1", 2, one[1]),
        lambda one: one[0],
        lambda one, texts: (one[0], one[1], texts[0]),
    )
    told = iter([[mark], []])
    monkeypatch.setattr(marked, "_captures_relayed_links", lambda: True)
    monkeypatch.setattr(marked, "_ask", lambda now: (next(told), now))
    assert marked.pass_on([(*early, "")]) == [(*early, "")]
    assert marked.pass_on([(*late, "")], last=True) == [(*late, "lost by the link of h1 eth0, as packet 7 of its flow")]
