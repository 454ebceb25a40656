"""What no hop changes about a packet, so that it is known again in the next node.

    identity(frame).key     the same on both sides of a switch, of a router, and of address translation
    identity(frame).ttl     one less after each router
    identity(frame).flow    addresses and ports, which only translation changes

Links carry frames unchanged; routers rewrite MAC addresses and TTL, translation rewrites addresses, ports and checksums.
"""

from typing import NamedTuple

_PAYLOAD = 96  # bytes of a payload that take part
_ICMP_ERRORS = (b"\3", b"\4", b"\5", b"\x0b", b"\x0c")
_ICMP6_ECHOES = (b"\x80", b"\x81")
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION = 0, 43, 44, 60


class Identity(NamedTuple):
    """What one packet has in common at all places where it is seen: `key`. `ttl` tells hops apart, `flow` is its flow."""

    key: tuple[object, ...]
    ttl: int = 0
    flow: bytes = b""


def identity(frame: bytes) -> Identity:
    """The identity of an Ethernet frame; VLAN tags take no part."""
    kind, start = frame[12:14], 14
    while kind in (b"\x81\x00", b"\x88\xa8"):
        kind, start = frame[start + 2 : start + 4], start + 4
    if kind == b"\x08\x00" and len(frame) >= start + 20:
        return _ipv4(frame, start)
    if kind == b"\x86\xdd" and len(frame) >= start + 40:
        return _ipv6(frame, start)
    if kind == b"\x08\x06":
        return Identity((kind, frame[start : start + 28]))  # Ethernet pads short frames
    return Identity((kind, frame[:12], frame[start : start + _PAYLOAD]))


def _ipv4(frame: bytes, start: int) -> Identity:
    protocol = frame[start + 9]
    fragment = frame[start + 6 : start + 8]
    payload = start + (frame[start] & 15) * 4
    number = frame[start + 4 : start + 6]
    if fragment[0] & 0x1F or fragment[1]:
        content: object = frame[payload : payload + _PAYLOAD]
    else:
        content = _transport(frame, payload, protocol)
    key = (number, fragment[0] & 0x3F, fragment[1], frame[start + 2 : start + 4], protocol, content)
    return Identity(key, frame[start + 8], frame[start + 12 : start + 20] + frame[payload : payload + 4])


def _ipv6(frame: bytes, start: int) -> Identity:
    protocol, payload = frame[start + 6], start + 40
    limit, flow = frame[start + 7], frame[start + 8 : start + 40]
    head: tuple[object, ...] = (frame[start + 1 : start + 6],)  # flow label and length
    while protocol in (_HOP_BY_HOP, _ROUTING, _DESTINATION, _FRAGMENT) and len(frame) >= payload + 8:
        if protocol == _FRAGMENT:
            head = (*head, frame[payload + 2 : payload + 8])
            if frame[payload + 2] or frame[payload + 3] & 0xF8:  # not the first: what follows is payload
                return Identity((*head, frame[payload + 8 : payload + 8 + _PAYLOAD]), limit, flow)
        size = 8 if protocol == _FRAGMENT else (frame[payload + 1] + 1) * 8
        protocol, payload = frame[payload], payload + size
    return Identity((*head, protocol, _transport(frame, payload, protocol)), limit, flow + frame[payload : payload + 4])


def _transport(frame: bytes, at: int, protocol: int) -> object:
    """What ports, identifiers and checksums leave over: those are what translation rewrites."""
    if protocol == 6:  # sequence, acknowledgement, flags, window
        return frame[at + 4 : at + 16]
    if protocol == 17:
        return frame[at + 4 : at + 6], frame[at + 8 : at + 8 + _PAYLOAD]
    if protocol == 1:
        if frame[at : at + 1] in _ICMP_ERRORS:  # they quote a packet, whose addresses are translated too
            return frame[at : at + 2], frame[at + 12 : at + 14]
        return frame[at : at + 2], frame[at + 6 : at + _PAYLOAD]
    if protocol == 58:
        if frame[at : at + 1] in _ICMP6_ECHOES:
            return frame[at : at + 2], frame[at + 6 : at + _PAYLOAD]
        return frame[at : at + 2], frame[at + 4 : at + _PAYLOAD]
    return frame[at : at + _PAYLOAD]
