"""Sends UDP datagrams at a pace: packets.py ADDRESS PORT NUMBER PACKETS_PER_SECOND [BYTES_OF_DATA].

They come from the port 5000 above their target's. Many are one buffer, which the kernel cuts (UDP_SEGMENT, udp(7)): so this
takes far less of a processor than who carries them.
"""

import socket
import sys
import time

_UDP_SEGMENT = 103  # linux/udp.h
_AT_ONCE, _LARGEST = 64, 65000
_NAP = 1e-4


def main(address: str, port: int, number: int, rate: int, size: int = 86) -> None:
    count = max(1, min(_AT_ONCE, _LARGEST // size, rate // 3000))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_UDP, _UDP_SEGMENT, size)
        sender.bind(("", 5000 + port))
        data, start, sent = bytes(size * count), time.monotonic(), 0
        while sent < number:
            ahead = sent / rate - (time.monotonic() - start)
            if ahead > 0:
                time.sleep(max(ahead, _NAP))  # the pace, not a wait for something
                continue
            here = min(count, number - sent)
            sender.sendto(data if here == count else bytes(size * here), (address, port))  # unconnected: no refusal is told
            sent += here


main(sys.argv[1], *map(int, sys.argv[2:]))
