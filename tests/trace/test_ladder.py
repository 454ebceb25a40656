"""How packets are drawn: within the width, folded where a way has too many nodes, in ASCII, in colors."""

from itertools import pairwise
from types import SimpleNamespace
from typing import cast

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from pynetemu import Host, Link, Router, Switch, Topology
from pynetemu.plan.compile import compile_plan
from pynetemu.trace.evidence.meanwhile import Change
from pynetemu.trace.journeys.join import join
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event, Kind
from pynetemu.trace.verdicts.verdict import Ending, Fate, Reason
from pynetemu.trace.views.columns import Row
from pynetemu.trace.views.ladder import Ladder
from pynetemu.trace.views.style import ASCII, Style

pytestmark = pytest.mark.pure


class Chain(Topology):
    """h1, as many routers, h2."""

    def build(self, n: int = 3) -> None:
        last: Host = self.add("h1", Host())
        for number in range(1, n + 1):
            router = self.add(f"r{number}", Router())
            self.add(Link(last, router))
            last = router
        self.add(Link(last, self.add("h2", Host())))


def _rows(n: int, reason: Reason | None = None) -> tuple[list[Row], Wiring]:
    """A ping through the chain, at last delivered, or dropped for a reason."""
    wiring = Wiring(compile_plan(Chain(n=n)))
    events = []
    nodes = ["h1", *(f"r{number}" for number in range(1, n + 1)), "h2"]
    source, target = wiring.prefixes["h1"][0].ip, wiring.prefixes["h2"][0].ip
    for step, (near, far) in enumerate(pairwise(nodes)):
        (out, into) = next((a, b) for a, b in wiring.peers.items() if (a[0], b[0]) == (near, far))
        packet = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
        data = bytes(packet / IP(src=str(source), dst=str(target), id=7, ttl=64 - step) / ICMP(seq=1))
        seen: list[tuple[str, str, Kind]] = [(*out, "out"), (*into, "in")]
        events += [Event(step * 2000 + later, *place, data, len(data)) for later, place in enumerate(seen)]
    (journey,) = join(events, wiring)
    ending = Ending(journey.leaves[0], "dropped" if reason else "delivered", reason)
    return [(journey, [ending])], wiring


def _drawn(n: int, style: Style, reason: Reason | None = None) -> list[str]:
    rows, wiring = _rows(n, reason)
    return list(Ladder(rows, wiring, style).lines())


def test_a_way_and_a_reason() -> None:
    assert _drawn(1, Style(), Reason("nft", "dropped by a rule", ("tcp drop",))) == [
        "   ms    h1        r1        h2",
        "   0.000 ●━━━━━━━━━○━━━━━━━━━✗    1 ICMP echo request seq 1  h1 → h2   ttl 64→63",
        "                             └ dropped by a rule",
        "                                 tcp drop",
    ]


def test_ascii_has_no_other_characters() -> None:
    drawn = "\n".join(_drawn(2, Style(signs=ASCII), Reason("nft", "dropped → there", ("and …",))))
    assert drawn.isascii()
    assert "o---------o---------o---------X    1 ICMP echo request seq 1  h1 -> h2" in drawn


@pytest.mark.parametrize("width", [40, 60, 80, 100, 132, 200])
@pytest.mark.parametrize("n", [1, 5, 12, 40])
def test_nothing_is_wider_than_the_terminal(n: int, width: int) -> None:
    reason = Reason("nft", "dropped by a rule with a long name, in a long chain, of a long table", ("details " * 12,))
    drawn = _drawn(n, Style(width=width), reason)
    assert [line for line in drawn if len(line) > width] == []
    assert all(f"r{number}" in "\n".join(drawn) for number in range(1, n + 1))


def test_colors_are_for_those_who_want_them() -> None:
    plain, painted = _drawn(1, Style()), _drawn(1, Style(color=True), Reason("nft", "dropped"))
    assert not any("\x1b" in line for line in plain)
    assert "\x1b[1;31m✗\x1b[0m" in painted[1]


class Lan(Topology):
    s1 = Switch()
    h1, h2, h3, long = Host(), Host(), Host(), Host()
    wires = Link(h1, s1), Link(h2, s1), Link(h3, s1), Link(long, s1)

    def build(self) -> None:
        for number in range(7):
            self.add(Link(self.add(f"k{number}", Host()), self.s1))


def _seen(wiring: Wiring, packet: Packet, at: int, *ways: str) -> list[Event]:
    """What is seen of a packet that takes some ways, from so many nanoseconds on."""
    frame = bytes(Ether(src="02:00:00:00:00:01", dst="ff:ff:ff:ff:ff:ff") / packet)
    events: dict[tuple[str, str], Event] = {}
    for way in ways:
        for step, (near, far) in enumerate(pairwise(way.split())):
            out, into = next((a, b) for a, b in wiring.peers.items() if (a[0], b[0]) == (near, far))
            time = at + step * 2000 + len(events)
            events.setdefault(out, Event(time, *out, "out", frame, len(frame)))
            events.setdefault(into, Event(time + 1, *into, "in", frame, len(frame)))
    return list(events.values())


def test_ways_that_part_cross_and_come_back() -> None:
    wiring = Wiring(compile_plan(Lan()))
    one, far, three = (str(wiring.prefixes[node][0].ip) for node in ("h1", "long", "h3"))
    copies = [f"s1 {name}" for name in wiring.prefixes if name.startswith("k")]
    events = [
        *_seen(wiring, IP(src=one, dst=far, id=7) / ICMP(seq=1), 0, "h1 s1 long", "s1 h2", "s1 h3", *copies),
        *_seen(wiring, IP(src=far, dst=one, id=8) / ICMP(type=0, seq=1), 20_000, "long s1 h1"),
        *_seen(wiring, IP(src=three, dst=one, id=9) / ICMP(seq=2), 40_000, "h3 s1 h1"),
        *_seen(wiring, IP(src=one, dst=far, id=10) / ICMP(seq=3), 60_000, "h1 s1 h2"),
    ]
    fates: dict[str, Fate] = {"h2": "dropped", "h3": "waiting", "long": "delivered", "h1": "delivered"}
    rows = []
    for journey in join(sorted(events, key=lambda event: event.time), wiring):
        nodes = [(leaf, leaf.event.node) for leaf in journey.leaves]
        refused = Reason("nft", "dropped by a rule", ("tcp drop",))
        rows.append((journey, [Ending(leaf, fates.get(n, "ignored"), refused if n == "h2" else None) for leaf, n in nodes]))
    changes = [
        SimpleNamespace(time=time, text=text)
        for time, text in ((30_000, ", ".join(["h3 is down"] * 12)), (10**6, "h3 eth0 is up"))
    ]
    drawn = list(Ladder(rows, wiring, Style(width=126), cast("list[Change]", changes)).lines())
    assert drawn == _PARTED.strip("\n").split("\n")
    painted = list(Ladder(rows, wiring, Style(color=True), cast("list[Change]", changes)).lines())
    assert painted[0].startswith("\x1b[1m   ms ") and painted[5].startswith("\x1b[1m   0.030 ! h3 is down")
    assert "\x1b[36m◀\x1b[0m" in painted[4] and painted[6].count("\x1b[2m·\x1b[0m") == 1
    assert next(Ladder(rows, wiring, Style(width=70)).lines()) == "   ms    h1  s1  h2  h3  lo…"


_PARTED = """
   ms    h1        s1        h2        h3        long
   0.000 ●━━━━━━━━━○━━━━━━━━━✗━━━━━━━━━?━━━━━━━━━▶    1 ICMP echo request seq 1  h1 → long   also → k0, k1, k2, k3 and 3 more
                             └ dropped by a rule
                                 tcp drop
   0.020 ◀━━━━━━━━━○━━━━━━━━━┿━━━━━━━━━┿━━━━━━━━━●    2 ICMP echo reply seq 1  long → h1
   0.030 ! h3 is down, h3 is down, h3 is down, h3 is down, h3 is down, h3 is down, h3 is down, h3 is down, h3 is down, h3 is
           down, h3 is down, h3 is down
   0.040 ◀━━━━━━━━━○━━━━━━━━━┿━━━━━━━━━●         ·    3 ICMP echo request seq 2  h3 → h1
   0.060 ●━━━━━━━━━○━━━━━━━━━✗         ·         ·    4 ICMP echo request seq 3  h1 → long
                             └ as packet 1
   1.000 ! h3 eth0 is up
"""
