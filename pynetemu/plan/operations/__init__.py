"""What the kernel must become, as plain frozen data.

A plan is a name and a tuple of operations, in the order in which they are applied:

    Plan("Blue", (AddNode("root", "root"), AddNode("blue", "host"), AddVeth(...), ...))

Operations hold no behavior. Each has a topic, which is the module here that has it, and the module of the same name
in `plan.as_shell` prints it as the command it stands for, and that in `engine.apply` carries it out. `plan.data` turns
operations into JSON and back. `source` is the user's `file:line`, kept so that a refusal by the kernel can name it; two
operations that differ only there are equal.
"""

from importlib import import_module
from typing import Any

from pynetemu.frozen import frozen
from pynetemu.plan.operations.addresses import AddAddress
from pynetemu.plan.operations.devices import AddDevice, AddMacvlan, DeviceKind
from pynetemu.plan.operations.firewalls import AddRuleset
from pynetemu.plan.operations.links import AddVeth, SetUp
from pynetemu.plan.operations.neighbors import AddNeighbors
from pynetemu.plan.operations.nodes import AddNode, SetSysctl
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.routes import AddMultipathRoute, AddRoute, EndTable
from pynetemu.plan.operations.services import AddHttpServer, AddService
from pynetemu.plan.operations.switches import AddBridge, SetMaster, SetPort, SetPortVlans, StartSpanningTree
from pynetemu.plan.operations.tunnels import AddTunnel, TunnelKind
from pynetemu.plan.operations.values import Address, InterfaceAddress, IPNetwork, NodeKind
from pynetemu.plan.operations.vlans import AddVlan
from pynetemu.plan.operations.wireguard import AddPeer, AddWireGuard

Operation = (
    AddNode
    | SetSysctl
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
    "IPNetwork",
    "InterfaceAddress",
    "NodeKind",
    "Operation",
    "Plan",
    "SetMaster",
    "SetPort",
    "SetPortVlans",
    "SetSysctl",
    "SetUp",
    "StartSpanningTree",
    "TunnelKind",
    "of_topic",
]


@frozen
class Plan:
    """A whole network as operations, in the order of their application.

    `host_address` is the root's own address, which every node knows as `host`; with `host=True` it stays None and the
    engine takes the machine's primary address. `warnings` are what is allowed but was hardly meant, for people to read.
    """

    name: str
    operations: tuple[Operation, ...]
    host: bool = False
    host_address: Address | None = None
    warnings: tuple[str, ...] = ()

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names people use, in the order of the description: Plan(...).nodes == ("root", "blue")."""
        return tuple(op.node for op in self.operations if isinstance(op, AddNode) and op.kind != "outside")


def of_topic(package: str, kind: type[Effect], name: str) -> Any:
    """What a package has for a kind of operation.

    of_topic("pynetemu.engine.apply", AddVeth, "queue") is the function `queue` of `pynetemu.engine.apply.links`
    """
    return getattr(import_module(f"{package}.{kind.__module__.rpartition('.')[2]}"), name)
