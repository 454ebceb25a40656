"""Operations that fill routing tables."""

from dataclasses import dataclass, field

from pynetemu.plan.operations.values import Address, IPNetwork


@dataclass(frozen=True, slots=True)
class AddRoute:
    """A route by way of a gateway; `0.0.0.0/0` and `::/0` are the default routes. `table` is 0 for the main one."""

    node: str
    destination: IPNetwork
    via: Address
    table: int = 0
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class AddMultipathRoute:
    """A route by way of several gateways, each of which some flows take; `ip route add ... nexthop via ... nexthop via ...`."""

    node: str
    destination: IPNetwork
    vias: tuple[Address, ...]
    table: int = 0
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class EndTable:
    """The last route of a table: what finds no other there is unreachable, instead of being looked up in the main table.

    The metric is what Documentation/networking/vrf.rst advises.
    """

    node: str
    destination: IPNetwork
    table: int
    source: str = field(default="", compare=False)
