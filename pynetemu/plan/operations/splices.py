"""How the operations of one plan come of those of another: what goes and what comes, and where.

old = Parts([a, b, c])
new = old.spliced([(1, 1, (d,))])           a, d, c
splices(old, new)                           [(1, 1, (d,))], without looking at what both have
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from pynetemu.plan.operations.things import Things

_Part = Any  # an operation, or `ManyRoutes`
Splice = tuple[int, int, tuple[_Part, ...]]  # at a place of the old plan, so many go, and these come


class Parts(tuple[_Part, ...]):
    """The operations of a plan in their order, and of which other ones they were made, as long as those are the last before."""

    origin: "tuple[Parts, list[Splice]] | None" = None
    things: Things | None = None  # what they make and need, once that was asked for

    _lacking: frozenset[Callable[[_Part], bool]] = frozenset()

    def has(self, test: Callable[[_Part], bool]) -> bool:
        """Whether one of them is such; that none of those is of which these were made is not asked again."""
        if test not in self._lacking:
            is_known = self.origin is not None and test in self.origin[0]._lacking
            coming = [part for _, _, parts in self.origin[1] for part in parts] if self.origin and is_known else self
            if any(map(test, coming)):
                return True
            self._lacking |= {test}
        return False

    def spliced(self, changes: Iterable[Splice]) -> "Parts":
        """What comes of these; raises ValueError for splices of others."""
        found: list[_Part] = []
        at = 0
        done = [*changes]
        for begin, count, coming in done:
            if not at <= begin <= begin + count <= len(self):
                raise ValueError(f"{count} operations from {begin} on, of {len(self)}")
            found += self[at:begin]
            found += coming
            at = begin + count
        found += self[at:]
        return Parts(found).made_of(self, done)

    def made_of(self, old: "Parts", changes: list[Splice]) -> "Parts":
        """Notes what these were made of; what that was made of itself is forgotten."""
        old.origin = None
        self.origin = old, changes
        return self


def splices(old: Sequence[_Part], new: Sequence[_Part]) -> list[Splice]:
    """What makes the new sequence of the old one: `Parts(old).spliced(splices(old, new)) == tuple(new)`."""
    known = known_splices(old, new)
    return _found(old, new) if known is None else known


def known_splices(old: Sequence[_Part], new: Sequence[_Part]) -> list[Splice] | None:
    """The same where one was made of the other, in either direction; None where that is not known."""
    if isinstance(new, Parts) and new.origin is not None and new.origin[0] is old:
        return new.origin[1]
    if isinstance(old, Parts) and old.origin is not None and old.origin[0] is new:
        found: list[Splice] = []
        moved = 0
        for begin, count, coming in old.origin[1]:
            found.append((begin + moved, len(coming), tuple(new[begin : begin + count])))
            moved += len(coming) - count
        return found
    return None


def places_of(old: Sequence[_Part], changes: Iterable[Splice]) -> tuple[dict[int, int], dict[int, int]]:
    """Where what goes was, and where what comes is, by the ids."""
    gone: dict[int, int] = {}
    come: dict[int, int] = {}
    moved = 0
    for begin, count, coming in changes:
        gone.update((id(old[place]), place) for place in range(begin, begin + count))
        come.update((id(part), place) for place, part in enumerate(coming, begin + moved))
        moved += len(coming) - count
    return gone, come


def _found(old: Sequence[_Part], new: Sequence[_Part]) -> list[Splice]:
    places = _places(old)  # where most are, when one plan was made of the other
    alike: dict[Hashable, int] = {}
    if others := [part for part in new if id(part) not in places]:
        same = set(map(id, new))
        alike = {part: place for place, part in enumerate(old) if id(part) not in same}
    found: list[Splice] = []
    begin = 0
    coming: list[_Part] = []
    for part in new:
        if begin < len(old) and old[begin] is part and not coming:
            begin += 1
            continue
        place = places.get(id(part), -1)
        if place < 0 and others:
            place = alike.get(part, -1)
        if place < begin:
            coming.append(part)
            continue
        if coming or place > begin:
            found.append((begin, place - begin, tuple(coming)))
            coming = []
        begin = place + 1
    if coming or begin < len(old):
        found.append((begin, len(old) - begin, tuple(coming)))
    return found


def _places(parts: Sequence[_Part]) -> dict[int, int]:
    return dict(zip(map(id, parts), range(len(parts)), strict=True))
