"""Operations that give interfaces their addresses."""

from pynetemu.plan.operations.operation import operation
from pynetemu.plan.operations.values import InterfaceAddress


@operation
class AddAddress:
    """An address with its prefix length. IPv6 skips duplicate address detection (RFC 4862), which takes 1 s."""

    node: str
    interface: str
    address: InterfaceAddress
    source: str = ""
