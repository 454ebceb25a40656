"""What the kernel has in the nodes at this moment, as values: `net.interfaces("h1")`, `net.routes()`."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface, ip_network
from typing import TYPE_CHECKING, Any

from pynetemu.engine.protocol.requests import ForgetNeighbors, ReadState, ReadTotals

if TYPE_CHECKING:
    from pynetemu.lab.connection import Connection
    from pynetemu.plan.operations import Address, InterfaceAddress, IPNetwork


@dataclass(frozen=True, slots=True)
class InterfaceState:
    """An interface of a node. `kind` is the kernel's: veth, bridge, …, "" for loopback; `master` its bridge.

    `is_up` says that it was set up, `has_carrier` that it is joined to something that is up too. The counters are the
    kernel's, in packets and bytes since the interface was made.
    """

    node: str
    name: str
    index: int
    kind: str
    mac: str
    mtu: int
    master: str
    is_up: bool
    has_carrier: bool
    addresses: "tuple[InterfaceAddress, ...]"
    received_packets: int
    sent_packets: int
    received_bytes: int
    sent_bytes: int
    received_errors: int
    sent_errors: int
    received_dropped: int
    sent_dropped: int


@dataclass(frozen=True, slots=True)
class RouteState:
    """A route; each hop is (gateway, interface), the gateway None for a connected network. `table` is 0 for the main one."""

    node: str
    destination: "IPNetwork"
    kind: str
    hops: "tuple[tuple[Address | None, str], ...]"
    metric: int
    table: int = 0


@dataclass(frozen=True, slots=True)
class Neighbor:
    """What a node knows of an address on one of its links (ARP, ND): `state` as in `ip neigh`."""

    node: str
    address: "Address"
    interface: str
    mac: str
    state: str


@dataclass(frozen=True, slots=True)
class NeighborCounts:
    """How many neighbors are permanent, and how many are being asked for and have not answered yet."""

    permanent: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class ForwardingEntry:
    """That a bridge has a MAC address behind a port; `vlan` is 0 without VLAN filtering."""

    node: str
    mac: str
    port: str
    vlan: int
    is_learned: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the lab: packets that have arrived over links, those dropped at interfaces, nodes that are up."""

    packets: int
    dropped: int
    up: int


def interfaces(engine: "Connection", nodes: Iterable[str]) -> list[InterfaceState]:
    return [
        InterfaceState(node=node, addresses=tuple(map(ip_interface, row.pop("addresses"))), **row)
        for node, row in _read(engine, "interfaces", nodes)
    ]


def routes(engine: "Connection", nodes: Iterable[str], what: str = "routes") -> list[RouteState]:
    """Those of the main table; with "routes of all tables" those of VRFs and of tables that rules lead to as well."""
    return [
        RouteState(
            node,
            ip_network(row["destination"]),
            row["kind"],
            tuple((ip_address(gateway) if gateway else None, interface) for gateway, interface in row["hops"]),
            row["metric"],
            row.get("table", 0),
        )
        for node, row in _read(engine, what, nodes)
    ]


def neighbors(engine: "Connection", nodes: Iterable[str]) -> list[Neighbor]:
    return [
        Neighbor(node=node, address=ip_address(row.pop("address")), **row) for node, row in _read(engine, "neighbors", nodes)
    ]


def forwarding(engine: "Connection", nodes: Iterable[str]) -> list[ForwardingEntry]:
    return [ForwardingEntry(node=node, **row) for node, row in _read(engine, "forwarding", nodes)]


def forget_neighbors(engine: "Connection", nodes: Iterable[str], unanswered_too: bool) -> NeighborCounts:
    left = engine.ask(ForgetNeighbors(tuple(nodes), unanswered_too))
    return NeighborCounts(left.permanent, left.unanswered)


def totals(engine: "Connection") -> Totals:
    totals = engine.ask(ReadTotals())
    return Totals(totals.packets, totals.dropped, totals.up)


def _read(engine: "Connection", what: str, nodes: Iterable[str]) -> Iterable[tuple[str, dict[str, Any]]]:
    return ((node, row) for node, rows in engine.ask(ReadState(what, tuple(nodes))).items() for row in rows)
