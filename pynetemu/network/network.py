"""A running network, from Python: it comes up with `with`, and leaves nothing behind."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from pynetemu.errors import LabError, UsageError
from pynetemu.lab.connection import EngineProcess
from pynetemu.lab.lab import Lab, checked_topology
from pynetemu.network.node import RunningNode
from pynetemu.plan.no_gc import no_collection
from pynetemu.plan.operations import Plan
from pynetemu.topology import Topology

if TYPE_CHECKING:
    from typing import Self

    from pynetemu.capture.capture import Capture
    from pynetemu.lab.changing import LabChange
    from pynetemu.lab.drift import Difference
    from pynetemu.lab.impairments import RunningLink
    from pynetemu.lab.links import LinkState
    from pynetemu.lab.pairs import RunningPair
    from pynetemu.lab.services import ServiceNews, ServiceState
    from pynetemu.measure.ping import Pings, Progress
    from pynetemu.measure.throughput import Throughput
    from pynetemu.topology.part import Part
    from pynetemu.trace.tracer import Tracer


class Network(Lab):
    """A topology brought up as namespaces, links and processes of its own.

        with Network(Blue()) as net:
            print(net["blue"].run("curl", "-s", "root:8080").stdout)

    It works from scripts, threads, notebooks and asyncio programs, without root. `host=True` makes the machine itself the
    lab's root; that needs root. `privileged=True` lets programs in nodes of root's labs load BPF (XDP) and change the machine's
    settings, which they may not otherwise. `ids` is "one" or "range", for logins in nodes; by default the topology says it.
    `name` is how `pynetemu ps`, `exec` and `attach` know the lab (by default the topology's name; a number is added while
    another lab has it). `sandbox` is one that has been started already. `capture` is a pcapng file for all packets from the
    lab's first moment, before any interface is up, to its last (`captured` tells of it).

    `open` raises DescriptionError, PrivilegeError, ConflictError and KernelError; nothing is left in any case.
    """

    def __init__(
        self,
        topology: Topology | type[Topology] | Plan,
        *,
        host: bool = False,
        privileged: bool = False,
        ids: str | None = None,
        name: str | None = None,
        sandbox: EngineProcess | None = None,
        capture: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(topology, host=host, privileged=privileged, ids=ids, name=name, sandbox=sandbox)
        self._described: tuple[Topology, bytes | None] | None = None  # what it is born as, and that for the engine
        self.captured: Capture | None = self.capture(capture) if capture is not None else None

    def __getitem__(self, name: str) -> RunningNode:
        return RunningNode(self, self._known(name))

    def __iter__(self) -> Iterator[RunningNode]:
        return (self[name] for name in self.nodes)

    def begin(self) -> "Self":
        """Starts to bring the network up, and returns while the engine works; `open` waits for it."""
        if self.captured is not None and not self._begun:
            self.plan  # noqa: B018  # what is wrong with the description is told first
            self.captured.open()  # and a file that cannot be, before anything is built
        return super().begin()

    def _ring_memory(self) -> int:
        if self.captured is None:
            return 0
        from pynetemu.engine.rings import memory_for

        return memory_for(len(self.nodes))

    def describe(self, topology: Topology) -> None:
        """Tells of a lab that is made of a plan, and not open yet, which description that comes from: `add`, `remove`, `move`
        and `save` start from there."""
        self._described = topology, None

    def _while_it_is_built(self) -> None:
        from pynetemu.lab.following import data_of

        if not isinstance(self._topology, Plan):
            self.describe(self._topology() if isinstance(self._topology, type) else self._topology)
        if self._described is not None:
            self._described = self._described[0], data_of(self._described[0])

    def _opened(self) -> None:
        if self._described is not None:
            self.followed.keep(self.control, *self._described)
        if self.captured is not None:
            from pynetemu.capture.capture import boot_rings

            self.captured.start(boot_rings(self))

    def close(self) -> None:
        """Ends the lab, and returns when its last process has gone. Closing twice is not an error.

        Raises OSError, after that, when a capture of the whole lab could not be written to its end.
        """
        super().close()
        if self.captured is not None:
            self.captured.stop()

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self.close()
        except OSError:
            if kind is None:  # else there is an exception already, which says more
                raise

    def planned(self, topology: "Topology | type[Topology] | Plan") -> "Plan":
        """What the lab would be made of with another description, before anything is done: what is there keeps its names,
        MAC addresses and automatic addresses. Raises DescriptionError."""
        from functools import partial

        from pynetemu.lab.kernel import kernel_has
        from pynetemu.plan.again import Memory, compile_again

        topology = checked_topology(topology, "net.apply")
        if isinstance(topology, Plan):
            return self._with_ids(topology)
        memo = self.followed.memo = self.followed.memo or Memory()
        return self._with_ids(compile_again(topology, self.host, partial(kernel_has, None), self.plan, memo))

    def difference(self, topology: "Topology | type[Topology] | Plan") -> "LabChange":
        """What `apply` would do with a description; nothing is done.

        print(*net.difference(Routed()).commands, sep="\\n")
        """
        from pynetemu.lab.changing import LabChange

        return LabChange(self.plan, self.planned(topology))

    def apply(self, topology: "Topology | type[Topology] | Plan", description: "Topology | None" = None) -> "LabChange":
        """Makes the running lab what another description says, all of it or nothing.

            net.apply(Routed())

        What is described as before is not touched: no packet is lost there, services and programs go on, interfaces keep
        their names, MAC addresses and automatic addresses. What was changed by hand stays, unless it is in the way, which the
        result tells. Of a plan, the `description` is what it was made of. Raises DescriptionError, KernelError, ServiceError
        and LabError; then, and after Ctrl-C, all is as it was.
        """
        from pynetemu.lab import changing

        wanted = topology() if isinstance(topology, type) else topology
        described = description if isinstance(wanted, Plan) else wanted

        @changing.until_first
        def change() -> "LabChange":
            before = self.plan
            return changing.become(self, before, self.planned(wanted), described)

        with no_collection():
            return change()

    def _edit(self, change: Callable[[Topology], Topology]) -> "LabChange":
        """Applies the description of what runs with a change in it. What links were `set` to do meanwhile stays."""
        from pynetemu.lab import changing
        from pynetemu.lab.impairments import with_what_is_set

        @changing.until_first
        def edit() -> "LabChange":
            now = self.plan
            changed = change(self.description)
            return changing.become(self, now, with_what_is_set(self.planned(changed), now), changed)

        with no_collection():
            return edit()

    @property
    def description(self) -> Topology:
        """What the lab was described as and has become by `apply`, `add` and the like, whoever did it.

        Raises LabError where that is not known: for a lab that was made of a plan, or of values that only one process has.
        """
        found = self.followed.description(self.control)
        if found is None:
            hint = "change the file, and apply it: net.apply(...), or `pynetemu apply FILE LAB`"
            raise LabError(f"the description of this lab is not known here, only its plan\n    hint: {hint}")
        return found

    def add(self, *parts: "str | Part") -> "LabChange":
        """Adds nodes, each after its name, links, services and filters to the running lab: all of them, or nothing.

            net.add("h3", Host(), Link("h3", "s1"))
            net.add("web", HttpServer("h3", port=80))

        Nodes that are there are given by their names. What follows, such as the routes of others, follows. Raises as `apply`.
        """
        from pynetemu.topology.editing import with_parts

        return self._edit(lambda topology: with_parts(topology, *parts))

    def remove(self, *names: str) -> "LabChange":
        """Removes nodes with their links and services; or the links between two nodes, or a service, by its name.

            net.remove("h3")
            net.remove("h1-s1")

        The programs in a removed node end. Raises as `apply`, and LabError for what is not there.
        """
        from pynetemu.lab.arguments import text
        from pynetemu.topology.editing import without

        names = tuple(text("remove: name", name) for name in names)
        return self._edit(lambda topology: without(topology, *names))

    def move(self, node: str, old: str, to: str) -> "LabChange":
        """Plugs the link between a node and another one in at a third: a host at another switch, say.

            net.move("h1", "s1", "s2")

        The node's interface keeps its name and MAC address; an automatic address is one of its new network. Raises as `apply`.
        """
        from pynetemu.lab.arguments import text
        from pynetemu.topology.editing import replugged

        node, old, to = text("node", node), text("old", old), text("to", to)
        return self._edit(lambda topology: replugged(topology, node, old, to))

    @contextmanager
    def changed(self, topology: "Topology | type[Topology] | Plan") -> "Iterator[LabChange]":
        """A block in which the lab is what another description says; at its end it is what it was.

            with net.changed(WithoutBackup()):
                assert net.ping_all().loss == 0

        Raises as `apply`, also at the end, and when somebody else has changed the lab within the block.
        """
        from pynetemu.lab import changing

        before, described = self.plan, self.followed.description(self.control)
        change = self.apply(topology)
        within = self.plan
        try:
            yield change
        finally:
            if (now := self.plan) is not within and now != within:
                raise LabError("somebody else has changed this lab meanwhile: it stays as it is")
            changing.become(self, now, self.planned(before), described)  # once: what comes between is another's change

    def undo(self) -> "LabChange":
        """Takes the last change back that has not been taken back, whoever made it.

            net.undo()

        Raises as `apply`, and LabError when there is none.
        """
        from pynetemu.lab import changing

        return changing.undo(self)

    def save(self, file: "str | os.PathLike[str]", overwrite: bool = False) -> list[str]:
        """Writes what runs as a description that makes it again: what was described, and what was changed since, by hand too.

            net.save("now.py")

        What descriptions have no words for is done by commands in it, as services of the nodes; what cannot be written is in
        the answer, and in the file. Raises UsageError for a file that is there, unless `overwrite`, and LabError.
        """
        from pynetemu.lab.saving import save

        return save(self, self.description, file, overwrite)

    def links(self, *ends: str) -> "list[LinkState]":
        """The links, each with its state; those between two nodes, or interfaces, with two `ends`.

            net.links("h1", "s1"), net.links("r1:eth0", "r2:eth0")

        Raises LabError when there is none between them.
        """
        from pynetemu.lab import links

        if not ends:
            return links.links(self)
        if len(ends) != 2:
            raise UsageError('links are between two nodes or interfaces: links("h1", "s1")')
        return links.between(self, *ends)

    def link(self, *which: str) -> "RunningLink":
        """A link, by its name in the description or by both ends, to change what it does to packets while the lab runs.

            net.link("wire").set(loss="2%")
            net.link("h1", "s1").directions[0].counters.lost

        Raises LabError when there is none, or more than one.
        """
        from pynetemu.lab import impairments

        return impairments.find(self, *which)

    def schedule(
        self, link: str | Sequence[str], *steps: tuple[object, Mapping[str, object]], every: object = None, linear: bool = False
    ) -> None:
        """Changes what a link does over time: `link` is its name, or both its ends; all else is as of `RunningLink.schedule`.

            net.schedule("wire", (0, {"delay": "20ms"}), ("5s", {"delay": "200ms"}))
            net.schedule(("h1", "s1"), (0, {}), (9, {"loss": "100%"}), every="10s")     # flaps: gone for a second, every ten

        Raises UsageError, KernelError and LabError.
        """
        self.link(*(link if isinstance(link, tuple | list) else [link])).schedule(*steps, every=every, linear=linear)

    def pair(self, a: str, b: str) -> "RunningPair":
        """Two nodes of one segment, to change what the packets between both meet, and no others.

            net.pair("h1", "h3").set(delay="20ms", loss="1%")

        Nodes with several links are named with the interface: "h1:eth1". Raises LabError when they share no switch or hub.
        """
        from pynetemu.lab.pairs import find_pair

        return find_pair(self, a, b)

    def differences(self, *nodes: str) -> "list[Difference]":
        """How some nodes, or all, differ from the description, as commands that make the one from the other.

        print(*net.differences(), sep="\\n")       h1 ip link set dev eth0 name wan

        Raises LabError.
        """
        from pynetemu.lab.drift import differences

        return differences(self, [self._known(node) for node in nodes])

    def set_link(self, a: str, b: str, *, up: bool) -> None:
        """Takes the links between two nodes, or interfaces (NODE:INTERFACE), down at both ends, or up again.

            net.set_link("h1", "s1", up=False)

        What the kernel forgets with a link that goes down, routes and IPv6 addresses, comes back with it.
        """
        from pynetemu.lab import arguments, links

        up = arguments.truth("up", up)
        links.set_links(self, self.links(a, b), up)

    def pause(self, *nodes: str) -> None:
        """Stops all programs of nodes where they are, and takes their links down, until `resume`.

            net.pause("r1")

        A node that is paused starts no programs. Raises LabError for one that is not running.
        """
        self._set_power(nodes, "pause")

    def resume(self, *nodes: str) -> None:
        """Lets paused nodes go on, with their links as they were. Raises LabError for one that is not paused."""
        self._set_power(nodes, "resume")

    def stop(self, *nodes: str) -> None:
        """Turns nodes off, as machines: all their programs are killed, and their links are down, until `start`.

        What they have written to /etc and /var is kept, what is in /run is not.
        """
        self._set_power(nodes, "stop")

    def start(self, *nodes: str) -> None:
        """Turns stopped nodes on: links, addresses and routes are as they were, and the description's services start.

        Raises LabError for one that is not stopped, ServiceError for a service that does not become ready.
        """
        self._set_power(nodes, "start")

    def _set_power(self, nodes: tuple[str, ...], wanted: str) -> None:
        from pynetemu.engine.protocol.requests import SetPower

        for node in [self._known(node) for node in nodes]:
            self.control.ask(SetPower(node, wanted))

    @property
    def power(self) -> dict[str, str]:
        """Each node's state: {"h1": "running", "r1": "paused", "h2": "stopped"}."""
        from pynetemu.engine.protocol.requests import ReadPower

        return self.control.ask(ReadPower())

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
        from pynetemu.lab import arguments
        from pynetemu.measure import throughput

        self[source], self[target]
        seconds, version = arguments.positive_seconds("seconds", seconds), arguments.ip_version(version)
        if rate is None:
            return throughput.tcp(self, source, target, seconds, version)
        return throughput.udp(self, source, target, seconds, arguments.rate("rate", rate), version)

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

    def trace(self, filter: str = "", *, snap: int | None = None, engine: str = "") -> "Tracer":
        """Follows packets through the lab as long as a `with` block lasts, and tells why each ended as it did.

            with net.trace("icmp or arp") as trace:
                net["blue"].run("ping", "-c1", "root")
            trace.expect("ARP who-has", "echo request", "echo reply")
            print(trace.ladder())

        `filter` is as tcpdump's, and may have the nodes' names for addresses. `engine` is "kernel" (root's: it sees drops and
        their reasons) or "sockets" (anybody's), by default the better one. `snap` is how many bytes of each packet are kept, 0
        for all of them; by default 512 by packet sockets and 192 by the kernel's engine, which is the better one for that
        much only. The trace is filled at the end of the block. Raises FilterError, LabError, UsageError.
        """
        from pynetemu.trace.tracer import Tracer

        return Tracer(self, filter, snap=snap, engine=engine)
