"""Operations that make bridges and plug interfaces into them."""

from collections.abc import Iterable, Mapping

from pynetemu.plan.operations.operation import Effect, Thing, operation

# What the kernel has where a plan says nothing (net/bridge/br_device.c, br_if.c): a port's cost is that of 10 Gbit/s.
OF_BRIDGES = {
    "forward_delay": "1500",
    "hello_time": "200",
    "max_age": "2000",
    "ageing_time": "30000",
    "priority": "32768",
    "vlan_filtering": "0",
    "mcast_snooping": "1",
    "mcast_querier": "0",
}
OF_PORTS = {
    "priority": "32",
    "cost": "2",
    "hairpin": "off",
    "guard": "off",
    "learning": "on",
    "flood": "on",
    "isolated": "off",
}


def changed_settings(old: Iterable[str], new: Iterable[str], usual: Mapping[str, str]) -> tuple[str, ...]:
    """The settings that make new ones of old ones; those that are not given any more become usual again."""
    before, after = (dict(setting.split(" ", 1) for setting in settings) for settings in (old, new))
    wanted = {**{word: usual[word] for word in before}, **after}
    return tuple(f"{word} {value}" for word, value in wanted.items() if before.get(word, usual[word]) != value)


@operation
class AddBridge(Effect):
    """A Linux bridge, up; `ip link add NAME type bridge`.

    `settings` are words of ip-link(8), such as "mcast_snooping 0", and `mac` its address, "" for that of a port.
    """

    CHANGEABLE = "settings", "mac"

    node: str
    interface: str
    settings: tuple[str, ...] = ("mcast_snooping 0",)
    mac: str = ""
    source: str = ""

    @property
    def makes(self) -> tuple[Thing, ...]:
        return ((self.node, self.interface),)

    @property
    def needs(self) -> tuple[Thing, ...]:
        return ((self.node,),)


@operation
class SetMaster(Effect):
    """Plugs an interface into a bridge of the same node."""

    node: str
    interface: str
    master: str
    source: str = ""

    @property
    def makes(self) -> tuple[Thing, ...]:
        return ((self.node, self.interface, "master"),)

    @property
    def needs(self) -> tuple[Thing, ...]:
        return (self.node, self.interface), (self.node, self.master)


@operation
class SetPort(Effect):
    """Sets a bridge's port; `settings` are words of `bridge link set` (bridge(8)), such as "isolated on"."""

    CHANGEABLE = ("settings",)

    node: str
    interface: str
    settings: tuple[str, ...]
    source: str = ""

    @property
    def needs(self) -> tuple[Thing, ...]:
        return (self.node, self.interface), (self.node, self.interface, "master")


@operation
class SetPortVlans(Effect):
    """The VLANs of a bridge's port: `untagged` is that of frames without a tag, 0 where there is none (bridge(8))."""

    CHANGEABLE = "untagged", "tagged"

    node: str
    interface: str
    untagged: int
    tagged: tuple[int, ...]
    source: str = ""

    @property
    def numbers(self) -> frozenset[int]:
        """All of its VLANs."""
        return frozenset((self.untagged, *self.tagged)) - {0}

    @property
    def needs(self) -> tuple[Thing, ...]:
        return (self.node, self.interface), (self.node, self.interface, "master")


@operation
class StartSpanningTree(Effect):
    """Turns a bridge's spanning tree on, once its ports that were set up forward: those stay as they are."""

    node: str
    interface: str
    source: str = ""
