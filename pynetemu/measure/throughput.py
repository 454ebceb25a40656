"""How much two nodes can send each other: `net.throughput("h1", "h2")`, over sockets that live in them.

No program is started in a node, so there is none to be missing or to hang; the time is bounded from this side.
"""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pynetemu.errors import LabError
from pynetemu.lab.addresses import towards

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab

_SECONDS_TO_CONNECT, _SECONDS_TO_ARRIVE = 5.0, 1.0
_BLOCK = 1 << 17
_DATAGRAM = 1470  # bytes of data, as iperf has: fits into an Ethernet frame
_HEAD = struct.Struct(">QQ")  # number of the datagram, its time in nanoseconds since 1970
_PACE = 0.001  # seconds between bursts


@dataclass(frozen=True, slots=True)
class Throughput:
    """What has arrived at the target: `rate` in bits per second of data, without headers.

    For UDP also how many datagrams were sent and how many arrived, and the `jitter` in ms (RFC 3550, section 6.4.1).
    """

    source: str
    target: str
    protocol: Literal["tcp", "udp"]
    seconds: float
    bytes: int
    sent: int = 0
    received: int = 0
    jitter: float = 0.0

    @property
    def rate(self) -> float:
        """Bits per second."""
        return self.bytes * 8 / self.seconds if self.seconds else 0.0

    @property
    def loss(self) -> float:
        """The part of the datagrams that did not arrive, 0.0 to 1.0."""
        return 1 - self.received / self.sent if self.sent else 0.0


def tcp(lab: "Lab", source: str, target: str, seconds: float, version: int | None = None) -> Throughput:
    """One stream for some seconds, from its first byte on."""
    with _stream(lab, source, target, version) as (client, server):
        stop = threading.Event()
        sender = threading.Thread(target=_send_until, args=(client, stop), daemon=True)
        sender.start()
        try:
            arrived, took = _receive_for(server, seconds)
        finally:
            stop.set()
            for end in client, server:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            sender.join()
    return Throughput(source, target, "tcp", took, arrived)


def udp(lab: "Lab", source: str, target: str, seconds: float, rate: float = 10e6, version: int | None = None) -> Throughput:
    """Datagrams at a rate in bits per second; what has not arrived a second after the last one is lost."""
    address = str(towards(lab, source, target, version))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        lab[source].socket(family, socket.SOCK_DGRAM) as client,
        lab[target].socket(family, socket.SOCK_DGRAM) as server,
    ):
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        server.bind((address, 0))
        client.connect(server.getsockname()[:2])
        stop = threading.Event()
        sender = _Sender(client, seconds, rate, stop)
        sender.start()
        try:
            return _count(server, sender, Throughput(source, target, "udp", seconds, 0))
        finally:
            stop.set()
            sender.join()


@contextmanager
def _stream(lab: "Lab", source: str, target: str, version: int | None) -> "Iterator[tuple[socket.socket, socket.socket]]":
    """A TCP connection between two nodes, both ends of it; raises LabError when it does not come about."""
    address = str(towards(lab, source, target, version))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with lab[target].socket(family) as listener, lab[source].socket(family) as client:
        listener.bind((address, 0))
        listener.listen(1)
        listener.settimeout(_SECONDS_TO_CONNECT)
        client.settimeout(_SECONDS_TO_CONNECT)
        try:
            client.connect(listener.getsockname()[:2])
            server, _ = listener.accept()
        except OSError as error:
            reason = "no answer in 5 s" if isinstance(error, TimeoutError) else (error.strerror or str(error)).lower()
            raise LabError(f"{source} cannot connect to {target} ({address}): {reason}") from None
        with server:
            yield client, server


def _send_until(client: socket.socket, stop: threading.Event) -> None:
    block = bytes(_BLOCK)
    client.settimeout(0.2)
    while not stop.is_set():
        with suppress(TimeoutError):
            try:
                client.send(block)
            except (BrokenPipeError, ConnectionError):
                return


def _receive_for(server: socket.socket, seconds: float) -> tuple[int, float]:
    """How many bytes have arrived in some seconds, and in how many exactly; the first ones start the clock."""
    buffer = bytearray(_BLOCK * 2)
    server.settimeout(_SECONDS_TO_CONNECT)
    try:
        server.recv_into(buffer)
    except TimeoutError:
        return 0, seconds
    start = time.perf_counter()
    end, arrived = start + seconds, 0
    while (left := end - time.perf_counter()) > 0:
        server.settimeout(left)
        with suppress(TimeoutError):
            arrived += server.recv_into(buffer)
    return arrived, time.perf_counter() - start


class _Sender(threading.Thread):
    """Sends datagrams at an even pace; `sent` is how many, `done` when there will be no more."""

    def __init__(self, client: socket.socket, seconds: float, rate: float, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.sent = 0
        self.done = threading.Event()
        self._client, self._seconds, self._stop_early = client, seconds, stop
        self._per_second = rate / 8 / _DATAGRAM

    def run(self) -> None:
        padding = bytes(_DATAGRAM - _HEAD.size)
        start = time.perf_counter()
        while (past := time.perf_counter() - start) < self._seconds and not self._stop_early.wait(_PACE):
            while self.sent < past * self._per_second:
                with suppress(OSError):  # a full queue or a refusal: lost, as any other
                    self._client.send(_HEAD.pack(self.sent, time.time_ns()) + padding)
                self.sent += 1
        self.done.set()


def _count(server: socket.socket, sender: _Sender, found: Throughput) -> Throughput:
    received = arrived = 0
    jitter = last = 0.0
    server.settimeout(0.1)
    end = None
    while end is None or (time.monotonic() < end and received < sender.sent):
        if end is None and sender.done.is_set():
            end = time.monotonic() + _SECONDS_TO_ARRIVE
        try:
            data = server.recv(_DATAGRAM + 1)
        except TimeoutError:
            continue
        _, sent_at = _HEAD.unpack_from(data)
        way = (time.time_ns() - sent_at) / 1e6
        jitter += (abs(way - last) - jitter) / 16 if received else 0.0
        last = way
        received += 1
        arrived += len(data)
    return Throughput(
        found.source, found.target, "udp", found.seconds, arrived, sent=sender.sent, received=received, jitter=jitter
    )
