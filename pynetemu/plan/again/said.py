"""What the parts of a description say by themselves, to be compared with what they said before."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from pynetemu.topology.description import Description
from pynetemu.topology.links import Link
from pynetemu.topology.memo import cannot_change
from pynetemu.topology.nodes import Interface, Node
from pynetemu.topology.part import Part, changes, watch

_T = TypeVar("_T")
_SETTINGS = "addresses", "pools", "allow", "arp", "ids"


class Said:
    """A description, with the values that its parts have now, by their ids. What was said `before` is not read again where no
    part has been changed since."""

    def __init__(self, description: Description, before: "Said | None" = None) -> None:
        self.description = description
        new = None if before is None or before._changes != changes() else _new_parts(description, before)
        self.interfaces = description.interfaces if new is not None else _interfaces(description)
        self.parts: tuple[Part, ...] = (
            *description.nodes, *description.links, *description.services, *description.filters, *self.interfaces
        )  # fmt: skip
        read = self.parts if new is None else new
        ids = [*map(id, read)]
        owns = [*map(vars, read)]
        self.values = dict(zip(ids, [(*own.values(),) for own in owns], strict=True))
        # By identity, since what is equal may not be the same (True and 1), or not say whether it is equal.
        self._words = dict(zip(ids, [(*own, *map(id, own.values())) for own in owns], strict=True))
        if before is not None and new is not None:
            are_all_there = len(before.values) + len(new) == len(self.parts)
            gone = () if are_all_there else before.values.keys() - set(map(id, self.parts))
            self.values = _without(before.values, gone) | self.values
            self._words = _without(before._words, gone) | self._words
        self._new = None if new is None else (before, new)  # of which one it is known what is new
        self._differing: tuple[Said, list[Part]] | None = None  # from which one, what differs
        self._gone: tuple[Said, list[Part]] | None = None  # and what has gone
        self._changeable: set[int] | None = None  # the ids of parts that may say something else with the same values
        watch(read)
        self._changes: int = changes()

    def follows(self, before: "Said") -> bool:
        """Whether what is said of the topology as a whole is as before, and what both have is in the same order."""
        now, then = self.description, before.description
        if now.kind is not then.kind or now.inner or then.inner or now.attributes or then.attributes:
            return False
        if now.failure or now.declaration.refused or now.declaration is not then.declaration:
            return False
        settings = [(getattr(now, name), getattr(then, name)) for name in _SETTINGS]
        if not all(new is old and cannot_change(new) for new, old in settings):
            return False
        return _same_order(now.nodes, then.nodes) and _same_order(now.links, then.links)

    def touched(self, before: "Said") -> set[int]:
        """The ids of the nodes that are described otherwise than before, or that parts mention which are."""
        old = before.values
        found: set[int] = set()
        for part in self.differing(before):
            found.update(map(id, nodes_of(part)))
            found.update(map(id, _nodes_in(old.get(id(part), ()))))
        for part in self.gone(before):
            found.update(map(id, nodes_of(part)))
            found.update(map(id, _nodes_in(old[id(part)])))
        return found

    def differing(self, before: "Said") -> list[Part]:
        """Parts that are new, that say something else, or that may."""
        if self._differing is None or self._differing[0] is not before:
            found = self._found(before)
            known = {*map(id, found)}
            changeable = {*map(id, before.changeable())} - known
            self._changeable = {key for key in changeable if key in self.values} | {*map(id, filter(_may_change, found))}
            before._differing = before._new = before._gone = None  # of what was before that nobody asks any more
            more = (part for part in self.parts if id(part) in changeable) if changeable else ()
            self._differing = before, [*found, *more]
            self._new = None
        return self._differing[1]

    def is_compared_with(self, before: "Said") -> bool:
        """Whether it is known what differs."""
        return self._differing is not None and self._differing[0] is before

    def gone(self, before: "Said") -> list[Part]:
        """Parts that are no more."""
        if self._gone is None or self._gone[0] is not before:
            self._gone = before, [part for part in before.parts if id(part) not in self.values]
        return self._gone[1]

    def _found(self, before: "Said") -> list[Part]:
        """Parts that are new, or have other values."""
        if self._new is not None and self._new[0] is before:
            return self._new[1]
        then, now = before._words, self._words
        return [part for part in self.parts if then.get(id(part)) != now[id(part)]]

    def changeable(self) -> list[Part]:
        """Parts with a value that may change in itself, or of a class of the user's."""
        if self._changeable is None:
            self._changeable = {id(part) for part in self.parts if _may_change(part)}
        return [part for part in self.parts if id(part) in self._changeable] if self._changeable else []


def nodes_of(part: Part) -> Iterator[Node]:
    """The nodes that a part is, or is at, or mentions."""
    if isinstance(part, Node):
        yield part
    else:
        yield from _nodes_in(vars(part).values())


def _nodes_in(values: Iterable[object]) -> Iterator[Node]:
    for value in values:
        if isinstance(value, Part):
            yield from nodes_of(value)
        elif isinstance(value, tuple | list | set | frozenset):
            yield from _nodes_in(value)
        elif isinstance(value, Mapping):
            yield from _nodes_in(value.keys())
            yield from _nodes_in(value.values())


def _may_change(part: Part) -> bool:
    return not (type(part).__module__.startswith("pynetemu.") and all(map(cannot_change, vars(part).values())))


def _without(table: dict[int, _T], gone: Iterable[int]) -> dict[int, _T]:
    found = table.copy()
    for key in gone:
        del found[key]
    return found


def _new_parts(description: Description, before: Said) -> list[Part] | None:
    """The parts that were not there before; None where an interface is in no list of the description."""
    known = before.values
    if before.interfaces is not before.description.interfaces:
        return None
    lists = description.nodes, description.links, description.services, description.filters, description.interfaces
    new: list[Part] = [part for parts in lists for part in parts if id(part) not in known]
    ids = {*map(id, new), *map(id, before.interfaces)}
    ends = [end for link in new if isinstance(link, Link) for end in (vars(link).get("a"), vars(link).get("b"))]
    return None if any(isinstance(end, Interface) and id(end) not in ids for end in ends) else new


def _interfaces(description: Description) -> tuple[Interface, ...]:
    """Those of the description, and ends of links that are registered nowhere."""
    known = set(map(id, description.interfaces))
    ends = [end for link in description.links for end in (vars(link).get("a"), vars(link).get("b"))]
    others = {id(end): end for end in ends if isinstance(end, Interface) and id(end) not in known}
    return (*description.interfaces, *others.values()) if others else description.interfaces


def _same_order(now: tuple[Part, ...], then: tuple[Part, ...]) -> bool:
    if now[: len(then)] == then or now == then[: len(now)]:
        return True
    new, old = [*map(id, now)], [*map(id, then)]
    in_new, in_old = set(new), set(old)
    return [key for key in new if key in in_old] == [key for key in old if key in in_new]
