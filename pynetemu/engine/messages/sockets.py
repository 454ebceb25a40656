"""What sock_diag(7) tells of sockets that wait for anybody: TCP that listens, UDP without a peer."""

import socket
import struct
import sys
from typing import NamedTuple

from pynetemu.engine.messages.framing import attributes, unpack

NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY = 4, 20
_REQUEST = struct.Struct("=BBBxI48x")  # struct inet_diag_req_v2: family, protocol, extensions, states, no socket of its own
_ANSWER = struct.Struct("=BBBBHH16s16sI8xIIIII")  # struct inet_diag_msg; ports and addresses are in the network's order
_LISTEN, _CLOSE = 1 << 10, 1 << 7  # TCP_LISTEN; TCP_CLOSE, which UDP sockets without a peer are in
_MEMORY = 1 << 6  # 1 << (INET_DIAG_SKMEMINFO - 1)
_SKMEMINFO, _DROPS_AT = 7, 8  # the ninth number: SK_MEMINFO_DROPS
_SIZES: dict[int, int] = {socket.AF_INET: 4, socket.AF_INET6: 16}

FAMILIES = (socket.AF_INET, socket.AF_INET6)
PROTOCOLS = {socket.IPPROTO_TCP: "tcp", socket.IPPROTO_UDP: "udp"}


class SocketMessage(NamedTuple):
    """A socket; of TCP `waiting` is how many connections nobody has accepted yet, of UDP how many bytes nobody has read.

    `limit` is TCP's backlog, `interface` the index of the one that it is bound to, 0 for none.
    """

    family: int
    address: str
    port: int
    interface: int
    waiting: int
    limit: int
    dropped: int
    user: int
    inode: int


def request(family: int, protocol: int) -> bytes:
    """The body of a question for all that wait for anybody."""
    return _REQUEST.pack(family, protocol, _MEMORY, _LISTEN if protocol == socket.IPPROTO_TCP else _CLOSE)


def socket_of(body: bytes) -> SocketMessage:
    """Takes an answer apart."""
    family, _, _, _, port, _, address, _, interface, _, waiting, limit, user, inode = unpack(_ANSWER, body)
    memory = dict(attributes(body, _ANSWER.size)).get(_SKMEMINFO, b"")
    dropped = int.from_bytes(memory[_DROPS_AT * 4 : _DROPS_AT * 4 + 4], sys.byteorder)
    text = socket.inet_ntop(family, address[: _SIZES.get(family, 16)])
    return SocketMessage(family, text, socket.ntohs(port), interface, waiting, limit, dropped, user, inode)
