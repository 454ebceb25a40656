"""Addresses as commands."""

from collections.abc import Iterator
from shlex import quote

from pynetemu.plan.as_shell.words import ip
from pynetemu.plan.operations import AddAddress

TITLES = {AddAddress: "Addresses"}


def lines(operation: AddAddress, root: str | None) -> Iterator[str]:
    nodad = " nodad" if operation.address.version == 6 else ""
    brd = " brd +" if operation.broadcast else ""
    yield f"{ip(operation.node, root)} addr add {operation.address}{brd} dev {quote(operation.interface)}{nodad}"


def undo(operation: AddAddress, root: str | None) -> Iterator[str]:
    yield f"{ip(operation.node, root)} addr del {operation.address} dev {quote(operation.interface)}"
