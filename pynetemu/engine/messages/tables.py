"""What rtnetlink(7) tells of links, addresses, routes and neighbors: the structures of its messages, and their attributes.

    LinkMessage(body).name           "eth0"
    RouteMessage(body).hops          (Hop(gateway="10.0.0.1", index=2),)

What a message says is worked out when it is asked for, since most readers want a part. What it should have and has not is an
OSError (EBADMSG).
"""

import socket
import struct
import sys
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from pynetemu.engine.messages.framing import Attributes, as_text, attributes, by_type, malformed, unpack
from pynetemu.frozen import frozen

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_GETSTATS = 94
RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30

LINK_BODY = struct.Struct("=BxHiII")  # struct ifinfomsg: family, type, index, flags, change
ADDRESS_BODY = struct.Struct("=BBBBI")  # struct ifaddrmsg: family, prefix length, flags, scope, index
ROUTE_BODY = struct.Struct("=BBBBBBBBI")  # struct rtmsg: family, destination's and source's length, tos, table, protocol, …
NEXT_HOP = struct.Struct("=HBBi")  # struct rtnexthop: length, flags, weight less 1, index
NEIGHBOR_BODY = struct.Struct("=BxxxiHBB")  # struct ndmsg: family, index, state, flags, type
COUNTERS_BODY = struct.Struct("=BxxxiI")  # struct if_stats_msg: family, index, which ones
_COUNTERS = struct.Struct("=8Q")  # the start of struct rtnl_link_stats64
_FAMILY = struct.Struct("=H")
_SIZES: dict[int, int] = {socket.AF_INET: 4, socket.AF_INET6: 16}

IFF_UP, IFF_LOWER_UP = 0x1, 0x10000
_IFLA_ADDRESS, IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_MASTER, _IFLA_OPERSTATE, _IFLA_LINKINFO = 1, 3, 4, 5, 10, 16, 18
_IFLA_STATS64, _IFLA_AF_SPEC, _IFLA_CARRIER, _IFLA_LINK_NETNSID, _IFLA_XDP, _XDP_ATTACHED = 23, 26, 33, 37, 43, 2
IFLA_EXT_MASK, IFLA_TARGET_NETNSID = 29, 46
RTEXT_FILTER_BRVLAN, RTEXT_FILTER_SKIP_STATS = 2, 8
_INFO_KIND, _INFO_DATA, _INFO_SLAVE_KIND, _INFO_SLAVE_DATA = 1, 2, 4, 5
_BR_STP_STATE, _BR_VLAN_FILTERING = 5, 7
_BRIDGE_VLAN_INFO = 2
_VLAN_ID = 1  # IFLA_VLAN_*
_VLAN = struct.Struct("=HH")  # struct bridge_vlan_info: flags, number
_VLAN_PVID, _VLAN_UNTAGGED = 2, 4
_PAIRS = ("veth", "netkit", "vxcan")  # whose IFLA_LINK is the other end; of others it is what they are on
_BRPORT_STATE, _BRPORT_UNICAST_FLOOD, _BRPORT_ISOLATED = 1, 9, 33
_BRPORT_MCAST_FLOOD, _BRPORT_BCAST_FLOOD, _BRPORT_LOCKED = 27, 30, 39
_VRF_TABLE = 1
_STATS_LINK_64 = 1  # IFLA_STATS_LINK_64
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_SRC, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC, _RTA_METRICS, _RTA_MULTIPATH = 1, 2, 4, 5, 6, 7, 8, 9
_RTA_TABLE, _RTA_VIA, _RTA_NH_ID, _RTAX_MTU, _RTAX_LOCK = 15, 18, 30, 2, 1
_NDA_DST, _NDA_LLADDR, _NDA_VLAN = 1, 2, 5
RTNH_F_DEAD, RTNH_F_ONLINK, RTNH_F_LINKDOWN = 1, 4, 16
_RTNH_FLAGS = RTNH_F_DEAD | RTNH_F_ONLINK | RTNH_F_LINKDOWN
NUD_INCOMPLETE, NUD_PROBE, NUD_FAILED, NUD_NOARP, NUD_PERMANENT = 0x01, 0x10, 0x20, 0x40, 0x80


class Counters(NamedTuple):
    """What an interface has counted since it was made."""

    received_packets: int
    sent_packets: int
    received_bytes: int
    sent_bytes: int
    received_errors: int
    sent_errors: int
    received_dropped: int
    sent_dropped: int


class Vlan(NamedTuple):
    """A VLAN of a bridge's port: whether frames without a tag belong to it, and whether its frames leave without one."""

    number: int
    is_pvid: bool
    is_untagged: bool


class _TableMessage:
    """A message whose attributes are taken apart when they are first looked at: many readers only want its head."""

    __slots__ = ("_attributes", "_body")
    _head: ClassVar[struct.Struct]

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._attributes: Attributes | None = None

    @property
    def body(self) -> bytes:
        """The message as it came, without struct nlmsghdr."""
        return self._body

    @property
    def attributes(self) -> Attributes:
        """By type; of several of a type the last."""
        if self._attributes is None:
            self._attributes = by_type(self._body, self._head.size)
        return self._attributes


_MACVLAN_MODE = 1  # IFLA_MACVLAN_MODE
_MACVLAN_MODES = {1: "private", 2: "vepa", 4: "bridge", 8: "passthru"}


class LinkMessage(_TableMessage):
    """An interface."""

    __slots__ = ("_details", "_kind", "flags", "index")
    _head = LINK_BODY

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self._details: Attributes | None = None
        self._kind: str | None = None
        _, _, self.index, self.flags, _ = unpack(LINK_BODY, body)

    @property
    def name(self) -> str:
        return as_text(_needed(self.attributes, IFLA_IFNAME, "link's name"))

    @property
    def mac(self) -> str:
        """Its address on the link, whatever its length; "" when it has none."""
        return self.attributes.get(_IFLA_ADDRESS, b"").hex(":")

    @property
    def mtu(self) -> int:
        return _number(self.attributes, _IFLA_MTU)

    @property
    def master(self) -> int:
        """The index of the interface that it is a port of, 0 for none."""
        return _number(self.attributes, _IFLA_MASTER)

    @property
    def is_up(self) -> bool:
        """Whether it was set up."""
        return bool(self.flags & IFF_UP)

    @property
    def has_lower_up(self) -> bool:
        """Whether it was set up and is joined to something that is up too."""
        return bool(self.flags & IFF_LOWER_UP)

    @property
    def has_carrier(self) -> bool:
        """As `carrier` in sysfs says; that of an interface which is down too."""
        return self.attributes.get(_IFLA_CARRIER, b"\1") != b"\0"

    @property
    def operational_state(self) -> int | None:
        """RFC 2863's, as IF_OPER_* of linux/if.h."""
        return _byte(self.attributes, _IFLA_OPERSTATE)

    @property
    def kind(self) -> str:
        """veth, bridge, vlan, …; "" for loopback and what is not a virtual device."""
        if self._kind is None:
            self._kind = as_text(self._info.get(_INFO_KIND, b""))
        return self._kind

    @property
    def pair(self) -> tuple[int | None, int] | None:
        """The other end of a veth pair: its namespace as whoever was asked numbers it, None for the same one, and its index."""
        if self.kind not in _PAIRS:
            return None
        far = self.attributes.get(_IFLA_LINK_NETNSID)
        if far is None and _IFLA_LINK not in self.attributes:
            return None
        # Linux before 5.10 leaves the index out where both ends have the same.
        index = _number(self.attributes, _IFLA_LINK) or self.index
        return None if far is None else int.from_bytes(far[:4], sys.byteorder, signed=True), index

    @property
    def lower(self) -> int:
        """The index of the interface that a VLAN interface, a macvlan or a tunnel is on, 0 for none."""
        return 0 if self.kind in _PAIRS or _IFLA_LINK_NETNSID in self.attributes else _number(self.attributes, _IFLA_LINK)

    @property
    def vlan(self) -> int | None:
        """The number of a VLAN interface's VLAN, None of what is none."""
        return int.from_bytes(self._data.get(_VLAN_ID, b"")[:2], sys.byteorder) if self.kind == "vlan" else None

    @property
    def macvlan_mode(self) -> str:
        """How a macvlan treats others on the same interface, as ip-link(8) says it; "" of what is none."""
        return _MACVLAN_MODES.get(_number(self._data, _MACVLAN_MODE), "") if self.kind == "macvlan" else ""

    @property
    def filters_vlans(self) -> bool:
        """Of a bridge: whether it keeps VLANs apart."""
        return self.kind == "bridge" and bool(_byte(self._data, _BR_VLAN_FILTERING))

    @property
    def has_spanning_tree(self) -> bool:
        """Of a bridge: whether it runs a spanning tree protocol."""
        return self.kind == "bridge" and bool(_number(self._data, _BR_STP_STATE))

    @property
    def vlans(self) -> tuple[Vlan, ...]:
        """Those of a bridge or a port, in an answer to a question of AF_BRIDGE with RTEXT_FILTER_BRVLAN."""
        found = attributes(self.attributes.get(_IFLA_AF_SPEC, b""))
        return tuple(_vlan(value) for kind, value in found if kind == _BRIDGE_VLAN_INFO)

    @property
    def port_state(self) -> int | None:
        """A bridge's port's BR_STATE_* of linux/if_bridge.h, None of what is none."""
        return _byte(self._port, _BRPORT_STATE)

    @property
    def of_port(self) -> Attributes:
        """What is set of a bridge's port, as attributes of that kind; nothing of what is none."""
        return self._port

    @property
    def of_bridge(self) -> Attributes:
        """What is set of a bridge, as attributes of that kind; nothing of what is none."""
        return self._data if self.kind == "bridge" else {}

    @property
    def is_isolated(self) -> bool:
        """Whether it is a bridge's port that forwards nothing to other isolated ones."""
        return bool(_byte(self._port, _BRPORT_ISOLATED))

    @property
    def floods(self) -> bool:
        """Whether it gets, as a bridge's port, the frames of MAC addresses that the bridge does not know."""
        return _byte(self._port, _BRPORT_UNICAST_FLOOD) != 0

    @property
    def floods_broadcasts(self) -> bool:
        """Whether it gets, as a bridge's port, what is for all."""
        return _byte(self._port, _BRPORT_BCAST_FLOOD) != 0

    @property
    def floods_groups(self) -> bool:
        """Whether it gets, as a bridge's port, what is for groups that the bridge does not know to be behind it."""
        return _byte(self._port, _BRPORT_MCAST_FLOOD) != 0

    @property
    def is_locked(self) -> bool:
        """Whether it takes, as a bridge's port, frames of those MAC addresses only that are in the database already."""
        return bool(_byte(self._port, _BRPORT_LOCKED))

    @property
    def has_xdp(self) -> bool:
        return bool(_byte(by_type(self.attributes.get(_IFLA_XDP, b"")), _XDP_ATTACHED))

    @property
    def counters(self) -> Counters:
        return Counters(*unpack(_COUNTERS, _needed(self.attributes, _IFLA_STATS64, "link's counters")))

    @property
    def vrf_table(self) -> int:
        """The routing table of a VRF, 0 of what is none."""
        return _number(self._data, _VRF_TABLE) if self.kind == "vrf" else 0

    @property
    def of_kind(self) -> Attributes:
        """What is set of an interface of its kind, as attributes of that kind."""
        return self._data

    @property
    def _info(self) -> Attributes:
        if self._details is None:
            self._details = by_type(self.attributes.get(_IFLA_LINKINFO, b""))
        return self._details

    @property
    def _data(self) -> Attributes:
        return by_type(self._info.get(_INFO_DATA, b""))

    @property
    def _port(self) -> Attributes:
        info = self._info
        is_port = as_text(info.get(_INFO_SLAVE_KIND, b"")) == "bridge"
        return by_type(info.get(_INFO_SLAVE_DATA, b"")) if is_port else {}


class CountersMessage(_TableMessage):
    """The counters of an interface, without anything else about it."""

    __slots__ = ("index",)
    _head = COUNTERS_BODY

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        _, self.index, _ = unpack(COUNTERS_BODY, body)

    @property
    def counters(self) -> Counters:
        return Counters(*unpack(_COUNTERS, _needed(self.attributes, _STATS_LINK_64, "link's counters")))


class AddressMessage(_TableMessage):
    """An IP address of an interface."""

    __slots__ = ("family", "flags", "index", "prefix_length", "scope")
    _head = ADDRESS_BODY

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.family, self.prefix_length, self.flags, self.scope, self.index = unpack(ADDRESS_BODY, body)

    @property
    def text(self) -> str:
        """The interface's own, as people write it."""
        return _ip(self.family, self.packed)

    @property
    def packed(self) -> bytes:
        """The interface's own, as in packets: IFA_ADDRESS is the other end's on a point-to-point link."""
        own = self.attributes.get(_IFA_LOCAL) or _needed(self.attributes, _IFA_ADDRESS, "address")
        return _checked(self.family, own)


@frozen
class Hop:
    """Where a route leads: the next router, "" for a destination that is on the link, and the interface, 0 for none.

    Of several, `weight` is how many packets take this one. `flags` are RTNH_F_*: dead, linkdown, onlink.
    """

    gateway: str
    index: int
    weight: int = 1
    flags: int = 0


class RouteMessage(_TableMessage):
    """A route of a table, or the answer to a question for one."""

    __slots__ = ("ds_field", "family", "flags", "kind", "origin_length", "prefix_length", "protocol", "scope", "short_table")
    _head = ROUTE_BODY

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        (
            self.family,
            self.prefix_length,
            self.origin_length,
            self.ds_field,
            self.short_table,
            self.protocol,
            self.scope,
            self.kind,
            self.flags,
        ) = unpack(ROUTE_BODY, body)

    @property
    def table(self) -> int:
        """Its number; those above 255 have another in the head."""
        return _number(self.attributes, _RTA_TABLE) or self.short_table

    @property
    def destination(self) -> str:
        """As 10.0.0.0/24; the default route's is 0.0.0.0/0 or ::/0."""
        zero = bytes(_SIZES.get(self.family, 0))
        return f"{_ip(self.family, self.attributes.get(_RTA_DST, zero))}/{self.prefix_length}"

    @property
    def origin(self) -> str:
        """Of an IPv6 route for packets from some sources only these, as fd00:1::/64; "" of one for all."""
        return f"{_ip(self.family, self.attributes[_RTA_SRC])}/{self.origin_length}" if _RTA_SRC in self.attributes else ""

    @property
    def metric(self) -> int:
        return _number(self.attributes, _RTA_PRIORITY)

    @property
    def source(self) -> str:
        """The address from which is sent, "" when the route says none."""
        return _ip(self.family, self.attributes[_RTA_PREFSRC]) if _RTA_PREFSRC in self.attributes else ""

    @property
    def mtu(self) -> int:
        """Of the path, as far as it is known; 0 when it is not."""
        return _number(by_type(self.attributes.get(_RTA_METRICS, b"")), _RTAX_MTU)

    @property
    def has_locked_mtu(self) -> bool:
        """Whether the path's MTU is the route's own (`mtu lock`), which no ICMP message changes."""
        return bool(_number(by_type(self.attributes.get(_RTA_METRICS, b"")), _RTAX_LOCK) & 1 << _RTAX_MTU)

    @property
    def next_hop_object(self) -> int:
        """The number of the `ip nexthop` that it uses, 0 for none."""
        return _number(self.attributes, _RTA_NH_ID)

    @property
    def hops(self) -> tuple[Hop, ...]:
        """One, or several of equal cost."""
        if _RTA_MULTIPATH in self.attributes:
            return tuple(_hops(self.family, _needed(self.attributes, _RTA_MULTIPATH, "route's next hop")))
        flags = self.flags & _RTNH_FLAGS
        return (Hop(_gateway(self.family, self.attributes), _number(self.attributes, _RTA_OIF), flags=flags),)


class NeighborMessage(_TableMessage):
    """What is known of an address on a link, or a bridge's entry about a MAC address."""

    __slots__ = ("family", "flags", "index", "state", "type")
    _head = NEIGHBOR_BODY

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.family, self.index, self.state, self.flags, self.type = unpack(NEIGHBOR_BODY, body)

    @property
    def packed(self) -> bytes:
        """The IP address, as in packets."""
        return _needed(self.attributes, _NDA_DST, "neighbor's address")

    @property
    def address(self) -> str:
        return _ip(self.family, self.packed)

    @property
    def mac(self) -> str:
        """Empty when it is not known."""
        return self.attributes.get(_NDA_LLADDR, b"").hex(":")

    @property
    def tunnel_end(self) -> str:
        """Where a tunnel's interface sends what is for this MAC address; "" of an entry of a bridge."""
        packed = self.attributes.get(_NDA_DST, b"")
        family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(packed))
        return _ip(family, packed) if self.family == socket.AF_BRIDGE and family is not None else ""

    @property
    def vlan(self) -> int:
        return int.from_bytes(self.attributes.get(_NDA_VLAN, b"")[:2], sys.byteorder)


def _hops(family: int, data: bytes) -> Iterator[Hop]:
    offset = 0
    while offset < len(data):
        length, flags, weight, index = unpack(NEXT_HOP, data, offset)
        if not NEXT_HOP.size <= length <= len(data) - offset:
            raise malformed(f"a next hop of {length} bytes where {len(data) - offset} are left")
        gateway = _gateway(family, by_type(data[: offset + length], offset + NEXT_HOP.size))
        yield Hop(gateway, index, weight + 1, flags & _RTNH_FLAGS)
        offset += (length + 3) & ~3


def _gateway(family: int, found: Attributes) -> str:
    """Of the destination's family, or of another one, as of an IPv4 route by way of an IPv6 router; "" for none."""
    if _RTA_GATEWAY in found:
        return _ip(family, found[_RTA_GATEWAY])
    if _RTA_VIA not in found:
        return ""
    (other,) = unpack(_FAMILY, found[_RTA_VIA])
    return _ip(other, found[_RTA_VIA][_FAMILY.size :])


def _vlan(value: bytes) -> Vlan:
    flags, number = unpack(_VLAN, value)
    return Vlan(number, bool(flags & _VLAN_PVID), bool(flags & _VLAN_UNTAGGED))


def _needed(found: Attributes, kind: int, what: str) -> bytes:
    if not (value := found.get(kind)):
        raise malformed(f"the {what} is missing")
    return value


def _number(found: Attributes, kind: int) -> int:
    return int.from_bytes(found.get(kind, b"")[:4], sys.byteorder)


def _byte(found: Attributes, kind: int) -> int | None:
    value = found.get(kind)
    return value[0] if value else None


def _checked(family: int, value: bytes) -> bytes:
    """The address, which has the length of its family."""
    if _SIZES.get(family) != len(value):
        raise malformed(f"an address of family {family} with {len(value)} bytes")
    return value


def _ip(family: int, value: bytes) -> str:
    return socket.inet_ntop(family, _checked(family, value))
