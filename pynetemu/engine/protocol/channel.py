"""Messages over a socket of packets: each is JSON, with open descriptors beside it (SCM_RIGHTS, unix(7)), and bytes behind it.

    channel.send({"do": "Signal", "fields": {"pid": 7, "signal": 15}})
    answer, descriptors = channel.receive()

A packet (SOCK_SEQPACKET) is a byte that says whether it begins or ends a message, and a part of it; most messages are
one packet. Where a message has bytes, they come behind its JSON and a zero byte, and the JSON has {"bytes": [from, length]}.
The descriptors travel with the first packet. A packet is sent and taken whole or not at all, so an exception that
a signal's handler raises in the midst leaves both sides in step. Both sides of the boundary between a user's process and
an engine use this, and so do the processes that attach to a running lab.
"""

import errno
import gc
import json
import os
import select
import socket
import struct
from array import array
from collections.abc import Sequence
from typing import Any

_FIRST, _LAST = 1, 2
PART = 1 << 16  # bytes of a message in one packet, of the 212,992 that wait at most (net.core.wmem_default)
_INT = struct.Struct("=i")
MOST_DESCRIPTORS = 32  # the kernel's own limit is 253 (SCM_MAX_FD)
_BYTES_OF_A_VALUE = 15  # of JSON, on average: 15.6 in the change of a large lab, the densest of all messages

Message = dict[str, Any]


class ChannelClosed(ConnectionError):
    """The other side has gone."""


class DescriptorsLost(OSError):
    """A message has come without all of its descriptors, since this process may have no more open files (unix(7)).

    `message` is what came.
    """

    def __init__(self, message: Message) -> None:
        super().__init__(errno.EMFILE, "Too many open files: raise the limit with `ulimit -n`")
        self.message = message


class TooLong(ValueError):
    """More has come of a message than may be."""


class Behind:
    """The bytes of a message, which come behind its JSON."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def text(self, data: Any) -> str:
        """Something as JSON; what is bytes in it is kept, and stands there by its place."""
        return json.dumps(data, separators=(",", ":"), default=self._put)

    def body(self, text: str) -> bytes:
        """All of a message as it is sent, with the JSON of it."""
        return b"".join((text.encode("utf-8", "surrogateescape"), b"\0" if self._parts else b"", *self._parts))

    def _put(self, value: object) -> dict[str, list[int]]:
        if not isinstance(value, bytes):
            raise TypeError(f"a message has no {type(value).__name__}")
        place = self._size
        self._parts.append(value)
        self._size += len(value)
        return {"bytes": [place, len(value)]}


def read_body(body: bytearray) -> Any:
    """What `Behind.body` has written; raises ValueError."""
    text, has_bytes, behind = body.partition(b"\0")

    def put_back(found: dict[str, Any]) -> Any:
        span = found.get("bytes")
        if type(span) is list and len(found) == 1 and len(span) == 2:
            place, length = span
            if type(place) is type(length) is int and 0 <= place <= place + length <= len(behind):
                return bytes(behind[place : place + length])
        return found

    looks_for_garbage = gc.isenabled()
    gc.disable()  # there is none in what is read, and looking for it takes three times as long as reading
    try:
        return json.loads(text, object_hook=put_back) if has_bytes else json.loads(text)
    finally:
        if looks_for_garbage:
            gc.enable()


def _has_more_values(body: bytearray, most: int) -> bool:
    """Whether there are more values in a message's JSON: what reading it takes, which its length does not tell."""
    text, _, _ = body.partition(b"\0")
    if _marks(text) <= most:
        return False
    text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return text.count(b'"') > most or _marks(b"".join(text.split(b'"')[::2])) > most  # those in a few long strings are none


def _marks(text: bytes | bytearray) -> int:
    return sum(text.count(mark) for mark in (b",", b"[", b"{"))


class Assembly:
    """A message as its packets come; those of `longest` bytes and more are refused, where that is not 0."""

    def __init__(self, longest: int = 0) -> None:
        self._longest = longest
        self._descriptors: list[int] = []
        self._has_all = True
        self._body = bytearray()

    def __len__(self) -> int:
        """How many bytes have come of one that is not complete."""
        return len(self._body)

    def receive(self, connection: socket.socket) -> tuple[Message, list[int]] | None:
        """Takes one packet; gives the message and its descriptors when that was the last one.

        Raises ChannelClosed, DescriptorsLost, TooLong, other ValueErrors for what is not a message, BlockingIOError.
        """
        flags, part, came, has_all = _receive_packet(connection)
        if flags & _FIRST:
            close_all(self._descriptors)
            self._body, self._descriptors, self._has_all = bytearray(part), came, has_all
        else:
            close_all(came)
            if not self._body:
                return None  # the rest of a message of which somebody was interrupted
            self._body += part
        if 0 < self._longest <= len(self._body):
            self.close()
            raise TooLong(f"a request of more than {self._longest >> 20} MiB")
        if not flags & _LAST:
            return None
        if self._longest and _has_more_values(self._body, self._longest // _BYTES_OF_A_VALUE):
            self.close()
            raise TooLong(f"a request of more than {self._longest // _BYTES_OF_A_VALUE:,} values")
        return self._complete()

    def _complete(self) -> tuple[Message, list[int]]:
        body, descriptors = self._body, self._descriptors
        self._body, self._descriptors = bytearray(), []
        try:
            message = read_body(body)
            if not isinstance(message, dict):
                raise ValueError("a message is a JSON object")
            if not self._has_all:
                raise DescriptorsLost(message)
        except BaseException:
            close_all(descriptors)
            raise
        return message, descriptors

    def close(self) -> None:
        close_all(self._descriptors)
        self._body, self._descriptors = bytearray(), []


class Channel:
    """Waits: for whoever has one other side and nothing else to do meanwhile."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def fileno(self) -> int:
        return self.connection.fileno()

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Sends one message; raises ChannelClosed, and OSError, having sent nothing, for a descriptor that is none."""
        behind = Behind()
        body = behind.body(behind.text(message))
        try:
            for start in range(0, len(body), PART):
                send_packet(self.connection, body, start, descriptors)
        except OSError as error:
            if not isinstance(error, ConnectionError | TimeoutError) and self.fileno() >= 0:
                raise
            raise ChannelClosed(str(error)) from error

    def has_more(self) -> bool:
        """Whether something has come, or the other side has gone."""
        waiting = select.poll()
        waiting.register(self.connection, select.POLLIN)
        return bool(waiting.poll(0))

    def receive(self) -> tuple[Message, list[int]]:
        """Waits for one message; raises ChannelClosed, DescriptorsLost, ValueError. The caller owns the descriptors."""
        assembly = Assembly()
        try:
            while (message := assembly.receive(self.connection)) is None:
                pass
        except DescriptorsLost:
            raise
        except OSError as error:
            assembly.close()
            raise error if isinstance(error, ChannelClosed) else ChannelClosed(str(error)) from error
        return message

    def close(self) -> None:
        self.connection.close()


def send_packet(connection: socket.socket, body: bytes, start: int, descriptors: Sequence[int]) -> None:
    """Sends the part of a message's body that begins there, as one packet; the first one has the descriptors."""
    flags = (_FIRST if start == 0 else 0) | (_LAST if start + PART >= len(body) else 0)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", descriptors))] if descriptors and start == 0 else []
    connection.sendmsg([bytes([flags]), body[start : start + PART]], rights)


def _receive_packet(connection: socket.socket) -> tuple[int, bytes, list[int], bool]:
    """Flags, data, and the descriptors: closed on exec, so that no program in a node inherits them; whether those are all.

    socket.recv_fds would leave them open: it drops its flags in Python 3.11.
    """
    wanted = PART + 1, socket.CMSG_SPACE(MOST_DESCRIPTORS * _INT.size), socket.MSG_CMSG_CLOEXEC
    try:
        packet, ancillary, marks, _ = connection.recvmsg(*wanted)
    except ConnectionResetError:  # is told once, before what the other side had to say (net/core/datagram.c)
        packet, ancillary, marks, _ = connection.recvmsg(*wanted)
    descriptors: list[int] = []
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors += (number for (number,) in _INT.iter_unpack(data[: len(data) - len(data) % _INT.size]))
    if not packet:
        close_all(descriptors)
        raise ChannelClosed("the other side has gone")
    return packet[0], packet[1:], descriptors, not marks & socket.MSG_CTRUNC


def close_all(descriptors: Sequence[int]) -> None:
    """Closes descriptors that came with a message, or were sent with one."""
    for descriptor in descriptors:
        os.close(descriptor)


def peer_user(connection: socket.socket) -> int:
    """The user at the other end, or who listens there, as this user namespace sees them (SO_PEERCRED, unix(7))."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])
