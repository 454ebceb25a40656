"""Operations on links: veth pairs and what is set at their ends."""

from pynetemu.plan.operations.operation import operation


@operation
class AddVeth:
    """A veth pair (veth(4)): `interface` in `node`, its other end `peer_interface` in `peer_node`; both still down.

    `mtu` is both ends' largest packet in bytes, 0 for the kernel's own 1500.
    """

    node: str
    interface: str
    mac: str
    peer_node: str
    peer_interface: str
    peer_mac: str
    mtu: int = 0
    source: str = ""


@operation
class SetUp:
    """`ip link set INTERFACE up`."""

    node: str
    interface: str
    source: str = ""
