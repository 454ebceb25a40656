"""Which engine sees the packets: the kernel's tracepoints where that is allowed, packet sockets everywhere else."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from pynetemu.capture.pcap_filter import compile_filter
from pynetemu.capture.selection import by_node, names_of, of_the_lab
from pynetemu.errors import LabError, UsageError
from pynetemu.trace.sources.events import Event, Source
from pynetemu.trace.sources.kernel.programs import BEHIND, SNAP
from pynetemu.trace.sources.kernel.source import KernelSource, Unavailable
from pynetemu.trace.sources.packet_sockets import PacketSocketSource

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.lab.state import InterfaceState

_KEPT = 512  # bytes of a packet by packet sockets: all headers, and the first lines of what it carries


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
    snap: int | None = None,
    engine: Engine = "",
    known: "Callable[[], Sequence[InterfaceState]]" = list,
) -> Source:
    """Begins to see the packets of these nodes that match a filter, by the engine that is wanted or, without, the better one.

    `snap` is how many bytes of each packet are kept, 0 for all: where the kernel's engine keeps less, packet sockets are the
    better ones. `known` gives the interfaces as far as they are known, when their names are needed. Raises FilterError, and
    for the kernel's engine LabError where it cannot be had, UsageError where it cannot keep so much.
    """
    program = compile_filter(expression, by_node(names_of(lab))) if expression else b""
    is_much = snap is not None and not 0 < snap <= SNAP
    if engine == "kernel" and is_much:
        text = f"snap={snap} asks for more than the {SNAP} bytes of a packet that the kernel's engine keeps"
        raise UsageError(f"{text}\n    hint: engine='sockets' keeps as many as are asked for")
    if engine != "sockets" and not is_much:
        try:
            return KernelSource(lab, nodes, program, known=known, snap=snap or SNAP + BEHIND)
        except Unavailable as reason:
            if engine:
                raise LabError(f"the kernel's engine of traces cannot be had here: {reason}") from None
    return PacketSocketSource(lab, nodes, program, _KEPT if snap is None else snap)


def of_lab(lab: "Lab", events: list[Event]) -> list[Event]:
    """The events without what a machine that is the lab's root does besides: its own traffic is not the lab's affair."""
    if not lab.host:
        return events
    wanted = {node: of_the_lab(lab, node) for node in lab.nodes}
    return [event for event in events if not wanted[event.node] or event.interface in wanted[event.node]]
