"""Fills neighbor tables. Messages are packed by hand: a switch of 200 hosts needs 39,800."""

from socket import AF_INET, AF_INET6

from pynetemu.engine.messages.framing import CREATE, REPLACE, REQUEST, attribute
from pynetemu.engine.messages.tables import NEIGHBOR_BODY, NUD_PERMANENT, RTM_DELNEIGH, RTM_NEWNEIGH
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddNeighbors, Address
from pynetemu.plan.operations.steps import Replace, Undo

_NDA_DST, _NDA_LLADDR = 1, 2
_SET = REQUEST | CREATE | REPLACE  # in place of what has been learned already


def queue(operation: AddNeighbors, nodes: Nodes) -> list[Node]:
    members = [nodes[name] for name in operation.nodes]
    heads = [
        _head(nodes.index(node, interface), address)
        for node, interface, address in zip(members, operation.interfaces, operation.addresses, strict=True)
    ]
    entries = [
        attribute(_NDA_DST, address.packed) + attribute(_NDA_LLADDR, bytes.fromhex(mac.replace(":", "")))
        for address, mac in zip(operation.addresses, operation.macs, strict=True)
    ]
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
            node.link.queue_bytes(step, RTM_DELNEIGH, REQUEST, _head(index, address) + attribute(_NDA_DST, address.packed))
            dirty[id(node)] = node
    return list(dirty.values())


def queue_replace(_: Replace, __: AddNeighbors, new: AddNeighbors, nodes: Nodes) -> list[Node]:
    """Sets what is missing."""
    return queue(new, nodes)


def _head(index: int, address: Address) -> bytes:
    return NEIGHBOR_BODY.pack(AF_INET if address.version == 4 else AF_INET6, index, NUD_PERMANENT, 0, 0)
