"""Which engine sees the packets: the kernel's tracepoints where that is allowed, packet sockets everywhere else."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pynetemu.plan.operations import AddAddress
from pynetemu.trace.events import Source
from pynetemu.trace.filters import compile_filter
from pynetemu.trace.kernel.source import KernelSource, Unavailable
from pynetemu.trace.tap import TapSource

if TYPE_CHECKING:
    from pynetemu.network.network import Network

KEPT = 512  # bytes of a packet: all headers, and the first lines of what it carries


def open_source(network: "Network", nodes: Sequence[str], expression: str = "", snap: int = KEPT) -> Source:
    """Begins to see the packets of these nodes that match a filter; raises FilterError."""
    program = compile_filter(expression, _addresses(network))
    with suppress(Unavailable):
        return KernelSource(network, nodes, program)
    return TapSource(network, nodes, program, snap)


def _addresses(network: "Network") -> dict[str, list[str]]:
    """What the plan gives each node, so that filters may name it."""
    found: dict[str, list[str]] = {}
    for operation in network.plan.operations:
        if isinstance(operation, AddAddress):
            found.setdefault(operation.node, []).append(str(operation.address.ip))
    return found
