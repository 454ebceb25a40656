"""Carries out the steps of a plan or of a change: the only place where a description becomes kernel state.

The module named as an operation's topic queues what it needs, as messages of the node whose socket must send them.
The steps of a phase (see plan.operations.phases) are one batch: each node's part of it is one send, whatever the
number of settings. So a lab of a thousand hosts has a handful of batches.
"""

import errno
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from typing import Any

from pynetemu.engine.apply import services
from pynetemu.engine.apply.readiness import show_as_up, wait_for_ipv6, wait_for_links
from pynetemu.engine.messages.tables import RouteMessage
from pynetemu.engine.netlink import Netlink, Refused
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.errors import KernelError
from pynetemu.plan.operations import AddAddress, AddBridge, AddNeighbors, AddVeth, EndTable, ManyRoutes, SetPortVlans, of_topic
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.phases import Phase, batches
from pynetemu.plan.operations.steps import Replace, Undo

_LACKS: dict[type[Effect], str] = {AddVeth: "veth (CONFIG_VETH)", AddBridge: "bridge (CONFIG_BRIDGE)"}
_GONE_ALREADY = {errno.ENODEV, errno.ENOENT, errno.ESRCH, errno.EADDRNOTAVAIL, errno.ENXIO}
_THERE_ALREADY = {errno.EEXIST}
IN_ANY_STATE = {*_GONE_ALREADY, *_THERE_ALREADY}  # refusals that do not matter when something is made what it was
_MAY_BE_THERE = AddAddress, AddNeighbors, EndTable, SetPortVlans  # made by hand, before a change wants the same


def apply(
    steps: Sequence[Effect],
    nodes: Nodes,
    routers: Collection[str],
    before: Callable[[Phase, list[Effect]], None],
    awaited: Sequence[Effect] | None = None,
) -> Generator[float, None, None]:
    """Yields between batches, and while services become ready: seconds to wait.

    Raises KernelError, with the user's line, for the first step that the kernel refuses, and ServiceError. `routers` are the
    nodes that forward IPv6; `before` is called with each batch before it is carried out; `awaited` are the steps whose links
    must carry at the end, by default all.
    """
    new = [step for step in (steps if awaited is None else awaited) if not isinstance(step, Undo | Replace)]
    try:
        is_ready = False
        for phase, batch in batches(steps):
            is_new = not isinstance(batch[0], Undo)
            if phase.awaits == "links" and is_new:
                wait_for_links(new, nodes)
            elif phase.awaits == "network" and is_new and not is_ready:
                _make_ready(new, nodes, routers)
                is_ready = True
            before(phase, batch)
            if phase.kind in services.KINDS and is_new:
                for step in batch:
                    yield from services.start(step, nodes)
            else:
                carry_out(batch, nodes)
            yield 0
        if not is_ready:
            _make_ready(new, nodes, routers)
    except Refused as refused:
        raise _explained(refused) from refused


def carry_out(batch: list[Effect], nodes: Nodes, tolerated: Collection[int] = ()) -> None:
    """A batch that is all of one kind. Raises KernelError and Refused."""
    kind, queue = _queue_of(batch[0])
    if isinstance(batch[0], Undo):
        tolerated = {*tolerated, *_GONE_ALREADY}
    elif issubclass(kind, _MAY_BE_THERE):
        tolerated = {*tolerated, *_THERE_ALREADY}
    dirty: dict[int, Netlink] = {}
    try:
        _queue_all(batch, nodes, queue, dirty)
        for link in dirty.values():
            link.flush(tolerated)
    except BaseException:
        for link in dirty.values():
            link.forget_queue()
        raise


def _queue_of(step: Effect) -> tuple[type[Effect], Callable[[Any, Nodes], Node | list[Node]]]:
    """What queues a step, and all of its kind."""
    match step:
        case Undo(of=operation):
            undo = of_topic(__name__, type(operation), "queue_undo")
            return type(operation), lambda step, nodes: undo(step, step.of, nodes)
        case Replace(new=operation):
            replace = of_topic(__name__, type(operation), "queue_replace")
            return type(operation), lambda step, nodes: replace(step, step.old, step.new, nodes)
    return type(step), of_topic(__name__, type(step), "queue")


def _queue_all(
    batch: Iterable[Effect], nodes: Nodes, queue: Callable[[Any, Nodes], Node | list[Node]], dirty: dict[int, Netlink]
) -> None:
    """Puts into `dirty` the sockets that have something to send."""
    refusals: list[str] = []
    for step in batch:
        try:
            changed = queue(step, nodes)
        except KernelError as error:
            refusals.append(str(error))
            continue
        except OSError as error:
            raise KernelError(_explain(step, error.errno or 0, error.strerror or str(error))) from error
        for node in changed if isinstance(changed, list) else [changed]:
            dirty[id(node.link)] = node.link
    if refusals:
        raise KernelError("\n".join(refusals))


def _make_ready(steps: Sequence[Effect], nodes: Nodes, routers: Collection[str]) -> None:
    wait_for_links(steps, nodes)
    wait_for_ipv6(steps, nodes, routers)
    show_as_up(steps, nodes)


def _explained(refused: Refused) -> KernelError:
    operation = refused.operation
    assert operation is not None
    if isinstance(operation, ManyRoutes):
        operation = _refused_one(operation, refused.body)
    return KernelError(_explain(operation, refused.errno, refused.reason))


def _refused_one(routes: ManyRoutes, body: bytes) -> Effect:
    """The one that a message was about."""
    destination = RouteMessage(body).destination
    return next(route for route in routes if str(route.destination) == destination)


def _explain(operation: Effect, code: int, reason: str) -> str:
    from pynetemu.plan.as_shell import command

    where = f"{operation.source}: " if operation.source else ""
    name = errno.errorcode.get(code, str(code))
    text = f"{where}the kernel refused `{command(operation)}`: {reason} ({name})"
    if code == errno.EOPNOTSUPP and type(operation) in _LACKS:
        text += f"\n    hint: this kernel lacks {_LACKS[type(operation)]}; `pynetemu doctor` lists what it has"
    if code == errno.ENOSPC:
        text += "\n    hint: raise the limit with `sudo sysctl -w user.max_net_namespaces=100000`"
    return text
