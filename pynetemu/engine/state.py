"""What the kernel has in the nodes now: interfaces, addresses, routes, neighbors, what bridges have learned, counters.

All of it by dumps over the nodes' route sockets (rtnetlink(7)), which are there already: nothing is started, and a
thousand nodes are read in some 50 ms. The messages are taken apart by hand, for speed.
"""

import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pynetemu.engine.messages.framing import REQUEST, attribute
from pynetemu.engine.messages.tables import (
    ADDRESS_BODY,
    LINK_BODY,
    NEIGHBOR_BODY,
    NUD_INCOMPLETE,
    NUD_NOARP,
    NUD_PERMANENT,
    ROUTE_BODY,
    RTM_DELNEIGH,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_GETNEIGH,
    RTM_GETROUTE,
    AddressMessage,
    LinkMessage,
    NeighborMessage,
    RouteMessage,
)
from pynetemu.engine.netlink import Netlink, Refused
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.engine.protocol.requests import LabTotals, NeighborsLeft

Data = dict[str, Any]

_NDA_DST = 1
_LOOPBACK = 1  # its index
_IP_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_RT_TABLE_MAIN, _RT_TABLE_LOCAL, _RTM_F_CLONED = 254, 255, 0x200
_ROUTE_KINDS = {1: "unicast", 6: "blackhole", 7: "unreachable", 8: "prohibit"}  # RTN_*, rtnetlink(7)
_NUD = {1: "incomplete", 2: "reachable", 4: "stale", 8: "delay", 16: "probe", 32: "failed", 64: "noarp", 128: "permanent"}
_NTF_SELF = 0x2  # an address of the interface's own filter, which no bridge has learned


def read(nodes: Nodes, what: str, names: Iterable[str]) -> dict[str, list[Data]]:
    """For each node what it has of one kind, as `_READERS` names them."""
    return {name: list(_READERS[what](nodes[name])) for name in names}


def totals(nodes: Nodes) -> LabTotals:
    """Sums over the whole lab: packets that have arrived over links, those dropped at interfaces, nodes that are up.

    A node is up when one of its interfaces is, loopback aside.
    """
    packets = dropped = up = 0
    for node in nodes.values():
        links = [link for link in _links(node) if link.index != _LOOPBACK]
        for link in links:
            counters = link.counters
            packets += 0 if link.kind == "bridge" else counters.received_packets  # a bridge counts what its ports have counted
            dropped += counters.received_dropped + counters.sent_dropped
        up += any(link.is_up and link.has_lower_up for link in links) and node.kind != "outside"
    return LabTotals(packets, dropped, up)


def forget_neighbors(nodes: Nodes, names: Iterable[str], unanswered_too: bool) -> NeighborsLeft:
    """Deletes what nodes have learned of their neighbors, those being asked only if wanted; gives back how many are left.

    The kernel keeps at most net.ipv4.neigh.default.gc_thresh3 (1024) such entries, for all namespaces together, and does
    not give up one in its first 5 s (neigh_forced_gc in net/core/neighbour.c). Permanent ones do not count.
    """
    permanent = unanswered = 0
    for name in names:
        link = nodes[name].link
        for neighbor in _neighbor_table(nodes[name], socket.AF_UNSPEC):
            state = neighbor.state
            if state & (NUD_PERMANENT | NUD_NOARP) or (state & NUD_INCOMPLETE and not unanswered_too):
                permanent += bool(state & NUD_PERMANENT)
                unanswered += bool(state & NUD_INCOMPLETE)
                continue
            head = NEIGHBOR_BODY.pack(neighbor.family, neighbor.index, state, neighbor.flags, neighbor.type)
            link.queue_bytes(None, RTM_DELNEIGH, REQUEST, head + attribute(_NDA_DST, neighbor.packed))
        _flush_tolerantly(link)
    return NeighborsLeft(permanent, unanswered)


def _flush_tolerantly(link: Netlink) -> None:
    try:
        link.flush()
    except Refused as refused:  # another has gone by itself, and the rest of the batch was done all the same
        if refused.errno not in (2, 3):  # ENOENT, ESRCH
            raise


def _links(node: Node) -> Iterator[LinkMessage]:
    return map(LinkMessage, node.link.dump_bytes(RTM_GETLINK, LINK_BODY.pack(0, 0, 0, 0, 0)))


def _neighbor_table(node: Node, family: int) -> Iterator[NeighborMessage]:
    return map(NeighborMessage, node.link.dump_bytes(RTM_GETNEIGH, NEIGHBOR_BODY.pack(family, 0, 0, 0, 0)))


def _names(node: Node) -> dict[int, str]:
    return {link.index: link.name for link in _links(node)}


def _interfaces(node: Node) -> Iterator[Data]:
    addresses: dict[int, list[str]] = {}
    for address in map(AddressMessage, node.link.dump_bytes(RTM_GETADDR, ADDRESS_BODY.pack(0, 0, 0, 0, 0))):
        addresses.setdefault(address.index, []).append(f"{address.text}/{address.prefix_length}")
    links = list(_links(node))
    names = {link.index: link.name for link in links}
    for link in links:
        yield {
            "name": names[link.index],
            "index": link.index,
            "kind": link.kind,
            "mac": link.mac,
            "mtu": link.mtu,
            "master": names.get(link.master, ""),
            "is_up": link.is_up,
            "has_carrier": link.has_lower_up,
            "addresses": addresses.get(link.index, []),
            **link.counters._asdict(),
        }


def _routes(node: Node) -> Iterator[Data]:
    names = _names(node)
    return (_as_data(route, names) for route in _table(node) if route.short_table == _RT_TABLE_MAIN)


def _routes_of_all_tables(node: Node) -> Iterator[Data]:
    """Those of VRFs and of tables that rules lead to (ip-rule(8)) too; the kernel's own about its addresses are left out."""
    names = _names(node)
    for route in _table(node):
        if (table := route.table) != _RT_TABLE_LOCAL:
            yield {**_as_data(route, names), "table": 0 if table == _RT_TABLE_MAIN else table}


def _table(node: Node) -> Iterator[RouteMessage]:
    """The IP routes of kinds that are shown, of all tables."""
    for route in map(RouteMessage, node.link.dump_bytes(RTM_GETROUTE, ROUTE_BODY.pack(0, 0, 0, 0, 0, 0, 0, 0, 0))):
        if route.kind in _ROUTE_KINDS and route.family in _IP_FAMILIES and not route.flags & _RTM_F_CLONED:
            yield route


def _as_data(route: RouteMessage, names: dict[int, str]) -> Data:
    return {
        "destination": route.destination,
        "kind": _ROUTE_KINDS[route.kind],
        "hops": [[hop.gateway, names.get(hop.index, "")] for hop in route.hops],
        "metric": route.metric,
    }


def _neighbors(node: Node) -> Iterator[Data]:
    names = _names(node)
    for neighbor in _neighbor_table(node, socket.AF_UNSPEC):
        if not neighbor.state & NUD_NOARP and neighbor.family in _IP_FAMILIES:
            yield {
                "address": neighbor.address,
                "interface": names.get(neighbor.index, ""),
                "mac": neighbor.mac,
                "state": _NUD.get(neighbor.state, str(neighbor.state)),
            }


def _forwarding(node: Node) -> Iterator[Data]:
    """What the node's bridges know: which MAC address is behind which port."""
    names = _names(node)
    for entry in _neighbor_table(node, socket.AF_BRIDGE):
        if entry.mac and not entry.flags & _NTF_SELF:
            yield {
                "mac": entry.mac,
                "port": names.get(entry.index, ""),
                "vlan": entry.vlan,
                "is_learned": not entry.state & (NUD_PERMANENT | NUD_NOARP),
            }


_READERS: dict[str, Callable[[Node], Iterator[Data]]] = {
    "interfaces": _interfaces,
    "routes": _routes,
    "routes of all tables": _routes_of_all_tables,
    "neighbors": _neighbors,
    "forwarding": _forwarding,
}
