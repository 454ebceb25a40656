"""Makes VLAN interfaces."""

from pynetemu.engine.apply.interfaces import queue_deletion, queue_rare
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddVlan
from pynetemu.plan.operations.steps import Undo


def queue(operation: AddVlan, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    parent = ("IFLA_LINK", nodes.index(node, operation.parent))
    queue_rare(operation, node, operation.interface, "vlan", [("IFLA_VLAN_ID", operation.vlan)], more=[parent])
    return node


def queue_undo(step: Undo, operation: AddVlan, nodes: Nodes) -> list[Node]:
    return queue_deletion(step, nodes, operation.node, operation.interface)
