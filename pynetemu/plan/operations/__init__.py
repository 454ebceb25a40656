"""What the kernel must become, as plain frozen data.

A plan is a name and a sequence of operations, in the order in which they are applied:

    Plan("Blue", (AddNode("root", "root"), AddNode("blue", "host"), AddVeth(...), ...))

Operations hold no behavior. Each has a topic, which is the module here that has it, and the module of the same name
in `plan.as_shell` prints it as the command it stands for, and that in `engine.apply` carries it out. `plan.data` turns
operations into JSON and back. `source` is the user's `file:line`, kept so that a refusal by the kernel can name it; two
operations that differ only there are equal.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any, overload

from pynetemu.frozen import frozen
from pynetemu.plan.operations.addresses import AddAddress
from pynetemu.plan.operations.devices import AddDevice, AddMacvlan, DeviceKind
from pynetemu.plan.operations.files import AddFile, FileKind
from pynetemu.plan.operations.firewalls import AddRuleset
from pynetemu.plan.operations.impairments import Impair, Mechanism
from pynetemu.plan.operations.links import AddVeth, SetUp
from pynetemu.plan.operations.neighbors import AddNeighbors
from pynetemu.plan.operations.nodes import AddNode, SetSysctl
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.routes import AddMultipathRoute, AddRoute, EndTable, ManyRoutes, Ways
from pynetemu.plan.operations.services import AddHttpServer, AddService
from pynetemu.plan.operations.splices import Parts
from pynetemu.plan.operations.switches import AddBridge, SetMaster, SetPort, SetPortVlans, StartSpanningTree
from pynetemu.plan.operations.tunnels import AddTunnel, TunnelKind
from pynetemu.plan.operations.values import Address, InterfaceAddress, IPNetwork, NodeKind
from pynetemu.plan.operations.vlans import AddVlan
from pynetemu.plan.operations.wireguard import AddPeer, AddWireGuard

Operation = (
    AddNode
    | SetSysctl
    | AddFile
    | AddBridge
    | AddVeth
    | AddVlan
    | AddTunnel
    | AddWireGuard
    | AddPeer
    | AddDevice
    | AddMacvlan
    | SetMaster
    | SetPort
    | SetPortVlans
    | AddAddress
    | AddRuleset
    | Impair
    | SetUp
    | StartSpanningTree
    | AddRoute
    | AddMultipathRoute
    | EndTable
    | AddNeighbors
    | AddHttpServer
    | AddService  # one to a line, so that changes do not meet
)

__all__ = [
    "AddAddress",
    "AddBridge",
    "AddDevice",
    "AddFile",
    "AddHttpServer",
    "AddMacvlan",
    "AddMultipathRoute",
    "AddNeighbors",
    "AddNode",
    "AddPeer",
    "AddRoute",
    "AddRuleset",
    "AddService",
    "AddTunnel",
    "AddVeth",
    "AddVlan",
    "AddWireGuard",
    "Address",
    "DeviceKind",
    "EndTable",
    "FileKind",
    "IPNetwork",
    "Impair",
    "InterfaceAddress",
    "ManyRoutes",
    "Mechanism",
    "NodeKind",
    "Operation",
    "Operations",
    "Part",
    "Plan",
    "SetMaster",
    "SetPort",
    "SetPortVlans",
    "SetSysctl",
    "SetUp",
    "StartSpanningTree",
    "TunnelKind",
    "Ways",
    "as_parts",
    "of_topic",
    "parts_of",
]


Part = Operation | ManyRoutes


class Operations(Sequence[Operation]):
    """Equal to a tuple of the same operations. Those of `ManyRoutes` are made when they are asked for; `parts` has them as one.

    Operations((AddNode("r1", "router"), ManyRoutes("r1", ...)))[1] == AddRoute("r1", ...)
    """

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = parts if isinstance(parts, Parts) else Parts(parts)

    def __iter__(self) -> Iterator[Operation]:
        for part in self.parts:
            if isinstance(part, ManyRoutes):
                yield from part
            else:
                yield part

    def __len__(self) -> int:
        return self._length

    @cached_property
    def _length(self) -> int:
        return sum(len(part) if isinstance(part, ManyRoutes) else 1 for part in self.parts)

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """See `Plan.nodes`."""
        return _nodes_of(self.parts)

    @overload
    def __getitem__(self, place: int) -> Operation: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Operation, ...]: ...
    def __getitem__(self, place: int | slice) -> Operation | tuple[Operation, ...]:
        return tuple(self)[place]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Operations) and self.parts == other.parts:
            return True
        return isinstance(other, Operations | tuple) and len(self) == len(other) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash((len(self), self[:1]))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.parts!r})"


@frozen
class Plan:
    """A whole network as operations, in the order of their application.

    `host_address` is the root's own address, which every node knows as `host`; with `host=True` it stays None and the
    engine takes the machine's primary address. `warnings` are what is allowed but was hardly meant, for people to read.
    `ids` is "one" or "range", of labs of ordinary users.
    """

    name: str
    operations: Sequence[Operation]
    host: bool = False
    host_address: Address | None = None
    warnings: tuple[str, ...] = ()
    ids: str = "one"

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names people use, in the order of the description: Plan(...).nodes == ("root", "blue")."""
        operations = self.operations
        return operations.nodes if isinstance(operations, Operations) else _nodes_of(operations)


def _nodes_of(parts: Iterable[Part]) -> tuple[str, ...]:
    return tuple(part.node for part in parts if isinstance(part, AddNode) and part.kind != "outside")


def as_parts(plan: Plan) -> Parts:
    """The same, for others to be made of them."""
    parts = parts_of(plan)
    return parts if isinstance(parts, Parts) else Parts(parts)


def parts_of(plan: Plan) -> Sequence[Part]:
    """The operations, those of `ManyRoutes` as one, where they are kept so."""
    return plan.operations.parts if isinstance(plan.operations, Operations) else plan.operations


def of_topic(package: str, kind: type[Effect], name: str) -> Any:
    """What a package has for a kind of operation.

    of_topic("pynetemu.engine.apply", AddVeth, "queue") is the function `queue` of `pynetemu.engine.apply.links`
    """
    return getattr(import_module(f"{package}.{kind.__module__.rpartition('.')[2]}"), name)
