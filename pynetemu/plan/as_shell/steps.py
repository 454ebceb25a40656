"""The steps of a change as commands."""

from collections.abc import Iterator

from pynetemu.plan.operations import of_topic
from pynetemu.plan.operations.steps import Replace, Undo


def lines(step: Undo | Replace, root: str | None) -> Iterator[str]:
    package = __name__.rpartition(".")[0]
    match step:
        case Undo(of=operation):
            yield from of_topic(package, type(operation), "undo")(operation, root)
        case Replace(old=old, new=new):
            yield from of_topic(package, type(new), "replace")(old, new, root)
