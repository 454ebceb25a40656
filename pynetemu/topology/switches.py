"""Nodes that pass frames on: bridges, and their ports."""

from collections.abc import Iterable

from pynetemu.topology.nodes import Interface, Node
from pynetemu.topology.part import once


class Switch(Node):
    """A Linux bridge `br0` in a namespace of its own; each link to it is a port, named after the neighbor.

        s1 = Switch()
        s2 = Switch(stp=True, priority=4096)
        wires = [Link(s1, s2.port(cost=10)), Link(h1, s1.port(vlan=10))]

    `stp` is the spanning tree protocol, without which a loop of switches is refused: True has the shortest timers that
    the kernel allows, so that a break is mended in 4 s; "standard" has those of IEEE 802.1D, with which it takes 30 s
    and more. `forward_delay` (2 to 30), `hello` (1 to 10) and `max_age` (6 to 40) set them apart, in seconds. The bridge
    of the lowest `priority` (0 to 65535, by default 32768) is the root of the tree.

    A switch filters VLANs when one of its ports is given `vlan` or `trunk`, or with `vlan_filtering=True`. `ageing` is
    how many seconds it remembers behind which port a host is (300). `snooping` sends multicast only where somebody has
    asked for it (IGMP, MLD), and `querier` makes the switch ask who wants it.
    """

    stp: bool | str = False
    priority: int = 32768
    forward_delay: float | None = None
    hello: float | None = None
    max_age: float | None = None
    ageing: float = 300
    snooping: bool = False
    querier: bool = False
    vlan_filtering: bool | None = None

    def __init__(
        self,
        *,
        stp: bool | str | None = None,
        priority: int | None = None,
        forward_delay: float | None = None,
        hello: float | None = None,
        max_age: float | None = None,
        ageing: float | None = None,
        snooping: bool | None = None,
        querier: bool | None = None,
        vlan_filtering: bool | None = None,
    ) -> None:
        self._set(stp=stp, priority=priority, forward_delay=forward_delay, hello=hello, max_age=max_age)
        self._set(ageing=ageing, snooping=snooping, querier=querier, vlan_filtering=vlan_filtering)

    def port(
        self,
        name: str | None = None,
        *,
        vlan: int | None = None,
        trunk: Iterable[int] = (),
        cost: int | None = None,
        priority: int | None = None,
        isolated: bool = False,
        hairpin: bool = False,
        learning: bool = True,
        flood: bool = True,
        guard: bool = False,
    ) -> "Port":
        """A port of this switch, to be one end of a link; without a name it is named after the neighbor.

            Link(h1, s1.port(vlan=10))                          an access port
            Link(s1.port(trunk=[10, 20]), s2.port(trunk=[10, 20]))
            Link(r1, s1.port(vlan=1, trunk=range(10, 13)))      a trunk whose native VLAN is 1

        `vlan` is that of frames without a tag, `trunk` those of frames with one. `cost` (1 to 65535) and `priority` (0 to
        63) are the spanning tree's; `guard` shuts the port when a spanning tree's packet arrives at it. An `isolated` port
        sends to ports that are not. `hairpin` sends frames back to where they came from. Without `learning` nobody is
        remembered behind it, without `flood` it is sent nothing for hosts that are not known.
        """
        return Port(
            self,
            name,
            vlan=vlan,
            trunk=trunk,
            cost=cost,
            priority=priority,
            isolated=isolated,
            hairpin=hairpin,
            learning=learning,
            flood=flood,
            guard=guard,
        )


class Hub(Switch):
    """A switch that learns nothing: every frame goes to every port.

    hub = Hub()
    """

    ageing = 0

    def __init__(self) -> None:
        super().__init__()


class Port(Interface):
    """One end of a link at a switch; made with `switch.port(...)`."""

    def __init__(
        self,
        node: Switch,
        name: str | None = None,
        *,
        vlan: int | None = None,
        trunk: Iterable[int] = (),
        cost: int | None = None,
        priority: int | None = None,
        isolated: bool = False,
        hairpin: bool = False,
        learning: bool = True,
        flood: bool = True,
        guard: bool = False,
    ) -> None:
        super().__init__(node, name)
        self.untagged, self.tagged = vlan, once(trunk)
        self.cost, self.priority = cost, priority
        self.isolated, self.hairpin, self.learning, self.flood, self.guard = isolated, hairpin, learning, flood, guard
