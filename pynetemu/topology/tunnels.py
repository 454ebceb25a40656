"""Tunnels: links whose packets travel inside others, between nodes that reach each other already."""

from typing import Any

from pynetemu.topology.links import Link
from pynetemu.topology.nodes import Interface, Node

_End = Node | Interface
_Endpoints = tuple[str | Interface, str | Interface]


class Tunnel(Link):
    """What Vxlan, Gre and WireGuard have in common.

    A tunnel stands where a Link stands, between hosts or routers that reach each other without it. Its ends get
    addresses and routes as those of any link; `cost` is high (1000), so that it is taken where nothing else leads.
    `mtu` is by default what fits into the packets of the way below.

    `endpoints` are the outer addresses, one of each end or an interface that has it. By default they are those by which
    the ends reach each other: on a network that they share, else on the outside of a Nat, else the first.
    """

    cost: int = 1000
    endpoints: Any = None  # of type _Endpoints, where the user is right

    def __init__(
        self,
        a: _End,
        b: _End,
        *,
        cost: int | None = None,
        mtu: int | None = None,
        endpoints: _Endpoints | None = None,
    ) -> None:
        super().__init__(a, b, cost=cost, mtu=mtu)
        self._set(endpoints=endpoints)


class Vxlan(Tunnel):
    """Ethernet in UDP (VXLAN, RFC 7348): the frames of one network go through another.

        overlay = Vxlan(h1, h2, id=10)

    `id` is the network's number (VNI, 1 to 16777215), by which several of them share two nodes; the interfaces are called
    vxlan10 here. `port` is that of UDP (4789).
    """

    port: int = 4789

    def __init__(
        self,
        a: _End,
        b: _End,
        *,
        id: int,
        port: int | None = None,
        cost: int | None = None,
        mtu: int | None = None,
        endpoints: _Endpoints | None = None,
    ) -> None:
        super().__init__(a, b, cost=cost, mtu=mtu, endpoints=endpoints)
        self.id = id
        self._set(port=port)


class Gre(Tunnel):
    """IP in IP (GRE, RFC 2784): packets go through another network, with 4 bytes of header between.

        tunnel = Gre(r1, r2)

    The interfaces are called gre1, gre2... Two such tunnels between the same endpoints differ by their `key` (RFC 2890).
    """

    key: int | None = None

    def __init__(
        self,
        a: _End,
        b: _End,
        *,
        key: int | None = None,
        cost: int | None = None,
        mtu: int | None = None,
        endpoints: _Endpoints | None = None,
    ) -> None:
        super().__init__(a, b, cost=cost, mtu=mtu, endpoints=endpoints)
        self._set(key=key)


class WireGuard(Tunnel):
    """IP in encrypted UDP (https://www.wireguard.com), with keys that are new in each run.

        tunnel = WireGuard(site1, site2)

    The interfaces are called wg0, wg1... `port` is that of UDP, on both ends; by default 51820, and the next ones for
    further tunnels of a node. One end may be where the other cannot reach it, such as behind a Nat: it then begins, and
    sends something every 25 s, so that the way back stays open.
    """

    port: int | None = None

    def __init__(
        self,
        a: _End,
        b: _End,
        *,
        port: int | None = None,
        cost: int | None = None,
        mtu: int | None = None,
        endpoints: _Endpoints | None = None,
    ) -> None:
        super().__init__(a, b, cost=cost, mtu=mtu, endpoints=endpoints)
        self._set(port=port)
