"""Operations that make VLAN interfaces."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AddVlan:
    """An interface for the frames of one VLAN on another interface (IEEE 802.1Q); `ip link add link PARENT type vlan`."""

    node: str
    interface: str
    parent: str
    vlan: int
    source: str = field(default="", compare=False)
