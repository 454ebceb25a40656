"""Operations that fill routing tables."""

from dataclasses import dataclass, field

from pynetemu.plan.operations.values import Address, IPNetwork


@dataclass(frozen=True, slots=True)
class AddRoute:
    """A route by way of a gateway; `0.0.0.0/0` and `::/0` are the default routes."""

    node: str
    destination: IPNetwork
    via: Address
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class AddMultipathRoute:
    """A route by way of several gateways, each of which some flows take; `ip route add ... nexthop via ... nexthop via ...`."""

    node: str
    destination: IPNetwork
    vias: tuple[Address, ...]
    source: str = field(default="", compare=False)
