"""What a node's interfaces send and receive: from the kernel, through memory that it shares with us (TPACKET_V3, packet(7)).

    with Ring.open(net["blue"], compile_filter("icmp")) as ring:
        ...                                          wait until ring.fileno() is readable
        for block in ring.blocks():                  each is ours until the next one is asked for
            for packet in packets(block):
                print(ring.interface(packet.ifindex), packet.outgoing, packet.time, packet.data)
        print(ring.statistics())

One ring sees all interfaces of its node, also those that come later. The kernel fills blocks and hands each over when it
is full, or `wait` after its first packet; nothing is copied, and a system call is needed only to wait.
`Packet` is for those who want Python objects; who wants speed unpacks `HEADER` from the blocks (as `capture.pcapng` does).
"""

import mmap
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fcntl import ioctl
from typing import TYPE_CHECKING, NamedTuple, Self

from pynetemu.engine.rings import BLOCK, SOL_PACKET, WAIT, blocks_in, prepare, reject_all
from pynetemu.lab.connection import readable
from pynetemu.safe_text import printable

if TYPE_CHECKING:
    from pynetemu.lab.lab import LabNode

MEMORY = 1 << 21  # bytes of a ring, unless told otherwise

# struct tpacket3_hdr and its struct sockaddr_ll, as far as they are used: next packet's offset, seconds, nanoseconds,
# captured length, whole length, status, offset of the link layer's header, VLAN tag, VLAN ethertype, interface, direction.
HEADER = struct.Struct("=IIIIIIH6xI H14xi2xB")
BLOCK_HEAD = struct.Struct("=8xIII")  # status, number of packets, offset of the first; struct tpacket_block_desc
OUTGOING = socket.PACKET_OUTGOING
TAGGED = 1 << 4  # TP_STATUS_VLAN_VALID: the kernel has taken the tag out of the frame

_STATISTICS = 6  # PACKET_STATISTICS
_FOR_USER = 1  # TP_STATUS_USER
_SIOCGIFNAME, _SIOCGIFHWADDR = 0x8910, 0x8927
_ETHER, _LOOPBACK = 1, 772  # ARPHRD_*

_header = HEADER.unpack_from


class Packet(NamedTuple):
    """A packet at an interface: `time` in nanoseconds since 1970, `data` from the Ethernet header on, `length` on the wire."""

    time: int
    ifindex: int
    outgoing: bool
    data: bytes
    length: int


class Ring:
    """Takes over a socket that has been prepared (`engine.rings`) with so much memory."""

    def __init__(self, node_socket: socket.socket, memory: int = MEMORY) -> None:
        self.socket = node_socket
        self.received = self.lost = 0
        self.taken = 0  # blocks that `blocks` has given
        self._names: dict[int, str] = {}
        self._number = blocks_in(memory)
        self._next = 0
        self._memory = mmap.mmap(node_socket.fileno(), BLOCK * self._number)
        self._view = memoryview(self._memory)
        self._given = self._view[:0]

    @classmethod
    def open(
        cls,
        node: "LabNode",
        program: bytes = b"",
        indexes: Sequence[int] = (),
        memory: int = MEMORY,
        wait: float = WAIT,
    ) -> Self:
        """A ring for a node, with a program of `compile_filter` and for the interfaces wanted (all by default).

        Raises OSError.
        """
        return cls.on(node.socket(socket.AF_PACKET, socket.SOCK_RAW, 0), program, indexes, memory, wait)

    @classmethod
    def on(
        cls, node_socket: socket.socket, program: bytes, indexes: Sequence[int], memory: int = MEMORY, wait: float = WAIT
    ) -> Self:
        """The same on a packet socket of the protocol 0, which it takes over."""
        try:
            prepare(node_socket, program, indexes, memory, wait)
            return cls(node_socket, memory)
        except BaseException:
            node_socket.close()
            raise

    def fileno(self) -> int:
        return self.socket.fileno()

    def blocks(self) -> Iterator[memoryview]:
        """The blocks that have been filled; each goes back to the kernel when the next is asked for, or the loop is left."""
        for _ in range(self._number):
            start = self._next * BLOCK
            status, _, _ = BLOCK_HEAD.unpack_from(self._view, start)
            if not status & _FOR_USER:
                return
            self._given = block = self._view[start : start + BLOCK]
            try:
                yield block
            finally:
                block.release()
                self.taken += 1
                if not self._memory.closed:
                    struct.pack_into("=Q", self._view, start + 8, 0)  # its status and its number of packets
                    self._next = (self._next + 1) % self._number

    def statistics(self) -> tuple[int, int]:
        """How many packets the ring has had to take, and how many of them it lost for want of room."""
        packets, drops, _ = struct.unpack("=3I", self.socket.getsockopt(SOL_PACKET, _STATISTICS, 12))  # reading resets them
        self.received += packets
        self.lost += drops
        return self.received, self.lost

    def stop(self) -> None:
        """Takes no more packets; those taken are still in `blocks`, once `pending` says that none are on their way."""
        reject_all(self.socket)

    def pending(self) -> bool:
        """Whether there are packets that `blocks` has not given yet, perhaps in the block that the kernel fills."""
        status, packets, _ = BLOCK_HEAD.unpack_from(self._view, self._next * BLOCK)
        return bool(packets or status & _FOR_USER)

    def rest(self, seconds: float = 1.0) -> Iterator[memoryview]:
        """Stops, and gives what is left, as `blocks`; waits for the kernel to hand it over."""
        self.stop()
        yield from self.blocks()
        while self.pending() and readable([self], seconds):
            yield from self.blocks()

    def interface(self, index: int) -> str:
        """The name of an interface; "if7" for one that has gone before anybody asked."""
        if index not in self._names:
            name = f"if{index}"
            with suppress(OSError):
                answer = ioctl(self.socket, _SIOCGIFNAME, struct.pack("=16si20x", b"", index))
                name = printable(answer[:16].rstrip(b"\0").decode(errors="backslashreplace"))
            self._names[index] = name
        return self._names[index]

    def is_ethernet(self, index: int) -> bool:
        """Whether an interface's packets begin with an Ethernet header: those of tun, GRE and WireGuard have none."""
        try:
            answer = ioctl(self.socket, _SIOCGIFHWADDR, struct.pack("=16s24x", self.interface(index).encode()))
        except OSError:  # it has gone
            return True
        return struct.unpack_from("=16xH", answer)[0] in (_ETHER, _LOOPBACK)

    def close(self) -> None:
        self._given.release()  # an exception may have ended a loop over the blocks before its generator has
        self._view.release()
        self._memory.close()
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def used(block: memoryview) -> bytes:
    """A copy of a block as far as it is filled."""
    (length,) = struct.unpack_from("=I", block, 20)  # blk_len of struct tpacket_hdr_v1
    return bytes(block[:length])


def packets(block: memoryview) -> Iterator[Packet]:
    """The packets of a block, with their VLAN tags put back."""
    _, count, offset = BLOCK_HEAD.unpack_from(block)
    for _ in range(count):
        following, seconds, nanoseconds, captured, length, status, mac, tag, ethertype, ifindex, kind = _header(block, offset)
        start = offset + mac
        data = bytes(block[start : start + captured])
        if status & TAGGED:
            data, length = tagged(data, tag, ethertype), length + 4
        yield Packet(seconds * 1_000_000_000 + nanoseconds, ifindex, kind == OUTGOING, data, length)
        offset += following


def as_ethernet(packet: bytes) -> bytes:
    """An IP packet without a link layer's header, behind an Ethernet header without addresses."""
    kind = b"\x86\xdd" if packet[:1] and packet[0] >> 4 == 6 else b"\x08\x00"
    return bytes(12) + kind + packet


def tagged(data: bytes, tag: int, ethertype: int) -> bytes:
    """A frame with its VLAN tag, which the kernel keeps beside it: after the two MAC addresses (IEEE 802.1Q)."""
    return data[:12] + struct.pack(">HH", ethertype or 0x8100, tag) + data[12:]
