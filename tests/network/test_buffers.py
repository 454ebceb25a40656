"""TCP hands its interface buffers that are many packets yet: what relayed links do with them, as tcpdump(8) sees it."""

import hashlib
import re
from contextlib import suppress
from itertools import pairwise
from select import select
from socket import AF_INET6
from subprocess import PIPE
from typing import Any

import pytest

from pynetemu import Host, Link, Network, Topology
from tests.support.wait import wait_until

_DATA = bytes(range(256)) * 4096  # a megabyte
_FIRST_PORT = 7001
_SETTINGS: tuple[tuple[dict[str, Any], bool], ...] = (
    ({"delay": "2ms"}, True),
    ({"loss": "0.01%"}, False),
    ({"loss": None, "rate": "2gbit"}, True),
    ({"rate": "200mbit"}, False),
    ({"rate": None, "jitter": "1ms"}, False),
    ({"jitter": None}, True),
)


class Wire(Topology):
    addresses, arp = "dual", "permanent"
    h1, h2 = Host(), Host()
    wire = Link(
        h1.interface("e", "10.1.0.1/24", "fd00:1::1/64"), h2.interface("e", "10.1.0.2/24", "fd00:1::2/64"), delay="2ms", seed=1
    )


def _send(net: Network, port: int, address: str, change: dict[str, Any]) -> None:
    """A megabyte, and as much again after a change, in one connection."""
    family = {"family": AF_INET6} if ":" in address else {}
    with net["h2"].socket(**family) as listener, net["h1"].socket(**family) as sender:
        listener.bind((address, port))
        listener.listen()
        sender.connect((address, port))
        receiver, _ = listener.accept()
        with receiver:
            _pass(sender, receiver)
            net.link("wire").set(**change)
            _pass(sender, receiver)


def _pass(sender: Any, receiver: Any) -> None:
    left, got = memoryview(_DATA), hashlib.sha256()
    count = 0
    for end in sender, receiver:
        end.setblocking(False)
    while count < len(_DATA):
        readable, writable, _ = select([receiver], [sender] if left else [], [], 30)
        assert readable or writable, f"{count} bytes arrived"
        with suppress(BlockingIOError):
            if writable:
                left = left[sender.send(left) :]
            if readable:
                data = receiver.recv(1 << 18)
                got.update(data)
                count += len(data)
    assert got.digest() == hashlib.sha256(_DATA).digest()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("address", ["10.1.0.2", "fd00:1::2"])
def test_they_pass_whole_where_all_packets_are_treated_alike_and_are_cut_elsewhere(address: str) -> None:
    """Each connection begins with one setting and goes on with the next, without an end or a wrong byte."""
    with Network(Wire(), name="buffers-of-tcp") as net:
        wait_until(lambda: net["h1"].run("ping", "-c1", "-W1", address).status == 0, 50, "the first answer")
        argv = ("tcpdump", "-i", "e", "-n", "-l", "-s96", "-B", "16384", "tcp and not src host " + address)
        with net["h2"].start(*argv, stdout=PIPE, stderr=PIPE) as dump:
            assert dump.stdout and dump.stderr
            next(line for line in dump.stderr if b"listening" in line)
            for number, (change, _) in enumerate(_SETTINGS[1:]):
                _send(net, _FIRST_PORT + number, address, change)
            _send(net, 7999, address, {})
            largest = _largest(dump.stdout)
            dump.terminate()
            dump.wait()
        for number, ((_, before), (change, after)) in enumerate(pairwise(_SETTINGS)):
            assert (largest[_FIRST_PORT + number] > 1460) == (before or after), (change, largest)
        assert largest[7999] > 1460
        wait_until(
            lambda: not any(d.counters and d.counters.waiting for d in net.link("wire").directions), what="the last packets"
        )
        for direction in net.link("wire").directions:
            assert direction.counters
            assert direction.counters.sent == direction.counters.received - direction.counters.lost


def _largest(lines: Any) -> dict[int, int]:
    """The most data of a packet to each port, until the last connection ends."""
    found: dict[int, int] = {}
    for line in lines:
        told = re.search(rb"[.](\d+): Flags \[([^\]]*)\].* length (\d+)", line)
        if told:
            port, length = int(told[1]), int(told[3])
            found[port] = max(found.get(port, 0), length)
            if port == 7999 and b"F" in told[2]:
                break
    return found
