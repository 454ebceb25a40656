"""Waiting until a network carries packets: measured, never slept for."""

import errno
from collections.abc import Collection, Iterator, Sequence

from pynetemu.engine.netlink import Refused
from pynetemu.engine.nodes import Nodes
from pynetemu.plan.operations import (
    AddAddress,
    AddMacvlan,
    AddTunnel,
    AddVeth,
    SetMaster,
    SetUp,
)
from pynetemu.plan.operations.operation import Effect

_SECONDS = 20.0
_MOST_TO_SHOW = 250  # links

_Place = tuple[str, str]  # a node and its interface


def wait_for_links(operations: Sequence[Effect], nodes: Nodes) -> None:
    """What is sent before the kernel has noticed an interface's carrier is lost: wait, so that no first packet is.

    That holds for a bridge's ports, and for the end of a link that was up first: until then it has a queue that drops
    all (dev_activate in net/sched/sch_generic.c). Raises Refused for a link that does not come up.
    """
    nodes.tell_relay()
    waiting: dict[str, dict[int, Effect]] = {}
    for (name, interface), operation in _awaited(operations):
        node = nodes[name]
        waiting.setdefault(name, {})[nodes.index(node, interface)] = operation
    for name, indexes in waiting.items():
        with nodes.watcher(name) as changes:
            late = nodes[name].link.wait_until_up(set(indexes), changes, _SECONDS)
        if late:
            raise Refused(indexes[min(late)], errno.ETIMEDOUT, f"its link is not up after {_SECONDS:g} s")


def show_as_up(operations: Sequence[Effect], nodes: Nodes) -> None:
    """Makes the kernel note the state of all ends of links, which `ip link` else shows as NO-CARRIER for up to a second.

    They work all the same: in a large lab nobody looks at all of them so soon, and asking takes 0.1 ms each.
    """
    links = [operation for operation in operations if isinstance(operation, AddVeth)]
    ends: dict[str, list[int]] = {}
    for link in links if len(links) <= _MOST_TO_SHOW else ():
        for name, interface in _ends(link):
            ends.setdefault(name, []).append(nodes.index(nodes[name], interface))
    for name, indexes in ends.items():
        nodes[name].link.ask_which_are_up(indexes)


def _awaited(operations: Sequence[Effect]) -> Iterator[tuple[_Place, Effect]]:
    # Spanning trees will shut those that come up last.
    shut = {(op.node, op.interface) for op in operations if isinstance(op, SetUp) and op.late}
    # These have no carrier, and their state stays unknown (operstates.rst).
    tunnels = {(op.node, op.interface) for op in operations if isinstance(op, AddTunnel)}
    turns: dict[str, int] = {}  # in which the nodes brought their links up
    for operation in operations:
        if isinstance(operation, SetUp):
            turns.setdefault(operation.node, len(turns))
    veths: set[_Place] = set()
    for operation in operations:
        if isinstance(operation, SetMaster) and (operation.node, operation.interface) not in shut:
            if (operation.node, operation.interface) not in tunnels:
                yield (operation.node, operation.interface), operation
            yield (operation.node, operation.master), operation
        elif isinstance(operation, AddVeth):
            ends = _ends(operation)
            first = min(ends, key=lambda end: turns.get(end[0], 0))
            veths |= set(ends)
            if all(node in turns for node, _ in ends) and first not in shut:
                yield first, operation
        elif isinstance(operation, AddMacvlan) and (operation.parent_node, operation.parent) in veths:
            yield (operation.node, operation.interface), operation  # it has its carrier from there


def _ends(operation: AddVeth) -> tuple[_Place, _Place]:
    return (operation.node, operation.interface), (operation.peer_node, operation.peer_interface)


def wait_for_ipv6(operations: Sequence[Effect], nodes: Nodes, routers: Collection[str]) -> None:
    """A router asks for its IPv6 neighbors from its link-local addresses, which the kernel makes a moment later.

    See ndisc_send_ns in net/ipv6/ndisc.c. Raises Refused for an interface that gets none.
    """
    ends = {end for op in operations if isinstance(op, AddVeth) for end in _ends(op)}
    waiting: dict[str, dict[int, Effect]] = {}
    for operation in operations if routers and not nodes.host else ():
        if isinstance(operation, AddAddress) and operation.node in routers and operation.address.version == 6:
            node = nodes[operation.node]
            if (operation.node, operation.interface) in ends:
                waiting.setdefault(operation.node, {})[nodes.index(node, operation.interface)] = operation
    for name, indexes in waiting.items():
        with nodes.watcher(name) as changes:
            late = nodes[name].link.wait_until_link_local(set(indexes), changes, _SECONDS)
        if late:
            raise Refused(indexes[min(late)], errno.ETIMEDOUT, f"it has no link-local address after {_SECONDS:g} s")
