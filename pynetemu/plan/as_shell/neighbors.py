"""Neighbor tables as commands."""

from collections.abc import Iterator
from shlex import quote

from pynetemu.plan.as_shell.words import ip
from pynetemu.plan.operations import AddNeighbors

TITLES = {AddNeighbors: "Neighbors that need not be asked for"}


def lines(operation: AddNeighbors, root: str | None) -> Iterator[str]:
    addresses = [str(address) for address in operation.addresses]
    for a, b in operation.pairs:
        entry = f"{addresses[b]} lladdr {operation.macs[b]} dev {quote(operation.interfaces[a])}"
        yield f"{ip(operation.nodes[a], root)} neigh add {entry} nud permanent"


def undo(operation: AddNeighbors, root: str | None) -> Iterator[str]:
    for a, b in operation.pairs:
        entry = f"{operation.addresses[b]} dev {quote(operation.interfaces[a])}"
        yield f"{ip(operation.nodes[a], root)} neigh del {entry}"


def replace(_: AddNeighbors, new: AddNeighbors, root: str | None) -> Iterator[str]:
    yield from (line.replace(" neigh add ", " neigh replace ", 1) for line in lines(new, root))
