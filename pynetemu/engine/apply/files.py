"""Gives nodes files of their own: at once where programs run, else when the node's machine is made."""

import os

from pynetemu.engine import syscalls
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.errors import KernelError
from pynetemu.plan.operations import AddFile
from pynetemu.plan.operations.steps import Replace, Undo

_OWN = ("/etc/", "/var/", "/run/")


def queue(operation: AddFile, nodes: Nodes) -> list[Node]:
    _check(operation, nodes)
    nodes.files.add(operation)
    _show(operation, nodes)
    return []


def queue_undo(_: Undo, operation: AddFile, nodes: Nodes) -> list[Node]:
    if operation.node in nodes:
        _only_files(operation, nodes)
        nodes.files.remove(operation)
        node = nodes[operation.node]
        if node.machine is not None:
            with syscalls.inside(*node.machine.namespaces, home=nodes.home):
                os.remove(operation.path)
    return []


def queue_replace(_: Replace, __: AddFile, new: AddFile, nodes: Nodes) -> list[Node]:
    return queue(new, nodes)


def _check(operation: AddFile, nodes: Nodes) -> None:
    """What the machine lacks is told at birth, not with the node's first program."""
    what, hint = "", ""
    if operation.kind == "mount" and not os.path.exists(operation.content):
        what, hint = operation.content, "a relative path begins at the description's folder"
    elif operation.kind != "file" and not _has_place(operation, nodes):
        what, hint = operation.path, "make it, or choose a path below /etc, /var or /run"
    if what:
        where = f"{operation.source}: " if operation.source else ""
        raise KernelError(f"{where}{operation.node}: this machine has no {what}\n    hint: {hint}")


def _has_place(operation: AddFile, nodes: Nodes) -> bool:
    return operation.path.startswith(_OWN) or nodes.files.is_private(operation) or os.path.exists(operation.path)


def _show(operation: AddFile, nodes: Nodes) -> None:
    node = nodes[operation.node]
    if node.machine is not None:
        _only_files(operation, nodes)
        with syscalls.inside(*node.machine.namespaces, home=nodes.home):
            nodes.files.place(operation)


def _only_files(operation: AddFile, nodes: Nodes) -> None:
    if nodes[operation.node].machine is not None and operation.kind != "file":
        raise KernelError(
            f"{operation.source}: {operation.node} runs programs, and what it has at {operation.path} cannot change under them"
            f"\n    hint: `stop {operation.node}` before"
        )
