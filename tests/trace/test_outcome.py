"""What a trace comes to: which of several reasons is told first, and what became of the lines that ran."""

from types import SimpleNamespace
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from pynetemu.trace.verdicts import outcome
from pynetemu.trace.verdicts.verdict import Reason

pytestmark = pytest.mark.pure

_ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
_PING = IP(src="10.1.0.1", dst="10.2.0.2") / ICMP()
_QUESTION = ARP(psrc="10.1.0.1", pdst="10.1.0.254")


def _journey(packet: Packet = _PING, node: str = "h1", time: int = 0, path: tuple[str, ...] = ("h1", "r1")) -> Any:
    event = SimpleNamespace(node=node, data=bytes(_ETHER / packet), time=time)
    return SimpleNamespace(first=event, time=time, sightings=[SimpleNamespace(event=event)], path=path, leaves=[])


def _bad(kind: str, packet: Packet = _PING) -> Any:
    return _journey(packet), SimpleNamespace(reason=Reason(kind, ""), fate="dropped")


@pytest.mark.parametrize(
    ("bad", "problems", "is_answered", "told"),
    [
        ([], [], False, None),
        ([_bad("ttl"), _bad("route")], [], False, "ttl"),
        ([_bad("vanished"), _bad("route")], [], False, "route"),  # a known reason before one that names no cause
        ([_bad("lost"), _bad("unanswered")], [], False, "lost"),
        ([_bad("kernel"), _bad("mtu")], [], False, "mtu"),
        ([_bad("route")], ["duplicate"], False, "duplicate"),  # it explains the rest
        ([_bad("route")], ["link"], False, "route"),
        ([_bad("unanswered")], ["link"], False, "link"),
        ([], ["link", "duplicate"], False, "duplicate"),
        ([_bad("arp", _QUESTION), _bad("route")], [], False, "route"),  # after what wanted it
        ([_bad("arp", _QUESTION), _bad("unanswered")], [], False, "unanswered"),
        ([_bad("arp", _QUESTION)], [], False, "arp"),
        ([_bad("arp")], [], False, "arp"),
        ([_bad("arp", _QUESTION)], [], True, "arp"),
        ([_bad("arp", _QUESTION), _bad("vanished")], [], True, "vanished"),
    ],
)
def test_which_reason_is_told(bad: list[Any], problems: list[str], is_answered: bool, told: str | None) -> None:
    found = outcome._cause(bad, [Reason(kind, "") for kind in problems], is_answered=is_answered)
    assert (found.kind if found else None) == told


def _line(
    *statuses: int | None, nodes: tuple[str, ...] = ("h1",), journeys: tuple[Any, ...] = (), probing: bool = False
) -> Any:
    lines = [SimpleNamespace(node=node, status=status, is_probing=probing) for node, status in zip(nodes * 9, statuses)]  # noqa: B905
    wiring = SimpleNamespace(peers={})
    trace: Any = SimpleNamespace(lines=lines, journeys=journeys, wiring=wiring, endings=lambda journey: journey.endings)
    return outcome._Line(trace)


@pytest.mark.parametrize(
    ("statuses", "status", "succeeded"),
    [((), None, False), ((0,), 0, True), ((0, 2, 1), 2, False), ((0, 0), 0, True), ((0, None), None, False), ((7,), 7, False)],
)
def test_the_worst_status_of_the_lines_is_theirs(statuses: tuple[int | None, ...], status: int | None, succeeded: bool) -> None:
    line = _line(*statuses)
    assert (line.status, line.succeeded) == (status, succeeded)


def test_packets_of_the_line_are_those_of_its_node_and_what_they_caused() -> None:
    own = _journey()
    line = _line(0, journeys=(own,))
    assert own in line and line.has_sent(own)
    answer = _journey(IP(src="10.2.0.2", dst="10.1.0.1") / ICMP(type=0), "h2")
    assert answer in line and not line.has_sent(answer)
    assert _journey(IP(src="10.1.0.1", dst="10.2.0.2") / ICMP(), "r1") in line
    assert _journey(IP(src="10.3.0.3", dst="10.2.0.2") / ICMP(), "h3") not in line
    assert _journey(ARP(psrc="10.2.0.254", pdst="10.2.0.2"), "r1") in line  # asked for on behalf of the ping
    assert _journey(ARP(psrc="10.2.0.254", pdst="10.2.0.3"), "r1") not in line
    quoting = IP(src="10.9.0.9", dst="10.8.0.8") / ICMP(type=3, code=1) / IP(src="10.8.0.8", dst="10.7.0.7") / UDP()
    assert _journey(quoting, "r1", path=("r1", "h1")) in line
    assert _journey(quoting, "r1", path=("r1", "h3")) not in line


def test_without_a_line_all_packets_count() -> None:
    for line in _line(), _line(0, nodes=("",)):
        stranger = _journey(node="h9")
        assert stranger in line and line.has_sent(stranger)


def _datagram(time: int, port: int = 53, host: str = "10.2.0.2", node: str = "h1") -> Any:
    return _journey(IP(src="10.1.0.1", dst=host) / UDP(sport=40_000 + time, dport=port) / Raw(b"x"), node, time)


_LOST = SimpleNamespace(reason=Reason("route", ""), fate="dropped")


def _answer(time: int, to: Any) -> Any:
    ip = IP(to.first.data[14:])
    return _journey(IP(src=ip.dst, dst=ip.src) / UDP(sport=ip.dport, dport=ip.sport) / Raw(b"y"), "h2", time)


def test_another_try_that_was_answered_heals_the_first() -> None:
    first, second = _datagram(1), _datagram(2, host="10.2.0.3")
    healed = (first, second, _answer(3, second))
    assert _line(0, journeys=healed).is_healed(first, _LOST)
    assert not _line(1, journeys=healed).is_healed(first, _LOST)  # the line did not succeed
    assert not _line(0, journeys=healed[:2]).is_healed(first, _LOST)  # not answered
    assert not _line(0, journeys=(first, second, _answer(2, second))).is_healed(first, _LOST)  # before it was sent
    other = _datagram(2, port=54)
    assert not _line(0, journeys=(first, other, _answer(3, other))).is_healed(first, _LOST)  # another service
    others = _datagram(2, node="h3")
    assert not _line(0, journeys=(first, others, _answer(3, others))).is_healed(first, _LOST)  # another node's
    assert not _line(0, journeys=(second, _answer(3, second))).is_healed(second, _LOST)  # nothing came later
    assert _line(0, journeys=(first,), probing=True).is_healed(first, _LOST)
    assert not _line(2, journeys=(first,), probing=True).is_healed(first, _LOST)


def test_what_was_answered_must_have_arrived() -> None:
    first = _datagram(1)
    vague, sure = (SimpleNamespace(reason=Reason(kind, "")) for kind in ("vanished", "route"))
    answered = (first, _answer(2, first))
    assert _line(0, journeys=answered).was_received(first, vague)
    assert not _line(0, journeys=answered).was_received(first, sure)
    assert not _line(0, journeys=answered).was_received(first, SimpleNamespace(reason=None))
    assert not _line(1, journeys=answered).was_received(first, vague)
    assert not _line(0, journeys=(first,)).was_received(first, vague)
    assert not _line(0, journeys=(first, _answer(1, first))).was_received(first, vague)  # not later
    tunnel = _journey(IP(src="10.1.0.1", dst="10.2.0.2") / IP(src="10.8.0.1", dst="10.8.0.2") / ICMP())
    assert _line(0, journeys=(tunnel,)).was_received(tunnel, vague)


def _segment(time: int, flags: str, sport: int, dport: int = 80) -> Any:
    ends = ("10.1.0.1", "10.2.0.2") if dport == 80 else ("10.2.0.2", "10.1.0.1")
    path = ("h1", "h2") if dport == 80 else ("h2", "h1")
    packet = IP(src=ends[0], dst=ends[1]) / TCP(sport=sport, dport=dport, flags=flags)
    return SimpleNamespace(**vars(_journey(packet, path[0], time, path)), endings=[])


@pytest.mark.parametrize(("kind", "is_healed"), [("port", True), ("refused", True), ("route", False), ("nft", False)])
def test_a_service_that_took_later_connections_had_not_begun_only_where_nobody_listened(kind: str, is_healed: bool) -> None:
    first, second, taken = _segment(1, "S", 4001), _segment(2, "S", 4002), _segment(3, "SA", 80, 4002)
    ending: Any = SimpleNamespace(reason=Reason(kind, ""), fate="dropped")
    assert _line(0, journeys=(first, second, taken)).is_healed(first, ending) is is_healed
    later = _segment(4, "S", 4003)
    assert not _line(0, journeys=(first, second, taken, later)).is_healed(later, ending)


@pytest.mark.parametrize(
    ("flags", "data", "kind", "is_received"),
    [
        *(("FA", b"", "lost", True), ("A", b"", "lost", True), ("S", b"", "lost", False)),
        *(("PA", b"x", "lost", False), ("FA", b"", "vanished", False), ("FA", b"", "route", False)),
    ],
)
def test_the_end_of_a_connection_kept_no_line_from_its_own(flags: str, data: bytes, kind: str, is_received: bool) -> None:
    segment = _journey(IP(src="10.1.0.1", dst="10.2.0.2") / TCP(sport=40_000, dport=80, flags=flags) / Raw(data))
    lost = SimpleNamespace(reason=Reason(kind, ""), fate="dropped")
    assert _line(0, journeys=(segment,)).was_received(segment, lost) is is_received
    assert not _line(1, journeys=(segment,)).was_received(segment, lost)
