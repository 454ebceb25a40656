"""Operations that fill routing tables."""

from collections.abc import Hashable, Iterator

from pynetemu.plan.operations.operation import Effect, operation
from pynetemu.plan.operations.values import Address, IPNetwork


class _Route(Effect):
    """A route takes the place of another one to the same destination, with one gateway or with several."""

    __slots__ = ()
    IDENTITY = "node", "destination", "table"

    def identity(self) -> tuple[Hashable, ...]:
        return ("route", *(getattr(self, name) for name in self.IDENTITY))

    def can_become(self, other: Effect) -> bool:
        return isinstance(other, _Route)


@operation
class AddRoute(_Route):
    """A route by way of a gateway; `0.0.0.0/0` and `::/0` are the default routes. `table` is 0 for the main one."""

    node: str
    destination: IPNetwork
    via: Address
    table: int = 0
    source: str = ""

    @property
    def gateways(self) -> tuple[Address, ...]:
        return (self.via,)


@operation
class AddMultipathRoute(_Route):
    """A route by way of several gateways, each of which some flows take; `ip route add ... nexthop via ... nexthop via ...`."""

    node: str
    destination: IPNetwork
    vias: tuple[Address, ...]
    table: int = 0
    source: str = ""

    @property
    def gateways(self) -> tuple[Address, ...]:
        return self.vias


@operation
class EndTable(Effect):
    """The last route of a table: what finds no other there is unreachable, instead of being looked up in the main table.

    The metric is what Documentation/networking/vrf.rst advises.
    """

    IDENTITY = "node", "destination", "table"

    node: str
    destination: IPNetwork
    table: int
    source: str = ""


Ways = tuple[tuple[tuple[Address, ...], tuple[IPNetwork, ...]], ...]  # gateways, and the networks that lead through them


@operation
class ManyRoutes(Effect):
    """Routes of a node in a tenth of the room that an operation each would take: in a lab of 200 routers there are 300,000.

    Iterating gives them as AddRoute, or as AddMultipathRoute where there are several gateways, by their destinations. In one
    there are routes of one of these kinds only.
    """

    node: str
    ways: Ways
    table: int = 0
    source: str = ""

    @property
    def kind(self) -> type[AddRoute] | type[AddMultipathRoute]:
        """What its routes are."""
        return AddRoute if len(self.ways[0][0]) == 1 else AddMultipathRoute

    def __len__(self) -> int:
        return sum(len(destinations) for _, destinations in self.ways)

    def __iter__(self) -> Iterator[AddRoute | AddMultipathRoute]:
        routes = [(destination, vias) for vias, destinations in self.ways for destination in destinations]
        routes.sort(key=lambda route: (route[0].version, int(route[0].network_address), route[0].prefixlen))
        for destination, vias in routes:
            if len(vias) == 1:
                yield AddRoute(self.node, destination, vias[0], self.table, self.source)
            else:
                yield AddMultipathRoute(self.node, destination, vias, self.table, self.source)
