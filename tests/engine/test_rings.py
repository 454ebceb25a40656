"""The rings' arithmetic and their small programs, played here as the kernel plays them (classic BPF, bpf(4))."""

import socket
import struct

import pytest

from pynetemu.engine import rings

pytestmark = pytest.mark.pure

_ALL = 0xFFFFFFFF
_DIRECTION, _IFINDEX = 0xFFFFF004, 0xFFFFF008  # SKF_AD_OFF + SKF_AD_PKTTYPE, SKF_AD_OFF + SKF_AD_IFINDEX
_ACCEPT = struct.pack("=HBBI", 0x06, 0, 0, _ALL)


def _played(program: bytes, ifindex: int, direction: int) -> int:
    """How many bytes of a packet a program lets through."""
    lines = [struct.unpack_from("=HBBI", program, place) for place in range(0, len(program), 8)]
    value = place = 0
    while True:
        code, if_true, if_false, constant = lines[place]
        place += 1
        match code:
            case 0x20:
                value = {_IFINDEX: ifindex, _DIRECTION: direction}[constant]
            case 0x15:
                place += if_true if value == constant else if_false
            case 0x06:
                return int(constant)
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


@pytest.mark.parametrize("indexes", [(), (5,), (2, 5, 9), (1,), tuple(range(2, 200))])
@pytest.mark.parametrize("ifindex", [1, 2, 5, 7, 9])
@pytest.mark.parametrize("direction", [socket.PACKET_HOST, socket.PACKET_OUTGOING])
def test_each_packet_is_seen_once_and_of_the_interfaces_wanted(indexes: tuple[int, ...], ifindex: int, direction: int) -> None:
    wanted = not indexes or ifindex in indexes
    again = ifindex == 1 and direction == socket.PACKET_OUTGOING  # on loopback, where it arrives too
    assert _played(rings._once(indexes) + _ACCEPT, ifindex, direction) == (_ALL if wanted and not again else 0)


@pytest.mark.parametrize("nodes", [0, 1, 2, 10, 100, 1000, 100_000])
def test_the_memory_of_all_rings_is_bounded(nodes: int) -> None:
    memory = rings.memory_for(nodes)
    assert rings.blocks_in(memory) >= 2
    assert memory <= 1 << 24
    assert memory * nodes <= max(1 << 27, 2 * rings.BLOCK * nodes)


def test_a_program_is_attached_to_a_socket_and_rejects_what_it_rejects() -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far:
        near.send(b"before")
        rings.reject_all(far)
        assert far.recv(10) == b"before"
        far.setblocking(False)
        near.send(b"after")  # dropped, which the sender is not told (unix_dgram_sendmsg)
        with pytest.raises(BlockingIOError):
            far.recv(10)
        rings.attach(far, _ACCEPT)
        near.send(b"again")
        assert far.recv(10) == b"again"
