"""What a tunnel's packet carries, as a frame of its own.

VXLAN (RFC 7348), Geneve (RFC 8926), GRE (RFC 2784), IP in IP (RFC 2003, 2473, 4213).
"""

VXLAN_PORTS = 4789, 8472  # IANA's, and what Linux takes where nobody says another: drivers/net/vxlan
VXLAN_FLAGS = b"\x08\0\0\0"  # the first word of its header
GENEVE_PORT = 6081
_IPV4, _IPV6, _BRIDGED = b"\x08\x00", b"\x86\xdd", b"\x65\x58"
_IN_FRAMES = _IPV4, _IPV6, b"\x08\x06", b"\x81\x00"
_IPIP, _UDP, _IPV6_INSIDE, _GRE = 4, 17, 41, 47
_OPTIONS = 60  # of IPv6 for a destination: how deep tunnels may lie in one another (RFC 2473, 4.1.1), as Linux says by itself
_NO_ADDRESSES = bytes(12)


def inner_frame(frame: bytes) -> bytes | None:
    """The Ethernet frame inside, with addresses of zeros where the tunnel carries none; None for any other packet."""
    if frame[12:14] == _IPV4 and len(frame) > 34 and frame[14] & 15 >= 5:
        protocol, payload = frame[23], 14 + (frame[14] & 15) * 4
    elif frame[12:14] == _IPV6 and len(frame) > 54:
        protocol, payload = frame[20], 54
        while protocol == _OPTIONS and len(frame) > payload + 2:
            protocol, payload = frame[payload], payload + 8 * (frame[payload + 1] + 1)
    else:
        return None
    if protocol == _UDP:
        return _in_udp(int.from_bytes(frame[payload + 2 : payload + 4]), frame[payload + 8 :])
    if protocol == _IPIP:
        return _NO_ADDRESSES + _IPV4 + frame[payload:]
    if protocol == _IPV6_INSIDE:
        return _NO_ADDRESSES + _IPV6 + frame[payload:]
    return _in_gre(frame[payload:]) if protocol == _GRE else None


def is_vxlan(port: int, data: bytes) -> bool:
    """Whether a datagram to this port is of a VXLAN: by the port, or by its header and the frame behind that."""
    return port in VXLAN_PORTS or (data[:4] == VXLAN_FLAGS and data[7:8] == b"\0" and data[20:22] in _IN_FRAMES)


def geneve_header(data: bytes) -> int:
    """How many bytes come before what a datagram of Geneve carries."""
    return 8 + 4 * (data[0] & 0x3F)


def _in_udp(port: int, data: bytes) -> bytes | None:
    if is_vxlan(port, data):
        return data[8:]
    if port != GENEVE_PORT or len(data) < 8:
        return None
    return _of_kind(data[2:4], data[geneve_header(data) :])


def _of_kind(kind: bytes, data: bytes) -> bytes:
    return data if kind == _BRIDGED else _NO_ADDRESSES + kind + data


def _in_gre(data: bytes) -> bytes | None:
    if len(data) < 4:
        return None
    start = 4 + sum(4 for bit in (0x80, 0x20, 0x10) if data[0] & bit)  # checksum, key, sequence number (RFC 2890)
    return _of_kind(data[2:4], data[start:])
