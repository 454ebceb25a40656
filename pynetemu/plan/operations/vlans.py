"""Operations that make VLAN interfaces."""

from pynetemu.plan.operations.operation import Effect, Thing, operation


@operation
class AddVlan(Effect):
    """An interface for the frames of one VLAN on another interface (IEEE 802.1Q); `ip link add link PARENT type vlan`."""

    node: str
    interface: str
    parent: str
    vlan: int
    source: str = ""

    @property
    def makes(self) -> tuple[Thing, ...]:
        return ((self.node, self.interface),)

    @property
    def needs(self) -> tuple[Thing, ...]:
        return ((self.node, self.parent),)
