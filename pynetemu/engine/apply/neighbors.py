"""Fills neighbor tables. Messages are packed by hand: a switch of 200 hosts needs 39,800."""

import struct
from socket import AF_INET, AF_INET6

from pynetemu.engine import netlink
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddNeighbors

_RTM_NEWNEIGH = 28
_BODY = struct.Struct("=BxxxiHBB")  # struct ndmsg of linux/neighbor.h: family, interface, state, flags, type
_NDA_DST, _NDA_LLADDR = 1, 2
_NUD_PERMANENT = 0x80


def queue(operation: AddNeighbors, nodes: Nodes) -> list[Node]:
    members = [nodes[name] for name in operation.nodes]
    heads = []
    for node, interface, address in zip(members, operation.interfaces, operation.addresses, strict=True):
        family = AF_INET if address.version == 4 else AF_INET6
        heads.append(_BODY.pack(family, nodes.index(node, interface), _NUD_PERMANENT, 0, 0))
    entries = [
        netlink.attribute(_NDA_DST, address.packed) + netlink.attribute(_NDA_LLADDR, bytes.fromhex(mac.replace(":", "")))
        for address, mac in zip(operation.addresses, operation.macs, strict=True)
    ]
    for a, b in operation.pairs:
        members[a].link.queue_bytes(operation, _RTM_NEWNEIGH, netlink.NEW, heads[a] + entries[b])
    return members
