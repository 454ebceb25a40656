"""What kernels and switches say by themselves, all the time: not what a person traces for."""

_IGMP, _UDP, _HOP_BY_HOP, _ICMP6 = 2, 17, 0, 58
_ROUTER_SOLICITATION, _NEIGHBOR_SOLICITATION, _MLD = 133, 135, (130, 131, 132, 143)
_MDNS = b"\x14\xe9"  # port 5353
_LLDP = b"\x88\xcc"


def is_background(frame: bytes) -> bool:
    """Whether a frame is of spanning tree, LLDP, multicast membership or mDNS, or IPv6's first words on a link."""
    kind = frame[12:14]
    if kind < b"\x06\x00" or kind == _LLDP:
        return True
    if kind == b"\x08\x00" and len(frame) >= 38:
        return frame[23] == _IGMP or (frame[23] == _UDP and frame[36:38] == _MDNS)
    if kind != b"\x86\xdd" or len(frame) < 58:
        return False
    if frame[20] == _HOP_BY_HOP:  # the router alert of MLD (RFC 3810, 5)
        return frame[54] == _ICMP6 and len(frame) > 62 and frame[62] in _MLD
    if frame[20] == _UDP:
        return frame[56:58] == _MDNS
    is_probe = frame[54] == _NEIGHBOR_SOLICITATION and frame[22:38] == bytes(16)  # is this address taken (RFC 4862)
    return frame[20] == _ICMP6 and (frame[54] == _ROUTER_SOLICITATION or is_probe)
