"""Gives interfaces their addresses."""

from pynetemu.engine.messages import packing
from pynetemu.engine.messages.framing import REQUEST
from pynetemu.engine.messages.tables import RTM_DELADDR, RTM_NEWADDR
from pynetemu.engine.netlink import NEW
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddAddress
from pynetemu.plan.operations.steps import Undo


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
    return packing.address(index, address.ip, address.network.prefixlen, operation.broadcast)
