"""Changes of the running lab: its plan becomes another one, whole, or everything is as it was before."""

import select
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from pynetemu.engine import apply
from pynetemu.engine.changes import kept
from pynetemu.engine.changes.given_way import GivenWay
from pynetemu.engine.loop import Steps
from pynetemu.engine.messages.tables import RouteMessage
from pynetemu.engine.netlink import Refused
from pynetemu.engine.nodes import Nodes
from pynetemu.engine.protocol.change_requests import Cut
from pynetemu.engine.protocol.envelope import Overtaken
from pynetemu.errors import KernelError, LabError, PynetemuError
from pynetemu.plan.difference import difference, essential, inverse_of_all
from pynetemu.plan.inventory import Inventory
from pynetemu.plan.operations import (
    AddAddress,
    AddMultipathRoute,
    AddNode,
    AddRoute,
    AddService,
    EndTable,
    Plan,
    SetMaster,
    SetSysctl,
    parts_of,
)
from pynetemu.plan.operations.operation import Effect, Thing
from pynetemu.plan.operations.phases import Phase, batches
from pynetemu.plan.operations.steps import Replace, Undo, nodes_of

_FORWARDS_IPV6 = "net.ipv6.conf.all.forwarding"
_ROUTES = AddRoute, AddMultipathRoute, EndTable
_SECONDS_BETWEEN_LOOKS = 0.005  # at a change that another one waits for
_MOST_KEPT = 100  # plans to which can be gone back
_Description = bytes | None  # `topology.data` as JSON: what is in it is for clients to know


class Changes:
    """The plan that the lab is made of. `revision` counts the plans, and all who watch are told of each new one.

    `check` is called with a new plan and the steps to it before anything is done, `name` when a plan's names count, with the
    nodes that have other ones.
    """

    def __init__(
        self, nodes: Nodes, check: Callable[[Plan, Sequence[Effect]], None], name: Callable[[Inventory, frozenset[str]], None]
    ) -> None:
        self.inventory = Inventory(Plan("", ()))
        self.revision = 0
        self._nodes, self._check, self._name = nodes, check, name
        self.description: _Description = None  # that the plan was made of
        self._earlier: list[tuple[Plan, _Description, GivenWay]] = []
        self.touched: frozenset[str] = frozenset()  # the nodes at which the last change did something
        self._watchers: list[socket.socket] = []
        self._is_busy = False

    @property
    def plan(self) -> Plan:
        """What the lab is made of."""
        return self.inventory.plan

    def described(self, cuts: Iterable[Cut]) -> _Description:
        """The description of now, with other texts in some places."""
        if self.description is None:
            return None
        text = self.description
        for cut in cuts:
            text = text[: cut.begin] + cut.text + text[cut.end :]
        return text

    def build(self, plan: Plan, listen: Callable[[], None]) -> Steps[None]:
        """The first plan; `listen` is called when all but the services is there.

        Raises KernelError and ServiceError; what is there then goes with the lab.
        """
        self.inventory = Inventory(plan)
        listens = False

        def before(phase: Phase, _: list[Effect]) -> None:
            nonlocal listens
            if phase.kind is AddService and not listens:
                listens = True
                listen()

        yield from apply.apply(parts_of(plan), self._nodes, _ipv6_routers(self.inventory), before)
        if not listens:
            listen()

    def in_turn(self, base: int, cancel: int | None, change: Callable[[], Steps[list[str]]]) -> Steps[list[str]]:
        """A change of the plan of that number, begun when no other is going on. Raises Overtaken when another has come then."""
        yield from _unless(cancel, self._others())
        if base != self.revision:
            raise Overtaken
        return (yield from change())

    def _others(self) -> Steps[None]:
        while self._is_busy:
            yield _SECONDS_BETWEEN_LOOKS

    def become(self, new: Plan, description: _Description, cancel: int | None) -> Steps[list[str]]:
        """Makes the lab another one, described so; tells what was in the way and had to go.

        Raises KernelError, ServiceError and LabError: then all is as it was. So it is when `cancel` becomes readable, and
        when the steps are given up.
        """
        before = self.plan, self.description
        given_way = yield from self._change(new, description, cancel)
        if self.touched or before[0].nodes != new.nodes:  # else there is nothing to take back
            self._earlier = [*self._earlier[-_MOST_KEPT + 1 :], (*before, given_way)]
        return given_way.told

    def take_back(self, cancel: int | None) -> Steps[list[str]]:
        """Takes back the last change that has not been taken back. Raises as `become`."""
        if not self._earlier:
            raise LabError("there is no change to take back: the lab is as it started")
        plan, description, given_way = self._earlier[-1]
        told = (yield from self._change(plan, description, cancel)).told
        self._earlier.pop()
        given_way.come_back()
        return told

    def watch(self, watcher: socket.socket) -> None:
        """From now on the number of each new plan is one packet there."""
        self._watchers.append(watcher)

    def _change(self, new: Plan, description: _Description, cancel: int | None) -> Steps[GivenWay]:
        steps = difference(parts_of(self.plan), parts_of(new))
        change = _Change(self._nodes, steps)
        self._check(new, change.carried)
        self._is_busy, before, self.inventory = True, self.inventory, Inventory(new)
        try:
            change.prepare(parts_of(before.plan))
            if change.is_about_names:
                self._name(self.inventory, change.named)
            yield from _unless(cancel, change.carry_out(_ipv6_routers(self.inventory)))
            change.restore_others_routes()
        except BaseException as error:
            self.inventory = before
            problems = change.roll_back()
            if change.is_about_names:
                self._name(before, change.named)
            if not isinstance(error, PynetemuError | OSError):
                raise
            raise _with_outcome(error, problems) from error
        finally:
            self._is_busy = False
        self.revision += 1
        self.description = description
        self.touched = change.touched
        self._tell()
        return change.given_way

    def _tell(self) -> None:
        for watcher in list(self._watchers):
            try:
                watcher.send(str(self.revision).encode(), socket.MSG_DONTWAIT)
            except BlockingIOError:  # it has more than enough to find out that there is something new
                pass
            except OSError:  # nobody reads there any more
                self._watchers.remove(watcher)
                watcher.close()


class _Change:
    """One change: its steps, how far it has come, and what else there was that must stay."""

    def __init__(self, nodes: Nodes, steps: Sequence[Effect]) -> None:
        self._nodes = nodes
        self._steps = steps
        self.carried = essential(steps)
        self._tried = 0  # of those
        self.given_way = GivenWay(nodes)
        self._routes: dict[str, list[RouteMessage]] = {}
        at = dict.fromkeys(node for step in self.carried for node in nodes_of(step))
        self._touched = [node for node in at if node in nodes]
        self._ours = {name: set(nodes[name].indexes) for name in self._touched}  # the interfaces that are not of users

    @property
    def touched(self) -> frozenset[str]:
        """The nodes at which it does something."""
        return frozenset(node for step in self.carried for node in nodes_of(step))

    @property
    def is_about_names(self) -> bool:
        """Whether the nodes know other names afterwards, or other addresses."""
        return bool(self.named)

    @cached_property
    def named(self) -> frozenset[str]:
        """The nodes that come or go, or get other addresses."""
        found = map(_operation_of, self._steps)
        return frozenset(operation.node for operation in found if isinstance(operation, AddNode | AddAddress))

    def prepare(self, before: Iterable[Effect]) -> None:
        """Makes room for what is new, and notes routes that are not of the plan of `before`."""
        wanted: dict[str, list[str]] = {}
        for step in self.carried:
            if not isinstance(step, Undo | Replace):
                for thing in step.makes:
                    if len(thing) == 2 and thing[0] in self._touched:
                        wanted.setdefault(str(thing[0]), []).append(str(thing[1]))
        for name, interfaces in wanted.items():
            node = self._nodes[name]
            if node.next_index:  # on the machine itself the kernel chooses, and nothing there is in our way
                self.given_way.interfaces(node, interfaces)
                node.next_index = self._nodes.free_indexes(name, len(interfaces))
        for name in dict.fromkeys(node for step in self.carried if isinstance(step, Undo) for node in nodes_of(step)):
            if name in self._nodes:
                self._routes[name] = kept.routes(self._nodes[name])
        self.given_way.routes(self.carried, before)
        self.given_way.addresses(self.carried)

    def carry_out(self, routers: set[str]) -> Steps[None]:
        """Raises KernelError and ServiceError."""

        def before(_: Phase, batch: list[Effect]) -> None:
            self._tried += len(batch)

        late = _late_ports(self._nodes, self.carried)
        awaited = [step for step in self.carried if late.isdisjoint((*step.makes, *(thing[:2] for thing in step.makes)))]
        steps = [_in_place_of_others(step) for step in self.carried]
        self._nodes.interrupted.clear()
        yield from apply.apply(steps, self._nodes, routers, before, awaited)
        self._tell_of_interruptions()

    def _tell_of_interruptions(self) -> None:
        """The kernel does not count what is sent to a link without a carrier, so that it is told how long that was."""
        for place, since in self._nodes.interrupted.items():
            a, b = (" ".join(end) for end in self._nodes.relayed[place].ends)
            took = (time.monotonic() - since) * 1000
            self.given_way.told.append(
                f"the link between {a} and {b} became a relayed one: what was sent within {took:.0f} ms is lost"
            )

    def roll_back(self) -> list[str]:
        """Takes back what has been tried; gives what could not be."""
        tried = {id(step) for step in self.carried[: self._tried]}
        implied = {id(step) for step in self._steps} - {id(step) for step in self.carried}
        if not tried:
            self.given_way.come_back()
            return []
        self._find_indexes()
        problems: list[str] = []
        for _, batch in batches(inverse_of_all(step for step in self._steps if id(step) in tried | implied)):
            problems += self._restore(batch)
        for name, ours in self._ours.items():
            if (node := self._nodes.get(name)) is not None:
                node.indexes = {interface: index for interface, index in node.indexes.items() if interface in ours}
        self.restore_others_routes(of_plan_too=True)
        self.given_way.come_back()
        return problems

    def _restore(self, batch: list[Effect]) -> list[str]:
        """Carries out what can be; gives what cannot."""
        try:
            apply.carry_out(batch, self._nodes, apply.IN_ANY_STATE)
        except (PynetemuError, Refused, OSError) as error:
            if len(batch) > 1:
                return [problem for step in batch for problem in self._restore([step])]
            return [str(error)]
        return []

    def _find_indexes(self) -> None:
        """What a batch that was broken off has left: which of the interfaces are there."""
        for name in self._touched:
            if (node := self._nodes.get(name)) is not None:
                links = {link.index: link.name for link in self._nodes.links(name)}
                known = {interface: index for interface, index in node.indexes.items() if index in links}
                node.indexes = {**{interface: index for index, interface in links.items()}, **known}
                node.next_index = node.next_index and max(node.next_index, *(index + 1 for index in links))

    def restore_others_routes(self, of_plan_too: bool = False) -> None:
        """Sets routes again that went with an address or an interface: those that users or their programs had set."""
        planned = {(op.node, op.table, str(op.destination)) for op in map(_old, self.carried) if isinstance(op, _ROUTES)}
        for name, routes in self._routes.items():
            if (node := self._nodes.get(name)) is None:
                continue
            there = {kept.key(route) for route in kept.routes(node)}
            lost = [route for route in routes if kept.key(route) not in there]
            if not of_plan_too:
                lost = [route for route in lost if (name, kept.table(route), route.destination) not in planned]
            kept.set_again(node, map(kept.as_message, lost))


def _unless(cancel: int | None, steps: Steps[None]) -> Steps[None]:
    """The steps, given up when the descriptor becomes readable. Raises LabError then."""
    waiting = select.poll()
    if cancel is not None:
        waiting.register(cancel, select.POLLIN)
    for pause in steps:
        if waiting.poll(0):
            steps.close()
            raise LabError("the change was interrupted")
        yield pause


def _operation_of(step: Effect) -> Effect:
    return step.of if isinstance(step, Undo) else step.new if isinstance(step, Replace) else step


def _old(step: Effect) -> Effect | None:
    return step.of if isinstance(step, Undo) else step.old if isinstance(step, Replace) else None


def _in_place_of_others(step: Effect) -> Effect:
    """A route that somebody has made by hand gives way to the plan's."""
    return Replace(step, step) if isinstance(step, AddRoute | AddMultipathRoute) else step


def _late_ports(nodes: Nodes, steps: Iterable[Effect]) -> set[Thing]:
    """New ports of bridges whose spanning tree runs already: those forward later, as on any such switch."""
    ports = [step for step in steps if isinstance(step, SetMaster) and step.node in nodes]
    bridges = {(port.node, port.master) for port in ports}
    trees = {(name, bridge) for name, bridge in bridges if any(link.has_spanning_tree for link in nodes.ask(name, bridge))}
    return {(port.node, port.interface) for port in ports if (port.node, port.master) in trees}


def _ipv6_routers(inventory: Inventory) -> set[str]:
    return {op.node for op in inventory.of_type(SetSysctl) if op.name == _FORWARDS_IPV6}


def _with_outcome(error: PynetemuError | OSError, problems: list[str]) -> PynetemuError:
    """The error with what has become of the lab."""
    if problems:
        return LabError("\n".join([f"{error}", "The change was taken back, but not all of it could be:", *problems]))
    kind = type(error) if isinstance(error, PynetemuError) else KernelError
    return kind(f"{error}\n    the lab is as it was before")
