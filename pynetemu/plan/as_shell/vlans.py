"""VLAN interfaces as commands."""

from collections.abc import Iterator
from shlex import quote

from pynetemu.plan.as_shell.words import delete, ip
from pynetemu.plan.operations import AddVlan

TITLES = {AddVlan: "VLAN interfaces"}


def lines(operation: AddVlan, root: str | None) -> Iterator[str]:
    head = f"{ip(operation.node, root)} link add link {quote(operation.parent)} name {quote(operation.interface)}"
    yield f"{head} type vlan id {operation.vlan}"


def undo(operation: AddVlan, root: str | None) -> Iterator[str]:
    yield delete(operation.node, operation.interface, root)
