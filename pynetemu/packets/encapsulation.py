"""What a tunnel's packet carries, as a frame of its own: VXLAN (RFC 7348), GRE (RFC 2784), IP in IP (RFC 2003, 4213)."""

_VXLAN_PORT = b"\x12\xb5"  # 4789
_IPV4, _IPV6, _BRIDGED = b"\x08\x00", b"\x86\xdd", b"\x65\x58"
_IPIP, _UDP, _SIX_IN_FOUR, _GRE = 4, 17, 41, 47
_NO_ADDRESSES = bytes(12)


def inner_frame(frame: bytes) -> bytes | None:
    """The Ethernet frame inside, with addresses of zeros where the tunnel carries none; None for any other packet."""
    if frame[12:14] == _IPV4 and len(frame) > 34 and frame[14] & 15 >= 5:
        protocol, payload = frame[23], 14 + (frame[14] & 15) * 4
    elif frame[12:14] == _IPV6 and len(frame) > 54:
        protocol, payload = frame[20], 54
    else:
        return None
    if protocol == _UDP:
        return frame[payload + 16 :] if frame[payload + 2 : payload + 4] == _VXLAN_PORT else None
    if protocol == _IPIP:
        return _NO_ADDRESSES + _IPV4 + frame[payload:]
    if protocol == _SIX_IN_FOUR:
        return _NO_ADDRESSES + _IPV6 + frame[payload:]
    return _in_gre(frame[payload:]) if protocol == _GRE else None


def _in_gre(data: bytes) -> bytes | None:
    if len(data) < 4:
        return None
    start = 4 + sum(4 for bit in (0x80, 0x20, 0x10) if data[0] & bit)  # checksum, key, sequence number (RFC 2890)
    kind = data[2:4]
    return data[start:] if kind == _BRIDGED else _NO_ADDRESSES + kind + data[start:]
