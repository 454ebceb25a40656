"""Fills neighbor tables."""

from pynetemu.engine.messages import packing
from pynetemu.engine.messages.framing import CREATE, REPLACE, REQUEST
from pynetemu.engine.messages.tables import RTM_DELNEIGH, RTM_NEWNEIGH
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddNeighbors
from pynetemu.plan.operations.steps import Replace, Undo

_SET = REQUEST | CREATE | REPLACE  # in place of what has been learned already


def queue(operation: AddNeighbors, nodes: Nodes) -> list[Node]:
    members = [nodes[name] for name in operation.nodes]
    heads = [
        packing.neighbor_head(nodes.index(node, interface), address.version)
        for node, interface, address in zip(members, operation.interfaces, operation.addresses, strict=True)
    ]
    entries = [packing.neighbor(*entry) for entry in zip(operation.addresses, operation.macs, strict=True)]
    for a, b in operation.pairs:
        members[a].link.queue_bytes(operation, RTM_NEWNEIGH, _SET, heads[a] + entries[b])
    return members


def queue_undo(step: Undo, operation: AddNeighbors, nodes: Nodes) -> list[Node]:
    """Of interfaces that are still there."""
    members = [nodes.get(name) for name in operation.nodes]
    dirty: dict[int, Node] = {}
    for a, b in operation.pairs:
        node = members[a]
        if node is not None and (index := node.indexes.get(operation.interfaces[a], 0)):
            address = operation.addresses[b]
            body = packing.neighbor_head(index, address.version) + packing.neighbor(address)
            node.link.queue_bytes(step, RTM_DELNEIGH, REQUEST, body)
            dirty[id(node)] = node
    return list(dirty.values())


def queue_replace(_: Replace, __: AddNeighbors, new: AddNeighbors, nodes: Nodes) -> list[Node]:
    """Sets what is missing."""
    return queue(new, nodes)
