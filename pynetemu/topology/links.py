"""Links between nodes."""

from typing import Any

from pynetemu.topology.impairments import Settings
from pynetemu.topology.nodes import Interface, Node
from pynetemu.topology.part import Part

_SETTINGS = "delay jitter distribution loss rate queue limit duplicate reorder corrupt slot seed schedule"
IMPAIRING = (*_SETTINGS.split(), "preset", "mechanism", "a_to_b", "b_to_a")  # the options that make it more than a wire


class Link(Part):
    """A veth pair: what goes in at one end comes out at the other.

        Link(root.interface("veth_root", "10.0.0.1/24"), blue.interface("veth_blue", "10.0.0.2/24"))
        Link(h1, s1)
        Link(home, isp, delay="20ms", jitter="2ms", loss="0.5%", rate="100mbit")

    An end is a node, an interface of one, or in `Network.add` the name of a node that there is.
    For a node instead of an interface, one without address is made: eth0, eth1... on a host; on a switch and on the
    root it is named after the neighbor.

    `cost` is what a packet's way over this link costs (1): routes take the cheapest, and between switches the spanning
    tree. `mtu` is the largest packet in bytes
    that both ends send, without the Ethernet header (1500).

    What the link does to packets holds for both directions; `a_to_b` and `b_to_a` are tables of the same settings for
    one of them, `preset` a link of `presets()` whose settings hold where no others are given:

        Link(home, isp, rate="16mbit", a_to_b={"rate": "1mbit"})
        Link(home, isp, preset="dsl", loss="1%")

    `delay` is one way, `jitter` how far it varies (with the `distribution` "normal", "uniform" or "pareto"); packets stay in
    their order. `loss`, `duplicate` and `corrupt` are shares of the packets, `reorder` those that overtake the delayed
    ones; for `loss` see also `gilbert_elliott` and `four_state`. `rate` is in bits per second with all headers; what comes
    faster waits in the `queue` ("pfifo", "drop-head", `codel()`, `red(...)`) of at most `limit` ("64kb", "100 packets"; by
    default 100 ms of the rate, and 10 packets at least). `slot` ("10ms", "10ms 20ms") makes packets arrive in bunches, as
    over radio. With a `seed` the n-th packet of a flow has the same fate in every run.

    Over time all of that changes by a `schedule` (see that function), which begins with the link. One direction can treat
    packets to one node of the segment apart, besides: `a_to_b={"towards": {"h3": {"delay": "5ms"}}}`.

    `mechanism` is what does it: "netem" or "tbf" of the kernel, "filter" (a drop on arrival), or "relay", a process of the
    lab; by default the first that can, `pynetemu plan` says which.
    """

    cost: int = 1
    mtu: int | None = None
    delay: str | None = None
    jitter: str | None = None
    distribution: str | None = None
    loss: str | None = None
    rate: str | None = None
    queue: str | None = None
    limit: str | None = None
    duplicate: str | None = None
    reorder: str | None = None
    corrupt: str | None = None
    slot: str | None = None
    seed: int | None = None
    schedule: str | None = None
    preset: str | None = None
    mechanism: str | None = None
    a_to_b: Any = None  # of type Settings, where the user is right
    b_to_a: Any = None

    def __init__(
        self,
        a: Node | Interface | str,
        b: Node | Interface | str,
        *,
        cost: int | None = None,
        mtu: int | None = None,
        delay: str | None = None,
        jitter: str | None = None,
        distribution: str | None = None,
        loss: str | None = None,
        rate: str | None = None,
        queue: str | None = None,
        limit: str | None = None,
        duplicate: str | None = None,
        reorder: str | None = None,
        corrupt: str | None = None,
        slot: str | None = None,
        seed: int | None = None,
        schedule: str | None = None,
        preset: str | None = None,
        mechanism: str | None = None,
        a_to_b: Settings | None = None,
        b_to_a: Settings | None = None,
    ) -> None:
        self.a: Any = a  # a Node or an Interface, where the user is right
        self.b: Any = b
        self._set(cost=cost, mtu=mtu, delay=delay, jitter=jitter, distribution=distribution, loss=loss, rate=rate)
        self._set(queue=queue, limit=limit, duplicate=duplicate, reorder=reorder, corrupt=corrupt, slot=slot, seed=seed)
        self._set(schedule=schedule, preset=preset, mechanism=mechanism, a_to_b=a_to_b, b_to_a=b_to_a)
        for end in (a, b):
            node = end.node if isinstance(end, Interface) else end
            if isinstance(node, Node):
                node.declaration.keep(self)
