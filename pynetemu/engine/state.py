"""What the kernel has in the nodes now: interfaces, addresses, routes, neighbors, what bridges have learned, counters.

All of it by dumps over the nodes' route sockets (rtnetlink(7)), which are there already: nothing is started, and a
thousand nodes are read in some 50 ms. The messages are taken apart by hand, for speed.
"""

import os
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pynetemu.engine.netlink import Netlink, Refused, attributes
from pynetemu.engine.nodes import Node, Nodes

Data = dict[str, Any]

_RTM_GETLINK, _RTM_GETADDR, _RTM_GETROUTE, _RTM_DELNEIGH, _RTM_GETNEIGH = 18, 22, 26, 29, 30
_REQUEST = 0x1
_LINK, _ADDRESS, _ROUTE, _NEIGHBOR = (struct.Struct(form) for form in ("=BxHiII", "=BBBBi", "=BBBBBBBBI", "=BxxxiHBB"))
_NEXT_HOP = struct.Struct("=HBBi")  # struct rtnexthop
_STATS = struct.Struct("=8Q")  # the start of struct rtnl_link_stats64
_COUNTERS = (
    "received_packets",
    "sent_packets",
    "received_bytes",
    "sent_bytes",
    "received_errors",
    "sent_errors",
    "received_dropped",
    "sent_dropped",
)
_IFF_UP, _IFF_LOWER_UP = 0x1, 0x10000
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_MASTER, _IFLA_LINKINFO, _IFLA_STATS64 = 1, 3, 4, 10, 18, 23
_IFLA_INFO_KIND = 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_MULTIPATH = 1, 4, 5, 6, 9
_RT_TABLE_MAIN, _RTM_F_CLONED = 254, 0x200
_ROUTE_KINDS = {1: "unicast", 6: "blackhole", 7: "unreachable", 8: "prohibit"}  # RTN_*, rtnetlink(7)
_NDA_DST, _NDA_LLADDR, _NDA_VLAN = 1, 2, 5
_NUD = {1: "incomplete", 2: "reachable", 4: "stale", 8: "delay", 16: "probe", 32: "failed", 64: "noarp", 128: "permanent"}
_NTF_SELF = 0x2  # an address of the interface's own filter, which no bridge has learned
_NUD_INCOMPLETE, _NUD_NOARP, _NUD_PERMANENT = 1, 64, 128


def read(nodes: Nodes, what: str, names: Iterable[str]) -> dict[str, list[Data]]:
    """For each node what it has of one kind: "interfaces", "routes", "neighbors" or "forwarding"."""
    return {name: list(_READERS[what](nodes[name])) for name in names}


def totals(nodes: Nodes) -> Data:
    """Sums over the whole lab: packets that have arrived over links, those dropped at interfaces, nodes that are up.

    A node is up when one of its interfaces is, loopback aside.
    """
    packets = dropped = up = 0
    for node in nodes.values():
        is_up = False
        for body in _dump(node.link, _RTM_GETLINK, _LINK.pack(0, 0, 0, 0, 0)):
            _, _, index, flags, _ = _LINK.unpack_from(body)
            if index == 1:
                continue
            found = dict(attributes(body, _LINK.size))
            counters = _STATS.unpack_from(found[_IFLA_STATS64])
            is_up |= flags & (_IFF_UP | _IFF_LOWER_UP) == _IFF_UP | _IFF_LOWER_UP
            packets += 0 if _kind(found) == "bridge" else counters[0]  # a bridge counts what its ports have counted
            dropped += counters[6] + counters[7]
        up += is_up and node.kind != "outside"
    return {"packets": packets, "dropped": dropped, "up": up}


def forget_neighbors(nodes: Nodes, names: Iterable[str], unanswered_too: bool) -> Data:
    """Deletes what nodes have learned of their neighbors, those being asked only if wanted; gives back how many are left.

    The kernel keeps at most net.ipv4.neigh.default.gc_thresh3 (1024) such entries, for all namespaces together, and does
    not give up one in its first 5 s (neigh_forced_gc in net/core/neighbour.c). Permanent ones do not count.
    """
    permanent = unanswered = 0
    for name in names:
        link = nodes[name].link
        for body in list(_dump(link, _RTM_GETNEIGH, _NEIGHBOR.pack(0, 0, 0, 0, 0))):
            family, index, state, flags, kind = _NEIGHBOR.unpack_from(body)
            if state & (_NUD_PERMANENT | _NUD_NOARP) or (state & _NUD_INCOMPLETE and not unanswered_too):
                permanent += bool(state & _NUD_PERMANENT)
                unanswered += bool(state & _NUD_INCOMPLETE)
                continue
            address = dict(attributes(body, _NEIGHBOR.size))[_NDA_DST]
            head = _NEIGHBOR.pack(family, index, state, flags, kind)
            link.queue_bytes(None, _RTM_DELNEIGH, _REQUEST, head + _attribute(_NDA_DST, address))
        _flush_tolerantly(link)
    return {"permanent": permanent, "unanswered": unanswered}


def _flush_tolerantly(link: Netlink) -> None:
    try:
        link.flush()
    except Refused as refused:  # another has gone by itself, and the rest of the batch was done all the same
        if refused.errno not in (2, 3):  # ENOENT, ESRCH
            raise


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _dump(link: Netlink, kind: int, body: bytes) -> Iterator[bytes]:
    return (reply for _, reply in link.dump_bytes(kind, body))


def _interfaces(node: Node) -> Iterator[Data]:
    addresses: dict[int, list[str]] = {}
    for body in _dump(node.link, _RTM_GETADDR, _ADDRESS.pack(0, 0, 0, 0, 0)):
        family, prefix, _, _, index = _ADDRESS.unpack_from(body)
        found = dict(attributes(body, _ADDRESS.size))
        addresses.setdefault(index, []).append(f"{_ip(family, found.get(_IFA_LOCAL) or found[_IFA_ADDRESS])}/{prefix}")
    links = [
        (_LINK.unpack_from(body), dict(attributes(body, _LINK.size)))
        for body in _dump(node.link, _RTM_GETLINK, _LINK.pack(0, 0, 0, 0, 0))
    ]
    names = {head[2]: _text(found[_IFLA_IFNAME]) for head, found in links}
    for (_, _, index, flags, _), found in links:
        yield {
            "name": names[index],
            "index": index,
            "kind": _kind(found),
            "mac": found.get(_IFLA_ADDRESS, b"").hex(":"),
            "mtu": _number(found, _IFLA_MTU),
            "master": names.get(_number(found, _IFLA_MASTER), ""),
            "is_up": bool(flags & _IFF_UP),
            "has_carrier": bool(flags & _IFF_LOWER_UP),
            "addresses": addresses.get(index, []),
            **dict(zip(_COUNTERS, _STATS.unpack_from(found[_IFLA_STATS64]), strict=True)),
        }


def _routes(node: Node) -> Iterator[Data]:
    names = _names(node)
    for body in _dump(node.link, _RTM_GETROUTE, _ROUTE.pack(0, 0, 0, 0, 0, 0, 0, 0, 0)):
        family, length, _, _, table, _, _, kind, flags = _ROUTE.unpack_from(body)
        if table != _RT_TABLE_MAIN or kind not in _ROUTE_KINDS or flags & _RTM_F_CLONED:
            continue
        found = dict(attributes(body, _ROUTE.size))
        zero = bytes(4 if family == socket.AF_INET else 16)
        yield {
            "destination": f"{_ip(family, found.get(_RTA_DST, zero))}/{length}",
            "kind": _ROUTE_KINDS[kind],
            "hops": list(_hops(family, found, names)),
            "metric": _number(found, _RTA_PRIORITY),
        }


def _hops(family: int, found: dict[int, bytes], names: dict[int, str]) -> Iterator[list[str]]:
    """[gateway, interface] of each hop; the gateway of a connected network is ""."""
    if _RTA_MULTIPATH not in found:
        yield [_ip(family, found[_RTA_GATEWAY]) if _RTA_GATEWAY in found else "", names.get(_number(found, _RTA_OIF), "")]
        return
    data, offset = found[_RTA_MULTIPATH], 0
    while offset < len(data):
        length, _, _, index = _NEXT_HOP.unpack_from(data, offset)
        inner = dict(attributes(data[: offset + length], offset + _NEXT_HOP.size))
        yield [_ip(family, inner[_RTA_GATEWAY]) if _RTA_GATEWAY in inner else "", names.get(index, "")]
        offset += (length + 3) & ~3


def _neighbors(node: Node) -> Iterator[Data]:
    names = _names(node)
    for body in _dump(node.link, _RTM_GETNEIGH, _NEIGHBOR.pack(0, 0, 0, 0, 0)):
        family, index, state, _, _ = _NEIGHBOR.unpack_from(body)
        if state & _NUD_NOARP or family not in (socket.AF_INET, socket.AF_INET6):
            continue
        found = dict(attributes(body, _NEIGHBOR.size))
        yield {
            "address": _ip(family, found[_NDA_DST]),
            "interface": names.get(index, ""),
            "mac": found.get(_NDA_LLADDR, b"").hex(":"),
            "state": _NUD.get(state, str(state)),
        }


def _forwarding(node: Node) -> Iterator[Data]:
    """What the node's bridges know: which MAC address is behind which port."""
    names = _names(node)
    for body in _dump(node.link, _RTM_GETNEIGH, _NEIGHBOR.pack(socket.AF_BRIDGE, 0, 0, 0, 0)):
        _, index, state, flags, _ = _NEIGHBOR.unpack_from(body)
        found = dict(attributes(body, _NEIGHBOR.size))
        if _NDA_LLADDR in found and not flags & _NTF_SELF:
            yield {
                "mac": found[_NDA_LLADDR].hex(":"),
                "port": names.get(index, ""),
                "vlan": int.from_bytes(found.get(_NDA_VLAN, b"\0\0"), "little"),
                "is_learned": not state & (_NUD_PERMANENT | _NUD_NOARP),
            }


def _names(node: Node) -> dict[int, str]:
    bodies = _dump(node.link, _RTM_GETLINK, _LINK.pack(0, 0, 0, 0, 0))
    return {_LINK.unpack_from(body)[2]: _text(dict(attributes(body, _LINK.size))[_IFLA_IFNAME]) for body in bodies}


def _kind(found: dict[int, bytes]) -> str:
    """veth, bridge, vlan, …; "" for loopback and what is no virtual device."""
    inner = dict(attributes(found.get(_IFLA_LINKINFO, b""), 0))
    return _text(inner.get(_IFLA_INFO_KIND, b""))


def _text(value: bytes) -> str:
    return os.fsdecode(value.rstrip(b"\0"))


def _number(found: dict[int, bytes], kind: int) -> int:
    return int(struct.unpack("=I", found[kind])[0]) if kind in found else 0


def _ip(family: int, value: bytes) -> str:
    return socket.inet_ntop(family, value)


_READERS: dict[str, Callable[[Node], Iterator[Data]]] = {
    "interfaces": _interfaces,
    "routes": _routes,
    "neighbors": _neighbors,
    "forwarding": _forwarding,
}
