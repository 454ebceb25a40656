"""How packets are drawn: within the width, folded where a way has too many nodes, in ASCII, in colors."""

from itertools import pairwise

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether

from pynetemu import Host, Link, Router, Topology
from pynetemu.plan.compile import compile_plan
from pynetemu.trace.journeys.join import join
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event, Kind
from pynetemu.trace.verdicts.verdict import Ending, Reason
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
