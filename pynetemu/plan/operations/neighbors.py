"""Operations that fill neighbor tables."""

from collections.abc import Sequence

from pynetemu.plan.operations.operation import Effect, Thing, operation
from pynetemu.plan.operations.steps import Undo
from pynetemu.plan.operations.values import Address


@operation
class AddNeighbors(Effect):
    """Permanent entries by which interfaces on one link know each other; `ip neigh add ... nud permanent` for each pair.

    The n-th interface is `interfaces[n]` of `nodes[n]`, with `addresses[n]` and `macs[n]`. With `centers`, only they and
    the others know each other.
    """

    IDENTITY = "nodes", "interfaces", "addresses", "centers"

    nodes: tuple[str, ...]
    interfaces: tuple[str, ...]
    addresses: tuple[Address, ...]
    macs: tuple[str, ...]
    centers: tuple[int, ...] = ()
    source: str = ""

    @property
    def node(self) -> str:
        """The first of the nodes, to be named in messages."""
        return self.nodes[0]

    @property
    def needs(self) -> tuple[Thing, ...]:
        return tuple(zip(self.nodes, self.interfaces, strict=True))

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Who knows whom, by their places."""
        centers = frozenset(self.centers)
        places = range(len(self.nodes))
        return [(a, b) for a in places for b in places if a != b and (not centers or a in centers or b in centers)]

    def with_members(self, places: Sequence[int]) -> list["AddNeighbors"]:
        """The same for those pairs only of which one is a member at these places: what comes or goes with them."""
        wanted = dict.fromkeys(places)
        if not wanted or len(wanted) == len(self.nodes):
            return [self] if wanted else []
        centers = dict.fromkeys(self.centers)
        if not centers:
            return [
                self._of([*wanted, *(place for place in range(len(self.nodes)) if place not in wanted)], range(len(wanted)))
            ]
        others = [place for place in range(len(self.nodes)) if place not in wanted]
        found = [self._of([place, *(c for c in centers if c not in wanted)], [0]) for place in wanted if place not in centers]
        if moved := [place for place in wanted if place in centers]:
            found.append(self._of([*moved, *(place for place in wanted if place not in centers), *others], range(len(moved))))
        return [part for part in found if len(part.nodes) > 1]

    def only(self, places: Sequence[int]) -> "AddNeighbors":
        """The same for some of the members."""
        return self._of(places, [place for place, old in enumerate(places) if old in self.centers])

    def _of(self, places: Sequence[int], centers: Sequence[int]) -> "AddNeighbors":
        """Some of the members, and which of these are centers."""
        nodes, interfaces = (tuple(field[place] for place in places) for field in (self.nodes, self.interfaces))
        addresses, macs = tuple(self.addresses[place] for place in places), tuple(self.macs[place] for place in places)
        return AddNeighbors(nodes, interfaces, addresses, macs, tuple(centers), self.source)

    @property
    def members(self) -> list[tuple[object, ...]]:
        """All that a group says of each member."""
        is_center = [place in self.centers for place in range(len(self.nodes))]
        return list(zip(self.nodes, self.interfaces, self.addresses, self.macs, is_center, strict=True))


def difference_of_groups(gone: Sequence[AddNeighbors], come: Sequence[AddNeighbors]) -> list[Effect]:
    """What makes the groups that come of those that go: of two with members in common, what these know of each other stays."""
    owner = {member: group for group in gone for member in group.members}
    left = {id(group): group for group in gone}
    steps: list[Effect] = []
    for group in come:
        old = next((found for member in group.members if (found := owner.get(member)) and id(found) in left), None)
        if old is None or bool(old.centers) is not bool(group.centers):
            steps.append(group)
            continue
        del left[id(old)]
        before, after = set(old.members), set(group.members)
        steps += map(Undo, old.with_members([i for i, member in enumerate(old.members) if member not in after]))
        steps += group.with_members([i for i, member in enumerate(group.members) if member not in before])
    return [*map(Undo, left.values()), *steps]
