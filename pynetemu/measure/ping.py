"""Pings between many nodes at once, from this process: `net.ping_all()`.

Each node has one raw socket here, and all pairs are asked in a loop: a pair costs what its round trip costs the kernel, some
12 µs, and no process is started.
"""

import select
import socket
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

from pynetemu.errors import LabError
from pynetemu.lab.arguments import ip_version, positive_seconds, whole
from pynetemu.lab.sockets import open_sockets
from pynetemu.measure.crowd import AT_ONCE, Crowd
from pynetemu.measure.echo import EchoSocket
from pynetemu.measure.ends import Ends
from pynetemu.measure.introductions import Way, permanent
from pynetemu.plan.no_gc import no_collection
from pynetemu.wording import nearest, suggested

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab

_DRAIN_EVERY = 48  # requests; a socket's buffer holds some 270 answers (net.core.rmem_default)
_PORTION = 6000  # pings between two messages of progress
_NOTHING_IN_COMMON = "no address of the same IP version"

Progress = Callable[[int, int], None]  # pairs that were asked, of how many


@dataclass(slots=True)
class Ping:
    """From one node to another: how many echo requests were sent, and the round trips of those answered, in ms.

    `error` says why, where the kernel or a router has said so: "no route", "host unreachable".
    """

    source: str
    target: str
    address: str
    sent: int = 0
    rtts: list[float] = field(default_factory=list)
    error: str = ""

    @property
    def received(self) -> int:
        """How many were answered."""
        return len(self.rtts)

    @property
    def answered(self) -> bool:
        """Whether all were answered."""
        return self.sent > 0 and len(self.rtts) == self.sent


@dataclass(frozen=True, slots=True)
class Pings:
    """All pairs of some nodes; `interrupted` when not all of them were asked.

    `pings["h1", "h2"]` is one of them, `pings.lost` are those with something missing.
    """

    nodes: tuple[str, ...]
    pairs: tuple[Ping, ...]
    seconds: float
    interrupted: bool = False

    @property
    def sent(self) -> int:
        """Echo requests sent."""
        return sum(ping.sent for ping in self.pairs)

    @property
    def received(self) -> int:
        """Echo requests answered."""
        return sum(ping.received for ping in self.pairs)

    @property
    def loss(self) -> float:
        """The part that was not answered, 0.0 to 1.0."""
        return 1 - self.received / self.sent if self.sent else 0.0

    @property
    def lost(self) -> tuple[Ping, ...]:
        """The pairs that were asked and of which an answer is missing."""
        return tuple(ping for ping in self.pairs if ping.sent and not ping.answered)

    @property
    def rtts(self) -> list[float]:
        """Every round trip, in ms."""
        return [rtt for ping in self.pairs for rtt in ping.rtts]

    def __getitem__(self, pair: tuple[str, str]) -> Ping:
        found = next((ping for ping in self.pairs if (ping.source, ping.target) == pair), None)
        if found is None:
            near = tuple(name if name in self.nodes else nearest(name, self.nodes) for name in pair)
            raise KeyError(f"no ping from {pair[0]} to {pair[1]}" + (f"; {suggested(near)}" if all(near) else ""))
        return found


class Pinger:
    """Asks all pairs of some nodes; `result` is what is known, at any time, after an interrupt too.

    `version` is 4 or 6, None for IPv4 where both have it and IPv6 else; `timeout` is in seconds.
    """

    def __init__(
        self, lab: "Lab", nodes: Sequence[str], *, count: int = 1, timeout: float = 1.0, version: int | None = None
    ) -> None:
        self._lab, self._count, self._timeout = lab, count, timeout
        with no_collection():
            self._probes, self._ways = _probes(Ends(lab, nodes, version))
        self.nodes = tuple(dict.fromkeys(ping.source for ping in self._probes))
        self._sockets: dict[tuple[str, bool], EchoSocket] = {}
        self._events = select.epoll()
        self._by_descriptor: dict[int, EchoSocket] = {}
        self._sent_at: dict[tuple[int, int], int] = {}  # of requests not answered yet, by probe and round
        self._waiting: set[tuple[int, int]] = set()  # those of them that a batch waits for
        self._silent: set[str] = set()  # nodes that have not answered, which are not waited for again and again
        self._start = time.monotonic()
        self._asked = 0

    def result(self, interrupted: bool = False) -> Pings:
        """What has been found; after an interrupt without the requests that could still be answered."""
        for (probe, _), sent in self._sent_at.items() if interrupted else ():
            self._probes[probe].sent -= time.time_ns() - sent < self._timeout * 1e9
        return Pings(self.nodes, tuple(self._probes), time.monotonic() - self._start, interrupted)

    def run(self, progress: Progress | None = None) -> None:
        """Asks all pairs, and returns when all have answered or the time is over."""
        try:
            with no_collection():
                self._ask_all(progress)
        finally:
            for echo in self._sockets.values():
                echo.close()
            self._events.close()

    def _ask_all(self, progress: Progress | None) -> None:
        self._open_sockets()
        with closing(self._batches()) as batches:
            for batch in batches:
                for round in range(self._count):
                    self._ask(batch, round)
                    self._wait(batch, forever=False)
                self._asked += len(batch)
                if progress:
                    progress(self._asked, len(self._probes))
        self._wait(range(len(self._probes)), forever=True)

    def _batches(self) -> Generator[Sequence[int]]:
        """The probes' numbers, in portions for which the kernel has room among its neighbors."""
        known = permanent(self._lab, self._ways)
        learned = {number for number, way in enumerate(self._ways) if way and not known[number]}
        if len(learned) > AT_ONCE:
            crowd = Crowd(
                self._lab,
                self.nodes,
                self._ways,
                learned,
                timeout=self._timeout,
                has_answered=lambda number: bool(self._probes[number].rtts),
                hear=self._hear,
            )
            yield from crowd.batches()
        else:
            everything = range(len(self._probes))
            yield from (everything[start : start + _PORTION] for start in range(0, len(everything), _PORTION))

    def _ask(self, batch: Sequence[int], round: int) -> None:
        for number, probe in enumerate(batch):
            ping = self._probes[probe]
            ping.sent += 1
            if not ping.address:
                continue
            now, error = self._sockets[ping.source, ":" in ping.address].send(ping.address, probe, round)
            if error:
                ping.error = error
            else:
                self._sent_at[probe, round] = now
            if number % _DRAIN_EVERY == _DRAIN_EVERY - 1:
                self._hear(0)

    def _open_sockets(self) -> None:
        """Opens one for each node and IP version, many in a request."""
        for is_six in False, True:
            sources = [ping.source for ping in self._probes if ping.address and (":" in ping.address) == is_six]
            family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if is_six else (socket.AF_INET, socket.IPPROTO_ICMP)
            for node, opened in open_sockets(self._lab, dict.fromkeys(sources), family, socket.SOCK_RAW, protocol):
                echo = EchoSocket(opened, 6 if is_six else 4)
                self._sockets[node, is_six] = self._by_descriptor[echo.fileno()] = echo
                self._events.register(echo.fileno(), select.EPOLLIN)

    def _wait(self, batch: Sequence[int], forever: bool) -> None:
        """Waits for answers; for those of silent nodes only at the end, with all the others."""
        numbers = set(batch)
        self._waiting = {key for key in self._sent_at if key[0] in numbers and (forever or not self._is_hopeless(key[0]))}
        end = max((self._sent_at[key] for key in self._waiting), default=0) / 1e9 + self._timeout
        while self._waiting:
            left = end - time.time()
            self._hear(max(left, 0))  # at the end too: a busy machine lets this process come late to answers that are there
            if left <= 0:
                self._silent |= self._without_answer(self._waiting)
                return

    def _is_hopeless(self, probe: int) -> bool:
        ping = self._probes[probe]
        return ping.source in self._silent or ping.target in self._silent

    def _without_answer(self, waiting: set[tuple[int, int]]) -> set[str]:
        """The nodes of these requests that nobody has had an answer from."""
        suspects = {name for probe, _ in waiting for name in (self._probes[probe].source, self._probes[probe].target)}
        alive = {name for ping in self._probes if ping.rtts for name in (ping.source, ping.target)}
        return suspects - alive

    def _hear(self, seconds: float) -> None:
        for descriptor, _ in self._events.poll(seconds):
            for heard in self._by_descriptor[descriptor].receive():
                key = heard.probe, heard.round
                self._waiting.discard(key)
                sent = self._sent_at.pop(key, None)
                if sent is None:
                    continue  # a second answer
                if heard.error:
                    self._probes[heard.probe].error = heard.error
                else:
                    self._probes[heard.probe].rtts.append(max(heard.time - sent, 0) / 1e6)


def _probes(ends: Ends) -> tuple[list[Ping], list[Way | None]]:
    """Every ordered pair with the address that the source would use, and both ends of those on one link.

    The two directions of a pair follow each other: they are 2n and 2n + 1.
    """
    pings: list[Ping] = []
    ways: list[Way | None] = []
    for pair in combinations(ends.nodes, 2):
        for source, target in (pair, pair[::-1]):
            far = ends.far(source, target)
            near = ends.near(source, far)
            pings.append(Ping(source, target, far.address if far else "", error="" if far else _NOTHING_IN_COMMON))
            ways.append((near, far) if near and far else None)
    return pings, ways


def ping_all(
    lab: "Lab",
    nodes: Sequence[str] = (),
    *,
    count: int = 1,
    timeout: float = 1.0,
    version: int | None = None,
    progress: Progress | None = None,
) -> Pings:
    """See `Network.ping_all`."""
    count, timeout, version = whole("count", count, 1), positive_seconds("timeout", timeout), ip_version(version)
    for node in nodes:
        lab[node]
    pinger = Pinger(lab, nodes or lab.nodes, count=count, timeout=timeout, version=version)
    if len(pinger.nodes) < 2:
        raise LabError("a ping needs two nodes with an address" + (f" of IPv{version}" if version else ""))
    pinger.run(progress)
    return pinger.result()
