"""Keeps the nodes' /etc/hosts true: names follow the addresses that the nodes have.

Changes of addresses and links of all nodes arrive at one socket (`engine.live.hub`). A message is only a hint: what the node
has is read again, once for all messages that have come. Until somebody runs something in a node nothing has changed, so that a
lab starts with the plan's addresses, and listens from its first idle moment on.
"""

import errno
import socket
import struct
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from ipaddress import ip_interface
from typing import TYPE_CHECKING

from pynetemu.engine.live.hub import Hub
from pynetemu.engine.messages.framing import messages
from pynetemu.engine.messages.tables import (
    ADDRESS_BODY,
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_GETADDR,
    RTM_NEWADDR,
    RTM_NEWLINK,
    AddressMessage,
    LinkMessage,
)
from pynetemu.engine.netlink import Refused
from pynetemu.engine.nodes import Nodes
from pynetemu.plan.inventory import Inventory
from pynetemu.plan.names import HostsFiles
from pynetemu.plan.operations import Address, InterfaceAddress

if TYPE_CHECKING:
    from pynetemu.engine.loop import Loop

_GROUPS = (1, 5, 9)  # RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR
_SOL_NETLINK, _LISTEN_ALL_NSID = 270, 8
_NUMBER = struct.Struct("=i")
_DATAGRAM = 1 << 16
_RT_SCOPE_LINK = 253
_TEMPORARY, _REFUSED = 0x01, 0x08  # IFA_F_TEMPORARY (privacy extensions), IFA_F_DADFAILED


class Names:
    """The texts of /etc/hosts, and those that are in nodes' views."""

    def __init__(self, loop: "Loop", nodes: Nodes, hub: Hub) -> None:
        self._loop, self._nodes, self._hub = loop, nodes, hub
        self._heard: socket.socket | None = None
        self._interfaces: dict[tuple[int, int], str] = {}  # by the node's number and the index
        self._files = HostsFiles((), {})
        self._changed: set[str] = set()
        self._above: dict[str, str] = {}
        self._written: dict[str, str] = {}  # what the nodes' files have, unless somebody has edited them

    def start(self, inventory: Inventory, machine: Address | None = None) -> None:
        """Takes the names of a plan; `machine` is the address of the machine that is the lab's root."""
        self._inventory, self._machine = inventory, machine
        self._files = HostsFiles.of_plan(inventory, machine)
        self._planned = self._files.nodes

    def become(self, inventory: Inventory, touched: Collection[str]) -> None:
        """Takes the names of another plan, which says the same of all nodes but those touched; where a node differs from its
        plan, what it has is read again."""
        now = self._files.nodes
        self._changed |= {node for node, planned in self._planned.items() if now[node] != planned}
        self._inventory = inventory
        self._files = self._files.becoming(inventory, {*touched, *self._changed})
        self._planned = self._files.nodes
        self._written = {node: text for node, text in self._written.items() if self._has_view(node)}
        self._write()
        self.settle()

    def _has_view(self, node: str) -> bool:
        return node in self._nodes and self._nodes[node].machine is not None

    def follow(self) -> None:
        """Listens from now on; what nodes have is the plan's until then. Without room for one more namespace it stays so."""
        if self._heard is None:
            with suppress(OSError):
                self._heard = self._hub.listener(_GROUPS)
                self._heard.setblocking(False)
                self._loop.watch(self._heard.fileno(), self.settle)

    def text(self, node: str) -> str:
        """The text of a node's file now."""
        self.settle()
        return self._files.text(node)

    def dress(self, node: str, above: str = "") -> str:
        """The same, below other lines, for a file that is being made, and is kept true from now on."""
        self.follow()
        self._above[node] = above
        self._written[node] = above + self.text(node)
        return self._written[node]

    def settle(self) -> None:
        """Takes all changes that have come, and writes the files that differ."""
        self._changed.update(self._hints())
        if self._changed:
            changed, self._changed = self._changed.intersection(self._inventory.nodes), set()
            if any([self._has_changed(node) for node in changed]):  # noqa: C419  # all of them are looked at
                self._write()

    def _has_changed(self, node: str) -> bool:
        try:
            return self._files.update(node, self._addresses(node))
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
            self._changed.add(node)  # it is being changed all the time: of the last change, too, there will be a message
            return False

    def _write(self) -> None:
        for node, before in [found for found in self._written.items() if found[0] in self._inventory.kinds]:
            text = self._above[node] + self._files.text(node)
            if text != before and self._nodes.files.replace_hosts(node, before, text):
                self._written[node] = text

    def _hints(self) -> Iterator[str]:
        """The nodes that something is told of."""
        if self._heard is None:
            return
        while True:
            try:
                data, ancillary, _, _ = self._heard.recvmsg(_DATAGRAM, socket.CMSG_SPACE(_NUMBER.size))
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                yield from self._inventory.nodes  # more than the socket holds: any of them may have changed
                continue
            number = next((_NUMBER.unpack(value)[0] for level, _, value in ancillary if level == _SOL_NETLINK), -1)
            node = self._hub.node(number)
            if node in self._nodes and any(self._is_about_names(node, number, *message[::3]) for message in messages(data)):
                yield node

    def _is_about_names(self, node: str, number: int, kind: int, body: bytes) -> bool:
        """After its birth a lab hears for some seconds that links work and that IPv6 addresses are nobody else's."""
        if kind in (RTM_NEWADDR, RTM_DELADDR):
            address = AddressMessage(body)
            if address.scope == _RT_SCOPE_LINK and address.family == socket.AF_INET6:
                return False
            own = f"{address.text}/{address.prefix_length}"
            is_known = any(str(known) == own for _, known in self._known(node))
            return kind == RTM_DELADDR or not is_known or bool(address.flags & _REFUSED)
        if kind == RTM_NEWLINK:
            link = LinkMessage(body)
            planned = link.name if self._nodes[node].indexes.get(link.name) == link.index else None
            before, self._interfaces[number, link.index] = self._interfaces.get((number, link.index), planned), link.name
            return before != link.name
        return kind == RTM_DELLINK and self._interfaces.pop((number, LinkMessage(body).index), "") is not None

    def _known(self, node: str) -> Sequence[tuple[str, InterfaceAddress]]:
        return self._files.addresses(node) if node in self._inventory.kinds and node != self._inventory.outside else ()

    def _addresses(self, node: str) -> list[tuple[str, InterfaceAddress]]:
        """What a node has: the plan's addresses in its order, then the others in the kernel's."""
        places = self._planned.get(node, ())
        planned = {address: place for place, (_, address) in enumerate(places)}
        found = [(name, address) for name, address in self._read(node) if not address.is_loopback]
        if self._nodes.host and self._nodes[node].kind == "root":  # the machine's own are not the lab's affair
            ours = {interface for interface, _ in places}
            found = [(name, address) for name, address in found if name in ours]
        return sorted(found, key=lambda own: planned.get(own[1], len(planned)))

    def _read(self, node: str) -> Iterator[tuple[str, InterfaceAddress]]:
        number = self._hub.number(node)
        names: dict[int, str] = {}
        with suppress(Refused):  # it has just been deleted
            for body in self._nodes[node].link.dump_bytes(RTM_GETADDR, ADDRESS_BODY.pack(0, 0, 0, 0, 0)):
                address = AddressMessage(body)
                if address.family == socket.AF_INET6 and address.flags & (_TEMPORARY | _REFUSED):
                    continue
                if address.index not in names:  # a switch has a thousand ports and no address
                    names[address.index] = self._hub.link_name(number, address.index)
                yield names[address.index], ip_interface(f"{address.text}/{address.prefix_length}")
