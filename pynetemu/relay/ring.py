"""What comes in at one end of a link, through memory shared with the kernel (TPACKET_V2, packet(7)), and what goes out.

Each end has a ring of its own: with one for all, a flooded link leaves two thirds to the others, and takes half of what an idle
one has.
"""

import ctypes
import mmap
import os
import socket
import struct
import threading
import time
from array import array
from collections import deque
from collections.abc import Sequence

from pynetemu.relay.frames import VNET, tagged

SOL_PACKET = 263
_RX_RING, _STATISTICS, _VERSION, _VNET_HDR, _IGNORE_OUTGOING = 5, 6, 10, 15, 23  # linux/if_packet.h
_TPACKET_V2 = 1
_HEADER = struct.Struct("=IIIH2xIIHH")  # struct tpacket2_hdr: status, length, captured, offset, seconds, ns, tag, its type
_USER, _VLAN_VALID, _TPID_VALID = 0x1, 0x10, 0x40  # TP_STATUS_*
_ALL_PROTOCOLS = 3  # ETH_P_ALL
_ROOM = 96  # bytes that a slot has besides the packet: its header, the link's, alignment
_BLOCK = 1 << 16
_LARGEST_BUFFER = 1 << 16  # bytes of TCP that a sender leaves uncut
_ATTACH_FILTER = 26  # SO_ATTACH_FILTER
_WRITTEN = 5e-4  # seconds after which a buffer has been copied that another processor began to copy before
_AT_ONCE = 32  # rings that are made
BATCH = 64  # frames that are taken from an end, or sent, before somebody else is looked at
_DONTWAIT = 0x40  # MSG_DONTWAIT
_DATA = bytes.__basicsize__ - 1  # where CPython keeps the data of a bytes object, after its address

_libc = ctypes.CDLL(None, use_errno=True)
_libc.sendmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]

Arrival = tuple[int, int, bytes]  # the kernel's stamp: seconds and nanoseconds of its clock; the frame


def slot_size(mtu: int) -> int:
    """The bytes of a slot for the largest frame of an interface, a power of two."""
    return 1 << (mtu + 18 + VNET + _ROOM - 1).bit_length()


class Ring:
    """The frames that come in at an interface of our namespace.

    Those that are several packets yet (TCP's segmentation offload) would need slots that are too large for all others: with
    `buffers` bytes of memory there is another ring for them. This one has the begin of each, in its place among all. The kernel
    fills the other one first, since that was bound last.
    """

    def __init__(self, index: int, mtu: int, memory: int, buffers: int = 0, least: int = 0) -> None:
        """`memory` is in bytes, of which frames shorter than `least` take none. Raises OSError."""
        self._size = slot_size(mtu)
        self._most = mtu + 18
        self._slots = max(16, memory // self._size)
        block = max(_BLOCK, self._size)
        blocks = -(-self._slots * self._size // block)
        self._slots = blocks * block // self._size
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            for option, value in ((_VNET_HDR, 1), (_IGNORE_OUTGOING, 1), (_VERSION, _TPACKET_V2)):
                self.socket.setsockopt(SOL_PACKET, option, value)
            _make_ring(self.socket, struct.pack("=4I", block, blocks, self._size, self._slots))
            self._memory = mmap.mmap(self.socket.fileno(), block * blocks)
            if least:
                _leave_out(self.socket, least)
            _bind(self.socket, index)
            self._buffers = Ring(index, _LARGEST_BUFFER, buffers, least=self._most + 1) if buffers else None
        except BaseException:
            self.socket.close()
            raise
        self._status = memoryview(self._memory).cast("I")
        self._next = 0
        self.lost = 0  # that the kernel had no room for
        self.cut = 0  # larger than a slot
        self.took_buffers = False  # when frames were taken last

    @property
    def memory(self) -> int:
        """Bytes that the kernel has pinned."""
        return len(self._memory) + (self._buffers.memory if self._buffers else 0)

    def take(self, found: list[Arrival], batch: int = BATCH) -> int:
        """Appends what has come in, a batch at most; gives back how many frames those were."""
        memory, status, place, slots, size = self._memory, self._status, self._next, self._slots, self._size
        words, unpack, most, count = size >> 2, _HEADER.unpack_from, self._most, 0
        self.took_buffers = False
        while count < batch:
            start = place * size
            flags, length, captured, offset, seconds, nanoseconds, tag, protocol = unpack(memory, start)
            if not flags & _USER:
                break
            if length > most and self._buffers is not None:
                self.took_buffers = True
                if not (here := self._buffers._take_until(found, (seconds, nanoseconds))):
                    if time.time() - seconds - nanoseconds * 1e-9 < _WRITTEN:
                        break
                    self.cut += 1
                count += here
                status[place * words] = 0
                place = place + 1 if place + 1 < slots else 0
                continue
            first = start + offset - VNET
            frame = memory[first : first + VNET + captured]
            status[place * words] = 0
            place = place + 1 if place + 1 < slots else 0
            count += 1
            if length != captured:
                self.cut += 1
                continue
            if flags & _VLAN_VALID:
                frame = tagged(frame, protocol if flags & _TPID_VALID else 0x8100, tag)
            found.append((seconds, nanoseconds, frame))
        self._next = place
        return count

    def _take_until(self, found: list[Arrival], last: tuple[int, int]) -> int:
        """Appends what had come in by a moment; gives back how many frames those were. Nearly always it is one."""
        count = 0
        while self._status[self._next * (self._size >> 2)] & _USER:
            if _HEADER.unpack_from(self._memory, self._next * self._size)[4:6] > last:
                break
            count += self.take(found, 1)
        return count

    @property
    def is_empty(self) -> bool:
        """Whether all that has come in was taken."""
        return not self._status[self._next * (self._size >> 2)] & _USER

    def count_losses(self) -> int:
        """How many frames the kernel had no room for, since the ring was made."""
        _, lost = struct.unpack("=2I", self.socket.getsockopt(SOL_PACKET, _STATISTICS, 8))
        self.lost += lost
        return self.lost + self.cut

    def close(self) -> None:
        if self._buffers is not None:
            self._buffers.close()
        self._status.release()
        self._memory.close()
        self.socket.close()


def _make_ring(packet_socket: socket.socket, request: bytes) -> None:
    """Python's own setsockopt would keep other threads waiting while the kernel does it, some ten milliseconds."""
    if _libc.setsockopt(packet_socket.fileno(), SOL_PACKET, _RX_RING, request, len(request)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def rings(wanted: Sequence[tuple[int, int, int, int]]) -> list["Ring"]:
    """A ring for each index, mtu, memory and that for buffers, made at once by threads: for each the kernel waits a while.

    Raises OSError.
    """
    made: list[Ring | OSError | None] = [None] * len(wanted)

    def make(first: int) -> None:
        for place in range(first, len(wanted), _AT_ONCE):
            try:
                made[place] = Ring(*wanted[place])
            except OSError as error:
                made[place] = error

    threads = [threading.Thread(target=make, args=(first,)) for first in range(min(_AT_ONCE, len(wanted)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [ring for ring in made if isinstance(ring, Ring)]
    if len(found) < len(wanted):
        for ring in found:
            ring.close()
        raise next(error for error in made if isinstance(error, OSError))
    return found


def _leave_out(packet_socket: socket.socket, least: int) -> None:
    """Frames shorter than that, by a filter of classic BPF: take length; if it is so much, all of it, else none."""
    steps = ((0x80, 0, 0, 0), (0x35, 0, 1, least), (0x06, 0, 0, 1 << 18), (0x06, 0, 0, 0))
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    packet_socket.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("=H6xQ", len(steps), ctypes.addressof(program)))


def _bind(packet_socket: socket.socket, index: int) -> None:
    """To an interface by its index, which Python's own bind does not take."""
    address = struct.pack("=HHiHBB8s", socket.AF_PACKET, socket.htons(_ALL_PROTOCOLS), index, 0, 0, 0, b"")
    if _libc.bind(packet_socket.fileno(), address, len(address)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class Sender:
    """Sends frames by interfaces, a batch by system call (sendmmsg(2))."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(SOL_PACKET, _VNET_HDR, 1)
        self._headers, self._vectors = array("Q", bytes(64 * BATCH)), array("Q", bytes(16 * BATCH))  # mmsghdr, iovec
        vectors, _ = self._vectors.buffer_info()
        for place in range(BATCH):
            self._headers[8 * place + 1 : 8 * place + 4] = array("Q", [20, vectors + 16 * place, 1])
        self._keep: list[bytes] = []
        self._addresses: dict[int, bytes] = {}

    def pointer(self, index: int) -> int:
        """Where the address of an interface lies (struct sockaddr_ll), for `put_due`."""
        address = self._addresses.setdefault(index, struct.pack("=HHiHBB8s", socket.AF_PACKET, 0, index, 0, 0, 6, b""))
        return id(address) + _DATA

    def put_due(self, pointer: int, frames: deque[tuple[float, bytes]], last: float) -> int:
        """Adds those that were due by a time, as far as the batch has room; gives back how many those were."""
        keep, headers, vectors = self._keep, self._headers, self._vectors
        first = place = len(keep)
        while place < BATCH and frames and frames[0][0] <= last:
            frame = frames.popleft()[1]
            keep.append(frame)
            headers[8 * place] = pointer
            vectors[2 * place] = id(frame) + _DATA
            vectors[2 * place + 1] = len(frame)
            place += 1
        return place - first

    @property
    def is_full(self) -> bool:
        return len(self._keep) == BATCH

    def flush(self) -> list[int]:
        """Sends the batch; gives back the addresses (`pointer`) of those that could not be sent, say by a link that is down."""
        refused: list[int] = []
        done, count = 0, len(self._keep)
        headers, number = self._headers.buffer_info()[0], self._socket.fileno()
        while done < count:
            sent = _libc.sendmmsg(number, headers + 64 * done, count - done, _DONTWAIT)
            if sent <= 0:
                refused.append(self._headers[8 * done])
            done += max(sent, 1)
        self._keep.clear()
        return refused

    def forget(self, index: int) -> None:
        self._addresses.pop(index, None)
