"""Prints how long the kernel itself takes for a star of N hosts.

    python -m tests.benchmarks.limit 1000

The same network as `topologies/star.py`, by the fewest messages that make it, packed by hand: nothing is described, checked,
named, or waited for. A bridge has 1,023 ports at most, so that of more than 1,000 hosts there are several stars.
Its own Python is a tenth of the time at most; the rest is the kernel's.
"""

import os
import resource
import socket
import struct
import sys
import time
from ipaddress import IPv4Address

from pynetemu.engine import syscalls

_NEWLINK, _NEWADDR = 16, 20  # RTM_*, linux/rtnetlink.h
_REQUEST, _ACK, _CREATE = 0x1, 0x4, 0x600  # NLM_F_*; the last with NLM_F_EXCL, linux/netlink.h
_UP = 1  # IFF_UP
_BRIDGE, _FIRST_PORT, _ETH0 = 2, 10, 2  # interface indexes
_PORTS = 1000  # of a bridge


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", len(data) + 4, kind) + data + bytes(-len(data) % 4)


def link(index: int, up: int = 0) -> bytes:
    return struct.pack("=BxHiII", 0, 0, index, up, up)


def message(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", len(body) + 16, kind, flags, 0, 0) + body


def integer(value: int) -> bytes:
    return struct.pack("=I", value)


def bridge() -> bytes:
    snooping_off = attribute(23, b"\0")  # IFLA_BR_MCAST_SNOOPING
    info = attribute(18, attribute(1, b"bridge") + attribute(2, snooping_off))
    return message(_NEWLINK, _REQUEST | _CREATE, link(_BRIDGE, _UP) + attribute(3, b"br0\0") + info)


def veth(number: int, namespace: int, ack: int) -> bytes:
    mac = struct.pack(">HI", 0x0200, number)
    peer = link(_ETH0) + attribute(3, b"eth0\0") + attribute(28, integer(namespace)) + attribute(1, mac)
    info = attribute(18, attribute(1, b"veth") + attribute(2, attribute(1, peer)))
    name = attribute(3, b"h%d\0" % number) + attribute(10, integer(_BRIDGE))
    return message(_NEWLINK, _REQUEST | _CREATE | ack, link(_FIRST_PORT + number, _UP) + name + info)


def host(number: int) -> bytes:
    address = IPv4Address("10.0.0.0").packed[:2] + struct.pack(">H", number)
    local = attribute(2, address) + attribute(1, address)
    with_address = message(_NEWADDR, _REQUEST | _CREATE, struct.pack("=BBBBi", 2, 16, 0, 0, _ETH0) + local)
    return message(_NEWLINK, _REQUEST, link(1, _UP)) + with_address + message(_NEWLINK, _REQUEST | _ACK, link(_ETH0, _UP))


def send(route: socket.socket, messages: bytes) -> None:
    """One send, one answer, which is an error or the acknowledgement of the last message."""
    route.send(messages)
    answer = route.recv(1 << 16)
    if code := struct.unpack_from("=i", answer, 16)[0]:
        raise OSError(-code, os.strerror(-code))


def new_namespace() -> tuple[int, socket.socket]:
    syscalls.unshare(syscalls.CLONE_NEWNET)
    return syscalls.namespace("net"), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)


def build(hosts: int) -> list[tuple[int, socket.socket]]:
    _, switch = new_namespace()
    with open("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w") as file:
        file.write("1")
    switch.setsockopt(socket.SOL_SOCKET, 32, 4 << 20)  # SO_SNDBUFFORCE
    nodes = [new_namespace() for _ in range(hosts)]
    links = b"".join(veth(i, nodes[i - 1][0], _ACK if i == hosts else 0) for i in range(1, hosts + 1))
    send(switch, bridge() + links)
    for number, (_, route) in enumerate(nodes, 1):
        send(route, host(number))
    return nodes


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # two are needed for each host
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    hosts = int(sys.argv[1])
    start = time.perf_counter()
    stars = [build(min(_PORTS, hosts - begin)) for begin in range(0, hosts, _PORTS)]
    print(time.perf_counter() - start)
