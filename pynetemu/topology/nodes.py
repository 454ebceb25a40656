"""Nodes, each a network namespace: those that have addresses. `topology.switches` has the others."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from pynetemu.topology.part import Part

Several = str | Iterable[str]  # one, or more of them
Path = str | os.PathLike[str]


class Node(Part):
    """What Root, Host, Router and Switch have in common."""

    def interface(
        self,
        name: str | None = None,
        *addresses: str,
        auto_addresses: bool = True,
        mac: str | None = None,
    ) -> "Interface":
        """An interface of this node, to be one end of a link.

            blue.interface("veth_blue", "10.0.0.2/24", "fd00::2/64")

        `name` is at most 15 bytes long, as in `ip link`, and None leaves it to the rule; `addresses` are IPv4 or IPv6 with
        their prefix length. One that is given none gets one of its link's network, unless `auto_addresses` is False.
        `mac` is its hardware address, else made of its first address or its name.
        """
        return Interface(self, name, *addresses, auto_addresses=auto_addresses, mac=mac)


class Host(Node):
    """A node with a network of its own.

        h1 = Host()
        blue = Host(default_via="10.0.0.1")
        green = Host(routes={"10.9.0.0/16": "10.0.0.7"}, loopback="10.255.0.1/32")

    `default_via` is the gateway of the default route, an address on one of the host's networks: one, or one for each of
    IPv4 and IPv6. `routes` are others, by their destination; several gateways share the flows. What they leave open is
    filled in: a host with one router next to it gets a default route, one with several a route to each network, the
    shortest path; `auto_routes=False` leaves that out. With `multipath`, paths of equal cost share the flows. `loopback`
    has addresses for the host as a whole, on `lo`.

    What it has for itself of the file system, besides /etc, /var, /run and /dev:

        r1 = Host(files={"/etc/frr/frr.conf": "hostname r1\\n"}, private=["/srv/x"], mounts={"/srv/www": "pages"})

    `files` are texts by their paths below these folders, there before the node's first program; `private` are folders that
    are empty at first, and the node's own; `mounts` show files or folders of the machine at other places, relative ones as
    seen from the description.
    """

    default_via: Several | None = None
    routes: Mapping[str, Several] = {}
    auto_routes: bool = True
    multipath: bool = False
    loopback: Several = ()
    private: Iterable[str] = ()
    files: Mapping[str, str] = {}
    mounts: Mapping[str, Path] = {}

    def __init__(
        self,
        *,
        default_via: Several | None = None,
        routes: Mapping[str, Several] | None = None,
        auto_routes: bool | None = None,
        multipath: bool | None = None,
        loopback: Several | None = None,
        private: Iterable[str] | None = None,
        files: Mapping[str, str] | None = None,
        mounts: Mapping[str, Path] | None = None,
    ) -> None:
        self._set(default_via=default_via, routes=routes, auto_routes=auto_routes, multipath=multipath, loopback=loopback)
        self._set(private=private, files=files, mounts=mounts)


class Router(Host):
    """A host that forwards IPv4 and IPv6 between its interfaces.

        r1 = Router()
        wires = [Link(h1, r1), Link(r1, r2)]

    It gets a route to each network of the topology, the shortest way; options are those of Host.
    """


class Root(Host):
    """The lab's outer network namespace: "the machine" on which the others are.

        root = Root(address="192.168.0.194/24")

    `address` is the machine's own, on its interface eth0; every node knows it as `host`. Without it there is no eth0,
    and `host` is the root's first address on a link. With `--host` the root is the machine itself, with its addresses.
    It forwards nothing, as a machine that nobody has told to; `forward=True` makes it a router. The other options are
    those of Host.
    """

    address: str | None = None
    forward: bool = False

    def __init__(
        self,
        *,
        address: str | None = None,
        forward: bool | None = None,
        default_via: Several | None = None,
        routes: Mapping[str, Several] | None = None,
        auto_routes: bool | None = None,
        multipath: bool | None = None,
        loopback: Several | None = None,
        private: Iterable[str] | None = None,
        files: Mapping[str, str] | None = None,
        mounts: Mapping[str, Path] | None = None,
    ) -> None:
        super().__init__(
            default_via=default_via,
            routes=routes,
            auto_routes=auto_routes,
            multipath=multipath,
            loopback=loopback,
            private=private,
            files=files,
            mounts=mounts,
        )
        self._set(address=address, forward=forward)


class Interface(Part):
    """One end of a link; made with `node.interface(name, *addresses)`."""

    def __init__(
        self,
        node: Node,
        name: str | None = None,
        *addresses: str,
        auto_addresses: bool = True,
        mac: str | None = None,
    ) -> None:
        self.node = node
        self.name = name
        self.addresses = addresses
        self.auto_addresses = auto_addresses
        self.mac = mac
        if isinstance(node, Node):
            node.declaration.keep(self)

    def vlan(self, number: int, *addresses: str, name: str | None = None, auto_addresses: bool = True) -> "VlanInterface":
        """An interface on this one, for the frames of one VLAN: those with its tag.

            up = r1.interface("eth0", auto_addresses=False)
            up10, up20 = up.vlan(10), up.vlan(20, "10.0.20.1/24")
            wire = Link(up, s1.port(trunk=[10, 20]))

        It is called eth0.10 here unless it is given a name.
        """
        return VlanInterface(self, number, *addresses, name=name, auto_addresses=auto_addresses)


class VlanInterface(Interface):
    """An interface for one VLAN (IEEE 802.1Q), on another; made with `interface.vlan(number, *addresses)`."""

    def __init__(
        self, parent: Interface, number: int, *addresses: str, name: str | None = None, auto_addresses: bool = True
    ) -> None:
        self.parent = parent
        self.number = number
        below = parent if isinstance(parent, Interface) else None  # what else it may be is told when the plan is made
        usual = f"{(below and below.name) or ''}.{number}"
        node: Any = below and below.node
        super().__init__(node, usual if name is None else name, *addresses, auto_addresses=auto_addresses)
