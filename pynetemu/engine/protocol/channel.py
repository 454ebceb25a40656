"""Messages over a socket of packets: each is JSON, with open descriptors beside it (SCM_RIGHTS, unix(7)).

    channel.send({"do": "Signal", "fields": {"pid": 7, "signal": 15}})
    answer, descriptors = channel.receive()

A packet (SOCK_SEQPACKET) is a byte that says whether it begins or ends a message, and a part of the JSON; most messages are
one packet. The descriptors travel with the first. A packet is sent and taken whole or not at all, so an exception that
a signal's handler raises in the midst leaves both sides in step. Both sides of the boundary between a user's process and
an engine use this, and so do the processes that attach to a running lab.
"""

import errno
import json
import os
import socket
import struct
from array import array
from collections.abc import Sequence
from typing import Any

_FIRST, _LAST = 1, 2
_PART = 1 << 16  # bytes of a message in one packet, of the 212,992 that wait at most (net.core.wmem_default)
_INT = struct.Struct("=i")
_MOST_DESCRIPTORS = 32  # the kernel's own limit is 253 (SCM_MAX_FD)

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


class Channel:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def fileno(self) -> int:
        return self.connection.fileno()

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Sends one message; raises ChannelClosed, and OSError, having sent nothing, for a descriptor that is none."""
        body = json.dumps(message, separators=(",", ":")).encode("utf-8", "surrogateescape")
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", descriptors))] if descriptors else []
        try:
            for start in range(0, len(body), _PART):
                flags = (_FIRST if start == 0 else 0) | (_LAST if start + _PART >= len(body) else 0)
                self.connection.sendmsg([bytes([flags]), body[start : start + _PART]], [] if start else rights)
        except OSError as error:
            if not isinstance(error, ConnectionError | TimeoutError) and self.fileno() >= 0:
                raise
            raise ChannelClosed(str(error)) from error

    def receive(self) -> tuple[Message, list[int]]:
        """Waits for one message; raises ChannelClosed, DescriptorsLost, ValueError. The caller owns the descriptors."""
        descriptors: list[int] = []
        body, flags, is_complete = bytearray(), 0, True
        try:
            while not flags & _LAST:
                flags, part, came, has_all = self._receive_packet()
                if flags & _FIRST:
                    close_all(descriptors)
                    body, descriptors, is_complete = bytearray(part), came, has_all
                elif body:
                    body += part
                else:
                    flags = 0  # the rest of a message of which somebody was interrupted
        except OSError as error:
            close_all(descriptors)
            raise error if isinstance(error, ChannelClosed) else ChannelClosed(str(error)) from error
        try:
            message = json.loads(body)
            if not isinstance(message, dict):
                raise ValueError("a message is a JSON object")
        except BaseException:
            close_all(descriptors)
            raise
        if not is_complete:
            close_all(descriptors)
            raise DescriptorsLost(message)
        return message, descriptors

    def _receive_packet(self) -> tuple[int, bytes, list[int], bool]:
        """Flags, data, and the descriptors: closed on exec, so that no program in a node inherits them; whether those are all.

        socket.recv_fds would leave them open: it drops its flags in Python 3.11.
        """
        wanted = _PART + 1, socket.CMSG_SPACE(_MOST_DESCRIPTORS * _INT.size), socket.MSG_CMSG_CLOEXEC
        try:
            packet, ancillary, marks, _ = self.connection.recvmsg(*wanted)
        except ConnectionResetError:  # is told once, before what the other side had to say (net/core/datagram.c)
            packet, ancillary, marks, _ = self.connection.recvmsg(*wanted)
        if not packet:
            raise ChannelClosed("the other side has gone")
        descriptors: list[int] = []
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors += (number for (number,) in _INT.iter_unpack(data[: len(data) - len(data) % _INT.size]))
        return packet[0], packet[1:], descriptors, not marks & socket.MSG_CTRUNC

    def close(self) -> None:
        self.connection.close()


def close_all(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def peer_user(connection: socket.socket) -> int:
    """The user at the other end, or who listens there, as this user namespace sees them (SO_PEERCRED, unix(7))."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])
