"""Operations that make and set nodes."""

from pynetemu.plan.operations.operation import Effect, Thing, operation
from pynetemu.plan.operations.values import NodeKind

_ALIKE = ("host", "router"), ("switch", "hub")


@operation
class AddNode(Effect):
    """A network namespace, with loopback up.

    `root` is the lab's outer namespace, which exists already. `outside` is what the root's own interface is plugged
    into: a namespace nobody enters, there so that the interface has a carrier.
    """

    IDENTITY = ("node",)

    node: str
    kind: NodeKind
    source: str = ""

    @property
    def makes(self) -> tuple[Thing, ...]:
        return ((self.node,),)

    @property
    def needs(self) -> tuple[Thing, ...]:
        return ()

    def can_become(self, other: Effect) -> bool:
        """A host may become a router, and a switch a hub: their namespaces are alike."""
        kinds = {self.kind, getattr(other, "kind", "")}
        return any(kinds <= set(alike) for alike in _ALIKE)


@operation
class SetSysctl(Effect):
    """A kernel setting of one node; `sysctl -w net.ipv4.ip_forward=1` (sysctl(8))."""

    IDENTITY = "node", "name"
    CHANGEABLE = ("value",)

    node: str
    name: str
    value: str
    source: str = ""
