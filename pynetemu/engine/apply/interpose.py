"""Puts the relay into a link that is a veth pair, while the lab runs.

    before      a:eth0 ════════════════ b:eth0
    after       a:eth0 ════ inner | relay | inner ════ b:eth0

One end stays as it is: its other end is moved into the relay's namespace. That one's place is taken by a new interface of
the same name, index and MAC address, which gets what the old one had: bridge or VRF, addresses, routes, neighbors, settings.
So connections live on; what is sent in the milliseconds between is lost.
"""

import os
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from socket import AF_BRIDGE, AF_INET6, AF_UNSPEC

from pynetemu.engine import syscalls
from pynetemu.engine.apply.interfaces import LARGEST_MTU, queue_half
from pynetemu.engine.changes import kept
from pynetemu.engine.messages import packing
from pynetemu.engine.messages.framing import ACK, CREATE, REQUEST, attribute, attributes
from pynetemu.engine.messages.tables import (
    ADDRESS_BODY,
    NEIGHBOR_BODY,
    NUD_PERMANENT,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_GETNEIGH,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWNEIGH,
    RTM_SETLINK,
    AddressMessage,
    LinkMessage,
    NeighborMessage,
)
from pynetemu.engine.netlink import Netlink
from pynetemu.engine.nodes import NETWORK, Node, Nodes, Place, RelayedLink
from pynetemu.engine.shaping.offloads import split_segments_of
from pynetemu.errors import LabError
from pynetemu.plan.operations import AddVeth
from pynetemu.plan.operations.operation import Effect

_IFLA_LINKINFO, _IFLA_AF_SPEC = 18, 26
_IFLA_EXT_MASK, _RTEXT_FILTER_BRVLAN = 29, 2
_INFO_SLAVE_KIND, _INFO_SLAVE_DATA, _BRIDGE_VLAN_INFO = 4, 5, 2
_PORT_SETTINGS = {2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 27, 28, 30, 32, 33}  # of IFLA_BRPORT_*, those that can be set
_OF_ADDRESSES = 1, 2, 3, 4, 6, 8, 9  # IFA_ADDRESS, _LOCAL, _LABEL, _BROADCAST, _CACHEINFO, _FLAGS, _RT_PRIORITY
_IFA_FLAGS, _TENTATIVE, _NODAD = 8, 0x40, 0x02
_TOLERATED = {17, 22, 95, 99}  # EEXIST, EINVAL, EOPNOTSUPP, EADDRNOTAVAIL: it is so already, or not for us to set
_SETTINGS = tuple(f"/proc/sys/net/{family}/{kind}" for family in ("ipv4", "ipv6") for kind in ("conf", "neigh"))


def interpose(step: Effect, operation: AddVeth, nodes: Nodes) -> None:
    """Raises LabError, before anything is done, for a link that it cannot be put into; Refused and OSError."""
    ends = (operation.node, operation.interface), (operation.peer_node, operation.peer_interface)
    if ends[0] in nodes.relayed:
        return
    side = _side_to_replace(ends, nodes)
    node, interface = nodes[ends[side][0]], ends[side][1]
    index = node.indexes[interface]
    old = _Kept(nodes, node, index)
    nodes.interrupted[ends[0]] = time.monotonic()
    moved = _move(step, node, index, nodes.relay)
    inner = _replace(step, nodes, ends[side], index, old)
    nodes.relay.link.flush()
    old.set_again()
    indexes = (moved, inner) if side else (inner, moved)
    nodes.relayed[ends[0]] = RelayedLink(ends, indexes, operation.mtu)
    for there, here in zip(ends, indexes, strict=True):
        split_segments_of(nodes, *there)
        nodes.relay.link.queue_bytes(step, RTM_NEWLINK, REQUEST, packing.link_up(here))
    nodes.relay.link.flush()


def _side_to_replace(ends: tuple[Place, Place], nodes: Nodes) -> int:
    """A switch's port has the least to lose; what other interfaces stand on stays, and so does what is the machine's own."""
    costs = []
    for name, interface in ends:
        node = nodes[name]
        links = nodes.links(name)
        index = nodes.index(node, interface)
        own = next((link for link in links if link.index == index), None)
        if own is None:
            raise LabError(f"{name} has no {interface} any more, so its link cannot be changed")
        on_it = (place for place, lower in nodes.on_others.items() if lower == (name, interface))
        carries = any(there in nodes and above in nodes[there].indexes for there, above in on_it)
        carries |= any(link.lower == index for link in links if link.kind != "veth")
        is_machines = nodes.host and node.kind == "root"
        costs.append(9 if carries or is_machines else 0 if own.master else 1)
    if min(costs) == 9:
        (a, near), (b, far) = ends
        text = f"both ends of the link between {a} {near} and {b} {far} carry other interfaces"
        hint = "set this in the description: then the relay is there from the start"
        raise LabError(f"{text}, so no relay can be put between them\n    hint: {hint}")
    return 0 if costs[0] < costs[1] else 1


def _move(step: Effect, node: Node, index: int, relay: Node) -> int:
    """Moves an interface into the relay's namespace; gives its index there.

    It gets another MAC address: of frames to its own one the kernel would look for a route there.
    """
    name = f"end{relay.next_index}"
    there = relay.take_index(name)
    body = packing.link(index, packing.into(relay.network, there), packing.name(name), packing.mtu(LARGEST_MTU))
    body += packing.mac(":".join(f"{byte:02x}" for byte in b"\x02" + os.urandom(5)))
    node.link.queue_bytes(step, RTM_NEWLINK, REQUEST, body)
    node.link.flush()
    return there


def _replace(step: Effect, nodes: Nodes, place: Place, index: int, old: "_Kept") -> int:
    """Makes the new interface with the old one's index; gives that of its inner end."""
    node = nodes[place[0]]
    next_index, node.next_index = node.next_index, index
    try:
        inner = queue_half(step, nodes, place[0], old.name, old.mac, old.mtu)
    finally:
        node.next_index = next_index
    del node.indexes[old.name]
    node.indexes[place[1]] = index  # which may be called otherwise now
    node.link.flush()
    return inner


class _Kept:
    """What an interface is and has, noted to be set again."""

    def __init__(self, nodes: Nodes, node: Node, index: int) -> None:
        self._nodes, self._node, self._index = nodes, node, index
        link = next(link for link in nodes.links(node.name) if link.index == index)
        self.name, self.mac, self.mtu = link.name, link.mac, link.mtu
        self._is_up, self._master = link.is_up, link.master
        self._port = dict(attributes(link.attributes.get(_IFLA_LINKINFO, b""))).get(_INFO_SLAVE_DATA, b"")
        self._is_port = dict(attributes(link.attributes.get(_IFLA_LINKINFO, b""))).get(_INFO_SLAVE_KIND) == b"bridge\0"
        self._vlans = list(_vlans(node.link, index)) if self._is_port else []
        self._addresses = list(_addresses(node.link, index))
        self._neighbors = list(_neighbors(node.link, index))
        self._routes = [route for route in kept.routes(node) if any(hop.index == index for hop in route.hops)]
        self._settings = _settings(nodes, node, self.name)

    def set_again(self) -> None:
        """All of it, in an order in which each finds what it needs."""
        link = self._node.link
        _set_again(self._nodes, self._node, self.name, self._settings)
        if self._master:
            link.queue_bytes(None, RTM_NEWLINK, REQUEST, packing.link(self._index, packing.master(self._master)))
        if self._is_port:
            self._set_port(link)
        for body in self._addresses:
            link.queue_bytes(None, RTM_NEWADDR, REQUEST | CREATE, body)
        if self._is_up:
            link.queue_bytes(None, RTM_NEWLINK, REQUEST, packing.link_up(self._index))
        for body in self._neighbors:
            link.queue_bytes(None, RTM_NEWNEIGH, REQUEST | CREATE, body)
        link.flush(_TOLERATED)
        kept.set_again(self._node, map(kept.as_message, self._routes))

    def _set_port(self, link: Netlink) -> None:
        data = b"".join(attribute(kind, value) for kind, value in attributes(self._port) if kind in _PORT_SETTINGS)
        link.queue_bytes(None, RTM_NEWLINK, REQUEST, packing.link(self._index, packing.port_attributes(data)))
        for info in self._vlans:
            spec = attribute(_IFLA_AF_SPEC, attribute(_BRIDGE_VLAN_INFO, info))
            link.queue_bytes(None, RTM_SETLINK, REQUEST | ACK, packing.link(self._index, spec, family=AF_BRIDGE))


def _addresses(link: Netlink, index: int) -> Iterator[bytes]:
    """As messages that set them; those of IPv6 without duplicate address detection, which takes a second."""
    for body in link.dump_bytes(RTM_GETADDR, ADDRESS_BODY.pack(AF_UNSPEC, 0, 0, 0, 0)):
        address = AddressMessage(body)
        if address.index != index:
            continue
        flags = (address.flags | (_NODAD if address.family == AF_INET6 else 0)) & ~_TENTATIVE
        found = {kind: address.attributes[kind] for kind in _OF_ADDRESSES if kind in address.attributes}
        found[_IFA_FLAGS] = struct.pack("=I", flags)
        head = ADDRESS_BODY.pack(address.family, address.prefix_length, flags & 0xFF, address.scope, index)
        yield head + b"".join(attribute(kind, value) for kind, value in found.items())


def _neighbors(link: Netlink, index: int) -> Iterator[bytes]:
    """Those that somebody has set."""
    for body in link.dump_bytes(RTM_GETNEIGH, NEIGHBOR_BODY.pack(AF_UNSPEC, 0, 0, 0, 0)):
        neighbor = NeighborMessage(body)
        if neighbor.index == index and neighbor.state & NUD_PERMANENT:
            head = NEIGHBOR_BODY.pack(neighbor.family, index, neighbor.state, neighbor.flags, neighbor.type)
            yield head + b"".join(attribute(kind, value) for kind, value in neighbor.attributes.items() if kind in (1, 2))


def _vlans(link: Netlink, index: int) -> Iterator[bytes]:
    """The VLANs of a bridge's port, each as struct bridge_vlan_info."""
    mask = attribute(_IFLA_EXT_MASK, struct.pack("=I", _RTEXT_FILTER_BRVLAN))
    for body in link.dump_bytes(RTM_GETLINK, packing.link(0, mask, family=AF_BRIDGE)):
        found = LinkMessage(body)
        if found.index == index:
            spec = attributes(found.attributes.get(_IFLA_AF_SPEC, b""))
            yield from (value for kind, value in spec if kind == _BRIDGE_VLAN_INFO)


def _settings(nodes: Nodes, node: Node, interface: str) -> dict[str, str]:
    """What sysctl(8) would tell of an interface, by the path of each setting."""
    found = {}
    with syscalls.inside((node.network, NETWORK), home=nodes.home[:1]):
        for folder in _SETTINGS:
            with suppress(OSError), os.scandir(f"{folder}/{interface}") as settings:
                for entry in settings:
                    with suppress(OSError), open(entry.path) as file:  # some can only be written
                        found[entry.path] = file.read()
    return found


def _set_again(nodes: Nodes, node: Node, interface: str, settings: dict[str, str]) -> None:
    """Writes those that differ from what a new interface has."""
    new = _settings(nodes, node, interface)
    with syscalls.inside((node.network, NETWORK), home=nodes.home[:1]):
        for path, value in settings.items():
            if new.get(path) != value:
                with suppress(OSError), open(path, "w") as file:  # not all can be written
                    file.write(value)
