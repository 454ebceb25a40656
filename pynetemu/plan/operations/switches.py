"""Operations that make bridges and plug interfaces into them."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AddBridge:
    """A Linux bridge, up, with multicast snooping off; `ip link add NAME type bridge`."""

    node: str
    interface: str
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SetMaster:
    """Plugs an interface into a bridge of the same node."""

    node: str
    interface: str
    master: str
    source: str = field(default="", compare=False)
