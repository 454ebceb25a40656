"""Echo requests and their answers over raw sockets that live in nodes (icmp(7), RFC 792, RFC 4443)."""

import errno
import os
import socket
import struct
import time
from typing import NamedTuple

# Type, code, checksum, identifier, sequence number; then 56 bytes, as ping(8) sends: our own probe and round, and the
# complement of all that differs between packets, so that one checksum is right for all (RFC 1071).
_REQUEST = struct.Struct(">BBHHHIIIIH38x")
_HEAD = struct.Struct(">4xHHII")  # what is read of them: identifier, sequence number, probe, round
_TIME = struct.Struct("=qq")  # struct timespec
_ECHO, _ECHO_6 = 8, 128
_ICMP_FILTER, _ICMPV6_FILTER = 1, 1  # linux/icmp.h, linux/icmpv6.h
_SOL_RAW = 255  # linux/socket.h
_SO_TIMESTAMPNS = 35
_LARGEST = 2048
_REASONS = {
    (4, 3, 0): "network unreachable",
    (4, 3, 1): "host unreachable",
    (4, 3, 9): "forbidden by a filter",
    (4, 3, 10): "forbidden by a filter",
    (4, 3, 13): "forbidden by a filter",
    (4, 11, 0): "time to live exceeded",
    (6, 1, 0): "no route",
    (6, 1, 1): "forbidden by a filter",
    (6, 1, 3): "address unreachable",
    (6, 3, 0): "hop limit exceeded",
}


class Heard(NamedTuple):
    """What has arrived about a probe: its answer, at `time` (nanoseconds since 1970), or why there is none."""

    probe: int
    round: int
    time: int
    error: str = ""


class EchoSocket:
    """Sends echo requests from a node, and hears what becomes of them. `probe` and `round` are numbers of the caller's."""

    def __init__(self, made: socket.socket, version: int) -> None:
        """Of a raw socket that lives in the node, for ICMP or ICMPv6 by the version of IP; `close` closes that too."""
        self.version = version
        self._socket = made
        self._kind = _ECHO if version == 4 else _ECHO_6
        self._identifier = int.from_bytes(os.urandom(2), "big")
        # The kernel computes that of ICMPv6 (raw(7), RFC 3542 section 3.1).
        self._checksum = _checksum((self._kind << 8) + self._identifier) if version == 4 else 0
        if version == 4:
            passed = 1 << 0 | 1 << 3 | 1 << 11  # answers, destination unreachable, time exceeded
            self._socket.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", ~passed & 0xFFFFFFFF))
        else:
            self._socket.setsockopt(socket.IPPROTO_ICMPV6, _ICMPV6_FILTER, _icmpv6_filter(129, 1, 3))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, address: str, probe: int, round: int) -> tuple[int, str]:
        """Sends one request; gives back the time, and why it could not be sent ("" when it was)."""
        sequence = round & 0xFFFF
        inverse = probe ^ 0xFFFFFFFF, round ^ 0xFFFFFFFF, sequence ^ 0xFFFF
        packet = _REQUEST.pack(self._kind, 0, self._checksum, self._identifier, sequence, probe, round, *inverse)
        now = time.time_ns()
        try:
            self._socket.sendto(packet, (address, 0))
        except OSError as error:
            return now, _why(error)
        return now, ""

    def receive(self) -> list[Heard]:
        """What has arrived so far; never waits."""
        heard: list[Heard] = []
        while True:
            try:
                data, ancillary, _, _ = self._socket.recvmsg(_LARGEST, 64)
            except BlockingIOError:
                return heard
            except OSError:  # an error of an earlier packet, which is told by its own message
                continue
            if found := self._read(data, _arrival(ancillary)):
                heard.append(found)

    def _read(self, data: bytes, arrival: int) -> Heard | None:
        if self.version == 4:
            data = data[(data[0] & 15) * 4 :]
        kind, code = data[0], data[1]
        if kind in (0, 129):
            return self._mine(data, arrival, "")
        inner = data[8:]  # the packet that is complained about
        header = (inner[0] & 15) * 4 if self.version == 4 and inner else 40
        reason = _REASONS.get((self.version, kind, code), f"unreachable (code {code})")
        return self._mine(inner[header:], arrival, reason)

    def _mine(self, message: bytes, arrival: int, error: str) -> Heard | None:
        if len(message) < _HEAD.size:
            return None
        identifier, _, probe, round = _HEAD.unpack_from(message)
        return Heard(probe, round, arrival, error) if identifier == self._identifier else None

    def close(self) -> None:
        self._socket.close()


def _arrival(ancillary: list[tuple[int, int, bytes]]) -> int:
    """When the kernel saw the packet: SO_TIMESTAMPNS, all that comes beside one (socket(7))."""
    if not ancillary:
        return time.time_ns()
    seconds, nanoseconds = _TIME.unpack_from(ancillary[0][2])
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def _checksum(total: int) -> int:
    """That of words with this sum (RFC 1071)."""
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def _icmpv6_filter(*passed: int) -> bytes:
    """struct icmp6_filter: a bit for each type that is kept back (RFC 3542 section 3.2)."""
    bits = bytearray(b"\xff" * 32)
    for kind in passed:
        word, bit = divmod(kind, 32)
        value = struct.unpack_from("=I", bits, word * 4)[0] & ~(1 << bit)
        struct.pack_into("=I", bits, word * 4, value)
    return bytes(bits)


def _why(error: OSError) -> str:
    match error.errno:
        case errno.ENETUNREACH:
            return "no route"
        case errno.EHOSTUNREACH:
            return "host unreachable"
        case errno.EPERM | errno.EACCES:
            return "forbidden by a filter"
        case errno.ENETDOWN:
            return "the interface is down"
    return (error.strerror or str(error)).lower()
