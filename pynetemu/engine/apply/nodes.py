"""Makes nodes and sets them."""

from pynetemu.engine.apply.links import queue_up
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddNode, SetSysctl
from pynetemu.plan.operations.steps import Replace, Undo


def queue(operation: AddNode | SetSysctl, nodes: Nodes) -> Node:
    match operation:
        case AddNode(node=name, kind=kind):
            if name in nodes:  # as when a change is taken back that has not come to it
                return nodes[name]
            node = nodes.add(name, kind)
            if not (kind == "root" and nodes.host):
                queue_up(node.link, operation, 1)
        case SetSysctl(node=name, name=setting, value=value):
            node = nodes[name]
            nodes.set(name, setting, value)
    return node


def queue_undo(_: Undo, operation: AddNode | SetSysctl, nodes: Nodes) -> list[Node]:
    """At once: the node's programs end, and its namespace with them."""
    match operation:
        case AddNode(node=name):
            nodes.remove(name)
        case SetSysctl(node=name, name=setting) if name in nodes:
            nodes.unset(name, setting)
    return []


def queue_replace(_: Replace, __: AddNode | SetSysctl, new: AddNode | SetSysctl, nodes: Nodes) -> list[Node]:
    match new:
        case AddNode(node=name, kind=kind):
            nodes[name].kind = kind
        case SetSysctl(node=name, name=setting, value=value):
            nodes.set(name, setting, value)
    return []
