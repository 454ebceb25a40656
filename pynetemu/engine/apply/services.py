"""Services: the server starts them when the network is up."""

from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddHttpServer, AddService


def queue(operation: AddHttpServer | AddService, nodes: Nodes) -> Node:
    return nodes[operation.node]
