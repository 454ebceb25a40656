"""Makes nodes and sets them."""

from pynetemu.engine.apply.links import queue_up
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddNode, SetSysctl


def queue(operation: AddNode | SetSysctl, nodes: Nodes) -> Node:
    match operation:
        case AddNode(node=name, kind=kind):
            node = nodes.add(name, kind)
            if not (kind == "root" and nodes.host):
                queue_up(node.link, operation, 1)
        case SetSysctl(node=name, name=setting, value=value):
            node = nodes[name]
            nodes.set(name, setting, value)
    return node
