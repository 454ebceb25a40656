"""Operations that fill routing tables."""

from pynetemu.plan.operations.operation import operation
from pynetemu.plan.operations.values import Address, IPNetwork


@operation
class AddRoute:
    """A route by way of a gateway; `0.0.0.0/0` and `::/0` are the default routes. `table` is 0 for the main one."""

    node: str
    destination: IPNetwork
    via: Address
    table: int = 0
    source: str = ""


@operation
class AddMultipathRoute:
    """A route by way of several gateways, each of which some flows take; `ip route add ... nexthop via ... nexthop via ...`."""

    node: str
    destination: IPNetwork
    vias: tuple[Address, ...]
    table: int = 0
    source: str = ""


@operation
class EndTable:
    """The last route of a table: what finds no other there is unreachable, instead of being looked up in the main table.

    The metric is what Documentation/networking/vrf.rst advises.
    """

    node: str
    destination: IPNetwork
    table: int
    source: str = ""
