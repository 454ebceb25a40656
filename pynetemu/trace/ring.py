"""What a node's interfaces send and receive: from the kernel, through memory that it shares with us (TPACKET_V3, packet(7)).

    with Ring(net["blue"].socket(socket.AF_PACKET, socket.SOCK_RAW, 0)) as ring:
        ...                                          wait until ring.fileno() is readable
        for block in ring.blocks():                  each is ours until the next one is asked for
            for packet in packets(block):
                print(ring.interface(packet.ifindex), packet.outgoing, packet.time, packet.data)
        print(ring.statistics())

One ring sees all interfaces of its node, also those that come later. The kernel fills blocks and hands each over when it
is full, or `wait` after its first packet; nothing is copied, and a system call is needed only to wait.
`Packet` is for those who want Python objects; who wants speed unpacks `HEADER` from the blocks (as `trace.pcapng` does).
"""

import ctypes
import mmap
import select
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fcntl import ioctl
from typing import NamedTuple, Self

BLOCK = 1 << 17  # bytes; holds the largest packet before segmentation (64 KiB) and its header
MEMORY = 1 << 21  # bytes of a ring, unless told otherwise
WAIT = 0.02  # seconds after which a block is handed over that is not full

# struct tpacket3_hdr and its struct sockaddr_ll, as far as they are used: next packet's offset, seconds, nanoseconds,
# captured length, whole length, status, offset of the link layer's header, VLAN tag, VLAN ethertype, interface, direction.
HEADER = struct.Struct("=IIIIIIH6xI H14xi2xB")
OUTGOING = socket.PACKET_OUTGOING
TAGGED = 1 << 4  # TP_STATUS_VLAN_VALID: the kernel has taken the tag out of the frame

_SOL_PACKET, _RX_RING, _STATISTICS, _VERSION = 263, 5, 6, 10  # linux/if_packet.h
_SO_ATTACH_FILTER = 26
_ALL_PROTOCOLS = 3  # ETH_P_ALL
_SIOCGIFNAME = 0x8910
_FRAME = 2048  # TPACKET_V3 uses it for the arithmetic of its request only
_BLOCK_HEAD = struct.Struct("=8xIII")  # status, number of packets, offset of the first; struct tpacket_block_desc
_FOR_USER = 1  # TP_STATUS_USER
_REJECT_ALL = struct.pack("=HBBI", 0x06, 0, 0, 0)  # BPF_RET | BPF_K

_header = HEADER.unpack_from
_libc = ctypes.CDLL(None, use_errno=True)


class Packet(NamedTuple):
    """A packet at an interface: `time` in nanoseconds since 1970, `data` from the Ethernet header on, `length` on the wire."""

    time: int
    ifindex: int
    outgoing: bool
    data: bytes
    length: int


class Ring:
    """Takes over the socket, which must be of the protocol 0: it sees nothing before the ring is ready. Raises OSError.

    `program` is a classic BPF program (`trace.filters.compile_filter`); `indexes` are the interfaces wanted, by default all.
    """

    def __init__(
        self,
        node_socket: socket.socket,
        program: bytes = b"",
        indexes: Sequence[int] = (),
        memory: int = MEMORY,
        wait: float = WAIT,
    ) -> None:
        self.socket = node_socket
        self.received = self.lost = 0
        self._names: dict[int, str] = {}
        self._number = max(2, memory // BLOCK)
        self._next = 0
        node_socket.setsockopt(_SOL_PACKET, _VERSION, struct.pack("=i", 2))  # TPACKET_V3
        frames = BLOCK // _FRAME * self._number
        request = struct.pack("=7I", BLOCK, self._number, _FRAME, frames, max(1, int(wait * 1000)), 0, 0)
        node_socket.setsockopt(_SOL_PACKET, _RX_RING, request)
        self._memory = mmap.mmap(node_socket.fileno(), BLOCK * self._number)
        self._view = memoryview(self._memory)
        if program or indexes:
            attach(node_socket, _of_interfaces(indexes) + program)
        _bind_to_all_interfaces(node_socket)

    def fileno(self) -> int:
        return self.socket.fileno()

    def blocks(self) -> Iterator[memoryview]:
        """The blocks that have been filled; each goes back to the kernel when the next is asked for, or the loop is left."""
        while True:
            start = self._next * BLOCK
            status, _, _ = _BLOCK_HEAD.unpack_from(self._view, start)
            if not status & _FOR_USER:
                return
            block = self._view[start : start + BLOCK]
            try:
                yield block
            finally:
                block.release()
                struct.pack_into("=I", self._view, start + 8, 0)
                self._next = (self._next + 1) % self._number

    def statistics(self) -> tuple[int, int]:
        """How many packets the ring has had to take, and how many of them it lost for want of room."""
        packets, drops, _ = struct.unpack("=3I", self.socket.getsockopt(_SOL_PACKET, _STATISTICS, 12))  # reading resets them
        self.received += packets
        self.lost += drops
        return self.received, self.lost

    def stop(self) -> None:
        """Takes no more packets; those taken are still in `blocks`, once `pending` says that none are on their way."""
        attach(self.socket, _REJECT_ALL)

    def pending(self) -> bool:
        """Whether there are packets in the block that the kernel has not handed over yet."""
        _, packets, _ = _BLOCK_HEAD.unpack_from(self._view, self._next * BLOCK)
        return bool(packets)

    def rest(self, seconds: float = 1.0) -> Iterator[memoryview]:
        """Stops, and gives what is left, as `blocks`; waits for the kernel to hand it over."""
        self.stop()
        yield from self.blocks()
        while self.pending() and select.select([self], [], [], seconds)[0]:
            yield from self.blocks()

    def interface(self, index: int) -> str:
        """The name of an interface; "if7" for one that has gone before anybody asked."""
        if index not in self._names:
            name = f"if{index}"
            with suppress(OSError):
                answer = ioctl(self.socket, _SIOCGIFNAME, struct.pack("=16si20x", b"", index))
                name = answer[:16].rstrip(b"\0").decode()
            self._names[index] = name
        return self._names[index]

    def close(self) -> None:
        self._view.release()
        self._memory.close()
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def packets(block: memoryview) -> Iterator[Packet]:
    """The packets of a block, with their VLAN tags put back."""
    _, count, offset = _BLOCK_HEAD.unpack_from(block)
    for _ in range(count):
        following, seconds, nanoseconds, captured, length, status, mac, tag, ethertype, index, kind = _header(block, offset)
        start = offset + mac
        data = bytes(block[start : start + captured])
        if status & TAGGED:
            data, length = tagged(data, tag, ethertype), length + 4
        yield Packet(seconds * 1_000_000_000 + nanoseconds, index, kind == OUTGOING, data, length)
        offset += following


def tagged(data: bytes, tag: int, ethertype: int) -> bytes:
    """A frame with its VLAN tag, which the kernel keeps beside it: after the two MAC addresses (IEEE 802.1Q)."""
    return data[:12] + struct.pack(">HH", ethertype or 0x8100, tag) + data[12:]


def attach(packet_socket: socket.socket, program: bytes) -> None:
    """Lets only those packets reach a socket that a classic BPF program accepts (SO_ATTACH_FILTER, socket(7))."""
    code = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(code))
    packet_socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, fprog)


def _of_interfaces(indexes: Sequence[int]) -> bytes:
    """The beginning of a program: what is not of these interfaces is rejected; jumps are relative, so any may follow it."""
    if not indexes:
        return b""
    load = struct.pack("=HBBI", 0x20, 0, 0, 0xFFFFF000 + 8)  # BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_IFINDEX
    tests = [struct.pack("=HBBI", 0x15, len(indexes) - i, 0, index) for i, index in enumerate(indexes)]  # BPF_JEQ
    return load + b"".join(tests) + _REJECT_ALL


def _bind_to_all_interfaces(packet_socket: socket.socket) -> None:
    """bind(2) to interface 0, which Python's own bind cannot say: it takes a name (struct sockaddr_ll, packet(7))."""
    address = struct.pack("=HHiHBB8s", socket.AF_PACKET, socket.htons(_ALL_PROTOCOLS), 0, 0, 0, 0, b"")
    if _libc.bind(packet_socket.fileno(), address, len(address)):
        raise OSError(ctypes.get_errno(), "cannot capture")
