"""Nodes, each a network namespace, and their interfaces."""

from pynetemu.topology.part import Part


class Node(Part):
    """What Root, Host and Switch have in common."""

    def interface(self, name: str, *addresses: str) -> "Interface":
        """An interface of this node, to be one end of a link.

            blue.interface("veth_blue", "10.0.0.2/24", "fd00::2/64")

        `name` is at most 15 bytes long, as in `ip link`; `addresses` are IPv4 or IPv6 with their prefix length.
        """
        return Interface(self, name, *addresses)


class Root(Node):
    """The lab's outer network namespace: "the machine" on which the others are.

        root = Root(address="192.168.0.194/24")

    `address` is the machine's own, on its interface eth0; every node knows it as `host`. Without it there is no eth0,
    and `host` is the root's first address on a link. With `--host` the root is the machine itself, with its addresses.
    """

    address: str | None = None

    def __init__(self, *, address: str | None = None) -> None:
        if address is not None:
            self.address = address


class Host(Node):
    """A node with a network of its own.

        blue = Host(default_via="10.0.0.1")

    `default_via` is the gateway of the default route, an address on one of the host's networks.
    """

    default_via: str | None = None

    def __init__(self, *, default_via: str | None = None) -> None:
        if default_via is not None:
            self.default_via = default_via


class Switch(Node):
    """A Linux bridge `br0` in a namespace of its own; each link to it is a port, named after the neighbour.

    s1 = Switch()
    """

    def __init__(self) -> None:
        pass


class Interface(Part):
    """One end of a link; made with `node.interface(name, *addresses)`."""

    def __init__(self, node: Node, name: str, *addresses: str) -> None:
        self.node = node
        self.name = name
        self.addresses = addresses
        if isinstance(node, Node):
            node.declaration.keep(self)
