"""Interfaces that are no end of a link: bridges inside hosts, bonds, dummies, macvlans, VRFs."""

from collections.abc import Iterable
from typing import Any

from pynetemu.topology.links import Link
from pynetemu.topology.nodes import Interface, Node
from pynetemu.topology.part import once


class Device(Interface):
    """What these interfaces have in common: a name, which is chosen where none is given, and addresses."""


class Bridge(Device):
    """A bridge in a host, with addresses of its own, whose ports are others of the host's interfaces: as Docker's docker0.

        docker0 = Bridge(host, "docker0", "172.17.0.1/16")
        wire = Link(docker0, web)

    As an end of a link or a Vxlan it gets a port there, named after the neighbor; `docker0.port("veth1")` names it.
    """

    def port(self, name: str | None = None) -> "BridgePort":
        """A port of this bridge, to be one end of a link: `Link(docker0.port("veth1"), web)`."""
        return BridgePort(self, name)


class BridgePort(Interface):
    """A bridge's end of a link; made with `bridge.port(name)`."""

    def __init__(self, bridge: Bridge, name: str | None = None) -> None:
        self.bridge = bridge
        super().__init__(bridge.node if isinstance(bridge, Bridge) else bridge, name, auto_addresses=False)


class Bond(Device):
    """Several interfaces of a node as one: when one fails, another goes on.

        bond = Bond(h1, [Link(h1, s1), Link(h1, s2)], "10.0.0.1/24")

    The members are interfaces of the node, or links that it is an end of; the bond has the addresses. `mode` is one of the
    kernel's: "active-backup" (one member at a time), "balance-rr", "balance-xor", "broadcast", "802.3ad" (LACP; the other
    end needs a bond like this), "balance-tlb", "balance-alb".
    """

    mode: str = "active-backup"

    def __init__(
        self,
        node: Node,
        members: Iterable[Interface | Link],
        *addresses: str,
        mode: str | None = None,
        name: str | None = None,
        auto_addresses: bool = True,
        mac: str | None = None,
    ) -> None:
        read: Any = once(members)  # of type Iterable[Interface | Link], where the user is right
        super().__init__(node, name, *addresses, auto_addresses=auto_addresses, mac=mac)
        self.members = read
        self._set(mode=mode)


class Dummy(Device):
    """An interface that leads nowhere, for addresses that are always up.

    anycast = Dummy(h1, "10.9.9.9/32")
    """

    def __init__(
        self, node: Node, *addresses: str, name: str | None = None, auto_addresses: bool = True, mac: str | None = None
    ) -> None:
        super().__init__(node, name, *addresses, auto_addresses=auto_addresses, mac=mac)


class Macvlan(Device):
    """Another interface on the network of an interface, with a MAC address of its own: in another node, as a container has it.

        up = machine.interface("eth0", auto_addresses=False)
        wire = Link(up, s1)
        web_eth0 = Macvlan(up, web, "10.0.1.50/24")

    In mode "bridge" macvlans of one interface reach each other, in "private" and "vepa" not; "passthru" is for a single
    one. None of them reaches the interface that it is on: the kernel keeps them apart.
    """

    mode: str = "bridge"

    def __init__(
        self,
        parent: Interface,
        node: Node,
        *addresses: str,
        mode: str | None = None,
        name: str | None = None,
        auto_addresses: bool = True,
        mac: str | None = None,
    ) -> None:
        super().__init__(node, name, *addresses, auto_addresses=auto_addresses, mac=mac)
        self.parent = parent
        self._set(mode=mode)


class Vrf(Device):
    """A router within a router (virtual routing and forwarding): interfaces that have a routing table of their own.

        red, blue = Vrf(r1, 10, [a, b]), Vrf(r1, 20, [c, d])

    The members are interfaces of the router, or links that it is an end of. What arrives by one of them leaves by another,
    and by no interface of the router besides. `table` is the table's number (1 to 252); its routes are found automatically.
    The interface is called vrf10 here; `r1 ping -I vrf10 h1` asks from that side of the router.
    """

    def __init__(
        self, node: Node, table: int, members: Iterable[Interface | Link], *, name: str | None = None, mac: str | None = None
    ) -> None:
        read: Any = once(members)
        super().__init__(node, name, auto_addresses=False, mac=mac)
        self.table = table
        self.members = read
