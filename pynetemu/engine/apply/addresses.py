"""Gives interfaces their addresses. Messages are packed by hand: a large lab has thousands of them."""

from socket import AF_INET, AF_INET6

from pynetemu.engine.messages.framing import REQUEST, attribute
from pynetemu.engine.messages.tables import ADDRESS_BODY, RTM_DELADDR, RTM_NEWADDR
from pynetemu.engine.netlink import NEW
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddAddress
from pynetemu.plan.operations.steps import Undo

_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_IFA_F_NODAD = 0x02


def queue(operation: AddAddress, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    node.link.queue_bytes(operation, RTM_NEWADDR, NEW, _body(operation, nodes.index(node, operation.interface)))
    return node


def queue_undo(step: Undo, operation: AddAddress, nodes: Nodes) -> list[Node]:
    node = nodes.get(operation.node)
    if node is None or operation.interface not in node.indexes:
        return []
    node.link.queue_bytes(step, RTM_DELADDR, REQUEST, _body(operation, node.indexes[operation.interface]))
    return [node]


def _body(operation: AddAddress, index: int) -> bytes:
    address = operation.address
    version_4 = address.version == 4
    length = address.network.prefixlen
    head = ADDRESS_BODY.pack(AF_INET if version_4 else AF_INET6, length, 0 if version_4 else _IFA_F_NODAD, 0, index)
    body = head + attribute(_IFA_LOCAL, address.packed) + attribute(_IFA_ADDRESS, address.packed)
    return body + attribute(_IFA_BROADCAST, operation.broadcast.packed) if operation.broadcast else body
