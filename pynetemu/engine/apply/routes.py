"""Fills routing tables."""

from pynetemu.engine.messages import packing
from pynetemu.engine.messages.framing import CREATE, REPLACE, REQUEST
from pynetemu.engine.messages.tables import RTM_DELROUTE, RTM_NEWROUTE
from pynetemu.engine.netlink import NEW
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddMultipathRoute, AddRoute, EndTable, ManyRoutes
from pynetemu.plan.operations.steps import Replace, Undo


def queue(operation: AddRoute | AddMultipathRoute | EndTable | ManyRoutes, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    if not isinstance(operation, ManyRoutes):
        node.link.queue_bytes(operation, RTM_NEWROUTE, NEW, _body(operation))
        return node
    for vias, destinations in operation.ways:
        through = packing.hops(vias)
        for destination in destinations:
            node.link.queue_bytes(operation, RTM_NEWROUTE, NEW, packing.route_head(destination, operation.table) + through)
    node.link.flush()  # so that not all nodes' messages wait in memory
    return node


def queue_undo(step: Undo, operation: AddRoute | AddMultipathRoute | EndTable, nodes: Nodes) -> list[Node]:
    if (node := nodes.get(operation.node)) is None:
        return []
    node.link.queue_bytes(step, RTM_DELROUTE, REQUEST, _body(operation))
    return [node]


def queue_replace(step: Replace, _: AddRoute, new: AddRoute | AddMultipathRoute, nodes: Nodes) -> list[Node]:
    """In one step, so that no packet finds none."""
    node = nodes[new.node]
    node.link.queue_bytes(step, RTM_NEWROUTE, REQUEST | CREATE | REPLACE, _body(new))
    return [node]


def _body(operation: AddRoute | AddMultipathRoute | EndTable) -> bytes:
    match operation:
        case AddRoute(destination=destination, via=via):
            return packing.route(destination, (via,), operation.table)
        case AddMultipathRoute(destination=destination, vias=vias):
            return packing.route(destination, vias, operation.table)
        case EndTable(destination=destination, table=table):
            return packing.unreachable(destination, table)
