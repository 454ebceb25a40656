"""From one plan to another: the steps by which a running lab becomes what is described now.

    difference(plan.operations, new.operations) == [Undo(AddAddress(...)), ..., AddNode("h3", "host"), ...]

What both plans have is not touched, unless it goes with something that changes: an address goes with its interface, and a
route with the network of its gateway. Those are taken back and made again. Steps are in the order in which they break
least: what goes first, in the reverse order of the phases; then what changes in place, and what is new; and at the end
routes that are wanted no more, when the new ones are there.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from itertools import groupby
from operator import attrgetter

from pynetemu.plan.operations import (
    AddHttpServer,
    AddMacvlan,
    AddMultipathRoute,
    AddNeighbors,
    AddNode,
    AddPeer,
    AddRoute,
    AddService,
    AddVeth,
    ManyRoutes,
    Operation,
    Part,
)
from pynetemu.plan.operations.neighbors import difference_of_groups
from pynetemu.plan.operations.operation import Effect, Thing
from pynetemu.plan.operations.phases import in_order, number_of
from pynetemu.plan.operations.splices import Parts, Splice, known_splices, places_of
from pynetemu.plan.operations.steps import Replace, Undo, inverse
from pynetemu.plan.operations.things import Things

ROUTES = AddRoute, AddMultipathRoute
_TAKEN_BACK = AddNode, AddVeth, AddMacvlan, AddNeighbors, AddHttpServer, AddService


def difference(old: Sequence[Part], new: Sequence[Part]) -> list[Effect]:
    """The steps from the operations of one plan to those of another."""
    known = known_splices(old, new)
    gone, come = _only_in_one(old, new) if known is None else _only_in_one_by(known, old)
    many = [part for part in (*gone, *come) if isinstance(part, ManyRoutes)]
    partly = [part for part in come if isinstance(part, ManyRoutes)]
    if many:
        gone, come = _only_in_one(list(_each(gone)), list(_each(come)))
    only = {*map(id, gone), *map(id, come), *map(id, many)}
    found = _Change(old, new, gone, come, only, partly, known).steps() if gone or come else []
    if known is not None:
        _take_things_along(old, new, known)
    return found


def inverse_of_all(steps: Iterable[Effect]) -> list[Effect]:
    """What takes a change back, in the order of its kind."""
    inverses = [inverse(step) for step in reversed(list(steps))]
    undone = [step for step in inverses if isinstance(step, Undo)]
    return [*undone, *in_order(step for step in inverses if not isinstance(step, Undo))]


def essential(steps: Iterable[Effect]) -> list[Effect]:
    """The steps without those that the kernel takes itself: what is at an interface goes with it, all of a node with the node.

    Links are deleted all the same, and macvlans, which keep what they are on busy: a node's namespace goes a moment later, or
    when somebody's open socket in it is closed.
    """
    found = list(steps)
    gone = {thing for step in found if isinstance(step, Undo) for thing in step.of.makes if len(thing) < 3}
    return [step for step in found if not (isinstance(step, Undo) and _goes_by_itself(step.of, gone))]


def _goes_by_itself(operation: Effect, gone: set[Thing]) -> bool:
    if isinstance(operation, _TAKEN_BACK):
        return False
    needs = operation.needs[:1] if isinstance(operation, AddPeer) else operation.needs  # who has gone is a peer until told
    return not gone.isdisjoint(needs)


class _Change:
    """What goes, what comes, what becomes another, and what of the rest must be done again."""

    def __init__(
        self,
        old: Sequence[Part],
        new: Sequence[Part],
        gone: Collection[Part],
        come: Collection[Part],
        only: set[int],
        partly: Iterable[ManyRoutes],
        known: list[Splice] | None,
    ) -> None:
        """`only` has the ids of those that only one plan has; of those `partly` new some routes may be old. `known` is what
        makes the new plan of the old one, where most operations are the same objects in both."""
        self._old, self._new, self._known = old, new, known
        self._only, self._partly = only, [*_each(partly)]
        groups = difference_of_groups(_of(AddNeighbors, gone), _of(AddNeighbors, come))
        self._pairs, self._gone, self._come = _paired(_others(gone), _others(come))
        self._again: dict[int, Effect] = {}
        self._many: dict[int, list[Operation]] = {}  # the routes of `ManyRoutes`, by its id
        self._close()
        self._neighbors = [*groups, *self._groups_again()]

    def steps(self) -> list[Effect]:
        again = list(self._again.values())
        undone: list[Effect] = [*self._gone, *(operation for operation in again if not isinstance(operation, ROUTES))]
        done: list[Effect] = [*self._come, *(Replace(op, op) if isinstance(op, ROUTES) else op for op in again)]
        for group in self._neighbors:
            (undone if isinstance(group, Undo) else done).append(group.of if isinstance(group, Undo) else group)
        done += [pair for pair in self._pairs if _differ(pair)]
        place, order = self._all_places()
        done.sort(key=lambda step: (number_of(step), order.get(id(_new(step)), 0)))
        undone.sort(key=lambda step: (number_of(step), place.get(id(step), len(self._old))), reverse=True)
        routes = [operation for operation in undone if isinstance(operation, ROUTES)]
        others = [operation for operation in undone if not isinstance(operation, ROUTES)]
        return [*map(Undo, others), *done, *map(Undo, routes)]

    def _close(self) -> None:
        """Finds what stands on something that changes; that may itself be what something else stands on."""
        self._dirty: set[Thing] = set()
        if not self._gone and not self._come:
            return
        things = {thing for operation in (*self._gone, *self._come) for thing in operation.makes}
        nodes = {thing[0] for thing in things}
        before = things_of(self._old) if self._known is not None else Things(_at(self._old, nodes))
        kept = before if self._known is not None else Things(self._kept(_at(self._new, nodes)))
        self._dirty = {thing for thing in things if self._is_made_by_another(thing, before, kept)}
        moved = True
        while moved:
            near = {id(operation): operation for operation in self._near(kept) if id(operation) not in self._again}
            standing = {key: operation for key, operation in near.items() if self._stands_on_changes(operation)}
            lost = [pair for pair in self._pairs if self._loses_ground(pair)]
            moved = bool(standing or lost)
            self._again |= standing
            for operation in standing.values():
                self._dirty |= set(operation.makes)
            for pair in lost:  # it cannot be changed in place
                self._pairs.remove(pair)
                self._gone.append(pair.old)
                self._come.append(pair.new)
                self._dirty |= {*pair.old.makes, *pair.new.makes}

    def _loses_ground(self, pair: Replace) -> bool:
        """Whether what would be changed in place goes with something else. A route takes any other's place."""
        if isinstance(pair.new, ROUTES):
            return False
        return self._stands_on_changes(pair.new) or self._stands_on_changes(pair.old)

    def _kept(self, after: Iterable[Part]) -> Iterator[Part]:
        """Those of the new plan's operations that the old one has too."""
        come = {id(operation) for operation in (*self._come, *(pair.new for pair in self._pairs))}
        return (part for part in after if not (type(part) is AddNeighbors or id(part) in come))

    def _near(self, kept: Things) -> Iterator[Effect]:
        """What may stand on something that changes, and is in both plans."""
        for part in kept.near(self._dirty):
            if id(part) in self._only:
                continue
            if isinstance(part, ManyRoutes):
                yield from self._many.get(id(part)) or self._many.setdefault(id(part), [*part])
            else:
                yield part
        yield from self._partly

    def _is_made_by_another(self, thing: Thing, before: Things, kept: Things) -> bool:
        """Whether somebody else makes it now, or nobody; the first that makes one counts."""
        come = [op for op in (*self._come, *(pair.new for pair in self._pairs)) if thing in op.makes]
        old = before.makers(thing)
        new = [*(op for op in kept.makers(thing) if id(op) not in self._only), *come]
        return _key(self._first(old, self._old)) != _key(self._first(new, self._new))

    def _first(self, makers: list[Effect], parts: Sequence[Part]) -> Effect | None:
        if len(makers) < 2:
            return makers[0] if makers else None
        places = _places(parts)
        return min(makers, key=lambda maker: places.get(id(maker), len(parts)))

    def _all_places(self) -> tuple[dict[int, int], dict[int, int]]:
        """Where in the old plan what is undone was, and where in the new one what is done is."""
        if self._known is None or self._again or self._neighbors:
            return _places(self._old), _places(self._new)
        return places_of(self._old, self._known)

    def _stands_on_changes(self, operation: Effect) -> bool:
        if not self._dirty.isdisjoint(operation.needs):
            return True
        return bool(operation.gateways) and any(
            thing[0] == getattr(operation, "node", "") and _reaches(thing[2], operation.gateways)
            for thing in self._dirty
            if len(thing) == 3
        )

    def _groups_again(self) -> list[Effect]:
        """Neighbor tables of interfaces that are made anew: what those of both plans know of each other."""
        found: list[Effect] = []
        if not self._dirty:
            return []
        old = {member for group in _of(AddNeighbors, self._old) for member in group.members}
        for group in _of(AddNeighbors, self._new):
            kept = group.only([place for place, member in enumerate(group.members) if member in old])
            anew = [place for place, thing in enumerate(kept.needs) if thing in self._dirty]
            found += [Replace(part, part) for part in kept.with_members(anew)]
        return found


def things_of(parts: Sequence[Part]) -> Things:
    """What operations make and need; of those of a plan it is found out once."""
    if not isinstance(parts, Parts):
        return Things(parts)
    if parts.things is None:
        parts.things = Things(parts)
    return parts.things


def _take_things_along(old: Sequence[Part], new: Sequence[Part], changes: list[Splice]) -> None:
    """What is known of one plan's operations is known of the next one's; that plan will not be changed again, as a rule."""
    if isinstance(old, Parts) and isinstance(new, Parts) and old.things is not None:
        things, old.things = old.things, None
        for begin, count, coming in changes:
            for part in old[begin : begin + count]:
                things.drop(part)
            for part in coming:
                things.add(part)
        new.things = things


def _each(parts: Iterable[Part]) -> Iterator[Operation]:
    """The operations, each by itself."""
    for part in parts:
        yield from part if isinstance(part, ManyRoutes) else [part]


def _reaches(network: Hashable, gateways: tuple[Hashable, ...]) -> bool:
    return isinstance(network, IPv4Network | IPv6Network) and any(gateway in network for gateway in gateways)


@cache
def _nodes(fields: tuple[str, ...]) -> Callable[[Effect], tuple[str, ...]]:
    """What gives the nodes that an operation with such fields is about, the first one twice; of one about many none."""
    names = [name for name in ("node", "peer_node", "parent_node") if name in fields]
    return attrgetter(*names, names[0]) if names else lambda _: ()


def _at(parts: Iterable[Part], nodes: Collection[Hashable]) -> Iterator[Part]:
    """Those that are about some of the nodes."""
    wanted = frozenset(nodes)
    kind: type[Part]
    for kind, some in groupby(parts, key=type):  # most are together
        about = _nodes(kind.__match_args__)
        yield from [part for part in some if not wanted.isdisjoint(about(part))]


def _places(parts: Sequence[Part]) -> dict[int, int]:
    """The place of each, by its id."""
    return dict(zip(map(id, parts), range(len(parts)), strict=True))


def _only_in_one(old: Sequence[Part], new: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """What only the old plan has, and what only the new one; a veth pair is the same from both of its ends."""
    olds, news = set(map(id, old)), set(map(id, new))
    before = {_key(operation): operation for operation in old if id(operation) not in news}
    after = {_key(operation): operation for operation in new if id(operation) not in olds}
    gone = [operation for key, operation in before.items() if key not in after]
    return gone, [operation for key, operation in after.items() if key not in before]


def _only_in_one_by(changes: list[Splice], old: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """The same where it is known what makes one of the other."""
    gone = [part for begin, count, _ in changes for part in old[begin : begin + count]]
    return _only_in_one(gone, [part for _, _, coming in changes for part in coming])


def _key(operation: Hashable) -> Hashable:
    """The operation itself; of a veth pair that which begins with the end whose name comes first."""
    if isinstance(operation, AddVeth):
        near, far = operation.makes
        return operation if near <= far else operation.turned()
    return operation


def _paired(gone: Iterable[Effect], come: Iterable[Effect]) -> tuple[list[Replace], list[Effect], list[Effect]]:
    """Those that become others in place, and the rest of both."""
    before = {_identity(operation): operation for operation in gone}
    pairs: list[Replace] = []
    rest: list[Effect] = []
    for operation in come:
        old = before.get(_identity(operation))
        if isinstance(old, AddVeth) and isinstance(operation, AddVeth) and old.node != operation.node:
            old = old.turned()
        if old is None or not old.can_become(operation):
            rest.append(operation)
        else:
            del before[_identity(operation)]
            pairs.append(Replace(old, operation))
    return pairs, list(before.values()), rest


def _identity(operation: Effect) -> Hashable:
    key = _key(operation)
    return key.identity() if isinstance(key, Effect) else key


def _differ(pair: Replace) -> bool:
    """Whether there is anything to do for what becomes another."""
    if type(pair.old) is not type(pair.new):  # a route by one gateway, and by several
        return True
    told = {*pair.new.INFORMS, "source"}
    return any(getattr(pair.old, name) != getattr(pair.new, name) for name in pair.new.__match_args__ if name not in told)


def _new(step: Effect) -> Effect:
    return step.new if isinstance(step, Replace) else step


def _of(kind: type[AddNeighbors], operations: Iterable[Part]) -> list[AddNeighbors]:
    return [operation for operation in operations if type(operation) is kind]


def _others(operations: Iterable[Part]) -> list[Part]:
    return [operation for operation in operations if not isinstance(operation, AddNeighbors)]
