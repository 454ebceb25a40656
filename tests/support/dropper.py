"""Drops all that passes an interface, by a BPF program, until it is killed: dropper.py INTERFACE ingress|egress|xdp

For programs in a node, as root: attaching goes by the caller's own network namespace.
"""

import ctypes
import os
import platform
import signal
import socket
import struct
import sys

_CALL = {"x86_64": 321, "aarch64": 280}[platform.machine()]
_LOAD, _LINK = 5, 28  # BPF_PROG_LOAD, BPF_LINK_CREATE
# The type of the program, what it returns to drop a packet, and where it is attached (linux/bpf.h, linux/pkt_cls.h).
_KINDS = {"ingress": (3, 2, 46), "egress": (3, 2, 47), "xdp": (6, 1, 37)}


def main(interface: str, kind: str) -> None:
    program_type, verdict, place = _KINDS[kind]
    code = struct.pack("=BBhI", 0xB7, 0, 0, verdict) + struct.pack("=BBhI", 0x95, 0, 0, 0)  # r0 = verdict; exit
    instructions, license = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(b"GPL")
    addresses = ctypes.addressof(instructions), ctypes.addressof(license)
    load = struct.pack("=IIQQIIQII", program_type, len(code) // 8, *addresses, 0, 0, 0, 0, 0)
    program = _bpf(_LOAD, load + struct.pack("=16sII", b"dropper", 0, place if kind == "xdp" else 0))
    _bpf(_LINK, struct.pack("=IIII", program, socket.if_nametoindex(interface), place, 0))
    print("drops", flush=True)
    signal.pause()


def _bpf(command: int, attributes: bytes) -> int:
    padded = ctypes.create_string_buffer(attributes.ljust(144, b"\0"), 144)
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.syscall(_CALL, command, padded, 144))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


main(sys.argv[1], sys.argv[2])
