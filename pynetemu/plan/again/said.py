"""What the parts of a description say by themselves, to be compared with what they said before."""

from collections.abc import Iterable, Iterator, Mapping

from pynetemu.topology.description import Description
from pynetemu.topology.memo import cannot_change
from pynetemu.topology.nodes import Interface, Node
from pynetemu.topology.part import Part

_SETTINGS = "addresses", "pools", "allow", "arp", "ids"


class Said:
    """A description, with the values that its parts have now, by their ids."""

    def __init__(self, description: Description) -> None:
        self.description = description
        self.interfaces = _interfaces(description)
        self.parts: tuple[Part, ...] = (
            *description.nodes, *description.links, *description.services, *description.filters, *self.interfaces
        )  # fmt: skip
        ids = [*map(id, self.parts)]
        owns = [*map(vars, self.parts)]
        self.values = dict(zip(ids, [(*own.values(),) for own in owns], strict=True))
        # By identity, since what is equal may not be the same (True and 1), or not say whether it is equal.
        self._words = dict(zip(ids, [(*own, *map(id, own.values())) for own in owns], strict=True))
        self._differing: tuple[Said, list[Part]] | None = None  # from which one, what differs
        self.fixed: dict[int, bool] = {}  # whether a part says the same as long as it has these values; asked for when needed

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
            then = before._words
            found = [part for part, words in zip(self.parts, self._words.values(), strict=True) if then.get(id(part)) != words]
            known = {*map(id, found)}
            changeable = set(self._changeable(before, found)) - known
            before._differing = None  # of what was before that nobody asks any more
            self._differing = before, [*found, *(part for part in self.parts if id(part) in changeable)]
        return self._differing[1]

    def is_compared_with(self, before: "Said") -> bool:
        """Whether it is known what differs."""
        return self._differing is not None and self._differing[0] is before

    def gone(self, before: "Said") -> list[Part]:
        """Parts that are no more."""
        return [part for part in before.parts if id(part) not in self.values]

    def _changeable(self, before: "Said", differs: list[Part]) -> list[int]:
        """The ids of parts with a value that may change in itself, or of a class of the user's."""
        if not before.fixed:
            before.fixed = {id(part): _is_fixed(part) for part in before.parts}
        fixed = {**before.fixed, **{id(part): _is_fixed(part) for part in differs}}
        self.fixed = {key: is_fixed for key, is_fixed in fixed.items() if key in self.values}
        return [key for key, is_fixed in self.fixed.items() if not is_fixed]


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


def _is_fixed(part: Part) -> bool:
    return type(part).__module__.startswith("pynetemu.") and all(map(cannot_change, vars(part).values()))


def _interfaces(description: Description) -> tuple[Interface, ...]:
    """Those of the description, and ends of links that are registered nowhere."""
    known = set(map(id, description.interfaces))
    ends = [end for link in description.links for end in (vars(link).get("a"), vars(link).get("b"))]
    others = {id(end): end for end in ends if isinstance(end, Interface) and id(end) not in known}
    return (*description.interfaces, *others.values()) if others else description.interfaces


def _same_order(now: tuple[Part, ...], then: tuple[Part, ...]) -> bool:
    new, old = [*map(id, now)], [*map(id, then)]
    if new == old:
        return True
    in_new, in_old = set(new), set(old)
    return [key for key in new if key in in_old] == [key for key in old if key in in_new]
