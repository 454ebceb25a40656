"""Which engine sees the packets: the kernel's tracepoints where that is allowed, packet sockets everywhere else."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from pynetemu.capture.pcap_filter import compile_filter
from pynetemu.capture.selection import by_node, names_of, of_the_lab
from pynetemu.errors import LabError
from pynetemu.trace.sources.events import Event, Source
from pynetemu.trace.sources.kernel.source import KernelSource, Unavailable
from pynetemu.trace.sources.packet_sockets import PacketSocketSource

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.lab.state import InterfaceState

KEPT = 512  # bytes of a packet: all headers, and the first lines of what it carries


Engine = Literal["", "kernel", "sockets"]
ENGINES: tuple[Engine, ...] = ("", "kernel", "sockets")


def checked(engine: str) -> Engine:
    """The engine of this name, "" for the better one; raises LabError."""
    for known in ENGINES:
        if engine == known:
            return known
    raise LabError(f"no engine of traces is called {engine!r}: there are kernel and sockets")


def open_source(
    lab: "Lab",
    nodes: Sequence[str],
    expression: str = "",
    snap: int = KEPT,
    engine: Engine = "",
    known: "Callable[[], Sequence[InterfaceState]]" = list,
) -> Source:
    """Begins to see the packets of these nodes that match a filter, by the engine that is wanted or, without, the better one.

    `known` gives the interfaces as far as they are known, when their names are needed. Raises FilterError, and LabError for
    the kernel's engine where it cannot be had.
    """
    program = compile_filter(expression, by_node(names_of(lab))) if expression else b""
    if engine != "sockets":
        try:
            return KernelSource(lab, nodes, program, known=known)
        except Unavailable as reason:
            if engine:
                raise LabError(f"the kernel's engine of traces cannot be had here: {reason}") from None
    return PacketSocketSource(lab, nodes, program, snap)


def of_lab(lab: "Lab", events: list[Event]) -> list[Event]:
    """The events without what a machine that is the lab's root does besides: its own traffic is not the lab's affair."""
    if not lab.host:
        return events
    wanted = {node: of_the_lab(lab, node) for node in lab.nodes}
    return [event for event in events if not wanted[event.node] or event.interface in wanted[event.node]]
