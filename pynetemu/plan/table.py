"""A plan's operations by whose they are: those of a node, those of a link, each in the order of the description.

A plan that is nearly another one is made of the same table, with what some nodes and links have put in the place of what they
had (`plan.again`).
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, islice
from typing import Any

from pynetemu.plan.emit import Owner, Sort
from pynetemu.plan.operations import Part
from pynetemu.plan.operations.splices import Splice, splices

Row = dict[Owner, tuple[Part, ...]]
Change = tuple[Owner, tuple[Part, ...], tuple[Part, ...]]  # whose, what they were in a row, and what they are
ALL: Owner = ""  # of a row whose operations are no node's and no link's alone


class OperationTable:
    """The rows are one after the other in the plan, and in a row the operations of one owner after those of another."""

    def __init__(self, sorts: list[Sort], rows: list[Row]) -> None:
        self.sorts, self.rows = sorts, rows

    @classmethod
    def of(cls, sections: Iterable[tuple[Sort, Iterable[Any]]]) -> "OperationTable":
        sorts: list[Sort] = []
        rows: list[Row] = []
        for sort, made in sections:
            sorts.append(sort)
            rows.append(_by_owner(made) if sort in ("nodes", "links") else {ALL: tuple(made)})
        return cls(sorts, rows)

    def owned(self) -> list[Row]:
        """The rows of nodes and links."""
        return [row for sort, row in zip(self.sorts, self.rows, strict=True) if sort in ("nodes", "links")]

    def rows_of(self, kind: type[Part]) -> list[Row]:
        """Those of nodes and links with operations of a kind; a row is of one kind."""
        return [row for row in self.owned() if row and isinstance(next(iter(row.values()))[0], kind)]

    def parts(self) -> tuple[Part, ...]:
        """All operations, in the plan's order."""
        return tuple(chain.from_iterable(chain.from_iterable(row.values() for row in self.rows)))


def splices_between(old: OperationTable, new: OperationTable, changes: list[list[Change]]) -> list[Splice]:
    """What makes the operations of one table those of another, which has the same sections, with these changes in each row."""
    found: list[Splice] = []
    at = 0
    for before, after, changed in zip(old.rows, new.rows, changes, strict=True):
        inner = sorted(_places(before, after, changed), key=lambda place: place[0]) if changed else []
        for begin, gone, coming in inner:
            found += [(at + begin + place, count, parts) for place, count, parts in splices(gone, coming)]
        at += sum(map(len, before.values()))
    return found


def _places(before: Row, after: Row, changed: list[Change]) -> Iterator[tuple[int, tuple[Part, ...], tuple[Part, ...]]]:
    """Where in the row something else comes in the place of what was there: what is new, before the next that stays."""
    new = {owner for owner, old, _ in changed if not old}
    are_last = len(new) == len(changed) and new.issuperset(islice(reversed(after), len(new)))
    begins = {} if are_last else dict(zip(before, accumulate(map(len, before.values()), initial=0), strict=False))
    for owner, old, parts in changed:
        if old:
            yield begins[owner], old, parts
    found: list[tuple[int, tuple[Part, ...], tuple[Part, ...]]] = []
    begin = sum(map(len, before.values()))
    for owner in reversed(after):
        if len(found) == len(new):
            break
        if owner in new:
            found.append((begin, (), after[owner]))
        else:
            begin = begins[owner]
    yield from reversed(found)


def _by_owner(made: Iterable[tuple[Owner, Part]]) -> Row:
    found: dict[Owner, list[Part]] = {}
    for owner, part in made:
        own = found.get(owner)
        if own is None:
            found[owner] = [part]
        else:
            own.append(part)
    return {owner: tuple(own) for owner, own in found.items()}


def flat(sections: Iterable[tuple[Sort, Iterable[Any]]]) -> Iterable[Part]:
    """The operations of all sections, in the plan's order, where no table is wanted."""
    for sort, made in sections:
        yield from (part for _, part in made) if sort in ("nodes", "links") else made
