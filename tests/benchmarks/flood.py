"""Sends numbered datagrams at a rate: flood.py ADDRESS NUMBER PACKETS_PER_SECOND; without arguments it takes them."""

import socket
import sys
import time

PORT = 9000
SIZE = 64  # bytes of payload; the first eight are the packet's number


def send(address: str, number: int, rate: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((address, PORT))
        start, sent = time.monotonic(), 0
        while sent < number:
            due = min(number, int((time.monotonic() - start) * rate) + 1)
            while sent < due:
                sender.send(b"%08d" % sent + bytes(SIZE - 8))
                sent += 1
            time.sleep(0.0005)  # the pace, not a wait for something


def take() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("", PORT))
        print("ready", flush=True)
        while True:
            receiver.recv(2048)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        send(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    else:
        take()
