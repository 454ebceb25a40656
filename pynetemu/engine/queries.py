"""What is asked of the kernel seldom: by pyroute2's message classes, in a module of its own, which no usual lab needs."""

import errno
import socket
from ipaddress import ip_address

from pynetemu.engine.messages.encoders import Encoder, ifaddrmsg, ifinfmsg, rtmsg
from pynetemu.engine.messages.framing import REQUEST
from pynetemu.engine.messages.tables import RTM_DELLINK, RTM_GETADDR, RTM_GETROUTE
from pynetemu.engine.netlink import Netlink, Refused
from pynetemu.plan.operations import InterfaceAddress, IPNetwork

_RT_TABLE_MAIN, _RTN_UNICAST = 254, 1


def delete_links(link: Netlink, indexes: list[int]) -> None:
    """Deletes links; one that has gone already is no error."""
    for index in indexes:
        message = ifinfmsg()
        message["index"] = index
        link.queue(None, RTM_DELLINK, REQUEST, message)
        try:
            link.flush()
        except Refused as refused:
            if refused.errno != errno.ENODEV:
                raise


def addresses(link: Netlink) -> list[InterfaceAddress]:
    """Every address of the namespace, with its prefix."""
    from ipaddress import ip_interface

    found = []
    for message in link.dump(RTM_GETADDR, ifaddrmsg()):
        text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
        found.append(ip_interface(f"{text}/{message['prefixlen']}"))
    return found


def routes(link: Netlink) -> list[IPNetwork]:
    """The destination of every unicast route of the main table but the default routes."""
    from ipaddress import ip_network

    found = []
    for message in (*_routes(link, socket.AF_INET), *_routes(link, socket.AF_INET6)):
        if message["type"] == _RTN_UNICAST and message["table"] == _RT_TABLE_MAIN and message["dst_len"]:
            found.append(ip_network((ip_address(message.get_attr("RTA_DST")), message["dst_len"])))
    return found


def _routes(link: Netlink, family: int) -> list[Encoder]:
    """Each version is asked for: a dump of all families at once lacks those of IPv6."""
    message = rtmsg()
    message["family"] = family
    return link.dump(RTM_GETROUTE, message)
