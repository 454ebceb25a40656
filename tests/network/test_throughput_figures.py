"""What iperf's figures are made of: lost, arrived, and the jitter of RFC 3550, section 6.4.1."""

import socket
import threading
from typing import cast

import pytest

from pynetemu.measure import throughput

pytestmark = pytest.mark.pure


class _Server:
    """Gives datagrams that were sent at some times, in ms."""

    def __init__(self, *sent_at: float) -> None:
        self._datagrams = [throughput._HEAD.pack(number, int(at * 1e6)) + bytes(100) for number, at in enumerate(sent_at)]

    def settimeout(self, seconds: float) -> None:
        """Nothing waits here."""

    def recv(self, most: int) -> bytes:
        if not self._datagrams:
            raise TimeoutError
        return self._datagrams.pop(0)


class _Sender:
    def __init__(self, sent: int) -> None:
        self.sent, self.done = sent, threading.Event()
        self.done.set()


@pytest.mark.parametrize(
    ("sent_at", "arrived_at", "jitter"),
    [
        ((0, 10, 20), (5, 15, 25), 0.0),  # each takes 5 ms
        ((0, 10), (5, 31), 1.0),  # 5 ms, then 21: a sixteenth of the difference
        ((0, 10, 20), (5, 31, 25), 1.0 + (16 - 1.0) / 16),
        ((0,), (500,), 0.0),
    ],
)
def test_jitter_is_the_smoothed_difference_of_transit_times(
    monkeypatch: pytest.MonkeyPatch, sent_at: tuple[float, ...], arrived_at: tuple[float, ...], jitter: float
) -> None:
    times = iter(arrived_at)
    monkeypatch.setattr("pynetemu.measure.throughput.time.time_ns", lambda: int(next(times) * 1e6))
    asked = throughput.Throughput("h1", "h2", "udp", 1.0, 0)
    found = throughput._count(cast(socket.socket, _Server(*sent_at)), cast(throughput._Sender, _Sender(len(sent_at))), asked)
    assert found.jitter == pytest.approx(jitter)
    assert (found.sent, found.received, found.bytes) == (
        len(sent_at),
        len(sent_at),
        len(sent_at) * (100 + throughput._HEAD.size),
    )
