"""Drops of the kernel that mean nothing to a person."""

from pynetemu.packets.dissect import is_to_many
from pynetemu.trace.sources.events import Event

# Reasons that come with packets which have been delivered, or were not for this node at all.
_EXPECTED = {
    ("NO_SOCKET", "ping_rcv"),  # an echo reply that a raw socket has got as well
    ("NO_SOCKET", "icmp_rcv"),  # the same before Linux 6.3
    ("NO_SOCKET", "icmpv6_rcv"),
    ("NOT_SPECIFIED", "tcp_v4_rcv"),
    ("NOT_SPECIFIED", "tcp_v6_rcv"),
    ("NOT_SPECIFIED", "arp_process"),
    ("NOT_SPECIFIED", "ip6_mc_input"),
    ("NOT_SPECIFIED", "icmp_rcv"),  # it has been read, and could not be answered
    ("NOT_SPECIFIED", "icmpv6_rcv"),
}
_NOT_FOR_US = {"OTHERHOST", "QUEUE_PURGE", "SOCKET_CLOSE", "CONSUMED", "NOT_DROPPED_YET", "IPV6_NDISC_NS_OTHERHOST"}
# What is for many is nobody's loss where it is not wanted: no program, no protocol, no IP at all, a ping that is ignored.
_NOT_WANTED = (
    "UNHANDLED_PROTO",
    "IPV6DISABLED",
    "IP_INADDRERRORS",
    "IP_INNOROUTES",
    "IP_LOCAL_SOURCE",
    "INVALID_PROTO",
    "NO_SOCKET",
)
_MULTICAST = {"ip6_mc_input", "ip_rcv_finish_core", "ip_mr_input", "ip_mc_validate_source"}


def is_expected_drop(event: Event, first: bytes = b"") -> bool:
    """Whether a drop means nothing to a person: the packet had been delivered, or was another's.

    `first` is the frame as it was first seen: what is looped back to its sender has lost its Ethernet header.
    """
    where = event.place.partition(" ")[0]
    if event.reason == "SOCKET_FILTER" and "raw" in event.place:
        return True  # each program that pings gets the others' answers, and leaves them out
    if event.reason in _NOT_FOR_US or (event.reason, where) in _EXPECTED:
        return True
    if not (is_to_many(event.data) or is_to_many(first)):
        return False
    return where in _MULTICAST or event.reason in ("", "NOT_SPECIFIED", *_NOT_WANTED)
