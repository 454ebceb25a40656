"""The order of operations: a table of named phases, each of which finds what those before it have made.

A plan is made in this order, the engine carries operations out in it, and takes them back in the reverse.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TypeVar

from pynetemu.frozen import frozen
from pynetemu.plan.operations.addresses import AddAddress
from pynetemu.plan.operations.devices import AddDevice, AddMacvlan
from pynetemu.plan.operations.firewalls import AddRuleset
from pynetemu.plan.operations.impairments import Impair
from pynetemu.plan.operations.links import AddVeth, SetUp
from pynetemu.plan.operations.neighbors import AddNeighbors
from pynetemu.plan.operations.nodes import AddNode, SetSysctl
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.routes import AddMultipathRoute, AddRoute, EndTable, ManyRoutes
from pynetemu.plan.operations.services import AddHttpServer, AddService
from pynetemu.plan.operations.switches import AddBridge, SetMaster, SetPort, SetPortVlans, StartSpanningTree
from pynetemu.plan.operations.tunnels import AddTunnel
from pynetemu.plan.operations.vlans import AddVlan
from pynetemu.plan.operations.wireguard import AddPeer, AddWireGuard

_O = TypeVar("_O", bound=Effect)


@frozen
class Phase:
    """All operations of one kind; `late` has those that are so, where the kind has such. `awaits_links`: links carry first."""

    name: str
    kind: type[Effect]
    late: bool = False
    awaits_links: bool = False


PHASES = (
    Phase("nodes", AddNode),
    Phase("settings", SetSysctl),
    Phase("bridges", AddBridge),
    Phase("links", AddVeth),
    Phase("tunnels", AddTunnel),
    Phase("WireGuard", AddWireGuard),
    Phase("devices", AddDevice),
    Phase("VLAN interfaces", AddVlan),
    Phase("macvlans", AddMacvlan),
    Phase("masters", SetMaster),
    Phase("ports", SetPort),
    Phase("VLANs of ports", SetPortVlans),
    Phase("addresses", AddAddress),
    Phase("rules", AddRuleset),
    Phase("impairments", Impair),
    Phase("up", SetUp),
    Phase("spanning trees", StartSpanningTree, awaits_links=True),
    Phase("up, for spanning trees to shut", SetUp, late=True),
    Phase("neighbors", AddNeighbors),
    Phase("routes", AddRoute),
    Phase("routes by several gateways", AddMultipathRoute),
    Phase("ends of tables", EndTable),
    Phase("WireGuard peers", AddPeer),
    Phase("web servers", AddHttpServer, awaits_links=True),
    Phase("services", AddService, awaits_links=True),
)

_NUMBERS = {(phase.kind, phase.late): number for number, phase in enumerate(PHASES)}


def number_of(operation: Effect) -> int:
    """The place of an operation's phase in the table."""
    kind = operation.kind if isinstance(operation, ManyRoutes) else type(operation)
    return _NUMBERS[kind, getattr(operation, "late", False)]


def phase_of(operation: Effect) -> Phase:
    """The phase in which an operation is carried out."""
    return PHASES[number_of(operation)]


def in_order(operations: Iterable[_O]) -> list[_O]:
    """Operations by their phases, and in a phase as they are."""
    return sorted(operations, key=number_of)


def by_phase(operations: Iterable[_O]) -> Iterator[tuple[Phase, list[_O]]]:
    """Those of each phase together, of operations that are in order."""
    for number, found in groupby(operations, key=number_of):
        yield PHASES[number], list(found)
