"""Makes VLAN interfaces."""

import struct

from pynetemu.engine.apply.interfaces import queue_deletion, queue_new
from pynetemu.engine.messages.framing import attribute
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddVlan
from pynetemu.plan.operations.steps import Undo

_IFLA_LINK, _IFLA_VLAN_ID = 5, 1


def queue(operation: AddVlan, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    number = attribute(_IFLA_VLAN_ID, struct.pack("=H", operation.vlan))
    parent = attribute(_IFLA_LINK, struct.pack("=I", nodes.index(node, operation.parent)))
    queue_new(operation, node, operation.interface, "vlan", number, more=parent)
    return node


def queue_undo(step: Undo, operation: AddVlan, nodes: Nodes) -> list[Node]:
    return queue_deletion(step, nodes, operation.node, operation.interface)
