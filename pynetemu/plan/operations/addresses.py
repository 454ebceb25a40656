"""Operations that give interfaces their addresses."""

from dataclasses import dataclass, field

from pynetemu.plan.operations.values import InterfaceAddress


@dataclass(frozen=True, slots=True)
class AddAddress:
    """An address with its prefix length. IPv6 skips duplicate address detection (RFC 4862), which takes 1 s."""

    node: str
    interface: str
    address: InterfaceAddress
    source: str = field(default="", compare=False)
