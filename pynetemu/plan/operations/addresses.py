"""Operations that give interfaces their addresses."""

from ipaddress import IPv4Address

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
    def broadcast(self) -> IPv4Address | None:
        """The address of all hosts on its network (RFC 919), which programs ask the interface for; None where there is none."""
        network = self.address.network
        has_one = self.address.version == 4 and network.prefixlen < 31 and self.interface != "lo"
        return IPv4Address(int(network.broadcast_address)) if has_one else None

    @property
    def makes(self) -> tuple[Thing, ...]:
        return (self.node, self.interface, self.address), (self.node, self.interface, self.address.network)

    @property
    def needs(self) -> tuple[Thing, ...]:
        """The first address of a network too, with which the kernel removes the others; and what has been plugged in."""
        place = self.node, self.interface
        return place, (*place, "master"), (*place, self.address.network)
