"""Sightings joined into journeys: by content and by the kernel's buffers, through routers, translation and floods."""

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from pynetemu.plan.compile import compile_plan
from pynetemu.trace.journeys.join import join
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event, Kind
from tests.trace.scenarios import Crossing

pytestmark = pytest.mark.pure

_WIRING = Wiring(compile_plan(Crossing()))
_WAY = [
    ("blue", "eth0", "out"),
    ("sw1", "blue", "in"),
    ("sw1", "r1", "out"),
    ("r1", "eth0", "in"),
    ("r1", "eth1", "out"),
    ("sw2", "r1", "in"),
    ("sw2", "root", "out"),
    ("root", "eth0", "in"),
]
_PATH = ("blue", "sw1", "r1", "sw2", "root")


def _event(time: int, place: tuple[str, str, Kind], packet: Packet, buffer: int = 0) -> Event:
    data = bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet)
    return Event(time, *place, data, len(data), buffer, buffer and buffer + 1)


def _ping(number: int = 1, ttl: int = 64, src: str = "10.0.1.2") -> Packet:
    return IP(src=src, dst="10.0.2.2", id=number, ttl=ttl) / ICMP(seq=number) / Raw(b"x" * 20)


def _crossing(packets: list[Packet], start: int = 0, buffer: int = 0) -> list[Event]:
    """One packet's sightings, as it is on each link: `packets` before and behind the router."""
    return [
        _event(start + step * 1000, place, packets[0] if step < 4 else packets[1], buffer)  # type: ignore[arg-type]
        for step, place in enumerate(_WAY)
    ]


def _paths(journeys: list[Journey]) -> list[tuple[str, ...]]:
    return [journey.path for journey in journeys]


@pytest.mark.parametrize("buffer", [0, 0xFFFF888000001000])
@pytest.mark.parametrize("source", ["10.0.1.2", "10.0.2.1"], ids=["routed", "translated"])
def test_a_packet_is_one_journey(buffer: int, source: str) -> None:
    events = _crossing([_ping(), _ping(ttl=63, src=source)], buffer=buffer)
    (journey,) = join(events, _WIRING)
    assert journey.path == _PATH
    assert [hop.node for hop in journey.hops] == list(_PATH)
    assert journey.links_crossed == 4
    assert journey.hops[2].arrived
    assert [left.event.interface for left in journey.hops[2].left] == ["eth1"]


def test_many_at_once_are_kept_apart() -> None:
    events = [event for number in range(40) for event in _crossing([_ping(number), _ping(number, ttl=63)], start=number * 700)]
    journeys = join(sorted(events, key=lambda event: event.time), _WIRING)
    assert _paths(journeys) == [_PATH] * 40
    assert all(len({sighting.event.data[18:20] for sighting in journey.sightings}) == 1 for journey in journeys)


def test_the_same_sent_twice_is_two_journeys() -> None:
    arp = ARP(op=1, psrc="10.0.1.2", pdst="10.0.1.1")
    events = [_event(time + step, place, arp) for time in (0, 10**9) for step, place in enumerate(_WAY[:4])]  # type: ignore[arg-type]
    journeys = join(events, _WIRING)
    assert _paths(journeys) == [("blue", "sw1", "r1")] * 2
    assert [journey.again for journey in journeys] == [False, True]


def test_segments_that_are_sent_again() -> None:
    def segment(number: int, flags: str, data: bytes = b"", seq: int = 5) -> Packet:
        head = IP(src="10.0.1.2", dst="10.0.2.2", id=number) / TCP(sport=7, dport=80, seq=seq, flags=flags)
        return head / Raw(data) if data else head

    sent = [
        segment(1, "S"),
        segment(2, "S"),
        segment(3, "A"),
        segment(4, "A"),
        segment(5, "PA", b"hello"),
        segment(6, "A", b"hello"),
    ]
    events = [_event(number, ("blue", "eth0", "out"), packet) for number, packet in enumerate(sent)]
    assert [journey.again for journey in join(events, _WIRING)] == [False, True, False, False, False, True]


def test_a_flood_is_one_journey_with_several_ends() -> None:
    arp = ARP(op=1, psrc="10.0.1.2", pdst="10.0.1.1")
    places: list[tuple[str, str, Kind]] = [
        ("blue", "eth0", "out"),
        ("sw1", "blue", "in"),
        ("sw1", "red", "out"),
        ("sw1", "r1", "out"),
        ("sw1", "br0", "in"),
        ("red", "eth0", "in"),
        ("r1", "eth0", "in"),
    ]
    (journey,) = join([_event(step, place, arp) for step, place in enumerate(places)], _WIRING)
    assert {leaf.event.node for leaf in journey.leaves} == {"sw1", "red", "r1"}
    assert journey.links_crossed == 3


def test_a_copy_that_is_sent_when_the_first_was_read_already_is_the_same_packet() -> None:
    """A switch floods copies (other buffers, the same data) one by one; the kernel may be done with all before by then."""
    arp = ARP(op=1, psrc="10.0.1.2", pdst="10.0.1.1")
    first = [_event(step, place, arp, 4096) for step, place in enumerate(_WAY[:4])]  # type: ignore[arg-type]
    end = first[-1]._replace(kind="end", time=10)
    places: list[tuple[str, str, Kind]] = [("sw1", "red", "out"), ("red", "eth0", "in")]
    copy = [_event(20 + step, place, arp, 8192)._replace(head=4097) for step, place in enumerate(places)]
    (journey,) = join([*first, end, *copy], _WIRING)
    assert {leaf.event.node for leaf in journey.leaves} == {"red", "r1"}


def test_a_loop_is_one_journey_that_comes_back() -> None:
    first = [_event(step, place, _ping(ttl=64)) for step, place in enumerate(_WAY[:4])]  # type: ignore[arg-type]
    back: list[tuple[str, str, Kind]] = [
        ("r1", "eth0", "out"),
        ("sw1", "r1", "in"),
        ("sw1", "red", "out"),
        ("red", "eth0", "in"),
        ("red", "eth0", "out"),
        ("sw1", "red", "in"),
        ("sw1", "r1", "out"),
        ("r1", "eth0", "in"),
    ]
    events = [*first, *(_event(10 + step, place, _ping(ttl=63 if step < 4 else 62)) for step, place in enumerate(back))]
    (journey,) = join(events, _WIRING)
    assert [hop.node for hop in journey.hops] == ["blue", "sw1", "r1", "sw1", "red", "sw1", "r1"]


def test_an_echoed_payload_is_an_answer_not_a_hop() -> None:
    """A datagram with the number 0 that is sent back unchanged differs from one passed on by its addresses only."""
    there = IP(src="10.0.1.2", dst="10.0.1.1", id=0) / UDP(sport=7000, dport=7) / Raw(b"echo")
    back = IP(src="10.0.1.1", dst="10.0.1.2", id=0) / UDP(sport=7, dport=7000) / Raw(b"echo")
    events = [
        *[_event(step, place, there) for step, place in enumerate(_WAY[:4])],  # type: ignore[arg-type]
        _event(10, ("r1", "eth0", "out"), back),
    ]
    assert _paths(join(events, _WIRING)) == [("blue", "sw1", "r1"), ("r1",)]


def test_a_buffers_address_used_again_is_another_packet() -> None:
    events = [*_crossing([_ping(1), _ping(1, ttl=63)], buffer=4096), *_crossing([_ping(2), _ping(2, ttl=63)], 10**6, 4096)]
    assert _paths(join(events, _WIRING)) == [_PATH] * 2


def test_a_buffer_that_was_made_anew_on_a_link_is_the_same_packet() -> None:
    events = [event._replace(buffer=event.buffer + 64 * (step > 4), head=event.head + 64 * (step > 4))
              for step, event in enumerate(_crossing([_ping(), _ping(ttl=63)], buffer=4096))]  # fmt: skip
    assert _paths(join(events, _WIRING)) == [_PATH]


def test_a_drop_belongs_to_the_packet() -> None:
    events = _crossing([_ping(), _ping(ttl=63)], buffer=4096)[:4]
    dropped = events[-1]._replace(kind="drop", time=9000, reason="NETFILTER_DROP")
    (journey,) = join([*events, dropped], _WIRING)
    assert [hop.dropped is not None for hop in journey.hops] == [False, False, True]
