"""Lets both ends of a relayed link notice of each other what the ends of a veth pair do: that the other is down, or has gone.

The inner end of one side is up while the outer end of the other side is, so that carriers are those of a single wire.
"""

import errno
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from pynetemu.engine.live.hub import Hub
from pynetemu.engine.messages import packing
from pynetemu.engine.messages.framing import REQUEST, messages
from pynetemu.engine.messages.tables import RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK, LinkMessage
from pynetemu.engine.netlink import Refused
from pynetemu.engine.nodes import Nodes, Place, RelayedLink

if TYPE_CHECKING:
    from pynetemu.engine.loop import Loop
    from pynetemu.engine.shaping.relays import Relays

_LINKS = (1,)  # RTNLGRP_LINK
_SOL_NETLINK = 270
_NUMBER = struct.Struct("=i")
_DATAGRAM = 1 << 16


class Carriers:
    """Follows the outer ends of relayed links, once there are such."""

    def __init__(self, loop: "Loop", nodes: Nodes, hub: Hub, relays: "Relays") -> None:
        self._loop, self._nodes, self._hub, self._relays = loop, nodes, hub, relays
        self._heard: socket.socket | None = None

    def follow(self) -> None:
        """Listens from now on, and looks at all ends once; later does at once what the last events ask for.

        Without room for one more namespace carriers are not followed.
        """
        if self._heard is not None:
            self._hear()
        if self._heard is None and self._nodes.relayed:
            with suppress(OSError):
                self._heard = self._hub.listener(_LINKS)
                self._heard.setblocking(False)
                self._loop.watch(self._heard.fileno(), self._hear)
                self._look_at_all()

    def _hear(self) -> None:
        """Looks at all ends of which something is told, as they are now: a number may have been another node's before."""
        assert self._heard is not None
        told: dict[tuple[int, int], bool] = {}  # whether it was never down
        while True:
            try:
                data, ancillary, _, _ = self._heard.recvmsg(_DATAGRAM, socket.CMSG_SPACE(_NUMBER.size))
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._look_at_all()
                continue
            number = next((_NUMBER.unpack(value)[0] for level, _, value in ancillary if level == _SOL_NETLINK), -1)
            for message in messages(data):
                link = LinkMessage(message.body)
                end = number, link.index
                if message.type == RTM_NEWLINK:
                    told[end] = told.get(end, True) and link.is_up
                elif message.type == RTM_DELLINK and (gone := self._ends().get(end)):
                    self._remove(*gone)
        ends = self._ends() if told else {}
        for end, stayed_up in told.items():
            if found := ends.get(end):
                if not stayed_up:
                    self._set(*found, False)
                if self._hub.is_up(*end):
                    self._set(*found, True)

    def _ends(self) -> dict[tuple[int, int], tuple[RelayedLink, int]]:
        """The outer ends, by the number of their namespace and their own, with their link and side."""
        numbers = self._hub.numbers()
        found = {}
        for link in self._nodes.relayed.values():
            for side, end in enumerate(link.ends):
                if end[0] in numbers:
                    found[numbers[end[0]], self._index(end)] = link, side
        return found

    def _index(self, end: Place) -> int:
        return self._nodes.index(self._nodes[end[0]], end[1])

    def _look_at_all(self) -> None:
        ends = self._ends()
        for number in {number for number, _ in ends}:
            for message in messages(self._hub.links(number)):
                link = LinkMessage(message.body)
                if message.type == RTM_NEWLINK and (found := ends.get((number, link.index))):
                    self._set(*found, link.is_up)

    def _set(self, link: RelayedLink, side: int, up: bool) -> None:
        """The inner end of the other side, as the outer end of this one is."""
        if self._relays.is_broken:
            return
        relay = self._nodes.relay.link
        relay.queue_bytes(None, RTM_NEWLINK, REQUEST, packing.link_up(link.indexes[1 - side], up))
        with suppress(Refused):  # it has just gone
            relay.flush()

    def _remove(self, link: RelayedLink, side: int) -> None:
        """With one end of a veth pair the kernel removes the other; one that was moved elsewhere is still there."""
        if self._is_there(link.indexes[side]):
            return
        self._nodes.relayed.pop(link.ends[0])
        self._relays.update()
        relay = self._nodes.relay.link
        relay.queue_bytes(None, RTM_DELLINK, REQUEST, packing.link(link.indexes[1 - side]))
        with suppress(Refused):
            relay.flush()

    def _is_there(self, index: int) -> bool:
        return index in set(self._inner())

    def _inner(self) -> Iterator[int]:
        dump = self._nodes.relay.link.dump_bytes(RTM_GETLINK, packing.link(0))
        return (LinkMessage(body).index for body in dump)
