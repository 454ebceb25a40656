"""Questions to a node's kernel about its interfaces, addresses and routes (rtnetlink(7)).

    with network["blue"].socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as asked:
        interfaces(asked)                   [Interface(1, "lo", "00:00:00:00:00:00"), Interface(2, "eth0", "02:…")]
        addresses(asked)                    [(1, "127.0.0.1"), (2, "10.0.0.2")]
        route(asked, "10.0.1.7").source     "10.0.0.2"

The answers are the kernel's own: policy routing, VRFs and what a person has changed a second ago count.
"""

import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

_ERROR, _DONE = 2, 3  # types of messages of every kind of netlink
_NEW_LINK, _GET_LINK, _NEW_ADDRESS, _GET_ADDRESS, _GET_ROUTE = 16, 18, 20, 22, 26
_REQUEST, _DUMP = 0x1, 0x300
_HEAD = struct.Struct("=IHHII")  # struct nlmsghdr
_ATTRIBUTE = struct.Struct("=HH")  # struct rtattr
_MAC, _NAME = 1, 3  # IFLA_ADDRESS, IFLA_IFNAME
_ADDRESS, _LOCAL = 1, 2  # IFA_ADDRESS, IFA_LOCAL
_DESTINATION, _INTERFACE, _GATEWAY, _SOURCE, _VIA = 1, 4, 5, 7, 18  # RTA_*
_MOST = 1 << 16  # bytes of a datagram; the kernel keeps below that


class Interface(NamedTuple):
    ifindex: int
    name: str
    mac: str


class Route(NamedTuple):
    """How a node would send to an address: by which interface, from which address, by way of which ("" for directly)."""

    interface: int
    source: str
    gateway: str


def interfaces(asked: socket.socket) -> list[Interface]:
    """A node's interfaces, loopback included, by index."""
    found = []
    for body in dump(asked, _GET_LINK, _NEW_LINK, struct.pack("=BxHiII", 0, 0, 0, 0, 0)):
        (index,) = struct.unpack_from("=4xi", body)
        attributes = attributes_of(body, 16)
        mac = attributes.get(_MAC, b"")
        found.append(
            Interface(
                index, attributes[_NAME].rstrip(b"\0").decode(errors="backslashreplace"), mac.hex(":") if len(mac) == 6 else ""
            )
        )
    return sorted(found)


def addresses(asked: socket.socket) -> list[tuple[int, str]]:
    """A node's IP addresses, each with the index of its interface."""
    found = []
    for body in dump(asked, _GET_ADDRESS, _NEW_ADDRESS, struct.pack("=BBBBI", 0, 0, 0, 0, 0)):
        family, index = struct.unpack_from("=B3xI", body)
        attributes = attributes_of(body, 8)
        address = attributes.get(_LOCAL) or attributes[_ADDRESS]  # IFA_ADDRESS is the peer's on a point-to-point link
        found.append((index, socket.inet_ntop(family, address)))
    return found


def route(asked: socket.socket, destination: str) -> Route:
    """How a node would send to an address; raises OSError as the kernel would for a program (no route: ENETUNREACH)."""
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    packed = socket.inet_pton(family, destination)
    body = struct.pack("=BBBBBBBBI", family, len(packed) * 8, 0, 0, 0, 0, 0, 0, 0)
    send(asked, _GET_ROUTE, _REQUEST, body + _ATTRIBUTE.pack(4 + len(packed), _DESTINATION) + packed)
    _, answer = next(messages(asked.recv(_MOST)))
    attributes = attributes_of(answer, 12)

    def address(kind: int) -> str:
        return socket.inet_ntop(family, attributes[kind]) if kind in attributes else ""

    (interface,) = struct.unpack("=I", attributes.get(_INTERFACE, bytes(4)))
    return Route(interface, address(_SOURCE), address(_GATEWAY) or _via(attributes))


def _via(attributes: dict[int, bytes]) -> str:
    """The gateway of another family than the destination's, as of an IPv4 route by way of an IPv6 router."""
    if (via := attributes.get(_VIA)) is None:
        return ""
    (family,) = struct.unpack_from("=H", via)
    return socket.inet_ntop(family, via[2:])


def dump(asked: socket.socket, question: int, kind: int, body: bytes) -> Iterator[bytes]:
    """The bodies of all messages of a kind that answer a question."""
    send(asked, question, _REQUEST | _DUMP, body)
    while True:
        for answered, answer in messages(asked.recv(_MOST)):
            if answered == _DONE:
                return
            if answered == kind:
                yield answer


def send(asked: socket.socket, kind: int, flags: int, body: bytes) -> None:
    """Sends one message (struct nlmsghdr before its body)."""
    asked.send(_HEAD.pack(_HEAD.size + len(body), kind, flags, 1, 0) + body)


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The messages of a datagram, as (type, body); an error of the kernel's is raised as OSError."""
    offset = 0
    while offset + _HEAD.size <= len(data):
        length, kind, _, _, _ = _HEAD.unpack_from(data, offset)
        body = data[offset + _HEAD.size : offset + length]
        if kind == _ERROR:
            (code,) = struct.unpack_from("=i", body)
            if code:
                raise OSError(-code, os.strerror(-code))
        yield kind, body
        offset += (length + 3) & ~3


def attributes_of(body: bytes, offset: int) -> dict[int, bytes]:
    """The attributes after a message's fixed part, by type."""
    found = {}
    while offset + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, offset)
        if length < _ATTRIBUTE.size:
            break
        found[kind] = body[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return found
