"""Makes WireGuard interfaces, and tells them of their peers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from socket import AF_NETLINK, SOCK_CLOEXEC, SOCK_RAW

from pynetemu.engine.apply.interfaces import queue_deletion, queue_mtu, queue_rare
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.engine.wireguard import NETLINK_GENERIC, WireGuard
from pynetemu.plan.operations import AddPeer, AddWireGuard
from pynetemu.plan.operations.steps import Replace, Undo

_SECONDS = 2.0


def queue(operation: AddWireGuard | AddPeer, nodes: Nodes) -> Node:
    """At once, since keys are set by other messages. Raises Refused, and OSError."""
    node, interface = nodes[operation.node], operation.interface
    match operation:
        case AddWireGuard(port=port, mtu=mtu):
            queue_rare(operation, node, interface, "wireguard", (), mtu=mtu)
            node.link.flush()
            with _in(nodes, operation.node) as wireguard:
                wireguard.set_key(interface, port)
        case AddPeer(endpoint=endpoint, keepalive=keepalive):
            with _in(nodes, operation.peer_node) as theirs:
                key = theirs.public_key(operation.peer_interface)
            with _in(nodes, operation.node) as wireguard:
                wireguard.add_peer(interface, key, endpoint, keepalive)
                if keepalive:
                    _wait_for_handshake(wireguard, interface, key)
    return node


def queue_undo(step: Undo, operation: AddWireGuard | AddPeer, nodes: Nodes) -> list[Node]:
    if isinstance(operation, AddWireGuard):
        return queue_deletion(step, nodes, operation.node, operation.interface)
    ends = (operation.node, operation.interface), (operation.peer_node, operation.peer_interface)
    if all(name in nodes and interface in nodes[name].indexes for name, interface in ends):
        with _in(nodes, operation.peer_node) as theirs, _in(nodes, operation.node) as wireguard:
            wireguard.remove_peer(operation.interface, theirs.public_key(operation.peer_interface))
    return []


def queue_replace(step: Replace, _: AddWireGuard, new: AddWireGuard, nodes: Nodes) -> list[Node]:
    return queue_mtu(step, nodes, new.node, new.interface, new.mtu)


def _wait_for_handshake(wireguard: WireGuard, interface: str, key: bytes) -> None:
    """This end begins at once, and the other has no way to it before; a filter between them may be meant to stop them.

    The kernel tells nobody when it comes, so it is asked for.
    """
    end = time.monotonic() + _SECONDS
    while not wireguard.has_met(interface, key) and time.monotonic() < end:
        time.sleep(0.002)


@contextmanager
def _in(nodes: Nodes, name: str) -> Iterator[WireGuard]:
    with nodes.open_socket(name, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC) as connection:
        yield WireGuard(connection)
