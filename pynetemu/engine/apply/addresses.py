"""Gives interfaces their addresses. Messages are packed by hand: a large lab has thousands of them."""

import struct
from socket import AF_INET, AF_INET6

from pynetemu.engine import netlink
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddAddress

_BODY = struct.Struct("=BBBBI")  # struct ifaddrmsg of linux/if_addr.h: family, prefix length, flags, scope, index
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_IFA_F_NODAD = 0x02


def queue(operation: AddAddress, nodes: Nodes) -> Node:
    node, address = nodes[operation.node], operation.address
    version_4 = address.version == 4
    index = nodes.index(node, operation.interface)
    length = address.network.prefixlen
    head = _BODY.pack(AF_INET if version_4 else AF_INET6, length, 0 if version_4 else _IFA_F_NODAD, 0, index)
    body = head + netlink.attribute(_IFA_LOCAL, address.packed) + netlink.attribute(_IFA_ADDRESS, address.packed)
    node.link.queue_bytes(operation, netlink.RTM_NEWADDR, netlink.NEW, body)
    return node
