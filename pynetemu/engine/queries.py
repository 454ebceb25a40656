"""What is asked of the kernel seldom: by pyroute2's message classes, in a module of its own, which no usual lab needs."""

import errno
import socket
from typing import NamedTuple

from pynetemu.engine.messages.encoders import ifaddrmsg, ifinfmsg
from pynetemu.engine.messages.framing import REQUEST
from pynetemu.engine.messages.rules import RTM_GETRULE, rule_of
from pynetemu.engine.messages.tables import ROUTE_BODY, RTM_DELLINK, RTM_GETADDR, RTM_GETROUTE, RouteMessage
from pynetemu.engine.netlink import Netlink, Refused
from pynetemu.plan.operations import InterfaceAddress, IPNetwork

_USUAL_TABLES = 254, 255  # main and local
_KINDS = {1: "", 2: "its own", 6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw"}  # RTN_*, rtnetlink(7)


def delete_links(link: Netlink, indexes: list[int]) -> None:
    """Deletes links; one that has gone already is not an error."""
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


class TakenNetwork(NamedTuple):
    """A network that a machine's route is about, and where it stands: "", "(unreachable)", "(table 52)"."""

    network: IPNetwork
    said: str

    def __str__(self) -> str:
        return f"{self.network}{self.said}"


def routes(link: Netlink) -> list[TakenNetwork]:
    """The destinations of all routes but default ones, of every kind that packets of others are led by, in all tables that
    rules lead to; the kernel's own about broadcasts and multicasts are left out."""
    from ipaddress import ip_network

    found = []
    for family in (socket.AF_INET, socket.AF_INET6):  # a dump of all families at once lacks routes of IPv6
        rules = [rule_of(body) for body in link.dump_bytes(RTM_GETRULE, bytes([family]) + bytes(11))]
        tables = {rule.table for rule in rules if rule.action == "table"}
        for body in link.dump_bytes(RTM_GETROUTE, ROUTE_BODY.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)):
            route = RouteMessage(body)
            if route.kind not in _KINDS or not route.prefix_length or route.table not in tables:
                continue
            words = [_KINDS[route.kind], "" if route.table in _USUAL_TABLES else f"table {route.table}"]
            said = ", ".join(filter(None, words))
            found.append(TakenNetwork(ip_network(route.destination), f" ({said})" if said else ""))
    return found
