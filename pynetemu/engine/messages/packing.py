"""Bodies of rtnetlink(7)'s messages that make a lab, packed by hand: links, addresses, routes, neighbors, ports of bridges.

A large lab has a hundred thousand of them, and a small one is there sooner than pyroute2 is imported. What makes a
lab is packed here alone, and tests/engine/test_netlink_messages.py holds it byte for byte equal to what pyroute2
packs. The rest goes through pyroute2's own classes (`encoders`, `queueing`).

    link(3, master(2))                            interface 3 becomes a port of interface 2
    link(4, name("eth0"), kind("bridge"))         a new bridge
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from socket import AF_INET, AF_INET6, AF_UNSPEC

from pynetemu.engine.messages.framing import attribute, text
from pynetemu.engine.messages.tables import (
    ADDRESS_BODY,
    IFF_UP,
    LINK_BODY,
    NEIGHBOR_BODY,
    NEXT_HOP,
    NUD_PERMANENT,
    ROUTE_BODY,
)
from pynetemu.plan.operations.values import Address, IPNetwork

_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_MASTER, _IFLA_LINKINFO = 1, 3, 4, 10, 18
_IFLA_NET_NS_FD, _IFLA_NEW_IFINDEX = 28, 49
_INFO_KIND, _INFO_DATA, _INFO_SLAVE_KIND, _INFO_SLAVE_DATA, _VETH_INFO_PEER = 1, 2, 4, 5, 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST, _IFA_F_NODAD = 1, 2, 4, 0x02
_RTA_DST, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_MULTIPATH = 1, 5, 6, 9
_MAIN, _BOOT, _UNIVERSE = 254, 3, 0  # RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_UNIVERSE
_UNICAST, _UNREACHABLE = 1, 7  # RTN_*
_LAST_METRIC = 4278198272  # of vrf.rst
_NDA_DST, _NDA_LLADDR = 1, 2

# The words of ip-link(8) and bridge(8), with their attribute of linux/if_link.h and the form of its value.
_Words = Mapping[str, tuple[int, str]]
_OF_BRIDGE: _Words = {
    "forward_delay": (1, "=I"),
    "hello_time": (2, "=I"),
    "max_age": (3, "=I"),
    "ageing_time": (4, "=I"),
    "stp_state": (5, "=I"),
    "priority": (6, "=H"),
    "vlan_filtering": (7, "=B"),
    "mcast_snooping": (23, "=B"),
    "mcast_querier": (25, "=B"),
}
_OF_PORT: _Words = {
    "priority": (2, "=H"),
    "cost": (3, "=I"),
    "hairpin": (4, "=B"),
    "guard": (5, "=B"),
    "learning": (8, "=B"),
    "flood": (9, "=B"),
    "isolated": (33, "=B"),
}


def link(index: int, *settings: bytes, family: int = AF_UNSPEC) -> bytes:
    """About an interface, none of whose flags change. The index of a new one is 0 where the kernel is to choose it."""
    return LINK_BODY.pack(family, 0, index, 0, 0) + b"".join(settings)


def link_up(index: int, is_up: bool = True) -> bytes:
    """Sets an interface up, or down."""
    return LINK_BODY.pack(AF_UNSPEC, 0, index, IFF_UP if is_up else 0, IFF_UP)


def new_link(index: int, interface: str, hardware: str = "", largest: int = 0) -> bytes:
    """What all new interfaces have: name, MAC address if chosen, and MTU in bytes if chosen."""
    return link(index, name(interface), mac(hardware) if hardware else b"", mtu(largest) if largest else b"")


def name(interface: str) -> bytes:
    return text(_IFLA_IFNAME, interface)


def mac(address: str) -> bytes:
    return attribute(_IFLA_ADDRESS, _hardware(address))


def mtu(size: int) -> bytes:
    return attribute(_IFLA_MTU, struct.pack("=I", size))


def master(index: int) -> bytes:
    """The bridge, bond or VRF that an interface becomes a port of; 0 for none."""
    return attribute(_IFLA_MASTER, struct.pack("=I", index))


def into(namespace: int, index: int = 0) -> bytes:
    """The namespace, by a descriptor, that an interface is made in or moved to, and its index there if chosen."""
    where = attribute(_IFLA_NET_NS_FD, struct.pack("=I", namespace))
    return where + attribute(_IFLA_NEW_IFINDEX, struct.pack("=i", index)) if index else where


def kind(of: str, data: bytes = b"") -> bytes:
    """What kind an interface is of, and its attributes of that kind."""
    return attribute(_IFLA_LINKINFO, text(_INFO_KIND, of) + (attribute(_INFO_DATA, data) if data else b""))


def veth(peer: bytes) -> bytes:
    """One end of a pair, whose other end is described as a whole link."""
    return kind("veth", attribute(_VETH_INFO_PEER, peer))


def bridge(settings: Iterable[str]) -> bytes:
    """Settings of a bridge, as ip-link(8) writes them: "forward_delay 200"."""
    return kind("bridge", _encode(settings, _OF_BRIDGE))


def port(settings: Iterable[str]) -> bytes:
    """Settings of a bridge's port, as bridge(8) writes them: "learning off"."""
    numbers = (setting.replace(" on", " 1").replace(" off", " 0") for setting in settings)
    return port_attributes(_encode(numbers, _OF_PORT))


def words_of_port(data: Mapping[int, bytes]) -> tuple[str, ...]:
    """The settings of a bridge's port, of its attributes: what `port` packs."""
    return tuple(
        f"{word} {('off', 'on')[int(value)] if form == '=B' else value}" for word, form, value in _decode(data, _OF_PORT)
    )


def words_of_bridge(data: Mapping[int, bytes]) -> tuple[str, ...]:
    """The settings of a bridge, of its attributes: what `bridge` packs."""
    return tuple(f"{word} {value}" for word, _, value in _decode(data, _OF_BRIDGE))


def port_attributes(data: bytes) -> bytes:
    """Settings of a bridge's port, as attributes of that kind."""
    return attribute(_IFLA_LINKINFO, text(_INFO_SLAVE_KIND, "bridge") + attribute(_INFO_SLAVE_DATA, data))


def _decode(data: Mapping[int, bytes], known: _Words) -> Iterator[tuple[str, str, int]]:
    for word, (number, form) in known.items():
        if number in data:
            yield word, form, struct.unpack_from(form, data[number])[0]


def _encode(settings: Iterable[str], known: _Words) -> bytes:
    """_encode(("forward_delay 200",), {"forward_delay": (1, "=I")}) is the attribute 1 with the number 200."""
    encoded = b""
    for setting in settings:
        word, _, value = setting.partition(" ")
        number, form = known[word]
        encoded += attribute(number, struct.pack(form, int(value)))
    return encoded


def address(index: int, value: Address, length: int, broadcast: Address | None = None) -> bytes:
    """An address of an interface. One of IPv6 is used at once, without duplicate address detection."""
    is_ipv6 = value.version == 6
    head = ADDRESS_BODY.pack(AF_INET6 if is_ipv6 else AF_INET, length, _IFA_F_NODAD if is_ipv6 else 0, 0, index)
    body = head + attribute(_IFA_LOCAL, value.packed) + attribute(_IFA_ADDRESS, value.packed)
    return body + attribute(_IFA_BROADCAST, broadcast.packed) if broadcast else body


def route(destination: IPNetwork, vias: tuple[Address, ...], table: int = 0) -> bytes:
    """A route by one gateway, or by several that share its flows; table 0 is the main one."""
    return route_head(destination, table) + hops(vias)


@lru_cache(maxsize=1 << 14)
def route_head(destination: IPNetwork, table: int, kind: int = _UNICAST) -> bytes:
    """A route without what it leads through: `hops` follow."""
    family, length = AF_INET if destination.version == 4 else AF_INET6, destination.prefixlen
    head = ROUTE_BODY.pack(family, length, 0, 0, table or _MAIN, _BOOT, _UNIVERSE, kind, 0)
    return head + attribute(_RTA_DST, destination.network_address.packed) if length else head


def hops(vias: tuple[Address, ...]) -> bytes:
    """What a route leads through."""
    if len(vias) == 1:
        return _gateway(vias[0])
    gateways = [_gateway(via) for via in vias]
    return attribute(_RTA_MULTIPATH, b"".join(NEXT_HOP.pack(NEXT_HOP.size + len(one), 0, 0, 0) + one for one in gateways))


@lru_cache(maxsize=1 << 14)  # a lab has many routes to few networks, by few gateways
def _gateway(via: Address) -> bytes:
    return attribute(_RTA_GATEWAY, via.packed)


def unreachable(destination: IPNetwork, table: int) -> bytes:
    """The last route of a VRF's table, so that the search ends there."""
    return route_head(destination, table, _UNREACHABLE) + attribute(_RTA_PRIORITY, struct.pack("=I", _LAST_METRIC))


def neighbor_head(index: int, version: int) -> bytes:
    """A permanent neighbor of an interface, without what is said of it: `neighbor` follows."""
    return NEIGHBOR_BODY.pack(AF_INET if version == 4 else AF_INET6, index, NUD_PERMANENT, 0, 0)


def neighbor(value: Address, hardware: str = "") -> bytes:
    """Which neighbor, and its MAC address; without one for a neighbor that is to go."""
    which = attribute(_NDA_DST, value.packed)
    return which + attribute(_NDA_LLADDR, _hardware(hardware)) if hardware else which


def _hardware(address: str) -> bytes:
    return bytes.fromhex(address.replace(":", ""))
