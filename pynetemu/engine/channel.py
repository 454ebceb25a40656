"""Messages over a stream socket: each is JSON, with open descriptors beside it (SCM_RIGHTS, unix(7)).

    channel.send({"do": "spawn", "node": "blue", "argv": ["true"]}, [0, 1, 2])
    answer, descriptors = channel.receive()

A frame is the length of the JSON (4 bytes, big endian), the number of descriptors (1 byte), and the JSON. The
descriptors travel with the frame's first byte. Both sides of the boundary between a user's process and an engine use
this, and so do the processes that attach to a running lab.
"""

import json
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

_HEAD = struct.Struct(">IB")
_INT = struct.Struct("=i")
_MOST_DESCRIPTORS = 32  # the kernel's own limit is 253 (SCM_MAX_FD)

Message = dict[str, Any]


class ChannelClosed(ConnectionError):
    """The other side has gone."""


class Channel:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def fileno(self) -> int:
        return self.connection.fileno()

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Sends one message; raises ChannelClosed."""
        body = json.dumps(message, separators=(",", ":")).encode("utf-8", "surrogateescape")
        head = _HEAD.pack(len(body), len(descriptors))
        try:
            if descriptors:
                socket.send_fds(self.connection, [head], list(descriptors))
                self.connection.sendall(body)
            else:
                self.connection.sendall(head + body)
        except OSError as error:
            raise ChannelClosed(str(error)) from error

    def receive(self) -> tuple[Message, list[int]]:
        """Waits for one message; raises ChannelClosed. The caller owns the descriptors."""
        try:
            head, descriptors = self._receive_head()
            try:
                length, _ = _HEAD.unpack(head if len(head) == _HEAD.size else head + self._read(_HEAD.size - len(head)))
                return json.loads(self._read(length)), descriptors
            except ConnectionError:
                close_all(descriptors)
                raise
        except OSError as error:
            raise error if isinstance(error, ChannelClosed) else ChannelClosed(str(error)) from error

    def _receive_head(self) -> tuple[bytes, list[int]]:
        """The first bytes of a frame, with its descriptors: closed on exec, so that no program in a node inherits them.

        socket.recv_fds would leave them open: it drops its flags in Python 3.11.
        """
        space = socket.CMSG_SPACE(_MOST_DESCRIPTORS * _INT.size)
        head, ancillary, _, _ = self.connection.recvmsg(_HEAD.size, space, socket.MSG_CMSG_CLOEXEC)
        descriptors: list[int] = []
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors += (number for (number,) in _INT.iter_unpack(data[: len(data) - len(data) % _INT.size]))
        return head, descriptors

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            part = self.connection.recv(min(size, 1 << 20))
            if not part:
                raise ChannelClosed("the other side has gone")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        self.connection.close()


def close_all(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def peer_user(connection: socket.socket) -> int:
    """The user at the other end, or who listens there, as this user namespace sees them (SO_PEERCRED, unix(7))."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])
