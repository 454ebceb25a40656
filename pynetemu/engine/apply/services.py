"""Starts and ends services, one after the other."""

from collections.abc import Generator

from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddHttpServer, AddService
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.steps import Undo

KINDS = AddHttpServer, AddService


def start(operation: Effect, nodes: Nodes) -> Generator[float, None, None]:
    """The steps until a service is ready. Raises KernelError and ServiceError."""
    yield from nodes.programs[type(operation)].start(operation)


def queue(operation: AddHttpServer | AddService, nodes: Nodes) -> list[Node]:
    """Starts it without waiting, as when a change is taken back that has ended it."""
    for pause in start(operation, nodes):
        if pause:
            break
    return []


def queue_undo(_: Undo, operation: AddHttpServer | AddService, nodes: Nodes) -> list[Node]:
    nodes.programs[type(operation)].stop(operation)
    return []
