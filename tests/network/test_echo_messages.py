"""What ICMP says about an echo request, as it is read: RFC 792, RFC 4443."""

import errno
import os
import socket
import struct
from typing import Any

import pytest

from pynetemu.measure.echo import EchoSocket, Heard

pytestmark = pytest.mark.pure

_NANOSECONDS = 1_234_567_890


class _Socket:
    """A raw socket that takes what is sent, and has some packets to receive."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Any]] = []
        self.waiting: list[bytes | OSError] = []
        self.options: dict[tuple[int, int], Any] = {}
        self.refuses: OSError | None = None

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        self.options[level, option] = value

    def setblocking(self, blocks: bool) -> None:
        self.blocks = blocks

    def sendto(self, packet: bytes, address: Any) -> None:
        if self.refuses:
            raise self.refuses
        self.sent.append((packet, address))

    def recvmsg(self, size: int, ancillary: int) -> tuple[bytes, list[tuple[int, int, bytes]], int, Any]:
        if not self.waiting:
            raise BlockingIOError
        if isinstance(found := self.waiting.pop(0), OSError):
            raise found
        time = struct.pack("=qq", 1, _NANOSECONDS - 1_000_000_000)
        return found[:size], [(socket.SOL_SOCKET, 35, time)], 0, None


def _echo(version: int) -> tuple[EchoSocket, _Socket]:
    made = _Socket()
    return EchoSocket(made, version), made  # type: ignore[arg-type]


def _sent(echo: EchoSocket, made: _Socket, probe: int = 70_000, round: int = 3) -> bytes:
    assert echo.send("10.0.0.9", probe, round)[1] == ""
    packet, address = made.sent[-1]
    assert address == ("10.0.0.9", 0)
    return packet


def _ip(packet: bytes, options: int = 0) -> bytes:
    return bytes([0x45 + options, *[0] * 19]) + bytes(4 * options) + packet


def _sum(packet: bytes) -> int:
    total = sum(struct.unpack(f">{len(packet) // 2}H", packet))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(total)


@pytest.mark.parametrize(("probe", "round"), [(0, 0), (1, 2), (70_000, 66_000), (0xFFFFFFFF, 0xFFFFFFFF)])
def test_a_request_is_as_of_ping_and_its_checksum_is_right(probe: int, round: int) -> None:
    packet = _sent(*_echo(4), probe, round)
    assert (packet[0], packet[1], len(packet)) == (8, 0, 64)
    assert _sum(packet) == 0xFFFF
    assert struct.unpack(">HII", packet[6:16]) == (round & 0xFFFF, probe, round)
    assert _sent(*_echo(6), probe, round)[0] == 128


@pytest.mark.parametrize("options", [0, 2])
def test_an_answer_is_heard_with_its_time(options: int) -> None:
    echo, made = _echo(4)
    made.waiting = [_ip(b"\0" + _sent(echo, made)[1:], options), OSError(errno.ECONNREFUSED, "refused")]
    made.waiting.append(_ip(b"\0" + _sent(echo, made, 5, 6)[1:]))
    assert echo.receive() == [Heard(70_000, 3, _NANOSECONDS), Heard(5, 6, _NANOSECONDS)]
    echo, made = _echo(6)
    made.waiting = [b"\x81" + _sent(echo, made)[1:]]
    assert echo.receive() == [Heard(70_000, 3, _NANOSECONDS)]


def test_other_peoples_answers_and_short_ones_are_not_heard() -> None:
    echo, made = _echo(6)
    answer = b"\x81" + _sent(echo, made)[1:]
    strange = bytes([answer[4] ^ 1])
    made.waiting = [answer[:4] + strange + answer[5:], answer[:15], answer[:16]]
    assert echo.receive() == [Heard(70_000, 3, _NANOSECONDS)]


@pytest.mark.parametrize(
    ("version", "kind", "code", "reason"),
    [
        (4, 3, 0, "network unreachable"),
        (4, 3, 1, "host unreachable"),
        (4, 3, 9, "forbidden by a filter"),
        (4, 3, 10, "forbidden by a filter"),
        (4, 3, 13, "forbidden by a filter"),
        (4, 3, 2, "unreachable (code 2)"),
        (4, 11, 0, "time to live exceeded"),
        (6, 1, 0, "no route"),
        (6, 1, 1, "forbidden by a filter"),
        (6, 1, 3, "address unreachable"),
        (6, 1, 4, "unreachable (code 4)"),
        (6, 3, 0, "hop limit exceeded"),
    ],
)
def test_why_there_is_no_answer(version: int, kind: int, code: int, reason: str) -> None:
    echo, made = _echo(version)
    inner = _sent(echo, made)
    error = bytes([kind, code, *[0] * 6])
    made.waiting = [_ip(error + _ip(inner, 1)) if version == 4 else error + bytes(40) + inner]
    assert echo.receive() == [Heard(70_000, 3, _NANOSECONDS, reason)]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENETUNREACH, "no route"),
        (errno.EHOSTUNREACH, "host unreachable"),
        (errno.EPERM, "forbidden by a filter"),
        (errno.EACCES, "forbidden by a filter"),
        (errno.ENETDOWN, "the interface is down"),
        (errno.EMSGSIZE, "message too long"),
    ],
)
def test_why_nothing_could_be_sent(number: int, reason: str) -> None:
    echo, made = _echo(4)
    made.refuses = OSError(number, os.strerror(number))
    assert echo.send("10.0.0.9", 1, 1)[1] == reason


def test_the_kernel_keeps_back_what_nobody_asked_for() -> None:
    """Bits of types that are kept back: linux/icmp.h, RFC 3542 section 3.2."""
    _, made = _echo(4)
    kept = int.from_bytes(made.options[255, 1], "little")
    assert [kind for kind in range(32) if not kept >> kind & 1] == [0, 3, 11]
    _, made = _echo(6)
    bits = struct.unpack("=8I", made.options[socket.IPPROTO_ICMPV6, 1])
    assert [kind for kind in range(256) if not bits[kind // 32] >> (kind % 32) & 1] == [1, 3, 129]
    assert made.options[socket.SOL_SOCKET, 35] == 1
    assert made.blocks is False
