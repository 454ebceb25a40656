"""Operations that make bridges and plug interfaces into them."""

from pynetemu.plan.operations.operation import operation


@operation
class AddBridge:
    """A Linux bridge, up; `ip link add NAME type bridge`.

    `settings` are words of ip-link(8), such as "mcast_snooping 0", and `mac` its address, "" for that of a port.
    """

    node: str
    interface: str
    settings: tuple[str, ...] = ("mcast_snooping 0",)
    mac: str = ""
    source: str = ""


@operation
class SetMaster:
    """Plugs an interface into a bridge of the same node."""

    node: str
    interface: str
    master: str
    source: str = ""


@operation
class SetPort:
    """Sets a bridge's port; `settings` are words of `bridge link set` (bridge(8)), such as "isolated on"."""

    node: str
    interface: str
    settings: tuple[str, ...]
    source: str = ""


@operation
class SetPortVlans:
    """The VLANs of a bridge's port: `untagged` is that of frames without a tag, 0 where there is none (bridge(8))."""

    node: str
    interface: str
    untagged: int
    tagged: tuple[int, ...]
    source: str = ""


@operation
class StartSpanningTree:
    """Turns a bridge's spanning tree on, once its ports that were set up forward: those stay as they are."""

    node: str
    interface: str
    source: str = ""
