"""Operations that give interfaces their addresses."""

from pynetemu.plan.operations.operation import Effect, Thing, operation
from pynetemu.plan.operations.values import InterfaceAddress


@operation
class AddAddress(Effect):
    """An address with its prefix length. IPv6 skips duplicate address detection (RFC 4862), which takes 1 s."""

    IDENTITY = "node", "interface", "address"

    node: str
    interface: str
    address: InterfaceAddress
    source: str = ""

    @property
    def makes(self) -> tuple[Thing, ...]:
        return (self.node, self.interface, self.address), (self.node, self.interface, self.address.network)

    @property
    def needs(self) -> tuple[Thing, ...]:
        """The first address of a network too, with which the kernel removes the others; and what has been plugged in."""
        place = self.node, self.interface
        return place, (*place, "master"), (*place, self.address.network)
