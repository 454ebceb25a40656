"""Links between nodes."""

from pynetemu.topology.nodes import Interface, Node
from pynetemu.topology.part import Part


class Link(Part):
    """A veth pair: what goes in at one end comes out at the other.

        Link(root.interface("veth_root", "10.0.0.1/24"), blue.interface("veth_blue", "10.0.0.2/24"))
        Link(h1, s1)

    For a node instead of an interface, one without address is made: eth0, eth1... on a host; on a switch and on the
    root it is named after the neighbor.

    `cost` is what a packet's way over this link costs (1): routes take the cheapest, and between switches the spanning
    tree. `mtu` is the largest packet in bytes
    that both ends send, without the Ethernet header (1500).
    """

    cost: int = 1
    mtu: int | None = None

    def __init__(self, a: Node | Interface, b: Node | Interface, *, cost: int | None = None, mtu: int | None = None) -> None:
        self.a = a
        self.b = b
        self._set(cost=cost, mtu=mtu)
        for end in (a, b):
            node = end.node if isinstance(end, Interface) else end
            if isinstance(node, Node):
                node.declaration.keep(self)
