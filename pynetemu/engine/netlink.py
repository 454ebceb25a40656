"""Bulk rtnetlink (rtnetlink(7)): many messages in one send, one acknowledgement, errors mapped back to their operation.

Messages are packed by hand, since a large lab has tens of thousands, and importing pyroute2 takes longer than making a
small lab; `engine.queries` has what its classes are used for.
"""

import errno
import socket
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any

from pynetemu.engine.messages import framing
from pynetemu.engine.messages.framing import ACK, CREATE, ERROR, EXCLUSIVE, REQUEST, Message, Refusal, messages, pack
from pynetemu.engine.messages.tables import (
    ADDRESS_BODY,
    LINK_BODY,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_NEWLINK,
    AddressMessage,
    LinkMessage,
)
from pynetemu.plan.operations.operation import Effect

NEW = REQUEST | CREATE | EXCLUSIVE
_SOL_NETLINK, _NETLINK_CAP_ACK, _NETLINK_EXT_ACK = 270, 10, 11
_RTMGRP_LINK = 1
_RTMGRP_IPV6_IFADDR = 0x100
_OPERSTATE_UP, _FORWARDING = 6, 3  # IF_OPER_UP, BR_STATE_FORWARDING
_CHUNK = 64 * 1024  # bytes in one send; a socket's send buffer holds 212,992 by default (net.core.wmem_default)
_HEADER = 16  # bytes of struct nlmsghdr
_ASKED_AT_ONCE = 16  # up to 8 kB of buffer for each answer (a link's), of the 212,992 bytes that a socket has by default
_INET6 = ADDRESS_BODY.pack(socket.AF_INET6, 0, 0, 0, 0)
_RT_SCOPE_LINK, _IFA_F_TENTATIVE = 253, 0x40

_Queued = tuple[Effect | None, int, int, bytes]  # for whom, type, flags, body
Encoder = Any  # one of pyroute2's message classes, which are untyped


class Refused(Exception):
    """The kernel refused an operation: `errno`, and `reason`, its text (extended acknowledgement) or errno's.

    `body` is that of the message, for an operation that needs several.
    """

    def __init__(self, operation: Effect | None, errno: int, reason: str, body: bytes = b"") -> None:
        self.operation, self.errno, self.reason, self.body = operation, errno, reason, body
        super().__init__(reason)


class Netlink:
    """A route socket of the network namespace in which it was made; it stays there for ever."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_CAP_ACK, 1)
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_EXT_ACK, 1)
        self._queue: list[_Queued] = []

    def queue(self, operation: Effect | None, kind: int, flags: int, message: Encoder) -> None:
        """A request that is done with others at the next `flush`, as one of pyroute2's messages."""
        self.queue_bytes(operation, kind, flags, _encoded(message))

    def queue_bytes(self, operation: Effect | None, kind: int, flags: int, body: bytes) -> None:
        """As `queue`, for a message whose body is encoded already."""
        self._queue.append((operation, kind, flags, body))

    def flush(self, tolerated: Collection[int] = ()) -> None:
        """Sends all that is queued; the kernel has done it when this returns. Raises Refused for the first refusal.

        Refusals with a tolerated errno are passed over.
        """
        queue, self._queue = self._queue, []
        start = 0
        while start < len(queue):
            end, size = start, 0
            while end < len(queue) and (size == 0 or size + len(queue[end][3]) + _HEADER <= _CHUNK):
                size += len(queue[end][3]) + _HEADER
                end += 1
            refused = next((one for one in self._send(queue[start:end]) if one.errno not in tolerated), None)
            if refused:
                raise refused
            start = end

    def forget_queue(self) -> None:
        """Sends nothing of what is queued."""
        self._queue.clear()

    def _send(self, chunk: list[_Queued]) -> list[Refused]:
        """Sends messages in one call, and gives back those that the kernel refuses."""
        last = len(chunk) - 1
        data = bytearray()
        for number, (_, kind, flags, body) in enumerate(chunk):
            data += pack(kind, flags | (ACK if number == last else 0), number, body)
        self._socket.send(data)
        refusals: list[Refused] = []
        for message in self._replies():
            if message.type != ERROR:
                continue
            if (refusal := framing.refusal(message)) is not None:
                operation, _, _, body = chunk[message.sequence]
                refusals.append(Refused(operation, refusal.code, refusal.reason, body))
            if message.sequence == last:
                break
        return refusals

    def _replies(self) -> Iterator[Message]:
        """Each message that arrives."""
        while True:
            yield from self._receive()

    def _receive(self) -> Iterator[Message]:
        return messages(self._socket.recv(1 << 17))

    def dump(self, kind: int, message: Encoder) -> list[Encoder]:
        """All links, addresses or routes of the namespace, decoded by pyroute2."""
        from pynetemu.engine.messages.encoders import decoded

        return [decoded(type(message), reply) for reply in self._dump(kind, _encoded(message))]

    def dump_bytes(self, kind: int, body: bytes) -> Iterator[bytes]:
        """All links, addresses or whatever `kind` asks for, for who takes them apart by hand. Raises Refused."""
        return (reply.body for reply in self._dump(kind, body))

    def dump_whole(self, kind: int, body: bytes) -> bytes:
        """The same as the kernel sent it, headers and all. Raises Refused."""
        try:
            return framing.dump_whole(self._socket, kind, body)
        except Refusal as refusal:
            raise Refused(None, refusal.code, refusal.reason) from None

    def ask(self, kind: int, body: bytes) -> list[Message]:
        """A question whose answer is one message, or few. Raises Refused."""
        try:
            return framing.ask(self._socket, kind, body)
        except Refusal as refusal:
            raise Refused(None, refusal.code, refusal.reason) from None

    def _dump(self, kind: int, body: bytes) -> list[Message]:
        try:
            return framing.dump(self._socket, kind, body)
        except Refusal as refusal:
            raise Refused(None, refusal.code, refusal.reason) from None

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
                waiting -= {index for body in self.dump_bytes(RTM_GETADDR, _INET6) for index in _link_local(body)}
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
        bodies = [LINK_BODY.pack(0, 0, index, 0, 0) for index in indexes]
        return {up for body in self.ask_each(RTM_GETLINK, bodies) if body for up in _up(body)}

    def ask_each(self, kind: int, bodies: Sequence[bytes]) -> Iterator[bytes]:
        """Asks for single things; gives back the answers in the same order, an empty one for what the kernel has not."""
        for start in range(0, len(bodies), _ASKED_AT_ONCE):
            asked = bodies[start : start + _ASKED_AT_ONCE]
            self._socket.send(b"".join(pack(kind, REQUEST, number, body) for number, body in enumerate(asked, 1)))
            answers = 0
            for message in self._replies():
                if message.sequence == 0:  # an event, which the socket hears besides
                    continue
                yield message.body if message.type != ERROR else b""
                answers += 1
                if answers == len(asked):
                    break

    def _await_changes(self, waiting: set[int]) -> None:
        """Removes links from `waiting` as they come up; returns early when events came too fast and were lost."""
        try:
            while waiting:
                for message in self._receive():
                    if message.type == RTM_NEWLINK:
                        waiting -= _up(message.body)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise

    def close(self) -> None:
        self._socket.close()


def _encoded(message: Encoder) -> bytes:
    message.encode()
    (encoded,) = messages(bytes(message.data))
    return encoded.body


def _up(body: bytes) -> set[int]:
    """The link's index if it is operationally up and, as a bridge's port, forwards; from the body of RTM_NEWLINK."""
    link = LinkMessage(body)
    return {link.index} if link.operational_state == _OPERSTATE_UP and link.port_state in (None, _FORWARDING) else set()


def _link_local(body: bytes) -> set[int]:
    """The link of an address from the body of RTM_NEWADDR, if it is link-local and in use."""
    address = AddressMessage(body)
    return {address.index} if address.scope == _RT_SCOPE_LINK and not address.flags & _IFA_F_TENTATIVE else set()
