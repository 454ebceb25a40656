"""Operations that fill neighbor tables."""

from pynetemu.plan.operations.operation import Effect, Thing, operation
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
