"""A running network, from Python: it comes up with `with`, and leaves nothing behind."""

import os
import time
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, Self

from pynetemu.errors import LabError
from pynetemu.lab.connection import Connection, Sandbox, is_readable
from pynetemu.lab.running_labs import address, connect, listen
from pynetemu.network.node import Node
from pynetemu.plan.data import from_data, to_data
from pynetemu.plan.operations import Plan
from pynetemu.topology import Topology

if TYPE_CHECKING:
    from pynetemu.capture.capture import Capture
    from pynetemu.lab.links import LinkState, LostSettings
    from pynetemu.lab.services import ServiceNews, ServiceState
    from pynetemu.lab.state import ForwardingEntry, InterfaceState, Neighbour, NeighbourCounts, RouteState, Totals
    from pynetemu.measure.ping import Pings, Progress
    from pynetemu.measure.throughput import Throughput
    from pynetemu.trace.tracer import Tracer


class Network:
    """A topology brought up as namespaces, links and processes of its own.

        with Network(Blue()) as net:
            print(net["blue"].run("curl", "-s", "root:8080").stdout)

    It works from scripts, threads, notebooks and asyncio programs, without root. `host=True` makes the machine itself the
    lab's root; that needs root. `name` is how `pynetemu ps`, `exec` and `attach` know the lab (by default the topology's
    name; a number is added while another lab has it). `sandbox` is one that has been started already. `capture` is a pcapng
    file for all packets from the lab's first moment, before any interface is up, to its last (`captured` tells of it).

    `open` raises DescriptionError, PrivilegeError, ConflictError and KernelError; nothing is left in any case.
    """

    def __init__(
        self,
        topology: Topology | type[Topology] | Plan,
        *,
        host: bool = False,
        name: str | None = None,
        sandbox: Sandbox | None = None,
        capture: str | os.PathLike[str] | None = None,
    ) -> None:
        self._topology = topology
        self._sandbox = sandbox
        self._wanted_name = name
        self._begun = self._is_open = False
        self._attached: Connection | None = None
        self.captured: Capture | None = self.capture(capture) if capture is not None else None
        self._plan: Plan | None = topology if isinstance(topology, Plan) else None
        self.host = self._plan.host if self._plan else host
        self.name = name or ""
        self.file = ""  # of the description, in a lab that another process has started

    @classmethod
    def attach(cls, name: str) -> "Network":
        """A running lab of this user, from another process; closing it leaves the lab running. Raises LabError."""
        control = connect(name)
        try:
            described, _ = control.request({"do": "describe"})
            network = cls(from_data(described["plan"]), name=name)
        except BaseException:
            control.close()
            raise
        network._attached = control
        network.file = described["file"]
        return network

    @property
    def plan(self) -> Plan:
        """What the network is made of."""
        if self._plan is None:
            from pynetemu.plan.compile import compile_plan

            assert not isinstance(self._topology, Plan)
            self._plan = compile_plan(self._topology, host=self.host)
        return self._plan

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes' names, in the order of the description."""
        return self.plan.nodes

    def begin(self) -> Self:
        """Starts to bring the network up, and returns while the engine works; `open` waits for it."""
        if self._begun:
            return self
        plan = self.plan
        if self.captured is not None:
            self.captured.open()  # a file that cannot be is told before anything is built
        if self._sandbox is None:
            self._sandbox = Sandbox.join(address(self.name)) if self._attached else Sandbox.start(self.host)
        if not self._attached:
            self.name, listener = listen(plan.name.lower() if self._wanted_name is None else self._wanted_name)
            with listener:
                self._sandbox.connection.begin(self._build_request(plan), [listener.fileno()])
        self._begun = True
        return self

    def _build_request(self, plan: Plan) -> dict[str, object]:
        source = next((op.source for op in plan.operations if op.source), "")
        file = os.path.abspath(source.rpartition(":")[0]) if source else ""
        lab = {"pid": os.getpid(), "file": file, "started": time.time()}
        return {"do": "build", "plan": to_data(plan), "lab": lab, "ring_memory": self._ring_memory(plan)}

    def _ring_memory(self, plan: Plan) -> int:
        if self.captured is None:
            return 0
        from pynetemu.engine.rings import memory_for

        return memory_for(len(plan.nodes))

    def open(self) -> Self:
        """Brings the network up, and returns when it is ready. Opening one that is open is no error."""
        if self._is_open:
            return self
        try:
            self.begin()
            if not self._attached:
                self._engine().connection.finish()
            if self.captured is not None:
                self._start_capture(self.captured)
        except BaseException:
            self.close()
            raise
        self._is_open = True
        return self

    def _start_capture(self, captured: "Capture") -> None:
        from pynetemu.capture.capture import boot_rings

        captured.start(boot_rings(self))

    def close(self) -> None:
        """Ends the lab, and returns when its last process has gone. Closing twice is no error.

        Raises OSError, after that, when a capture of the whole lab could not be written to its end.
        """
        if self._attached is not None:
            self._attached.close()
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None
        self._begun = self._is_open = False
        if self.captured is not None:
            self.captured.stop()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self.close()
        except OSError:
            if kind is None:  # else there is an exception already, which says more
                raise

    def __repr__(self) -> str:
        return f"<Network {self.name or 'not open yet'}>"

    def __getitem__(self, name: str) -> Node:
        if name not in self.nodes:
            from pynetemu.plan.nearest import nearest

            near = nearest(name, self.nodes)
            hint = f"did you mean {near!r}?" if near else f"it has {', '.join(self.nodes)}"
            raise LabError(f"{self.plan.name} has no node {name!r}; {hint}")
        return Node(self, name)

    def __contains__(self, name: object) -> bool:
        return name in self.nodes

    def __iter__(self) -> Iterator[Node]:
        return (Node(self, name) for name in self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    @cached_property
    def _lost(self) -> "LostSettings":
        from pynetemu.lab.links import LostSettings

        return LostSettings()

    def links(self, *ends: str) -> "list[LinkState]":
        """The links, each with its state; those between two nodes, or interfaces, with two `ends`.

            net.links("h1", "s1"), net.links("r1:eth0", "r2:eth0")

        Raises LabError when there is none between them.
        """
        from pynetemu.lab import links

        return links.between(self, *ends) if ends else links.links(self)

    def set_link(self, a: str, b: str, *, up: bool) -> None:
        """Takes the links between two nodes, or interfaces (NODE:INTERFACE), down at both ends, or up again.

            net.set_link("h1", "s1", up=False)

        What the kernel forgets with a link that goes down, routes and IPv6 addresses, comes back with it.
        """
        from pynetemu.lab import links

        for link in self.links(a, b):
            links.set_link(self, link, self._lost, up)

    def interfaces(self, *nodes: str) -> "list[InterfaceState]":
        """The interfaces of some nodes, or of all, with their addresses and counters as the kernel has them now."""
        from pynetemu.lab import state

        return state.interfaces(self, nodes or self.nodes)

    def routes(self, *nodes: str) -> "list[RouteState]":
        """The routes of some nodes, or of all."""
        from pynetemu.lab import state

        return state.routes(self, nodes or self.nodes)

    def neighbours(self, *nodes: str) -> "list[Neighbour]":
        """What some nodes, or all, know of their neighbours (ARP, ND)."""
        from pynetemu.lab import state

        return state.neighbours(self, nodes or self.nodes)

    def forwarding(self, *nodes: str) -> "list[ForwardingEntry]":
        """Which MAC addresses the bridges of some nodes, or of all, have behind their ports."""
        from pynetemu.lab import state

        return state.forwarding(self, nodes or self.nodes)

    def ping_all(
        self,
        *nodes: str,
        count: int = 1,
        timeout: float = 1.0,
        version: int | None = None,
        progress: "Progress | None" = None,
    ) -> "Pings":
        """Pings between all pairs of some nodes, or of all that have addresses, from this process and all at once.

            assert net.ping_all().loss == 0

        `count` echo requests each; an answer may take `timeout` seconds; `version` 4 or 6 (by default IPv4 where both have
        it); `progress` is called with how many pairs were asked, and of how many.
        """
        from pynetemu.measure.ping import ping_all

        return ping_all(self, nodes, count=count, timeout=timeout, version=version, progress=progress)

    def throughput(
        self, source: str, target: str, *, seconds: float = 2.0, rate: float | None = None, version: int | None = None
    ) -> "Throughput":
        """Sends data from one node to another for some seconds, and gives what has arrived: by TCP as fast as it goes.

            net.throughput("h1", "h2").rate / 1e6        # Mbit/s

        With a `rate` in bits per second, by UDP at that rate. Raises LabError when they cannot reach each other.
        """
        from pynetemu.measure import throughput

        self[source], self[target]
        if rate is None:
            return throughput.tcp(self, source, target, seconds, version)
        return throughput.udp(self, source, target, seconds, rate, version)

    def forget_neighbours(self, *nodes: str, unanswered_too: bool = False) -> "NeighbourCounts":
        """Makes some nodes, or all, forget what they have learned of their neighbours, as `ip neigh flush` does.

        Permanent entries stay, and unless `unanswered_too` those that are just being asked for; gives back how many.
        """
        from pynetemu.lab import state

        return state.forget_neighbours(self, nodes or self.nodes, unanswered_too)

    def totals(self) -> "Totals":
        """Sums over the lab, read in one request: packets, drops, nodes that are up."""
        from pynetemu.lab import state

        return state.totals(self)

    @property
    def services(self) -> "list[ServiceState]":
        """The lab's services (`Service` in the description), and whether they still run."""
        from pynetemu.lab import services

        return services.states(self.control)

    def service_news(self) -> "ServiceNews":
        """Tells from now on of services that end; to be closed."""
        from pynetemu.lab.services import ServiceNews

        return ServiceNews(self.control)

    def log(self, name: str) -> str:
        """What a service has printed so far: `net.log("web")`, or "blue.web" where several nodes have one of that name."""
        from pynetemu.lab import services

        with services.open_log(self, name) as file:
            return file.read().decode(errors="replace")

    def open_log(self, name: str) -> BinaryIO:
        """The same as a file that grows, of bytes."""
        from pynetemu.lab import services

        return services.open_log(self, name)

    def capture(self, file: str | os.PathLike[str] | int, *what: str, filter: str = "", limit: int = 0) -> "Capture":
        """Captures packets into a pcapng file, for Wireshark and tshark, as long as a `with` block lasts.

            with net.capture("x.pcapng", "blue", "root.eth0", filter="icmp or arp"):
                net["blue"].run("ping", "-c1", "root")

        `what` are nodes, interfaces ("blue.eth0") and links ("blue-root"), by default the whole lab; `filter` is as
        tcpdump's, and may have the nodes' names for addresses; with `limit` it ends after so many packets. Raises LabError
        and FilterError for what is not there, OSError for a file that cannot be written, also at the end of the block: what
        was captured until then is in the file.
        """
        from pynetemu.capture.capture import Capture

        return Capture(self, file, *what, filter=filter, limit=limit)

    def trace(self, filter: str = "", *, snap: int = 512) -> "Tracer":
        """Follows packets through the lab as long as a `with` block lasts, and tells why each ended as it did.

            with net.trace("icmp or arp") as trace:
                net["blue"].run("ping", "-c1", "root")
            trace.expect("ARP who-has", "echo request", "echo reply")
            print(trace.ladder())

        `filter` is as tcpdump's, and may have the nodes' names for addresses; `snap` is how many bytes of each packet are
        kept (0: all of them). The trace is filled at the end of the block. Raises FilterError, LabError.
        """
        from pynetemu.trace.tracer import Tracer

        return Tracer(self, filter, snap=snap)

    def namespaces(self) -> dict[str, int]:
        """The number of each node's network namespace, as `lsns -t net` shows it: it is the same on all of the machine."""
        answer, _ = self.control.request({"do": "networks"})
        return {node: answer["inodes"][node] for node in self.nodes}

    def fileno(self) -> int:
        """A descriptor that becomes readable when the lab has ended."""
        return self._engine().fileno()

    @property
    def ended(self) -> bool:
        """Whether the lab has ended: it was closed, or its engine was killed."""
        return self._sandbox is None or is_readable(self._sandbox.fileno(), 0)

    @property
    def processes(self) -> Connection:
        """Where requests for processes go: the engine, or our own process in a lab that we have attached to."""
        return self._engine().connection

    @property
    def control(self) -> Connection:
        """Where requests to the engine go."""
        return self._attached or self._engine().connection

    def _engine(self) -> Sandbox:
        if self._sandbox is None:
            raise LabError(f"the network {self.name or self.plan.name} is not open: use `with Network(...) as net:`")
        return self._sandbox
