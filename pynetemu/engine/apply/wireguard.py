"""Makes WireGuard interfaces, and tells them of their peers."""

from collections.abc import Iterator
from contextlib import contextmanager
from socket import AF_NETLINK, SOCK_CLOEXEC, SOCK_RAW

from pynetemu.engine.apply.interfaces import queue_new
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.engine.wireguard import NETLINK_GENERIC, WireGuard
from pynetemu.plan.operations import AddPeer, AddWireGuard


def queue(operation: AddWireGuard | AddPeer, nodes: Nodes) -> Node:
    """At once, since keys are set by other messages. Raises Refused, and OSError."""
    node, interface = nodes[operation.node], operation.interface
    match operation:
        case AddWireGuard(port=port, mtu=mtu):
            queue_new(operation, node, interface, "wireguard", b"", mtu=mtu)
            node.link.flush()
            with _in(nodes, operation.node) as wireguard:
                wireguard.set_key(interface, port)
        case AddPeer(endpoint=endpoint, keepalive=keepalive):
            with _in(nodes, operation.peer_node) as theirs:
                key = theirs.public_key(operation.peer_interface)
            with _in(nodes, operation.node) as wireguard:
                wireguard.add_peer(interface, key, endpoint, keepalive)
    return node


@contextmanager
def _in(nodes: Nodes, name: str) -> Iterator[WireGuard]:
    with nodes.open_socket(name, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC) as connection:
        yield WireGuard(connection)
