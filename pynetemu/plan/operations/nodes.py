"""Operations that make and set nodes."""

from pynetemu.plan.operations.operation import operation
from pynetemu.plan.operations.values import NodeKind


@operation
class AddNode:
    """A network namespace, with loopback up.

    `root` is the lab's outer namespace, which exists already. `outside` is what the root's own interface is plugged
    into: a namespace nobody enters, there so that the interface has a carrier.
    """

    node: str
    kind: NodeKind
    source: str = ""


@operation
class SetSysctl:
    """A kernel setting of one node; `sysctl -w net.ipv4.ip_forward=1` (sysctl(8))."""

    node: str
    name: str
    value: str
    source: str = ""
