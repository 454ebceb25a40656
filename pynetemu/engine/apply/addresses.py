"""Gives interfaces their addresses. Messages are packed by hand: a large lab has thousands of them."""

from socket import AF_INET, AF_INET6

from pynetemu.engine.messages.framing import attribute
from pynetemu.engine.messages.tables import ADDRESS_BODY, RTM_NEWADDR
from pynetemu.engine.netlink import NEW
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddAddress

_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_IFA_F_NODAD = 0x02


def queue(operation: AddAddress, nodes: Nodes) -> Node:
    node, address = nodes[operation.node], operation.address
    version_4 = address.version == 4
    index = nodes.index(node, operation.interface)
    length = address.network.prefixlen
    head = ADDRESS_BODY.pack(AF_INET if version_4 else AF_INET6, length, 0 if version_4 else _IFA_F_NODAD, 0, index)
    body = head + attribute(_IFA_LOCAL, address.packed) + attribute(_IFA_ADDRESS, address.packed)
    if operation.broadcast:
        body += attribute(_IFA_BROADCAST, operation.broadcast.packed)
    node.link.queue_bytes(operation, RTM_NEWADDR, NEW, body)
    return node
