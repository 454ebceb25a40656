"""What the kernel has in the nodes now, as it tells it: links, addresses, routes, neighbors, counters…

All of it by dumps (netlink(7)), mostly over the nodes' route sockets, which are there already: nothing is started. The
messages are passed on as they come, since taking them apart takes as long as getting them: whoever asks does that
(`lab.state`), and asks for a few nodes at a time, so that others are served in between.
"""

import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from errno import ENOENT, EOPNOTSUPP
from typing import TYPE_CHECKING, Any

from pynetemu.engine.live.hub import Hub
from pynetemu.engine.messages import framing
from pynetemu.engine.messages.framing import attribute
from pynetemu.engine.messages.queues import QUEUE_BODY, RTM_GETQDISC
from pynetemu.engine.messages.rules import RTM_GETRULE
from pynetemu.engine.messages.sockets import FAMILIES, NETLINK_SOCK_DIAG, PROTOCOLS, SOCK_DIAG_BY_FAMILY, request
from pynetemu.engine.messages.tables import (
    ADDRESS_BODY,
    COUNTERS_BODY,
    IFLA_EXT_MASK,
    LINK_BODY,
    NEIGHBOR_BODY,
    ROUTE_BODY,
    RTEXT_FILTER_BRVLAN,
    RTEXT_FILTER_SKIP_STATS,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_GETNEIGH,
    RTM_GETROUTE,
    RTM_GETSTATS,
    LinkMessage,
)
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.engine.protocol.requests import LabTotals

if TYPE_CHECKING:
    from pynetemu.engine.loop import Steps

Data = dict[str, Any]

_LOOPBACK = 1  # its index
_NETLINK_NETFILTER, _NFT_GET_TABLES = 12, 10 << 8 | 1  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE
_STATS_LINK_64 = 1  # IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64)
_LENGTH = struct.Struct("=I")
_STATISTICS = "/proc/net/snmp", "/proc/net/netstat", "/proc/net/snmp6", "/proc/net/xfrm_stat"


def read(nodes: Nodes, hub: Hub, names: Iterable[str], tables: Iterable[str]) -> Iterator[bytes]:
    """For each node, and for each table in the order asked for, the length of the messages, and these."""
    for name in names:
        for table in tables:
            data = hub.links(hub.number(name)) if table == "links" else _READERS[table](nodes, nodes[name])
            yield _LENGTH.pack(len(data)) + data


def totals(nodes: Iterable[Node]) -> "Steps[LabTotals]":
    """Sums over the whole lab: packets that have arrived over links, those dropped at interfaces, nodes that are up.

    A node is up when one of its interfaces is, loopback aside.
    """
    packets = dropped = up = 0
    for node in list(nodes):
        links = [link for link in _links(node) if link.index != _LOOPBACK]
        for link in links:
            counters = link.counters
            packets += 0 if link.kind == "bridge" else counters.received_packets  # a bridge counts what its ports have counted
            dropped += counters.received_dropped + counters.sent_dropped
        up += any(link.is_up and link.has_lower_up for link in links) and node.kind != "outside"
        yield 0
    return LabTotals(packets, dropped, up)


def _links(node: Node) -> Iterator[LinkMessage]:
    return map(LinkMessage, node.link.dump_bytes(RTM_GETLINK, LINK_BODY.pack(0, 0, 0, 0, 0)))


def _dump(kind: int, body: bytes) -> Callable[[Nodes, Node], bytes]:
    """A reader that asks the node's route socket."""
    return lambda _, node: node.link.dump_whole(kind, body)


def _sockets(nodes: Nodes, node: Node) -> bytes:
    """Those that wait for anybody; none of a protocol that this kernel cannot list."""
    found = []
    with nodes.open_socket(node.name, socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as asked:
        for protocol in PROTOCOLS:
            for family in FAMILIES:
                data = b""
                with suppress(framing.Refusal):  # ENOENT
                    data = framing.dump_whole(asked, SOCK_DIAG_BY_FAMILY, request(family, protocol))
                found.append(_LENGTH.pack(len(data)) + data)
    return b"".join(found)


def _packet_filters(nodes: Nodes, node: Node) -> bytes:
    """The tables of nftables; and the names of those of the older iptables."""
    data = b""
    with nodes.open_socket(node.name, socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as asked:
        try:
            data = framing.dump_whole(asked, _NFT_GET_TABLES, bytes(4))
        except framing.Refusal as refusal:
            if refusal.code not in (ENOENT, EOPNOTSUPP):
                raise
    older = nodes.read_bytes(node.name, ("/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"))
    return _parts(data, *older)


def _statistics(nodes: Nodes, node: Node) -> bytes:
    """The counters of the whole node, as `nstat` reads them."""
    return _parts(*nodes.read_bytes(node.name, _STATISTICS))


def _parts(*parts: bytes) -> bytes:
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


_NOTHING = bytes(5)
_READERS: dict[str, Callable[[Nodes, Node], bytes]] = {
    "counters": _dump(RTM_GETSTATS, COUNTERS_BODY.pack(0, 0, _STATS_LINK_64)),
    "addresses": _dump(RTM_GETADDR, ADDRESS_BODY.pack(*_NOTHING)),
    "routes": _dump(RTM_GETROUTE, ROUTE_BODY.pack(*_NOTHING, 0, 0, 0, 0)),
    "rules": _dump(RTM_GETRULE, ROUTE_BODY.pack(*_NOTHING, 0, 0, 0, 0)),
    "neighbors": _dump(RTM_GETNEIGH, NEIGHBOR_BODY.pack(*_NOTHING)),
    "forwarding": _dump(RTM_GETNEIGH, NEIGHBOR_BODY.pack(socket.AF_BRIDGE, 0, 0, 0, 0)),
    "queues": _dump(RTM_GETQDISC, QUEUE_BODY.pack(*_NOTHING)),
    "vlans": _dump(
        RTM_GETLINK,
        LINK_BODY.pack(socket.AF_BRIDGE, 0, 0, 0, 0)
        + attribute(IFLA_EXT_MASK, struct.pack("=I", RTEXT_FILTER_BRVLAN | RTEXT_FILTER_SKIP_STATS)),
    ),
    "sockets": _sockets,
    "filters": _packet_filters,
    "statistics": _statistics,
}
TABLES = ("links", *_READERS)
