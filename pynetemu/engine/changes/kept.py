"""What the kernel forgets with an interface or an address, to be set again: routes of all tables, and addresses of IPv6.

Routes are sent back as the kernel told them, as `ip route save` and `restore` do (ip-route(8)): nothing in them is lost.
"""

import errno
import socket
from collections.abc import Iterable, Iterator

from pynetemu.engine.messages.framing import CREATE, EXCLUSIVE, REPLACE, REQUEST, attribute
from pynetemu.engine.messages.tables import (
    ADDRESS_BODY,
    ROUTE_BODY,
    RTM_GETADDR,
    RTM_GETROUTE,
    RTM_NEWADDR,
    RTM_NEWROUTE,
    AddressMessage,
    RouteMessage,
)
from pynetemu.engine.nodes import Node

_KERNEL, _ROUTER_ADVERTISEMENT, _REDIRECT = 2, 9, 1  # RTPROT_* of linux/rtnetlink.h: those come by themselves
_MAIN_TABLE, _LOCAL_TABLE, _RTM_F_CLONED = 254, 255, 0x200
_OF_ADDRESSES = 1, 2, 6  # IFA_ADDRESS, IFA_LOCAL, IFA_CACHEINFO
_SCOPE_LINK, _IFA_F_NODAD, _IFA_F_TEMPORARY = 253, 0x02, 0x01
_IP_FAMILIES = socket.AF_INET, socket.AF_INET6
_CANNOT_BE = {
    errno.EEXIST,
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.ENODEV,
    errno.ENETDOWN,
    errno.EINVAL,
    errno.EACCES,
    errno.ENOENT,
}

Message = tuple[int, int, bytes]  # type, flags and body


def routes(node: Node) -> list[RouteMessage]:
    """Those of all tables that somebody has set: the kernel makes the others itself."""
    found = map(RouteMessage, node.link.dump_bytes(RTM_GETROUTE, ROUTE_BODY.pack(0, 0, 0, 0, 0, 0, 0, 0, 0)))
    return [
        route
        for route in found
        if route.family in _IP_FAMILIES
        and route.protocol not in (_KERNEL, _ROUTER_ADVERTISEMENT, _REDIRECT)
        and route.short_table != _LOCAL_TABLE
        and not route.flags & _RTM_F_CLONED
    ]


def key(route: RouteMessage) -> tuple[object, ...]:
    """What tells a route from others."""
    return route.family, route.table, route.destination, route.metric, route.kind, route.hops


def table(route: RouteMessage) -> int:
    """Its table as plans have it: 0 for the main one."""
    return 0 if route.table == _MAIN_TABLE else route.table


def what_goes_with(node: Node, index: int) -> list[Message]:
    """What the kernel forgets when an interface goes down."""
    bound = [route for route in routes(node) if any(hop.index == index for hop in route.hops)]
    return [*_addresses(node, index), *map(as_message, bound)]


def as_message(route: RouteMessage) -> Message:
    """What sets it again. Of several IPv6 hops the kernel forgets those of one interface: all are set in place of the rest."""
    several = route.family == socket.AF_INET6 and len(route.hops) > 1
    return RTM_NEWROUTE, REQUEST | CREATE | (REPLACE if several else EXCLUSIVE), route.body


def _addresses(node: Node, index: int) -> Iterator[Message]:
    """Of IPv6; without duplicate address detection, which takes a second."""
    for body in node.link.dump_bytes(RTM_GETADDR, ADDRESS_BODY.pack(socket.AF_INET6, 0, 0, 0, 0)):
        address = AddressMessage(body)
        if address.index == index and address.scope != _SCOPE_LINK and not address.flags & _IFA_F_TEMPORARY:
            head = ADDRESS_BODY.pack(socket.AF_INET6, address.prefix_length, _IFA_F_NODAD, address.scope, index)
            kept = (attribute(kind, address.attributes[kind]) for kind in _OF_ADDRESSES if kind in address.attributes)
            yield RTM_NEWADDR, REQUEST | CREATE | EXCLUSIVE, head + b"".join(kept)


def set_again(node: Node, messages: Iterable[Message]) -> None:
    """Sets what is missing; what somebody has set meanwhile stays, and what cannot be any more is left out."""
    for kind, flags, body in messages:
        node.link.queue_bytes(None, kind, flags, body)
    node.link.flush(_CANNOT_BE)
