"""Operations that fill routing tables."""

from pynetemu.plan.operations.operation import Effect, operation
from pynetemu.plan.operations.values import Address, IPNetwork


@operation
class AddRoute(Effect):
    """A route by way of a gateway; `0.0.0.0/0` and `::/0` are the default routes. `table` is 0 for the main one."""

    IDENTITY = "node", "destination", "table"
    CHANGEABLE = ("via",)

    node: str
    destination: IPNetwork
    via: Address
    table: int = 0
    source: str = ""

    @property
    def gateways(self) -> tuple[Address, ...]:
        return (self.via,)


@operation
class AddMultipathRoute(Effect):
    """A route by way of several gateways, each of which some flows take; `ip route add ... nexthop via ... nexthop via ...`."""

    IDENTITY = "node", "destination", "table"
    CHANGEABLE = ("vias",)

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
