"""A namespace that is not a node, from which all nodes are seen: each has a number there (RTM_NEWNSID, `ip netns set`).

A question for a node's links that is asked here (IFLA_TARGET_NETNSID) names the far ends of veth pairs by these numbers, so
that one answer tells the real wiring, whoever made it. And one socket here hears the changes of all nodes
(NETLINK_LISTEN_ALL_NSID, netlink(7)). It must be none of the nodes: what happens in a socket's own namespace comes
without a number. It is made when it is first needed; the machine's own namespace is never numbered in.
"""

import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EEXIST, ENOENT
from typing import TYPE_CHECKING

from pynetemu.engine import syscalls
from pynetemu.engine.messages.framing import attribute, attributes
from pynetemu.engine.messages.tables import (
    IFLA_EXT_MASK,
    IFLA_TARGET_NETNSID,
    LINK_BODY,
    RTEXT_FILTER_SKIP_STATS,
    RTM_GETLINK,
    LinkMessage,
)
from pynetemu.engine.netlink import Netlink, Refused

if TYPE_CHECKING:
    from pynetemu.engine.nodes import Node, Nodes

_RTM_NEWNSID, _RTM_GETNSID = 88, 90
_NSID, _FD = 1, 3  # NETNSA_*
_BODY = bytes(4)  # struct rtgenmsg, padded
_NUMBER = struct.Struct("=i")
_NOBODY = -1  # NETNSA_NSID_NOT_ASSIGNED
_SOL_NETLINK, _ADD_MEMBERSHIP, _LISTEN_ALL_NSID = 270, 1, 8
_ROOM = 4 << 20  # bytes; the kernel gives as much as net.core.rmem_max allows


class Hub:
    """The nodes' numbers, and what is asked through them."""

    def __init__(self, nodes: "Nodes") -> None:
        self._nodes = nodes
        self._network = -1
        self._link: Netlink | None = None
        self._numbered: dict[str, tuple[Node, int]] = {}
        self._nodes_by_number: dict[int, Node] = {}

    def numbers(self) -> dict[str, int]:
        """The number of each node, new ones included; one that has been deleted has none any more."""
        for name in [name for name, (node, _) in self._numbered.items() if self._nodes.get(name) is not node]:
            del self._numbered[name]
        return {name: self.number(name) for name in self._nodes}

    def number(self, name: str) -> int:
        """That of one node, which costs nothing when it has been asked for before."""
        node = self._nodes[name]
        known = self._numbered.get(name)
        if known is None or known[0] is not node:  # another node had that name
            known = self._numbered[name] = node, _number(self._ready(), node)
            self._nodes_by_number[known[1]] = node
        return known[1]

    def node(self, number: int) -> str:
        """The node that has a number, "" for one that no node has."""
        node = self._nodes_by_number.get(number)
        if node is None or self._nodes.get(node.name) is not node:  # it is new, or has another's number
            self._nodes_by_number = {at: self._nodes[name] for name, at in self.numbers().items()}
            node = self._nodes_by_number.get(number)
        return node.name if node is not None else ""

    def links(self, number: int) -> bytes:
        """The links of the node with a number as the kernel tells them, headers and all, without counters."""
        return self._ready().dump_whole(RTM_GETLINK, LINK_BODY.pack(*bytes(5)) + _about(number))

    def places(self, numbers: Sequence[int], indexes: Sequence[int]) -> list[tuple[str, str]]:
        """The node and the name of each link, given by the numbers of its namespace and of itself; "" for what is unknown.

        For an inner end of a relayed link it is the outer end to which the relay moves what comes in there.
        """
        behind = self._behind_relay() if self._nodes.relayed else {}
        ends = [behind.get(end, end) for end in zip(numbers, indexes, strict=True)]
        return [(self.node(number), self.link_name(number, index)) for number, index in ends]

    def _behind_relay(self) -> dict[tuple[int, int], tuple[int, int]]:
        """For each inner end the outer one of the other side, both by the numbers of their namespace and of themselves."""
        own, numbers = _number(self._ready(), self._nodes.relay), self.numbers()
        found = {}
        for link in self._nodes.relayed.values():
            for inner, (node, interface) in zip(link.indexes, reversed(link.ends), strict=True):
                found[own, inner] = numbers[node], self._nodes.index(self._nodes[node], interface)
        return found

    def link_name(self, number: int, index: int) -> str:
        """The name of a link, given by the number of its node and its index, "" for none."""
        link = self._link_of(number, index)
        return link.name if link else ""

    def is_up(self, number: int, index: int) -> bool:
        """Whether such a link is there, and was set up."""
        link = self._link_of(number, index)
        return link is not None and link.is_up

    def _link_of(self, number: int, index: int) -> LinkMessage | None:
        with suppress(Refused):  # it has gone
            (found,) = self._ready().ask(RTM_GETLINK, LINK_BODY.pack(0, 0, index, 0, 0) + _about(number))
            return LinkMessage(found.body)
        return None

    def listener(self, groups: tuple[int, ...]) -> socket.socket:
        """A socket at which messages of these groups arrive (RTNLGRP_*), of all nodes, with their numbers."""
        self.numbers()
        with self.untouched():
            heard = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
        heard.bind((0, 0))
        heard.setsockopt(_SOL_NETLINK, _LISTEN_ALL_NSID, 1)
        for group in groups:
            heard.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
        return heard

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """A block in a network that nobody has changed."""
        self._ready()
        with syscalls.inside((self._network, syscalls.CLONE_NEWNET), home=self._nodes.home[:1]):
            yield

    def _ready(self) -> Netlink:
        if self._link is None:
            with syscalls.inside(home=self._nodes.home[:1]):
                syscalls.unshare(syscalls.CLONE_NEWNET)
                self._network, self._link = syscalls.namespace("net"), Netlink()
        return self._link


def _number(link: Netlink, node: "Node") -> int:
    """Gives a node a number; one that was seen at the end of another's link has one already."""
    by_descriptor = attribute(_FD, struct.pack("=I", node.network))
    try:
        link.ask(_RTM_NEWNSID, _BODY + attribute(_NSID, _NUMBER.pack(_NOBODY)) + by_descriptor)
    except Refused as refused:
        if refused.errno not in (EEXIST, ENOENT):
            raise
    (answer,) = link.ask(_RTM_GETNSID, _BODY + by_descriptor)
    (number,) = _NUMBER.unpack(dict(attributes(answer.body, 4))[_NSID])
    return int(number)


def _about(number: int) -> bytes:
    mask = attribute(IFLA_EXT_MASK, struct.pack("=I", RTEXT_FILTER_SKIP_STATS))
    return attribute(IFLA_TARGET_NETNSID, _NUMBER.pack(number)) + mask
