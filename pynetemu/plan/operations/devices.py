"""Operations that make interfaces of one node, and macvlans."""

from typing import Literal

from pynetemu.plan.operations.operation import Effect, Thing, operation

DeviceKind = Literal["bond", "dummy", "vrf"]


@operation
class AddDevice(Effect):
    """An interface, still down; `ip link add NAME type KIND SETTINGS`, in which settings are words of ip-link(8)."""

    node: str
    interface: str
    kind: DeviceKind
    settings: tuple[str, ...]
    mac: str
    source: str = ""

    @property
    def makes(self) -> tuple[Thing, ...]:
        return ((self.node, self.interface),)

    @property
    def needs(self) -> tuple[Thing, ...]:
        return ((self.node,),)


@operation
class AddMacvlan(Effect):
    """An interface on another one, `parent`, which may be in another node; `ip link add link PARENT type macvlan`."""

    node: str
    interface: str
    parent_node: str
    parent: str
    settings: tuple[str, ...]
    mac: str
    source: str = ""

    @property
    def makes(self) -> tuple[Thing, ...]:
        return ((self.node, self.interface),)

    @property
    def needs(self) -> tuple[Thing, ...]:
        return (self.node,), (self.parent_node, self.parent)
