"""Operations that make interfaces of one node, and macvlans."""

from typing import Literal

from pynetemu.plan.operations.operation import operation

DeviceKind = Literal["bond", "dummy", "vrf"]


@operation
class AddDevice:
    """An interface, still down; `ip link add NAME type KIND SETTINGS`, in which settings are words of ip-link(8)."""

    node: str
    interface: str
    kind: DeviceKind
    settings: tuple[str, ...]
    mac: str
    source: str = ""


@operation
class AddMacvlan:
    """An interface on another one, `parent`, which may be in another node; `ip link add link PARENT type macvlan`."""

    node: str
    interface: str
    parent_node: str
    parent: str
    settings: tuple[str, ...]
    mac: str
    source: str = ""
