"""Interfaces of one node, and macvlans, as commands."""

from collections.abc import Iterator
from shlex import quote

from pynetemu.plan.as_shell.words import delete, ip
from pynetemu.plan.operations import AddDevice, AddMacvlan

TITLES = {AddDevice: "Bonds, dummies and VRFs", AddMacvlan: "Macvlans"}

_FIRST_NAME = "macvlan-new"


def lines(operation: AddDevice | AddMacvlan, root: str | None) -> Iterator[str]:
    name = quote(operation.interface)
    what = f"name {name} address {operation.mac}"
    match operation:
        case AddDevice(node=node, kind=kind, settings=settings):
            yield " ".join([ip(node, root), "link add", what, "type", kind, *settings])
        case AddMacvlan(node=node, parent_node=parent_node, parent=parent, settings=settings):
            head = f"{ip(parent_node, root)} link add link {quote(parent)}"
            if node == parent_node:
                yield " ".join([head, what, "type macvlan", *settings])
                return
            # Before Linux 6.13 the name must be free where the command is run, too (rtnl_newlink).
            where = f"netns {'$$' if node == root else node}"
            yield " ".join([head, f"name {_FIRST_NAME} address {operation.mac}", where, "type macvlan", *settings])
            yield f"{ip(node, root)} link set dev {_FIRST_NAME} name {name}"


def undo(operation: AddDevice | AddMacvlan, root: str | None) -> Iterator[str]:
    yield delete(operation.node, operation.interface, root)
