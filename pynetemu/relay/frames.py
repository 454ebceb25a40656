"""Frames as packet sockets give them with PACKET_VNET_HDR (packet(7)): 10 bytes of struct virtio_net_hdr, then Ethernet.

A sender's kernel leaves checksums to its interface, and a veth has none to compute: the header says where one is missing.
"""

import struct
import sys

VNET = 10  # bytes of struct virtio_net_hdr, linux/virtio_net.h
_NEEDS_CHECKSUM = 1  # VIRTIO_NET_HDR_F_NEEDS_CSUM
_START = struct.Struct("=HH")  # csum_start, csum_offset, at 6
_ETHERNET, _TAG = 14, 4  # bytes
_IP4, _IP6, _TAGGED = b"\x08\0", b"\x86\xdd", (b"\x81\0", b"\x88\xa8")
_TCP, _UDP, _ICMP, _ICMP6 = 6, 17, 1, 58
_EPHEMERAL = 32768  # the first port that Linux gives to who asks for none: net.ipv4.ip_local_port_range


def on_the_wire(frame: bytes) -> int:
    """The bytes of a frame; of a buffer (gso_type, at 1), all those of the packets of `gso_size` bytes that it would be."""
    size = len(frame) - VNET
    if not frame[1] or not frame[0] & _NEEDS_CHECKSUM:
        return size
    segment, start = int.from_bytes(frame[4:6], sys.byteorder), int.from_bytes(frame[6:8], sys.byteorder)
    headers = start + (frame[VNET + start + 12] >> 4) * 4  # from Ethernet's to TCP's end
    return size + (-(-(size - headers) // segment) - 1) * headers


def tagged(frame: bytes, protocol: int, tag: int) -> bytes:
    """A frame with the VLAN tag that the kernel has kept beside it."""
    header = frame[:VNET]
    if header[0] & _NEEDS_CHECKSUM:
        start, offset = _START.unpack_from(header, 6)
        header = header[:6] + _START.pack(start + _TAG, offset)
    macs = frame[VNET : VNET + 12]
    return header + macs + struct.pack(">HH", protocol, tag) + frame[VNET + 12 :]


def with_checksum(frame: bytes) -> bytes:
    """The frame with its checksum, so that its receiver finds out what has been changed since."""
    if not frame[0] & _NEEDS_CHECKSUM:
        return frame
    start, offset = _START.unpack_from(frame, 6)
    start += VNET
    body = frame[start:] + bytes(len(frame) - start & 1)
    total = sum(struct.unpack(f">{len(body) // 2}H", body))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    place = start + offset
    return bytes(VNET) + frame[VNET:place] + struct.pack(">H", ~total & 0xFFFF or 0xFFFF) + frame[place + 2 :]


def corrupted(frame: bytes, draw: int) -> bytes:
    """The frame with one bit flipped behind its Ethernet header, which one by a number drawn from 32 bits."""
    changed = bytearray(with_checksum(frame))
    first = min(VNET + _ETHERNET, len(changed) - 1)
    bit = draw * ((len(changed) - first) * 8) >> 32
    changed[first + (bit >> 3)] ^= 1 << (bit & 7)
    return bytes(changed)


def marked(frame: bytes) -> bytes | None:
    """The frame with the mark of congestion (CE, RFC 3168), None where its sender does not know that."""
    at, kind = _network_layer(frame)
    if kind == _IP4 and frame[at + 1] & 3:
        changed = bytearray(frame)
        old = changed[at + 1]
        changed[at + 1] = old | 3
        sum_ = int.from_bytes(changed[at + 10 : at + 12], "big") - ((old | 3) - old)  # RFC 1624: ~(~HC + ~m + m')
        changed[at + 10 : at + 12] = (sum_ if sum_ >= 0 else sum_ + 0xFFFF).to_bytes(2, "big")
        return bytes(changed)
    if kind == _IP6 and frame[at + 1] & 0x30:
        changed = bytearray(frame)
        changed[at + 1] |= 0x30
        return bytes(changed)
    return None


def flow_of(frame: bytes) -> bytes:
    """What the frames of one flow have in common, and those of others not: protocol, addresses, ports."""
    kind, at = frame[22:24], VNET + _ETHERNET
    if kind in _TAGGED:
        at, kind = _network_layer(frame)
    if kind == _IP4:
        protocol = frame[at + 9]
        if frame[at + 6] & 0x1F or frame[at + 7]:  # a later fragment, which has no ports
            return frame[at + 9 : at + 10] + frame[at + 12 : at + 20]
        ports = at + (frame[at] & 15) * 4
        return frame[at + 9 : at + 10] + frame[at + 12 : at + 20] + _ports(frame, protocol, ports)
    if kind == _IP6:
        return frame[at + 6 : at + 7] + frame[at + 8 : at + 40] + _ports(frame, frame[at + 6], at + 40)
    return frame[VNET : VNET + 12] + kind


def _ports(frame: bytes, protocol: int, at: int) -> bytes:
    if protocol in (_TCP, _UDP):
        return frame[at : at + 4]
    if protocol in (_ICMP, _ICMP6):
        return frame[at : at + 1] + frame[at + 4 : at + 6]  # its type and what an echo has as identifier
    return b""


def lasting(flow: bytes) -> bytes | None:
    """A flow without what another run would choose otherwise (ports out of a range, identifiers of echoes).

    None where it has nothing of the kind.
    """
    addresses = 9 if len(flow) < 36 else 33  # with the protocol before them
    rest = flow[addresses:]
    if flow[0] in (_TCP, _UDP) and len(rest) == 4:
        ports = [rest[:2], rest[2:]]
        kept = [port if int.from_bytes(port, "big") < _EPHEMERAL else b"" for port in ports]
        return None if kept == ports else flow[:addresses] + b"/".join(kept)
    if flow[0] in (_ICMP, _ICMP6) and len(rest) == 3:
        return flow[: addresses + 1]
    return None


def _network_layer(frame: bytes) -> tuple[int, bytes]:
    """Where the header behind Ethernet and VLAN tags begins, and its type."""
    at, kind = VNET + _ETHERNET, frame[22:24]
    while kind in _TAGGED:
        kind, at = frame[at + 2 : at + 4], at + _TAG
    return at, kind
