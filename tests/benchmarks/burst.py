"""Sends UDP datagrams at a rate that takes most of a processor: burst.py ADDRESS NUMBER RATE (sendmmsg(2), 64 at a time)."""

import ctypes
import socket
import sys
import time

_AT_ONCE, _SIZE = 64, 22  # so that frames have 64 bytes


class _Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Message(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("iov", ctypes.POINTER(_Iovec)),
        ("iov_number", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("sent", ctypes.c_uint32),
    ]


def main(address: str, number: int, rate: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect((address, 9))
    data = ctypes.create_string_buffer(_SIZE)
    vector = _Iovec(ctypes.cast(data, ctypes.c_void_p), _SIZE)
    messages = (_Message * _AT_ONCE)(*(_Message(None, 0, ctypes.pointer(vector), 1, None, 0, 0, 0) for _ in range(_AT_ONCE)))
    start, sent = time.monotonic(), 0
    while sent < number:
        if sent <= (time.monotonic() - start) * rate:
            sent += max(0, libc.sendmmsg(sender.fileno(), messages, min(number - sent, _AT_ONCE), 0))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
