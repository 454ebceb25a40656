"""Waiting until a network carries packets: measured, never slept for."""

import errno

from pynetemu.engine.netlink import Refused
from pynetemu.engine.nodes import Nodes
from pynetemu.plan.operations import Operation, SetMaster

_SECONDS_FOR_CARRIER = 5.0


def wait_for_bridges(operations: tuple[Operation, ...], nodes: Nodes) -> None:
    """A bridge drops what arrives before its port's carrier has been noticed: wait, so that no first packet is lost.

    Raises Refused for a port that does not come up.
    """
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
            raise Refused(waiting[min(late)], errno.ETIMEDOUT, f"its link is not up after {_SECONDS_FOR_CARRIER:g} s")
