"""Listens in several nodes at once, and gives what they saw in the order of time.

A block of a ring is handed over when it is full or some milliseconds old, so that the nodes' packets come in turns: what
one ring has given already may be later than what another has still to give. `read` keeps that back.
"""

import select
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from pynetemu.capture.parallel import in_parallel
from pynetemu.capture.ring import Ring
from pynetemu.engine.rings import WAIT

_T = TypeVar("_T")
_SLACK = 2_000_000  # ns between a packet's time and its entry into the ring: it may have waited for its turn on the CPU

Take = Callable[[str, memoryview], Iterable[_T]]


class MergedRings(Generic[_T]):
    """Rings by their nodes' names. `take(node, block)` makes a block's packets into what is wanted, `time_of` says when each
    was seen; `key` sorts them in the same way, for those who have a faster one."""

    def __init__(
        self,
        rings: Mapping[str, Ring],
        take: Take[_T],
        time_of: Callable[[_T], int],
        key: Callable[[_T], Any] | None = None,
    ) -> None:
        self.rings = dict(rings)
        self._take, self._time_of, self._key = take, time_of, key or time_of
        self._held: list[_T] = []
        self._latest = dict.fromkeys(self.rings, 0)  # the time of the last packet that each ring has given
        self._ready = select.epoll()
        for ring in self.rings.values():
            self._ready.register(ring, select.EPOLLIN)

    def fileno(self) -> int:
        """Readable when there is something to read; what is held back needs another look after WAIT seconds."""
        return self._ready.fileno()

    @property
    def wait(self) -> float | None:
        """How long to wait for `fileno` at most, in seconds; None for ever."""
        return WAIT if self._held else None

    def read(self) -> list[_T]:
        """What is complete up to some moment; never waits."""
        complete = time.time_ns() - _SLACK
        for node, ring in self.rings.items():
            for block in ring.blocks():
                self._held += self._take(node, block)
                self._latest[node] = self._time_of(self._held[-1]) if self._held else 0
            if ring.pending():
                complete = min(complete, self._latest[node] - _SLACK)
        self._held.sort(key=self._key)
        end = bisect_right(self._held, complete, key=self._time_of)
        ready, self._held = self._held[:end], self._held[end:]
        return ready

    def rest(self) -> list[_T]:
        """Stops, and gives all that is left."""
        for ring in self.rings.values():
            ring.stop()
        for node, ring in self.rings.items():
            for block in ring.rest():
                self._held += self._take(node, block)
        ready, self._held = sorted(self._held, key=self._key), []
        return ready

    def statistics(self) -> dict[str, tuple[int, int]]:
        """What each node's ring has had to take, and what it lost."""
        return {node: ring.statistics() for node, ring in self.rings.items()}

    def close(self) -> None:
        self._ready.close()
        in_parallel(Ring.close, list(self.rings.values()))
        self.rings.clear()
