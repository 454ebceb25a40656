"""What a running lab is now, and what happens in it: the part of `lab.Lab` that asks the kernel."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pynetemu.errors import LabError, UsageError
from pynetemu.wording import near_or_all

if TYPE_CHECKING:
    from pynetemu.lab.connection import Connection
    from pynetemu.lab.events import LabEvent
    from pynetemu.lab.reading import LabState
    from pynetemu.lab.state import (
        ForwardingEntry,
        InterfaceState,
        Neighbor,
        NeighborCounts,
        PacketFilter,
        PortState,
        QueueState,
        RouteState,
        RuleState,
        SocketState,
        Totals,
    )
    from pynetemu.lab.stream import Events

WHOLE = (
    "links", "counters", "addresses", "routes", "rules", "neighbors", "forwarding", "vlans", "queues", "sockets", "filters",
)  # fmt: skip  # what the kernel can be asked for, see `LiveLab.state`


class LiveLab(ABC):
    """A lab of which only this is known here: its engine, its nodes."""

    name: str
    streams: "list[Events]"  # that are open

    @property
    @abstractmethod
    def control(self) -> "Connection":
        """Where requests to the engine go."""

    @property
    @abstractmethod
    def nodes(self) -> tuple[str, ...]:
        """The nodes' names, in the order of the description."""

    @abstractmethod
    def fileno(self) -> int:
        """A descriptor that becomes readable when the lab has ended."""

    @abstractmethod
    def _known(self, name: str) -> str:
        """The name, if a node has it; raises LabError."""

    def state(self, *nodes: str, tables: Sequence[str] = WHOLE) -> "LabState":
        """What the kernel has in some nodes, or in all, read at once: links, addresses, routes, sockets…

            state = net.state("r1", "r2", tables=("links", "addresses"))

        `tables` are of links, counters, addresses, routes, rules, neighbors, forwarding, vlans, queues, sockets, filters:
        all of them by default. Raises LabError.
        """
        from pynetemu.lab.reading import read

        if isinstance(tables, str) or not isinstance(tables, Sequence):
            raise UsageError(f"tables={tables!r} is not a list\n    hint: tables=('links', 'addresses')")
        if unknown := [table for table in tables if table not in WHOLE]:
            raise LabError(f"the kernel has no table {unknown[0]!r} of a node; {near_or_all(unknown[0], WHOLE)}")
        return read(self.control, [self._known(node) for node in nodes] or self.nodes, tables)

    def interfaces(self, *nodes: str) -> "list[InterfaceState]":
        """The interfaces of some nodes, or of all, with their addresses and counters as the kernel has them now."""
        return self.state(*nodes, tables=("links", "counters", "addresses")).interfaces

    def routes(self, *nodes: str, all_tables: bool = False) -> "list[RouteState]":
        """The routes of some nodes, or of all: those of the main table, or of all but the kernel's own (local)."""
        found = self.state(*nodes, tables=("links", "routes")).routes
        return found if all_tables else [route for route in found if not route.table]

    def rules(self, *nodes: str) -> "list[RuleState]":
        """The rules by which some nodes, or all, choose a routing table (`ip rule`)."""
        return self.state(*nodes, tables=("rules",)).rules

    def neighbors(self, *nodes: str) -> "list[Neighbor]":
        """What some nodes, or all, know of their neighbors (ARP, ND)."""
        return self.state(*nodes, tables=("links", "neighbors")).neighbors

    def forwarding(self, *nodes: str) -> "list[ForwardingEntry]":
        """Which MAC addresses the bridges of some nodes, or of all, have behind their ports."""
        return self.state(*nodes, tables=("links", "forwarding")).forwarding

    def ports(self, *nodes: str) -> "list[PortState]":
        """The ports of the bridges of some nodes, or of all, with their VLANs and what a spanning tree has made of them."""
        return self.state(*nodes, tables=("links", "vlans")).ports

    def queues(self, *nodes: str) -> "list[QueueState]":
        """The queueing disciplines of some nodes, or of all, with their counters (`tc -s qdisc`)."""
        return self.state(*nodes, tables=("links", "queues")).queues

    def sockets(self, *nodes: str) -> "list[SocketState]":
        """The sockets of some nodes, or of all, that wait for anybody (`ss -lntu`)."""
        return self.state(*nodes, tables=("links", "sockets")).sockets

    def packet_filters(self, *nodes: str) -> "list[PacketFilter]":
        """The tables of nftables and of the older iptables in some nodes, or in all."""
        return self.state(*nodes, tables=("filters",)).packet_filters

    def forget_neighbors(self, *nodes: str, unanswered_too: bool = False) -> "NeighborCounts":
        """Makes some nodes, or all, forget what they have learned of their neighbors, as `ip neigh flush` does.

        Permanent entries stay, and unless `unanswered_too` those that are just being asked for; gives back how many.
        """
        from pynetemu.lab import reading
        from pynetemu.lab.arguments import truth

        unanswered_too = truth("unanswered_too", unanswered_too)
        return reading.forget_neighbors(self.control, [self._known(node) for node in nodes] or self.nodes, unanswered_too)

    def totals(self) -> "Totals":
        """Sums over the lab, read in one request: packets, drops, nodes that are up."""
        from pynetemu.lab import reading

        return reading.totals(self.control)

    def events(
        self, *nodes: str, timeout: float | None = None, callback: "Callable[[LabEvent], object] | None" = None
    ) -> "Events":
        """What happens from now on in some nodes, or in all: links, addresses, routes, rules, neighbors, processes, services.

            with net.events("h1", timeout=2) as events:         until nothing has happened for 2 s
                for event in events:
                    print(event)

            net.events(callback=print)                          in a thread, until the lab ends or it is closed

        Each event is a value: LinkEvent, AddressEvent, RouteEvent, RuleEvent, NeighborEvent, ProcessEvent, ServiceEvent,
        ChangeEvent, CaptureEvent; LostEvent says that more happened than could be told. Raises LabError.
        """
        from pynetemu.lab.arguments import seconds_or_none
        from pynetemu.lab.stream import Events

        known, timeout = [self._known(node) for node in nodes], seconds_or_none("timeout", timeout)
        if callback is not None and not callable(callback):
            raise UsageError(f"callback={callback!r} cannot be called")
        return Events(self, self.streams, known, timeout, callback).start()

    def tell(self, event: "LabEvent") -> None:
        """Adds an event that happens in this process to the streams of `events`."""
        for stream in list(self.streams):
            stream.put(event)
