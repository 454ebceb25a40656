"""The steps of a change: an operation, one that is taken back, and one that becomes another in place.

inverse(AddAddress(...)) == Undo(AddAddress(...))
inverse(Undo(operation)) == operation
inverse(Replace(old, new)) == Replace(new, old)
"""

from collections.abc import Iterator

from pynetemu.plan.operations.operation import Effect, operation


@operation
class Undo(Effect):
    """Takes back what an operation did."""

    of: Effect

    @property
    def node(self) -> str:
        """That of the operation."""
        return str(getattr(self.of, "node"))  # noqa: B009

    @property
    def source(self) -> str:  # type: ignore[override]
        """Where the operation was written."""
        return self.of.source


@operation
class Replace(Effect):
    """Makes `new` of `old` in place; both are about the same, and nothing else notices."""

    old: Effect
    new: Effect

    @property
    def node(self) -> str:
        """That of both operations."""
        return str(getattr(self.new, "node"))  # noqa: B009

    @property
    def source(self) -> str:  # type: ignore[override]
        """Where the new one was written."""
        return self.new.source


def inverse(step: Effect) -> Effect:
    """What takes a step back."""
    match step:
        case Undo(of=of):
            return of
        case Replace(old=old, new=new):
            return Replace(new, old)
    return Undo(step)


def nodes_of(step: Effect) -> Iterator[str]:
    """The nodes at which a step does something, some more than once."""
    operation = step.of if isinstance(step, Undo) else step.new if isinstance(step, Replace) else step
    yield from getattr(operation, "nodes", ())
    for name in "node", "peer_node", "parent_node":
        if node := getattr(operation, name, ""):
            yield node
