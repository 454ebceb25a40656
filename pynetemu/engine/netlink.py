"""Bulk rtnetlink (rtnetlink(7)): many messages in one send, one acknowledgement, errors mapped back to their operation.

Messages are packed by hand, since a large lab has tens of thousands, and importing pyroute2 takes longer than making a
small lab; `engine.queries` has what its classes are used for.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pynetemu.plan.operations import Operation

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_GETADDR, RTM_NEWROUTE, RTM_GETROUTE = 20, 22, 24, 26
REQUEST = 0x1
NEW = 0x601  # NLM_F_REQUEST, and NLM_F_CREATE | NLM_F_EXCL besides
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_ACK, _DUMP = 0x4, 0x300
_SOL_NETLINK, _NETLINK_CAP_ACK, _NETLINK_EXT_ACK = 270, 10, 11
_RTMGRP_LINK = 1
_RTMGRP_IPV6_IFADDR = 0x100
_IFLA_OPERSTATE, _OPERSTATE_UP = 16, 6
_IFLA_LINKINFO, _INFO_SLAVE_KIND, _INFO_SLAVE_DATA, _IFLA_BRPORT_STATE, _FORWARDING = 18, 4, 5, 1, 3
_CHUNK = 64 * 1024  # bytes in one send; a socket's send buffer holds 212,992 by default (net.core.wmem_default)
_LINKS_AT_ONCE = 16  # up to 8 kB of buffer for each answer, of the 212,992 bytes that a socket has by default

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence number, port
_ADDRESS_BODY = struct.Struct("=BBBBI")  # struct ifaddrmsg: family, prefix length, flags, scope, index
_INET6 = _ADDRESS_BODY.pack(socket.AF_INET6, 0, 0, 0, 0)
_RT_SCOPE_LINK, _IFA_F_TENTATIVE = 253, 0x40
_ATTRIBUTE = struct.Struct("=HH")  # struct rtattr: length, type
LINK_BODY = struct.Struct("=BxHiII")  # struct ifinfomsg: family, type, index, flags, change

Message = Any  # one of pyroute2's message classes, which are untyped


class Refused(Exception):
    """The kernel refused an operation: `errno`, and `reason`, its own words (extended acknowledgement) or errno's."""

    def __init__(self, operation: Operation | None, errno: int, reason: str) -> None:
        self.operation, self.errno, self.reason = operation, errno, reason
        super().__init__(reason)


class Netlink:
    """A route socket of the network namespace in which it was made; it stays there for ever."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_CAP_ACK, 1)
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_EXT_ACK, 1)
        self._queue: list[tuple[Operation | None, bytes]] = []
        self._sent = 0

    def queue(self, operation: Operation | None, kind: int, flags: int, message: Message) -> None:
        header = message["header"]
        header["type"], header["flags"] = kind, flags
        message.encode()
        self._queue.append((operation, bytes(message.data)))

    def queue_bytes(self, operation: Operation | None, kind: int, flags: int, body: bytes) -> None:
        """As `queue`, for a message whose body is encoded already."""
        self._queue.append((operation, _HEADER.pack(_HEADER.size + len(body), kind, flags, 0, 0) + body))

    def flush(self) -> None:
        """Sends all that is queued; the kernel has done it when this returns. Raises Refused for the first refusal."""
        queue, self._queue = self._queue, []
        start = 0
        while start < len(queue):
            end, size = start, 0
            while end < len(queue) and (size == 0 or size + len(queue[end][1]) <= _CHUNK):
                size += len(queue[end][1])
                end += 1
            self._send(queue[start:end])
            start = end

    def _send(self, chunk: list[tuple[Operation | None, bytes]]) -> None:
        data = bytearray()
        for number, (_, message) in enumerate(chunk):
            length, kind, flags, _, _ = _HEADER.unpack_from(message)
            last = _ACK if number == len(chunk) - 1 else 0
            data += _HEADER.pack(length, kind, flags | last, number, 0) + message[_HEADER.size :]
        self._socket.send(data)
        refusals: list[Refused] = []
        for kind, number, body in self._replies():
            if kind == _NLMSG_ERROR:
                code = -struct.unpack_from("=i", body)[0]
                if code:
                    refusals.append(Refused(chunk[number][0], code, _reason(body) or os.strerror(code)))
                if number == len(chunk) - 1:
                    break
        if refusals:
            raise refusals[0]

    def _replies(self) -> Iterator[tuple[int, int, bytes]]:
        """Yields (type, sequence number, body) of each message that arrives."""
        while True:
            yield from self._receive()

    def _receive(self) -> Iterator[tuple[int, int, bytes]]:
        data = self._socket.recv(1 << 17)
        offset = 0
        while offset < len(data):
            length, kind, _, number, _ = _HEADER.unpack_from(data, offset)
            yield kind, number, data[offset + _HEADER.size : offset + length]
            offset += (length + 3) & ~3

    def dump(self, kind: int, message: Message) -> list[Message]:
        """All links, addresses or routes of the namespace, decoded by pyroute2."""
        found = []
        for reply, body in self._dump(kind, message):
            decoded = type(message)(_HEADER.pack(_HEADER.size + len(body), reply, 0, 0, 0) + body)
            decoded.decode()
            found.append(decoded)
        return found

    def _dump(self, kind: int, message: Message) -> Iterator[tuple[int, bytes]]:
        header = message["header"]
        header["type"], header["flags"] = kind, REQUEST | _DUMP
        message.encode()
        return self.dump_bytes(kind, bytes(message.data[_HEADER.size :]))

    def dump_bytes(self, kind: int, body: bytes) -> Iterator[tuple[int, bytes]]:
        """All links, addresses or whatever `kind` asks for, as (type, body) for who takes them apart by hand."""
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, REQUEST | _DUMP, 0, 0) + body)
        for reply, _, found in self._replies():
            if reply == _NLMSG_DONE:
                return
            if reply == _NLMSG_ERROR:
                code = -struct.unpack_from("=i", found)[0]
                raise Refused(None, code, os.strerror(code))
            yield reply, found

    def watch_links(self) -> None:
        """From now on every change of a link or an IPv6 address arrives here too; see `wait_until_up`.

        By bind(2), which gives the socket a port: one without, whose port is 0, is passed over by messages that exclude
        port 0, which is meant to be nobody (do_one_broadcast in net/netlink/af_netlink.c).
        """
        self._socket.bind((0, _RTMGRP_LINK | _RTMGRP_IPV6_IFADDR))

    def wait_until_up(self, indexes: set[int], changes: "Netlink", seconds: float) -> set[int]:
        """Waits until these links are up and their bridges forward through them; gives back those left without more changes.

        `changes` is another socket of this namespace, which watches links.

        A bridge forwards through a port only from then on: br_port_carrier_check in net/bridge/br_if.c runs from
        net/core/link_watch.c, which takes a hundred links a second when many come up at once. Since Linux 6.8 asking for
        a single link makes it catch up (linkwatch_sync_dev in rtnl_getlink); on an older kernel the events are waited for.
        """
        waiting = set(indexes)
        changes._socket.settimeout(seconds)
        with suppress(TimeoutError):
            while waiting:
                waiting -= self.ask_which_are_up(sorted(waiting))
                changes._await_changes(waiting)
        return waiting

    def wait_until_link_local(self, indexes: set[int], changes: "Netlink", seconds: float) -> set[int]:
        """Waits until these links have a link-local address that is not in duplicate detection, as `wait_until_up` does."""
        waiting = set(indexes)
        changes._socket.settimeout(seconds)
        with suppress(TimeoutError):
            while waiting:
                waiting -= {index for _, body in self.dump_bytes(RTM_GETADDR, _INET6) for index in _link_local(body)}
                if waiting:
                    changes._receive_any()
        return waiting

    def _receive_any(self) -> None:
        """Waits for messages, and throws them away."""
        try:
            self._socket.recv(1 << 17)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise

    def ask_which_are_up(self, indexes: list[int]) -> set[int]:
        """One by one, which makes the kernel catch up with its links' carriers: see `wait_until_up`."""
        found: set[int] = set()
        for start in range(0, len(indexes), _LINKS_AT_ONCE):
            asked = indexes[start : start + _LINKS_AT_ONCE]
            length = _HEADER.size + LINK_BODY.size
            head = _HEADER.pack(length, RTM_GETLINK, REQUEST, 1, 0)
            self._socket.send(b"".join(head + LINK_BODY.pack(0, 0, index, 0, 0) for index in asked))
            answers = 0
            for kind, number, body in self._replies():
                if kind == RTM_NEWLINK:
                    found |= _up(body)
                answers += number == 1
                if answers == len(asked):
                    break
        return found

    def _await_changes(self, waiting: set[int]) -> None:
        """Removes links from `waiting` as they come up; returns early when events came too fast and were lost."""
        try:
            while waiting:
                for kind, _, body in self._receive():
                    if kind == RTM_NEWLINK:
                        waiting -= _up(body)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise

    def close(self) -> None:
        self._socket.close()


def attribute(kind: int, value: bytes) -> bytes:
    """An attribute of netlink(7), struct rtattr, padded to 4 bytes."""
    return _ATTRIBUTE.pack(4 + len(value), kind) + value + bytes(-len(value) % 4)


def _up(body: bytes) -> set[int]:
    """The link's index if it is operationally up and, as a bridge's port, forwards; from the body of RTM_NEWLINK."""
    index = LINK_BODY.unpack_from(body)[2]
    state = port = None
    for kind, value in attributes(body, LINK_BODY.size):
        if kind == _IFLA_OPERSTATE:
            state = value[0]
        elif kind == _IFLA_LINKINFO:
            port = _port_state(value)
    return {index} if state == _OPERSTATE_UP and port in (None, _FORWARDING) else set()


def _link_local(body: bytes) -> set[int]:
    """The link of an address from the body of RTM_NEWADDR, if it is link-local and in use."""
    _, _, flags, scope, index = _ADDRESS_BODY.unpack_from(body)
    return {index} if scope == _RT_SCOPE_LINK and not flags & _IFA_F_TENTATIVE else set()


def _port_state(info: bytes) -> int | None:
    """The state of a bridge's port from IFLA_LINKINFO, None of what is none."""
    parts = dict(attributes(info, 0))
    if parts.get(_INFO_SLAVE_KIND) != b"bridge\0":
        return None
    return next((value[0] for kind, value in attributes(parts[_INFO_SLAVE_DATA], 0) if kind == _IFLA_BRPORT_STATE), None)


def attributes(body: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    """The attributes of a message, by hand: decoding a whole link with pyroute2 takes longer than making one."""
    while offset + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, offset)
        if length < 4:
            return
        yield kind, body[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def _reason(body: bytes) -> str:
    """The kernel's message in an error: after its code and the capped copy of the request, attribute 1."""
    return next((value.rstrip(b"\0").decode() for kind, value in attributes(body, 4 + _HEADER.size) if kind == 1), "")
