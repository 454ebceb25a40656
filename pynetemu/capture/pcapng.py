"""Files of packets for Wireshark, tshark and everything else that reads pcapng (draft-ietf-opsawg-pcapng).

    with open("x.pcapng", "wb") as file:
        writer = Writer(file)
        eth0 = writer.interface("blue:eth0", "blue, link to root")
        writer.names({"10.0.0.2": "blue"})
        writer.packet(eth0, time.time_ns(), frame, outgoing=True, number=1)

Times are in nanoseconds since 1970. A file says which interface of which node a packet was seen at, in which direction, on
which journey (the packet's id: "the same packet at several interfaces"), and what its addresses are called.
"""

import struct
import sys
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Protocol

from pynetemu.capture.ring import BLOCK_HEAD, HEADER, OUTGOING, TAGGED, tagged

_SECTION, _INTERFACE, _NAMES, _STATISTICS, _PACKET = 0x0A0D0D0A, 1, 4, 5, 6  # types of blocks
MAGIC = struct.pack("=I", _SECTION)  # what a file begins with
_CUSTOM, _ENTERPRISE = 0x40000BAD, 32473  # a block that is not to be copied; IANA's number for examples (RFC 5612)
_BYTE_ORDER, _UNKNOWN_LENGTH = 0x1A2B3C4D, -1
_ETHERNET, _RAW_IP = 1, 101  # LINKTYPE_ETHERNET, LINKTYPE_RAW
_END, _COMMENT = 0, 1  # options of every block
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")

_packet_head = struct.Struct("=IIIIIII").pack  # type, size, interface, time (upper and lower half), captured bytes, length
_length, _unpack_length = struct.Struct("=I").pack, struct.Struct("=I").unpack_from
_header = HEADER.unpack_from


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("=HH", code, len(value)) + value + _PADDING[len(value) & 3]


_NO_MORE = _option(_END, b"")
_INBOUND = _option(2, struct.pack("=I", 1))  # epb_flags
_OUTBOUND = _option(2, struct.pack("=I", 2))
_DIRECTIONS = {None: b"", False: _INBOUND, True: _OUTBOUND}
_HEAD = 32  # of a packet's block, with the length at its end


class _File(Protocol):
    def write(self, data: bytes, /) -> object: ...


class Writer:
    """Writes blocks to a file (anything with `write`), which it does not close. `comment` is on the file as a whole."""

    def __init__(self, file: _File, comment: str = "") -> None:
        self.file = file
        self._interfaces = 0
        options = _text(_COMMENT, comment) + _option(4, b"pynetemu") + _NO_MORE  # shb_userappl
        file.write(_block(_SECTION, struct.pack("=IHHq", _BYTE_ORDER, 1, 0, _UNKNOWN_LENGTH) + options))

    def interface(self, name: str, description: str = "", mac: str = "", filter: str = "", is_ethernet: bool = True) -> int:
        """Adds an interface, at any time before its first packet; gives the number that packets name it by.

        Packets of one that is not Ethernet begin with their IP header.
        """
        options = _text(2, name) + _text(3, description)  # if_name, if_description
        options += _option(6, bytes.fromhex(mac.replace(":", ""))) if mac else b""  # if_MACaddr
        options += _option(9, b"\x09")  # if_tsresol: times are in units of 10^-9 s
        options += _option(11, b"\0" + filter.encode()) if filter else b""  # if_filter, as libpcap reads it
        self.file.write(
            _block(_INTERFACE, struct.pack("=HHI", _ETHERNET if is_ethernet else _RAW_IP, 0, 0) + options + _NO_MORE)
        )
        self._interfaces += 1
        return self._interfaces - 1

    def names(self, names: Mapping[str, str]) -> None:
        """Says what IP addresses are called, {"10.0.0.2": "blue"}, so that readers show the names."""
        records = b""
        for text, name in names.items():
            address = ip_address(text)
            value = address.packed + name.encode() + b"\0"
            records += struct.pack("=HH", 1 if address.version == 4 else 2, len(value)) + value + _PADDING[len(value) & 3]
        self.file.write(_block(_NAMES, records + _NO_MORE))

    def packet(
        self,
        interface: int,
        time: int,
        data: bytes,
        length: int = 0,
        outgoing: bool | None = None,
        number: int | None = None,
        comment: str = "",
    ) -> None:
        """Adds a packet: `data` from its Ethernet header on, perhaps cut; `length` is the whole one's."""
        options = _DIRECTIONS[outgoing]
        if number is not None:
            options += _option(5, number.to_bytes(8, sys.byteorder))  # epb_packetid
        if comment:
            options += _text(_COMMENT, comment)
        if options:
            options += _NO_MORE
        captured = len(data)
        size = _HEAD + captured + (-captured & 3) + len(options)
        head = _packet_head(_PACKET, size, interface, time >> 32, time & 0xFFFFFFFF, captured, length or captured)
        self.file.write(b"".join((head, data, _PADDING[captured & 3], options, _length(size))))

    def statistics(self, interface: int, time: int, received: int, lost: int, comment: str = "") -> None:
        """Says at the end how many packets there were at an interface, and how many are not in the file."""
        options = _text(_COMMENT, comment) + _option(4, struct.pack("=Q", received)) + _option(5, struct.pack("=Q", lost))
        body = struct.pack("=III", interface, time >> 32, time & 0xFFFFFFFF)
        self.file.write(_block(_STATISTICS, body + options + _NO_MORE))

    def custom(self, data: bytes) -> None:
        """Adds a block that other programs pass over, and that those who rewrite the file leave out."""
        padding = _PADDING[len(data) & 3]
        self.file.write(_block(_CUSTOM, struct.pack("=II", _ENTERPRISE, len(data)) + data + padding))


def custom_blocks(content: bytes) -> Iterator[bytes]:
    """What `Writer.custom` wrote into a file."""
    at = 0
    while at + 12 <= len(content):
        kind, size = struct.unpack_from("=II", content, at)
        if kind == _CUSTOM and size >= 20:
            enterprise, length = struct.unpack_from("=II", content, at + 8)
            if enterprise == _ENTERPRISE and length <= size - 20:
                yield content[at + 16 : at + 16 + length]
        if size < 12:
            return
        at += size


def records(block: memoryview, interfaces: Mapping[int, int]) -> list[bytes]:
    """The packets of a ring's block as blocks of the file; `interfaces` has their numbers by the indexes in the node."""
    _, count, offset = BLOCK_HEAD.unpack_from(block)
    join, head_of, header, ends = b"".join, _packet_head, _header, _ends
    found = []
    for _ in range(count):
        following, seconds, nanoseconds, captured, length, status, mac, tag, ethertype, ifindex, kind = header(block, offset)
        start = offset + mac
        offset += following
        data: memoryview | bytes = block[start : start + captured]
        if status & TAGGED:
            data, captured, length = tagged(bytes(data), tag, ethertype), captured + 4, length + 4
        size, end = ends[captured, kind == OUTGOING]
        time = seconds * 1_000_000_000 + nanoseconds
        head = head_of(_PACKET, size, interfaces[ifindex], time >> 32, time & 0xFFFFFFFF, captured, length)
        found.append(join((head, data, end)))
    return found


key_of = struct.Struct("=12xII").unpack_from  # the halves of the time of one of `records`, which sort as the time does


def time_of(record: bytes) -> int:
    """When a packet of `records` was seen."""
    upper, lower = key_of(record)
    return int(upper << 32 | lower)


def place_of(record: bytes) -> int:
    """The number of the interface at which a packet of `records` was seen."""
    return int(_unpack_length(record, 8)[0])


def is_outgoing(record: bytes) -> bool:
    """Whether a packet of `records` was sent there."""
    return record[-len(_OUTBOUND) - 8 : -8] == _OUTBOUND


def frame_of(record: bytes, most: int) -> bytes:
    """The begin of a packet of `records`."""
    (captured,) = _unpack_length(record, 20)
    return record[28 : 28 + min(captured, most)]


def with_comments(record: bytes, comments: Iterable[str]) -> bytes:
    """A packet of `records` with comments."""
    options = b"".join(_text(_COMMENT, comment) for comment in comments)
    size = _length(len(record) + len(options))
    return b"".join((record[:4], size, record[8:-8], options, _NO_MORE, size))


class _Ends(dict[tuple[int, bool], tuple[int, bytes]]):
    """The size of a packet's block and what follows the packet in it, by the bytes captured and the direction."""

    def __missing__(self, key: tuple[int, bool]) -> tuple[int, bytes]:
        captured, outgoing = key
        options = _DIRECTIONS[outgoing] + _NO_MORE
        size = _HEAD + captured + (-captured & 3) + len(options)
        self[key] = found = size, _PADDING[captured & 3] + options + _length(size)
        return found


_ends = _Ends()


def end_of_blocks(data: bytes, end: int) -> int:
    """Where the last whole block ends, in data that begins with a block and of which only so much counts."""
    start = 0
    while start + 8 <= end:
        (size,) = struct.unpack_from("=I", data, start + 4)
        if start + size > end:
            break
        start += size
    return start


def _text(code: int, text: str) -> bytes:
    """An option with text, none for an empty one; its length is 16 bits."""
    return _option(code, text.encode()[:0xFFFF].decode(errors="ignore").encode()) if text else b""


def _block(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return struct.pack("=II", kind, size) + body + struct.pack("=I", size)
