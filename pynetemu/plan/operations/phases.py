"""The order of operations: a table of named phases, each of which finds what those before it have made.

A plan is made in this order, the engine carries operations out in it, and takes them back in the reverse.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal, TypeVar

from pynetemu.frozen import frozen
from pynetemu.plan.operations.addresses import AddAddress
from pynetemu.plan.operations.devices import AddDevice, AddMacvlan
from pynetemu.plan.operations.files import AddFile
from pynetemu.plan.operations.firewalls import AddRuleset
from pynetemu.plan.operations.impairments import Impair
from pynetemu.plan.operations.links import AddVeth, SetUp
from pynetemu.plan.operations.neighbors import AddNeighbors
from pynetemu.plan.operations.nodes import AddNode, SetSysctl
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.routes import AddMultipathRoute, AddRoute, EndTable, ManyRoutes
from pynetemu.plan.operations.services import AddHttpServer, AddService
from pynetemu.plan.operations.steps import Replace, Undo
from pynetemu.plan.operations.switches import AddBridge, SetMaster, SetPort, SetPortVlans, StartSpanningTree
from pynetemu.plan.operations.tunnels import AddTunnel
from pynetemu.plan.operations.vlans import AddVlan
from pynetemu.plan.operations.wireguard import AddPeer, AddWireGuard

_O = TypeVar("_O", bound=Effect)


@frozen
class Phase:
    """All operations of one kind; where the kind has `late` ones, those or the others. `awaits` is what must be ready."""

    name: str
    kind: type[Effect]
    late: bool = False
    awaits: Literal["", "links", "network"] = ""


PHASES = (
    Phase("nodes", AddNode),
    Phase("settings", SetSysctl),
    Phase("files", AddFile),
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
    Phase("spanning trees", StartSpanningTree, awaits="links"),
    Phase("up, for spanning trees to shut", SetUp, late=True),
    Phase("neighbors", AddNeighbors),
    Phase("routes", AddRoute),
    Phase("routes by several gateways", AddMultipathRoute),
    Phase("ends of tables", EndTable),
    Phase("WireGuard peers", AddPeer),
    Phase("web servers", AddHttpServer, awaits="network"),
    Phase("services", AddService, awaits="network"),
)

_NUMBERS: dict[tuple[type[Effect], bool], int] = {(phase.kind, phase.late): number for number, phase in enumerate(PHASES)}
_UNIFORM = {kind for kind, _ in _NUMBERS if (kind, True) not in _NUMBERS}  # whose operations are all of one phase


def number_of(step: Effect) -> int:
    """The place in the table of the phase of an operation, or of the one that a step takes back or makes."""
    operation = step.of if isinstance(step, Undo) else step.new if isinstance(step, Replace) else step
    kind = operation.kind if isinstance(operation, ManyRoutes) else type(operation)
    return _NUMBERS[kind, getattr(operation, "late", False)]


def in_order(operations: Iterable[_O]) -> list[_O]:
    """Operations by their phases, and in a phase as they are."""
    return sorted(operations, key=number_of)


def batches(steps: Iterable[Effect]) -> Iterator[tuple[Phase, list[Effect]]]:
    """Steps in a row that are of one phase, and all do, undo or replace."""
    for kind, found in groupby(steps, key=type):
        if kind in _UNIFORM:
            yield PHASES[_NUMBERS[kind, False]], list(found)
        else:
            yield from ((PHASES[number], list(steps)) for number, steps in groupby(found, key=number_of))
