"""Carries out a plan's operations: the only place where a description becomes kernel state.

Operations of one kind in a row are one batch: each node's part of it is one send, whatever the number of settings. A
plan's operations come in phases (see plan.compile), so that a lab of a thousand hosts has a handful of batches.
"""

import errno
from itertools import groupby

from pynetemu.engine import netlink
from pynetemu.engine.netlink import Netlink, Refused
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.errors import KernelError
from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddHttpServer,
    AddNode,
    AddRoute,
    AddService,
    AddVeth,
    Operation,
    SetMaster,
    SetUp,
)

_SECONDS_FOR_CARRIER = 5.0

_LACKS = {AddVeth: "veth (CONFIG_VETH)", AddBridge: "bridge (CONFIG_BRIDGE)"}


def apply(operations: tuple[Operation, ...], nodes: Nodes) -> None:
    """Raises KernelError, with the user's line, for the first operation that the kernel refuses."""
    for _, batch in groupby(operations, key=type):
        _apply_batch(list(batch), nodes)
    _wait_for_bridges(operations, nodes)


def _apply_batch(batch: list[Operation], nodes: Nodes) -> None:
    dirty: dict[int, Netlink] = {}
    for operation in batch:
        try:
            node = _queue(operation, nodes)
        except OSError as error:
            raise KernelError(_explain(operation, error.errno or 0, error.strerror or str(error))) from error
        dirty[id(node.link)] = node.link
    for link in dirty.values():
        try:
            link.flush()
        except Refused as refused:
            assert refused.operation is not None
            raise KernelError(_explain(refused.operation, refused.errno, refused.reason)) from refused


def _queue(operation: Operation, nodes: Nodes) -> Node:
    """Queues what an operation needs at the node whose socket must send it."""
    match operation:
        case AddNode(node=name, kind=kind):
            node = nodes.add(name, kind)
            if not (kind == "root" and nodes.host):
                netlink.set_up(node.link, operation, 1)
        case AddBridge():
            node = nodes[operation.node]
            netlink.add_bridge(node.link, operation, node.take_index(operation.interface), operation.interface)
        case AddVeth():
            node = nodes[operation.node]
            _add_veth(operation, node, nodes[operation.peer_node])
        case SetMaster(interface=interface, master=master):
            node = nodes[operation.node]
            netlink.set_master(node.link, operation, node.indexes[interface], node.indexes[master])
        case AddAddress(interface=interface, address=address):
            node = nodes[operation.node]
            netlink.add_address(node.link, operation, _index(node, interface, nodes), address)
        case SetUp(interface=interface):
            node = nodes[operation.node]
            netlink.set_up(node.link, operation, _index(node, interface, nodes))
        case AddRoute(destination=destination, via=via):
            node = nodes[operation.node]
            netlink.add_route(node.link, operation, destination, via)
        case AddHttpServer() | AddService():
            node = nodes[operation.node]  # the server starts them when the network is up
    return node


def _add_veth(operation: AddVeth, node: Node, peer: Node) -> None:
    near = (node.take_index(operation.interface) if node.next_index else 0, operation.interface, operation.mac)
    far = (
        peer.take_index(operation.peer_interface) if peer.next_index else 0,
        operation.peer_interface,
        operation.peer_mac,
    )
    netlink.add_veth(node.link, operation, near, far, peer.network)


def _index(node: Node, interface: str, nodes: Nodes) -> int:
    """An interface's index; on the machine itself it was the kernel's choice, so it is looked up once."""
    if interface not in node.indexes:
        assert node.kind == "root" and nodes.host
        import socket

        node.indexes[interface] = socket.if_nametoindex(interface)
    return node.indexes[interface]


def _wait_for_bridges(operations: tuple[Operation, ...], nodes: Nodes) -> None:
    """A bridge drops what arrives before its port's carrier has been noticed: wait, so that no first packet is lost."""
    ports: dict[str, dict[int, SetMaster]] = {}
    for operation in operations:
        if isinstance(operation, SetMaster):
            node = nodes[operation.node]
            for interface in operation.master, operation.interface:
                ports.setdefault(operation.node, {})[node.indexes[interface]] = operation
    for name, waiting in ports.items():
        with nodes.watcher(name) as changes:
            late = nodes[name].link.wait_until_up(set(waiting), changes, _SECONDS_FOR_CARRIER)
        if late:
            operation = waiting[min(late)]
            raise KernelError(_explain(operation, errno.ETIMEDOUT, f"its link is not up after {_SECONDS_FOR_CARRIER:g} s"))


def _explain(operation: Operation, code: int, reason: str) -> str:
    from pynetemu.plan.shell import command

    where = f"{operation.source}: " if operation.source else ""
    name = errno.errorcode.get(code, str(code))
    text = f"{where}the kernel refused `{command(operation)}`: {reason} ({name})"
    if code == errno.EOPNOTSUPP and type(operation) in _LACKS:
        text += f"\n    hint: this kernel lacks {_LACKS[type(operation)]}; `pynetemu doctor` lists what it has"
    if code == errno.ENOSPC:
        text += "\n    hint: raise the limit with `sudo sysctl -w user.max_net_namespaces=100000`"
    return text
