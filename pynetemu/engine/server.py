"""The engine: holds the lab's nodes, builds the network, and serves the user's process and those that attach."""

import os
import socket
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, get_args

from pynetemu.engine import neighbors, nodes, syscalls
from pynetemu.engine.changes.changes import Changes
from pynetemu.engine.changes.power import Power
from pynetemu.engine.changes.switching import Switching
from pynetemu.engine.http_servers import HttpServers
from pynetemu.engine.live import dumps, hub, names
from pynetemu.engine.live.watchers import Watchers
from pynetemu.engine.loop import Loop, Steps
from pynetemu.engine.processes import log_file
from pynetemu.engine.protocol.change_requests import Changed, ChangeLab, TakeBack
from pynetemu.engine.protocol.channel import Channel, close_all, peer_user
from pynetemu.engine.protocol.codec import Descriptor
from pynetemu.engine.protocol.joined_requests import EndLab, OpenSockets, ReadRulesets, ReadSettings, TellEnd
from pynetemu.engine.protocol.relay_requests import RelayRequest
from pynetemu.engine.protocol.requests import (
    Build,
    Describe,
    Described,
    Description,
    Feature,
    Features,
    FindInterfaces,
    ForgetNeighbors,
    KeepDescription,
    KernelTables,
    LabNamespaces,
    Listen,
    NeighborStates,
    Networks,
    NodeNamespaces,
    Occurrence,
    OpenLab,
    OpenListener,
    OpenLog,
    OpenNode,
    OpenSocket,
    ReadDescription,
    ReadFiles,
    ReadIndexes,
    ReadNames,
    ReadPlan,
    ReadPower,
    ReadServices,
    ReadTables,
    ReadTotals,
    ReplaceNeighbors,
    Request,
    ServiceStatus,
    SetPower,
    Spawn,
    SwitchInterfaces,
    TakeRing,
    TryFeatures,
    WatchEvents,
    WatchPlan,
    WatchServices,
)
from pynetemu.engine.shaping.carriers import Carriers
from pynetemu.engine.shaping.relays import Relays
from pynetemu.engine.supervisor import Services
from pynetemu.errors import KernelError, LabError
from pynetemu.plan.data import change_from_data, from_data, to_data
from pynetemu.plan.inventory import Inventory
from pynetemu.plan.needs import lack_of_open_files, needs, open_files
from pynetemu.plan.operations import AddHttpServer, AddNode, Address, AddService, Operation, Plan
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.steps import Undo

_SECONDS_WITHOUT_FILES = 0.2
_ACCEPTED_AT_ONCE = 32  # others ask meanwhile
_FOUND_AT_ONCE = 64  # interfaces, each of which is asked for by itself
_MOST_AT_ONCE = 32 << 20  # bytes of the kernel's state in one answer for several nodes


class Server(Loop):
    def __init__(self, channel: Channel, host: bool) -> None:
        super().__init__(channel, self._inside)
        self.nodes = nodes.Nodes(host)
        self._hub = hub.Hub(self.nodes)
        self._watchers = Watchers()
        self._names = names.Names(self, self.nodes, self._hub)
        self._http_servers = HttpServers(self, self.nodes)
        self._relays = Relays(self.nodes)
        self._carriers = Carriers(self, self.nodes, self._hub, self._relays)
        self._services = Services(self, self.nodes)
        self.nodes.programs = {AddHttpServer: self._http_servers, AddService: self._services}
        self.nodes.tell_relay = self._tell_relay
        self._changes = Changes(self.nodes, self._check, self._names.become)
        self._switching = Switching(self.nodes)
        self._power = Power(self.nodes, self._switching, self._start_services)
        self._described = Description(0, "", 0.0, ())
        self._listener: socket.socket | None = None
        self._host_address: Address | None = None
        self._is_built = False  # or is being built
        self._is_on_machine = False  # something of the lab is on the machine itself, or may be

    def answer(self, request: Request[Any]) -> object:
        """What a request is answered with; an iterator is work in steps. Raises what the client is told as an error."""
        match request:
            case Build():
                return self._build(request)
            case Describe():
                return self._described
            case ReadPlan():
                return to_data(self._changes.plan)
            case TryFeatures():
                return self._features(request.names)
            case _ if isinstance(request, RelayRequest):
                return self._relays.answer(request)
            case ReadDescription() | KeepDescription():
                return self._answer_about_description(request)
            case Listen() | WatchPlan() | ChangeLab() | TakeBack() | SwitchInterfaces():
                return self._answer_about_changes(request)
            case SetPower():
                return self._power.set(self._known((request.node,))[0], request.wanted)
            case ReadPower():
                return self._power.states()
            case Features():
                return self._features()
            case OpenLab():
                return LabNamespaces(*_copies([f"/proc/self/ns/{kind}" for kind in LabNamespaces.__match_args__]))
            case OpenNode():
                return self._open_node(request.node)
            case Networks():
                return {name: os.fstat(node.network).st_ino for name, node in self.nodes.items()}
            case OpenSocket() | OpenSockets():
                return self._open_sockets(request)
            case TakeRing():
                ring, self.nodes[request.node].ring = self.nodes[request.node].ring, None
                return None if ring is None else ring.detach()
            case ReadServices():
                return self._services.states()
            case WatchServices():
                self._services.watch(socket.socket(fileno=os.dup(request.watcher)))
                return None
            case OpenLog():
                (node,) = self._known([request.node])
                return _open_log(node, request.service)
            case ReadFiles() | ReadSettings() | ReadRulesets():
                return self._answer_about_files(request)
            case ReadTables() | OpenListener() | WatchEvents() | ReadIndexes() | ReadNames() | FindInterfaces():
                return self._answer_about_state(request)
            case EndLab() | TellEnd():
                self._heed(request)
                return None
            case ReadTotals():
                return dumps.totals(self.nodes.values())
            case ForgetNeighbors():
                return neighbors.forget_learned(self.nodes, request.nodes, request.unanswered_too)
            case ReplaceNeighbors():
                return neighbors.replace(self.nodes, request.forgotten, request.asked)
            case NeighborStates():
                return neighbors.states(self.nodes, request.entries)
        return super().answer(request)

    def _open_sockets(self, request: OpenSocket | OpenSockets) -> int | list[int]:
        what = request.family, request.kind, request.protocol
        if isinstance(request, OpenSocket):
            return self.nodes.open_socket(request.node, *what).detach()
        return self.nodes.open_sockets(request.nodes, *what)

    def _heed(self, request: EndLab | TellEnd) -> None:
        """What another terminal says."""
        match request:
            case EndLab():
                self.later(0, lambda: self._leave(self._main))  # when this has been answered
            case TellEnd():
                (node,) = self._known([request.node])
                self._tell_of_program(node, request.pid, request.argv, request.status)

    def _answer_about_state(
        self, request: ReadTables | OpenListener | WatchEvents | ReadIndexes | ReadNames | FindInterfaces
    ) -> object:
        match request:
            case ReadTables():
                return self._read_tables(request)
            case OpenListener():
                return self._hub.listener(request.groups).detach()
            case WatchEvents():
                self._watchers.add(socket.socket(fileno=os.dup(request.watcher)))
                return None
            case ReadIndexes():
                return {name: dict(self.nodes[name].indexes) for name in self._known(request.nodes)}
            case ReadNames():
                (node,) = self._known([request.node])
                return self._names.text(node)
            case FindInterfaces():
                return self._find(request)

    def _answer_about_changes(self, request: Listen | WatchPlan | ChangeLab | TakeBack | SwitchInterfaces) -> object:
        match request:
            case Listen():
                self._accept_at(socket.socket(fileno=os.dup(request.listener)))
                return None
            case WatchPlan():
                self._changes.watch(socket.socket(fileno=os.dup(request.watcher)))
                return self._changes.revision
            case ChangeLab():
                return self._changed(self._changes.in_turn(request.base, request.cancel, lambda: self._become(request)))
            case TakeBack(base=base, cancel=cancel):
                return self._changed(self._changes.in_turn(base, cancel, lambda: self._changes.take_back(cancel)))
            case SwitchInterfaces():
                self._switching.switch([(place.node, place.interface) for place in request.places], request.up)
                return None

    def _answer_about_description(self, request: ReadDescription | KeepDescription) -> Described | None:
        if isinstance(request, ReadDescription):
            return Described(self._changes.revision, self._changes.description)
        if request.revision == self._changes.revision:  # else somebody else has changed the lab in its first moment
            self._changes.description = request.description
        return None

    def _start_services(self, node: str) -> Steps[None]:
        """Those of a node that has been started anew; its web servers listen all the time."""
        for operation in self._changes.inventory.of_type(AddService):
            if operation.node == node:
                self._services.stop(operation)
                yield from self._services.start(operation)

    def _build(self, request: Build) -> Steps[None]:
        if self._is_built:
            raise LabError("the lab is built already")
        self._is_built = True
        plan = from_data(request.plan)
        if not plan.host:
            yield from self._build_plan(request, plan)
            return
        from pynetemu.engine import host

        turn = yield from host.wait_for_turn()
        try:
            yield from self._build_plan(request, plan)
        finally:
            os.close(turn)

    def _build_plan(self, request: Build, plan: Plan) -> Steps[None]:
        self._described = Description(request.pid, request.file, request.started, plan.nodes)
        if plan.host:
            from pynetemu.engine import host

            self._host_address = host.primary_address()
            host.refuse_conflicts(Inventory(plan))
            self._is_on_machine = True
        self._require_features(plan)
        self._names.start(Inventory(plan), self._host_address)
        _make_room(plan)
        self.nodes.ring_memory = request.ring_memory
        try:
            yield from self._changes.build(plan, lambda: self._accept_at(socket.socket(fileno=os.dup(request.listener))))
            self.later(0, self._names.follow)
        except BaseException:
            self._undo()
            raise

    def _tell_relay(self) -> None:
        self._relays.update()
        self._carriers.follow()

    def _require_features(self, plan: Plan) -> None:
        if needed := needs(plan):
            from pynetemu.engine import features

            with syscalls.inside(home=self.nodes.home):
                features.require(needed)

    def _become(self, request: ChangeLab) -> Steps[list[str]]:
        """Raises as `Changes.become`, and DescriptionError for what leads to no plan."""
        described = self._changes.described(request.cuts) if request.keeps_description else request.description
        return self._changes.become(change_from_data(self._changes.plan, request.change), described, request.cancel)

    def _check(self, plan: Plan, steps: Sequence[Effect]) -> None:
        """What a change needs, before anything is done."""
        if plan.host != self._changes.plan.host:
            raise LabError("whether the root is the machine itself (--host) cannot change while the lab runs")
        if plan.ids != self._changes.plan.ids:
            raise LabError(f"ids = {plan.ids!r} cannot come while the lab runs: start it again (`reload --fresh`)")
        new = tuple(step for step in steps if isinstance(step, get_args(Operation)))
        self._require_features(Plan(plan.name, new))
        _make_room(plan)
        if plan.host:
            from pynetemu.engine import host

            gone = {thing for step in steps if isinstance(step, Undo) for thing in step.of.makes}
            added = tuple(op for op in new if gone.isdisjoint(op.makes) and not isinstance(op, AddNode))
            nodes = tuple(op for op in plan.operations if isinstance(op, AddNode))
            host.refuse_conflicts(Inventory(Plan(plan.name, (*nodes, *added))))

    def _changed(self, change: Steps[list[str]]) -> Steps[Changed]:
        told = yield from change
        nodes, touched = self._changes.plan.nodes, self._changes.touched
        was = self._described
        self._described = Description(was.pid, was.file, was.started, nodes)
        before, after = set(was.nodes), set(nodes)
        occurrence = Occurrence(
            "change",
            time.time(),
            text="; ".join(["the lab was changed", *told]),
            added=tuple(node for node in nodes if node not in before),
            removed=tuple(node for node in was.nodes if node not in after),
            changed=tuple(node for node in nodes if node in before and node in touched),
        )
        if touched or told or occurrence.added or occurrence.removed:
            self._watchers.tell(occurrence)
        return Changed(self._changes.revision, tuple(told))

    def finish(self) -> None:
        """Takes away what the lab has put onto the machine."""
        self._undo()

    def _undo(self) -> None:
        """The kernel frees what is in the sandbox; what is on the machine goes at once, before the caller is told."""
        if self._is_on_machine:
            from pynetemu.engine import host

            host.remove_links(self._changes.inventory, self.nodes)

    def _inside(self, name: str) -> AbstractContextManager[None]:
        self._names.settle()
        return self.nodes.entered(name, self._hosts)

    def _hosts(self, name: str) -> str:
        """For a node's view that is being made."""
        if self.nodes.host and self.nodes[name].kind == "root":
            from pynetemu.engine import host

            return self._names.dress(name, host.machine_hosts())
        return self._names.dress(name)

    def _open_node(self, name: str) -> NodeNamespaces:
        return NodeNamespaces(*_copies([descriptor for descriptor, _ in self.nodes.machine(name, self._hosts)]))

    def _find(self, request: FindInterfaces) -> Steps[list[tuple[str, str]]]:
        found: list[tuple[str, str]] = []
        for start in range(0, len(request.indexes), _FOUND_AT_ONCE):
            some = slice(start, start + _FOUND_AT_ONCE)
            found += self._hub.places(request.namespaces[some], request.indexes[some])
            yield 0
        return found

    def _answer_about_files(self, request: ReadFiles | ReadSettings | ReadRulesets) -> Steps[object]:
        if isinstance(request, ReadFiles):
            return self._read_files(request)
        from pynetemu.engine.live import rulesets, settings

        known = self._known(request.nodes)
        if isinstance(request, ReadSettings):
            return settings.changed(self.nodes, self._hub, known)
        return rulesets.read(self.nodes, self._changes.inventory, known)

    def _read_files(self, request: ReadFiles) -> Steps[dict[str, list[str]]]:
        texts: dict[str, list[str]] = {}
        size = 0
        for node in self._known(request.nodes):
            texts[node] = []
            for path in request.paths:
                texts[node] += self.nodes.read_files(node, (path,))
                size += len(texts[node][-1])
                _refuse_if_too_much(size, request.nodes)
                yield 0
        return texts

    def _read_tables(self, request: ReadTables) -> Steps[KernelTables]:
        names = self._known(request.nodes)
        found: list[bytes] = []
        size = 0
        for part in dumps.read(self.nodes, self._hub, names, dict.fromkeys(request.tables)):
            found.append(part)
            size += len(part)
            _refuse_if_too_much(size, request.nodes)
            yield 0
        return KernelTables(tuple(map(self._hub.number, names)), b"".join(found))

    def _known(self, names: Sequence[str]) -> Sequence[str]:
        """The names of nodes; raises LabError for one that no node has, or that is there twice."""
        if unknown := [name for name in names if name not in self.nodes]:
            raise LabError(f"no node is called {unknown[0]!r}")
        if len(set(names)) != len(names):
            raise LabError("a node is named twice")
        return names

    def _features(self, names: Sequence[str] = ()) -> Steps[list[Feature]]:
        """Every feature that labs use, or those of some names."""
        from pynetemu.engine import features
        from pynetemu.plan.operations.features import KernelFeature

        found = []
        for feature in KernelFeature:
            if not names or feature.value in names:
                with syscalls.inside(home=self.nodes.home):
                    found.append(features.probe(feature))
                yield 0
        return found

    def children_ended(self, statuses: dict[int, int]) -> None:
        for service in [ended for programs in self.nodes.programs.values() for ended in programs.ended(statuses)]:
            self._watchers.tell(
                Occurrence("service", time.time(), service.node, service.name, service.pid, (), service.status or 0)
            )
        super().children_ended(statuses)
        if (status := self._relays.ended(statuses)) is not None:
            self._services.tell(ServiceStatus("the lab", "the relay", 0, status))

    def program_ended(self, request: Spawn, pid: int, status: int) -> None:
        self._tell_of_program(request.node, pid, request.argv, status)

    def _tell_of_program(self, node: str, pid: int, argv: tuple[str, ...], status: int) -> None:
        self._watchers.tell(Occurrence("process", time.time(), node, "", pid, argv, status))

    def _accept_at(self, listener: socket.socket) -> None:
        """Lets other processes of the same user attach, by this and by no other socket."""
        if self._listener is not None and self._listener is not listener:
            self.forget(self._listener.fileno())
            self._listener.close()
        self._listener = listener
        listener.setblocking(False)
        self.watch(listener.fileno(), lambda: self._accept(listener))

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                connection, _ = listener.accept()
            except BlockingIOError:  # that was all
                return
            except OSError:  # no more open files: until there are, it would be asked for again at once
                self.forget(listener.fileno())
                self.later(_SECONDS_WITHOUT_FILES, lambda: self._accept_at(listener))
                return
            if peer_user(connection) == os.getuid():
                self.attach(connection)
            else:
                connection.close()


def _make_room(plan: Plan) -> None:
    """Raises our limit of open descriptors as far as a large lab needs; the nodes' programs inherit it (getrlimit(2))."""
    import resource

    if lack := lack_of_open_files(plan):
        raise KernelError(lack)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    useful = open_files(plan, running=True)
    if resource.RLIM_INFINITY != soft < useful:
        resource.setrlimit(resource.RLIMIT_NOFILE, (useful if hard == resource.RLIM_INFINITY else min(useful, hard), hard))


def _copies(sources: Sequence[int | str]) -> list[Descriptor]:
    """New descriptors of what is open, or at a path; all of them or none."""
    copies: list[Descriptor] = []
    try:
        for source in sources:
            copies.append(Descriptor(os.open(source, os.O_RDONLY) if isinstance(source, str) else os.dup(source)))
    except OSError:
        close_all(copies)
        raise
    return copies


def _refuse_if_too_much(size: int, nodes: Sequence[str]) -> None:
    if size > _MOST_AT_ONCE and len(nodes) > 1:
        raise LabError(f"that is more than {_MOST_AT_ONCE >> 20} MiB of {len(nodes)} nodes: ask for fewer at a time")


def _open_log(node: str, service: str) -> int:
    """A service's output; a web server that nobody has asked for anything yet has none."""
    if "/" in service:
        raise LabError(f"no service is called {service!r}")
    try:
        return os.open(log_file(node, service), os.O_RDONLY)
    except FileNotFoundError:
        return os.open(os.devnull, os.O_RDONLY)
