"""Routes as commands."""

from collections.abc import Iterator

from pynetemu.plan.as_shell.words import ip
from pynetemu.plan.operations import AddMultipathRoute, AddRoute, EndTable, IPNetwork

TITLES = {AddRoute: "Routes", AddMultipathRoute: "Routes with several gateways", EndTable: "The ends of VRFs' tables"}
_LAST = 4278198272  # a metric above those of all other routes: vrf.rst


def lines(operation: AddRoute | AddMultipathRoute | EndTable, root: str | None) -> Iterator[str]:
    table = f" table {operation.table}" if operation.table else ""
    match operation:
        case AddRoute(destination=destination, via=via):
            yield f"{ip(operation.node, root)} route add {_name(destination)} via {via}{table}"
        case AddMultipathRoute(destination=destination, vias=vias):
            family = " -6" if destination.version == 6 else ""
            gateways = "".join(f" nexthop via {via}" for via in vias)
            yield f"{ip(operation.node, root)}{family} route add {_name(destination)}{table}{gateways}"
        case EndTable(destination=destination):
            family = " -6" if destination.version == 6 else ""
            yield f"{ip(operation.node, root)}{family} route add unreachable default metric {_LAST}{table}"


def _name(destination: IPNetwork) -> str:
    return str(destination) if destination.prefixlen else "default"


def undo(operation: AddRoute | AddMultipathRoute | EndTable, root: str | None) -> Iterator[str]:
    yield from (line.replace(" route add ", " route del ", 1) for line in lines(operation, root))


def replace(_: AddRoute | AddMultipathRoute, new: AddRoute | AddMultipathRoute, root: str | None) -> Iterator[str]:
    yield from (line.replace(" route add ", " route replace ", 1) for line in lines(new, root))
