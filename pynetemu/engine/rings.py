"""Makes a packet socket fill a ring of memory with all that its namespace's interfaces see (TPACKET_V3, packet(7)).

The engine prepares the rings of a capture that starts with the lab, before any interface is up; `capture.ring` those of
any other, on sockets that the engine has opened; and it is `capture.ring` that reads them all.
"""

import ctypes
import os
import socket
import struct
from collections.abc import Sequence

BLOCK = 1 << 17  # bytes; holds the largest packet before segmentation (64 KiB) and its header
SOL_PACKET = 263
WAIT = 0.02  # seconds a packet stays in a block that does not become full, unless told otherwise

_ALL_RINGS, _MOST = 1 << 27, 1 << 24  # bytes of all rings together, and of one
_RX_RING, _VERSION = 5, 10  # linux/if_packet.h
_TPACKET_V3 = 2
_SO_ATTACH_FILTER = 26
_ALL_PROTOCOLS = 3  # ETH_P_ALL
_FRAME = 2048  # TPACKET_V3 uses it for the arithmetic of its request only
_LOOPBACK = 1  # the index of lo, in every namespace

_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JEQ | BPF_K, BPF_RET | BPF_K
_DIRECTION, _IFINDEX = 0xFFFFF000 + 4, 0xFFFFF000 + 8  # SKF_AD_OFF + SKF_AD_PKTTYPE, + SKF_AD_IFINDEX
_ALL = 0xFFFFFFFF

_libc = ctypes.CDLL(None, use_errno=True)


def prepare(packet_socket: socket.socket, program: bytes, indexes: Sequence[int], memory: int, wait: float) -> None:
    """From here on the kernel fills the ring. The socket must be of the protocol 0: so it has seen nothing yet.

    `program` is a classic BPF program, empty for all packets; `indexes` are those of the interfaces wanted, by default all;
    `memory` is in bytes; `wait` in seconds: how long a packet stays in a block that does not become full. Raises OSError.
    """
    packet_socket.setsockopt(SOL_PACKET, _VERSION, struct.pack("=i", _TPACKET_V3))
    number = blocks_in(memory)
    request = struct.pack("=7I", BLOCK, number, _FRAME, BLOCK // _FRAME * number, max(1, int(wait * 1000)), 0, 0)
    # Python's own setsockopt keeps other threads waiting while the kernel makes the ring (15 ms); ctypes does not.
    _check(_libc.setsockopt(packet_socket.fileno(), SOL_PACKET, _RX_RING, request, len(request)))
    attach(packet_socket, _once(indexes) + (program or _instruction(_RETURN, _ALL)))
    address = struct.pack("=HHiHBB8s", socket.AF_PACKET, socket.htons(_ALL_PROTOCOLS), 0, 0, 0, 0, b"")  # struct sockaddr_ll
    _check(_libc.bind(packet_socket.fileno(), address, len(address)))  # Python's bind takes no index, and 0 is all interfaces


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def memory_for(nodes: int) -> int:
    """How many bytes to give to each ring when so many nodes are captured at once."""
    return max(2 * BLOCK, min(_MOST, _ALL_RINGS // max(1, nodes)))


def blocks_in(memory: int) -> int:
    """How many blocks a ring of so many bytes has."""
    return max(2, memory // BLOCK)


def attach(packet_socket: socket.socket, program: bytes) -> None:
    """Lets only those packets reach a socket that a classic BPF program accepts (SO_ATTACH_FILTER, socket(7))."""
    code = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(code))
    packet_socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, fprog)


def reject_all(packet_socket: socket.socket) -> None:
    """The socket sees no more packets."""
    attach(packet_socket, _instruction(_RETURN, 0))


def _once(indexes: Sequence[int]) -> bytes:
    """The beginning of a program, before any other since jumps are relative: each packet once, of the interfaces wanted.

    A packet on loopback is seen when it leaves and when it arrives, and both are the same: as libpcap does, we take the latter.
    """
    ours = b"".join(_instruction(_IF_EQUAL, index, if_true=len(indexes) - i) for i, index in enumerate(indexes))
    return b"".join(
        (
            _instruction(_LOAD, _IFINDEX),
            ours + _instruction(_RETURN, 0) if indexes else b"",
            _instruction(_IF_EQUAL, _LOOPBACK, if_false=3),
            _instruction(_LOAD, _DIRECTION),
            _instruction(_IF_EQUAL, socket.PACKET_OUTGOING, if_false=1),
            _instruction(_RETURN, 0),
        )
    )


def _instruction(code: int, constant: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, constant)  # struct sock_filter
