"""Those who ask an engine, seen from there: what one sends, half sends or does not read keeps no other waiting.

What has come of a request and what has not gone of an answer is kept for each client; so is whether it reads at all.
"""

import fcntl
import json
import select
import socket
import sys
import termios
import time
from collections.abc import Iterator
from typing import Any

from pynetemu.engine.protocol.channel import (
    PART,
    Assembly,
    Behind,
    ChannelClosed,
    Message,
    close_all,
    send_packet,
)

_PACKETS_AT_ONCE = 16  # taken of one client before others are looked at
_MOST_UNREAD = 8  # answers; who asks on without having read that many will read none of them
_ITEMS_AT_ONCE = 256  # of a list that are written as JSON at once
_FEW = 16  # items of a list or an object, all of which are written at once


class Client:
    """One end of a channel. It has at most one request at a time: the next is read when the answer has been sent."""

    def __init__(self, connection: socket.socket, longest: int = 0) -> None:
        connection.setblocking(False)
        self.connection = connection
        self.last_progress = time.monotonic()
        self._incoming = Assembly(longest)
        self._answer = b""
        self._sent = 0
        self._gift: list[int] = []  # the answer's descriptors, until its first packet has been sent
        self._unread = 0
        self.events = 0  # that are waited for at it
        self._end = select.poll()
        self._end.register(connection, 0)  # POLLHUP is told without being asked for (poll(2))

    def fileno(self) -> int:
        return self.connection.fileno()

    @property
    def bytes_waiting(self) -> int:
        """What is kept for it."""
        return len(self._incoming) + len(self._answer)

    def receive(self) -> tuple[Message, list[int]] | None:
        """The next request and its descriptors, None while it is not complete.

        Raises ChannelClosed, also for one who reads no answers, DescriptorsLost, ValueError.
        """
        for _ in range(_PACKETS_AT_ONCE):
            try:
                message = self._incoming.receive(self.connection)
                self.last_progress = time.monotonic()
            except BlockingIOError:
                return None
            except ConnectionError as error:
                raise ChannelClosed(str(error)) from error
            if message is not None:
                self._require_reading(message[1])
                return message
        return None

    def _require_reading(self, descriptors: list[int]) -> None:
        """For unix sockets TIOCOUTQ is what the other side has not read yet (SIOCOUTQ, unix(7))."""
        unread = int.from_bytes(fcntl.ioctl(self.connection, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        self._unread = self._unread + 1 if unread else 0
        if self._unread > _MOST_UNREAD:
            close_all(descriptors)
            raise ChannelClosed("it reads no answers")

    def has_gone(self) -> bool:
        """Whether the other end is closed, though something that it has sent may still be there."""
        return bool(self._end.poll(0))

    def send(self, body: bytes, gift: list[int]) -> None:
        """Takes an answer, and closes its descriptors when they have gone; `flush` sends it."""
        self._answer, self._sent, self._gift = body, 0, gift
        self.last_progress = time.monotonic()

    def flush(self) -> bool:
        """Sends what can be sent now; whether that was the rest. Raises ChannelClosed."""
        try:
            while self._sent < len(self._answer):
                send_packet(self.connection, self._answer, self._sent, self._gift)
                self._sent += PART
                self._drop_gift()
                self.last_progress = time.monotonic()
        except BlockingIOError:
            return False
        except OSError as error:  # it has gone; or too many descriptors are on their way, which it does not take
            raise ChannelClosed(str(error)) from error
        self._answer = b""
        return True

    def _drop_gift(self) -> None:
        close_all(self._gift)
        self._gift = []

    def close(self) -> None:
        self._drop_gift()
        self._incoming.close()
        self.connection.close()
        self._answer = b""


def written(message: Message, behind: Behind) -> Iterator[str]:
    """A message as JSON, in pieces that each take a short time to make."""
    return iter([behind.text(message)]) if _is_short(message) else _pieces(message, 3, behind)


def _is_short(data: Any) -> bool:
    values = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return len(values) <= _FEW and all(map(_is_short, values))


def _pieces(data: Any, depth: int, behind: Behind) -> Iterator[str]:
    if depth and isinstance(data, dict) and any(isinstance(value, dict | list) for value in data.values()):
        before = "{"
        for key, value in data.items():
            yield f"{before}{json.dumps(key)}:"
            yield from _pieces(value, depth - 1, behind)
            before = ","
        yield "}"
    elif depth and isinstance(data, list) and len(data) > _ITEMS_AT_ONCE:
        before = "["
        for start in range(0, len(data), _ITEMS_AT_ONCE):
            yield before + behind.text(data[start : start + _ITEMS_AT_ONCE])[1:-1]
            before = ","
        yield "]"
    else:
        yield behind.text(data)
