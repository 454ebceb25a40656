"""Operations that make VLAN interfaces."""

from pynetemu.plan.operations.operation import operation


@operation
class AddVlan:
    """An interface for the frames of one VLAN on another interface (IEEE 802.1Q); `ip link add link PARENT type vlan`."""

    node: str
    interface: str
    parent: str
    vlan: int
    source: str = ""
