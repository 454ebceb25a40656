"""Packet filters as commands."""

from collections.abc import Iterator

from pynetemu.plan.as_shell.words import in_node
from pynetemu.plan.operations import AddRuleset

TITLES = {AddRuleset: "Packet filters and address translation"}


def lines(operation: AddRuleset, root: str | None) -> Iterator[str]:
    end = "END"
    while end in operation.text:
        end += "D"
    yield f"{in_node(operation.node, root)}nft -f - <<'{end}'\n{operation.text.rstrip()}\n{end}"


def undo(operation: AddRuleset, root: str | None) -> Iterator[str]:
    yield from (f"{in_node(operation.node, root)}nft delete {part}" for part in operation.parts)


def replace(old: AddRuleset, new: AddRuleset, root: str | None) -> Iterator[str]:
    yield from undo(old, root)
    yield from lines(new, root)
