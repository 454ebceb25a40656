"""Routes as commands."""

from collections.abc import Iterator

from pynetemu.plan.operations import AddMultipathRoute, AddRoute, IPNetwork
from pynetemu.plan.shell.words import ip

TITLES = {AddRoute: "Routes", AddMultipathRoute: "Routes with several gateways"}


def lines(operation: AddRoute | AddMultipathRoute, root: str | None) -> Iterator[str]:
    match operation:
        case AddRoute(destination=destination, via=via):
            yield f"{ip(operation.node, root)} route add {_name(destination)} via {via}"
        case AddMultipathRoute(destination=destination, vias=vias):
            family = " -6" if destination.version == 6 else ""
            gateways = "".join(f" nexthop via {via}" for via in vias)
            yield f"{ip(operation.node, root)}{family} route add {_name(destination)}{gateways}"


def _name(destination: IPNetwork) -> str:
    return str(destination) if destination.prefixlen else "default"
