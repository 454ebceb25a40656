"""Carries out a plan's operations: the only place where a description becomes kernel state.

The module named as an operation's topic queues what it needs, as messages of the node whose socket must send them.
The operations of a phase (see plan.operations.phases) are one batch: each node's part of it is one send, whatever the
number of settings. So a lab of a thousand hosts has a handful of batches.
"""

import errno
from collections.abc import Callable, Iterable, Sequence

from pynetemu.engine.apply.readiness import show_as_up, wait_for_ipv6, wait_for_links
from pynetemu.engine.messages.tables import RouteMessage
from pynetemu.engine.netlink import Netlink, Refused
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.errors import KernelError
from pynetemu.plan.operations import AddBridge, AddVeth, ManyRoutes, Part, StartSpanningTree, of_topic
from pynetemu.plan.operations.phases import by_phase

_LACKS = {AddVeth: "veth (CONFIG_VETH)", AddBridge: "bridge (CONFIG_BRIDGE)"}


def apply(operations: Sequence[Part], nodes: Nodes) -> None:
    """Raises KernelError, with the user's line, for the first operation that the kernel refuses."""
    try:
        for phase, batch in by_phase(operations):
            if phase.kind is StartSpanningTree:
                wait_for_links(operations, nodes)
            _apply_batch(batch, nodes, of_topic(__name__, phase.kind, "queue"))
        wait_for_links(operations, nodes)
        wait_for_ipv6(operations, nodes)
        show_as_up(operations, nodes)
    except Refused as refused:
        raise _explained(refused) from refused


def _apply_batch(batch: Iterable[Part], nodes: Nodes, queue: Callable[[Part, Nodes], Node | list[Node]]) -> None:
    """Raises Refused."""
    dirty: dict[int, Netlink] = {}
    refusals: list[str] = []
    for operation in batch:
        try:
            changed = queue(operation, nodes)
        except KernelError as error:
            refusals.append(str(error))
            continue
        except OSError as error:
            raise KernelError(_explain(operation, error.errno or 0, error.strerror or str(error))) from error
        for node in changed if isinstance(changed, list) else [changed]:
            dirty[id(node.link)] = node.link
    if refusals:
        raise KernelError("\n".join(refusals))
    for link in dirty.values():
        link.flush()


def _explained(refused: Refused) -> KernelError:
    operation = refused.operation
    assert operation is not None
    if isinstance(operation, ManyRoutes):
        operation = _refused_one(operation, refused.body)
    return KernelError(_explain(operation, refused.errno, refused.reason))


def _refused_one(routes: ManyRoutes, body: bytes) -> Part:
    """The one that a message was about."""
    destination = RouteMessage(body).destination
    return next(route for route in routes if str(route.destination) == destination)


def _explain(operation: Part, code: int, reason: str) -> str:
    from pynetemu.plan.as_shell import command

    where = f"{operation.source}: " if operation.source else ""
    name = errno.errorcode.get(code, str(code))
    text = f"{where}the kernel refused `{command(operation)}`: {reason} ({name})"
    if code == errno.EOPNOTSUPP and type(operation) in _LACKS:
        text += f"\n    hint: this kernel lacks {_LACKS[type(operation)]}; `pynetemu doctor` lists what it has"
    if code == errno.ENOSPC:
        text += "\n    hint: raise the limit with `sudo sysctl -w user.max_net_namespaces=100000`"
    return text
