"""Questions to a node's kernel about its interfaces, addresses and routes (rtnetlink(7)).

    with network["blue"].socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as asked:
        interfaces(asked)                   [Interface(1, "lo", "00:00:00:00:00:00"), Interface(2, "eth0", "02:…")]
        addresses(asked)                    [(1, "127.0.0.1"), (2, "10.0.0.2")]
        route(asked, "10.0.1.7").source     "10.0.0.2"

The answers are the kernel's own: policy routing, VRFs and what a person has changed a second ago count.
"""

import socket
from typing import NamedTuple

from pynetemu.engine.messages import tables
from pynetemu.engine.messages.framing import ask, attribute, dump
from pynetemu.engine.messages.tables import ADDRESS_BODY, LINK_BODY, ROUTE_BODY, RTM_GETADDR, RTM_GETLINK, RTM_GETROUTE

_RTA_DST = 1
_MAC_LENGTH = len("02:00:00:00:00:01")


class Interface(NamedTuple):
    ifindex: int
    name: str
    mac: str


class Route(NamedTuple):
    """How a node would send to an address: by which interface, from which address, by way of which ("" for directly)."""

    interface: int
    source: str
    gateway: str


def links(asked: socket.socket) -> list[tables.LinkMessage]:
    """A node's interfaces with all that the kernel says of them, in its order."""
    return [tables.LinkMessage(answer.body) for answer in dump(asked, RTM_GETLINK, LINK_BODY.pack(0, 0, 0, 0, 0))]


def interfaces(asked: socket.socket) -> list[Interface]:
    """A node's interfaces, loopback included, by index."""
    return sorted(Interface(link.index, link.name, link.mac if len(link.mac) == _MAC_LENGTH else "") for link in links(asked))


def addresses(asked: socket.socket) -> list[tuple[int, str]]:
    """A node's IP addresses, each with the index of its interface."""
    answers = dump(asked, RTM_GETADDR, ADDRESS_BODY.pack(0, 0, 0, 0, 0))
    return [(address.index, address.text) for address in (tables.AddressMessage(answer.body) for answer in answers)]


def route(asked: socket.socket, destination: str) -> Route:
    """How a node would send to an address; raises OSError as the kernel would for a program (no route: ENETUNREACH)."""
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    packed = socket.inet_pton(family, destination)
    body = ROUTE_BODY.pack(family, len(packed) * 8, 0, 0, 0, 0, 0, 0, 0)
    (answer,) = ask(asked, RTM_GETROUTE, body + attribute(_RTA_DST, packed))
    answered = tables.RouteMessage(answer.body)
    hop = answered.hops[0]
    return Route(hop.index, answered.source, hop.gateway)
