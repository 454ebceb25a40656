"""Who sends to whom, by which ports, and how much: read from frames without taking them apart, since a trace may have many."""

_TCP, _UDP = 6, 17

Side = tuple[bytes, bytes]  # an address and a port


def flow_of(frame: bytes) -> tuple[Side, ...]:
    """The sender and the receiver of a frame with UDP or TCP, each with its port; of others nothing, as of later fragments."""
    is_ipv4 = frame[12:14] == b"\x08\x00" and len(frame) >= 34 and not int.from_bytes(frame[20:22]) & 0x1FFF
    if not is_ipv4 and (frame[12:14] != b"\x86\xdd" or len(frame) < 58):
        return ()
    at = 14 + (frame[14] & 15) * 4 if is_ipv4 else 54
    ends = (frame[26:30], frame[30:34]) if is_ipv4 else (frame[22:38], frame[38:54])
    if frame[23 if is_ipv4 else 20] not in (_TCP, _UDP) or len(frame) < at + 4:
        return ()
    return (ends[0], frame[at : at + 2]), (ends[1], frame[at + 2 : at + 4])


def segment_of(frame: bytes) -> tuple[Side, Side, int, int] | None:
    """The sender, the receiver, the flags and the size of the payload of a frame with TCP."""
    if frame[12:14] == b"\x08\x00" and len(frame) >= 34 and frame[23] == _TCP and not int.from_bytes(frame[20:22]) & 0x1FFF:
        at, size, addresses = 14 + (frame[14] & 15) * 4, int.from_bytes(frame[16:18]), (frame[26:30], frame[30:34])
    elif frame[12:14] == b"\x86\xdd" and len(frame) >= 54 and frame[20] == _TCP:
        at, size, addresses = 54, 40 + int.from_bytes(frame[18:20]), (frame[22:38], frame[38:54])
    else:
        return None
    if len(frame) < at + 20:
        return None
    payload = size - (at - 14) - (frame[at + 12] >> 4) * 4
    return (addresses[0], frame[at : at + 2]), (addresses[1], frame[at + 2 : at + 4]), frame[at + 13], max(0, payload)


def window_of(frame: bytes) -> int:
    """The receive window that a TCP segment tells (RFC 9293, 3.1), not scaled; `frame` is one that `segment_of` takes."""
    at = 14 + (frame[14] & 15) * 4 if frame[12:14] == b"\x08\x00" else 54
    return int.from_bytes(frame[at + 14 : at + 16])
