"""The fate of a packet: a function of the seed and of its place in its flow, with the statistics that were asked."""

import struct
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import pytest

from pynetemu.plan.problems import Wrong
from pynetemu.plan.shaping.impairment import Loss, read_impairment
from pynetemu.plan.shaping.journals import HEADER, read_fates
from pynetemu.relay.direction import Direction
from pynetemu.relay.fates import LOST, Fates, Flow, chance, loser
from pynetemu.relay.frames import VNET, flow_of, lasting, marked, tagged, with_checksum
from pynetemu.relay.journal import Journal

pytestmark = pytest.mark.pure


def _udp(source: int, destination: int, payload: bytes = b"x" * 20, tos: int = 0) -> bytes:
    """A frame from 10.0.0.1 to 10.0.0.2 as a packet socket gives it, its checksum left out."""
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, tos, 28 + len(payload), 7, 0, 64, 17, 0, b"\n\0\0\1", b"\n\0\0\2")
    ip = ip[:10] + struct.pack(">H", _sum(ip)) + ip[12:]
    pseudo = sum(struct.unpack(">4H", ip[12:])) + 17 + 8 + len(payload)
    udp = struct.pack(">HHHH", source, destination, 8 + len(payload), (pseudo & 0xFFFF) + (pseudo >> 16))
    header = struct.pack("=BBHHHH", 1, 0, 0, 0, 34, 6)
    return header + b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + ip + udp + payload


def _sum(data: bytes) -> int:
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def test_fates_are_the_flows_own_whatever_else_is_sent() -> None:
    alone, beside = Fates(7, "h1:eth0/a_to_b"), Fates(7, "h1:eth0/a_to_b")
    quiet = [alone.next(_udp(5000, 9))[1:] for _ in range(100)]
    busy = []
    for number in range(100):
        for port in range(number % 5):
            beside.next(_udp(6000 + port, 9))
        busy.append(beside.next(_udp(5000, 9))[1:])
    assert quiet == busy
    assert Fates(8, "h1:eth0/a_to_b").next(_udp(5000, 9))[2] != quiet[0][1]
    assert Fates(7, "h1:eth0/b_to_a").next(_udp(5000, 9))[2] != quiet[0][1]


def test_ports_that_the_kernel_chose_are_known_by_their_order() -> None:
    first, second = Fates(7, "l"), Fates(7, "l")
    for one, other in ((40001, 55555), (40002, 33333), (50000, 50001)):
        assert first.next(_udp(one, 80))[2] == second.next(_udp(other, 80))[2]
    assert lasting(flow_of(_udp(5000, 9))) is None
    assert lasting(flow_of(_udp(40001, 80))) == lasting(flow_of(_udp(40002, 80))) != lasting(flow_of(_udp(40001, 81)))


def test_a_seed_means_the_same_in_every_version() -> None:
    """Or what somebody has found with one could not be found again."""
    fates = Fates(7, "h1:eth0/a_to_b")
    drawn = [fates.next(_udp(5000, 9))[2][LOST] for _ in range(18)]
    assert [drawn[number] for number in (0, 15, 16, 17)] == [1298938672, 2071514328, 4290192190, 1997426889]
    assert [fates.next(_udp(port, 80))[2] for port in (40001, 40002)] == [
        (2691079872, 1552555445, 1079860701, 2452336417, 872647257, 915842491, 2270532058),
        (1796854831, 3888032943, 540561605, 1844744724, 2942563343, 3915581654, 585589904),
    ]


def _losses(loss: Loss, count: int = 40_000) -> list[bool]:
    lost, fates, flow = loser(loss, apart=True), Fates(3, "l"), Flow(b"")
    assert lost
    frame = _udp(5000, 9)
    return [lost(flow, fates.next(frame)[2]) for _ in range(count)]


def test_losses_have_the_shares_and_the_bursts_that_were_asked() -> None:
    percent = Fraction(1, 100)
    lost = _losses(Loss("random", (10 * percent,)))
    assert abs(sum(lost) - 4000) < 4 * (40_000 * 0.1 * 0.9) ** 0.5
    bursts = _losses(Loss("gilbert_elliott", (2 * percent, 25 * percent, 100 * percent, 0 * percent)))
    assert sum(bursts) / 40_000 == pytest.approx(2 / 27, rel=0.15)
    lengths = [len(list(run)) for is_lost, run in groupby(bursts) if is_lost]
    assert sum(lengths) / len(lengths) == pytest.approx(4, rel=0.15)
    states = _losses(Loss("four_state", (5 * percent, 95 * percent, 0 * percent, 100 * percent, 1 * percent)))
    assert sum(states) / 40_000 == pytest.approx(0.062, rel=0.15)  # p13/p31 of the time lost in bursts, and p14 alone
    assert loser(Loss(), apart=False) is None
    assert chance(Fraction(1)) == 2**32


def test_frames_get_their_checksum_their_tag_and_their_mark() -> None:
    frame = _udp(5000, 9)
    whole = with_checksum(frame)
    assert whole[:VNET] == bytes(VNET)
    segment = whole[VNET + 34 :]
    assert _sum(whole[VNET + 26 : VNET + 34] + struct.pack(">HH", 17, len(segment)) + segment) in (0, 0xFFFF)
    with_tag = tagged(frame, 0x8100, 10)
    assert with_tag[6:8] == struct.pack("=H", 38)
    assert flow_of(with_tag) == flow_of(frame)
    assert with_checksum(with_tag)[VNET + 18 :] == whole[VNET + 14 :]
    assert marked(frame) is None
    changed = marked(_udp(5000, 9, tos=2))
    assert changed is not None
    assert changed[VNET + 15] & 3 == 3
    assert _sum(changed[VNET + 14 : VNET + 34]) == 0


def _direction(seed: int, **settings: str) -> Direction:
    made = Direction("l/a_to_b", seed, apart=True)
    made.configure(read_impairment(settings))
    return made


def _passed(direction: Direction, count: int) -> list[bytes]:
    """The frames that leave of so many, of two flows in turn."""
    for number in range(count):
        direction.arrive(number * 1e-3, _udp(5000 + number % 2, 9, struct.pack(">I", number)))
    return [frame for _, frame in sorted([*direction.line, *direction.ahead])]


_ALL = {"delay": "20ms", "jitter": "3ms", "loss": "10%", "duplicate": "10%", "corrupt": "10%", "reorder": "10%"}


def test_a_checksum_that_would_be_nothing_is_all_ones() -> None:
    """As of UDP, whose zero means that there is none (RFC 768)."""
    at = VNET + 14 + 20 + 6
    plain = with_checksum(_udp(5000, 9, bytes(2)))[at : at + 2]
    assert plain not in (bytes(2), b"\xff\xff")
    assert with_checksum(_udp(5000, 9, plain))[at : at + 2] == b"\xff\xff"


def test_a_journal_lets_packets_meet_the_same_fates_with_another_seed_and_without_settings(tmp_path: Path) -> None:
    first = _direction(1, **_ALL)
    first.write_journal(Journal(str(tmp_path / "fates"), 1000))
    frames = _passed(first, 1000)
    first.write_journal(None)
    assert first.counters.lost > 50
    text = (tmp_path / "fates").read_text()
    for seed, settings in (
        (2, _ALL),
        (3, {"delay": "20ms", "jitter": "3ms"}),
        (4, {**_ALL, "loss": "gilbert_elliott 50% 10%"}),
    ):
        again = _direction(seed, **settings)
        again.follow(text)
        assert _passed(again, 1000) == frames
        assert (again.counters.lost, again.counters.corrupted) == (first.counters.lost, first.counters.corrupted)
    beyond = _direction(5, loss="50%")
    beyond.follow(text)
    _passed(beyond, 2000)
    assert 400 < beyond.counters.lost - first.counters.lost < 600
    beyond.follow("")
    assert beyond.counters.lost
    plain = _direction(6)
    plain.follow(text)
    plain.follow("")
    assert plain.plain


def test_a_journal_is_bounded_also_when_it_is_written_again(tmp_path: Path) -> None:
    file = tmp_path / "fates"
    for _ in range(2):
        direction = _direction(1, loss="10%")
        direction.write_journal(Journal(str(file), 150))
        _passed(direction, 100)
        direction.write_journal(None)
    lines = file.read_text().splitlines()
    assert [line.startswith("#") for line in lines] == [True, *[False] * 100, True, *[False] * 50]


@pytest.mark.parametrize("line", ["zz 1 lost", "00 x lost", "00 1", "00 1 gone", "00 1 12345678 thrice", "00 1 1234"])
def test_a_wrong_line_of_a_journal_is_told(line: str) -> None:
    with pytest.raises(Wrong, match=r"line 2 is"):
        list(read_fates(f"{HEADER}\n{line}\n"))
