"""Where packets wait for the rate of a link: which of them are dropped, and when they have left.

All is computed in the queue's own time, from the kernel's stamps: that the relay wakes late takes nothing from the rate.
"""

import math
import random
from collections import deque

from pynetemu.plan.shaping.impairment import Impairment
from pynetemu.relay.fates import Draws
from pynetemu.relay.frames import marked, on_the_wire
from pynetemu.relay.opportunities import Opportunities

_SMALLEST = 1514  # bytes that CoDel leaves alone
_AVERAGE = 0.002  # the weight of a new length in RED's average, as its authors advise
Waiting = tuple[float, bytes, Draws]  # when it came, the frame, its draws
Leaving = tuple[float, bytes, Draws]  # when it has left


class Queue:
    """Packets that wait for the rate that is asked, or for opportunities. `dropped` and `marks` count.

    `came` is when the last one that was dropped had come.
    """

    def __init__(self, wanted: Impairment, opportunities: Opportunities | None = None) -> None:
        self._opportunities = opportunities
        self.waiting: deque[Waiting] = deque()
        self.held = 0  # bytes
        self.free = self.came = 0.0  # `free`: when the packet before has left
        self.dropped = self.marks = self.rate = 0
        self._codel: CoDel | None = None
        self._red: Red | None = None
        self.configure(wanted)

    def configure(self, wanted: Impairment, now: float | None = None) -> None:
        """Takes other settings; what waits goes on waiting, as far as there is room. What is sent `now` becomes faster."""
        if now is not None and self.free > now and wanted.rate > self.rate > 0:
            self.free = now + (self.free - now) * self.rate / wanted.rate
        self.rate = wanted.rate
        self.head = wanted.queue.kind == "drop-head"
        self.ecn = wanted.queue.ecn
        self.most_bytes = 0 if wanted.limit.packets else wanted.queue_bytes
        self.most_packets = wanted.limit.packets
        if self._opportunities is not None:
            self.most_bytes, self.most_packets = self._opportunities.limit, 0
        if wanted.queue.kind != "codel":
            self._codel = None
        elif self._codel is None:
            self._codel = CoDel()
        if self._codel is not None:
            self._codel.target, self._codel.interval = wanted.queue.target / 1e9, wanted.queue.interval / 1e9
        queue = wanted.queue
        self._red = Red(queue.least, queue.most, float(queue.probability)) if queue.kind == "red" else None

    def put(self, now: float, frame: bytes, draws: Draws) -> bytes | None:
        """Lets a packet wait; gives back one that is dropped for it, which may be another one."""
        self.held += on_the_wire(frame)
        self.waiting.append((now, frame, draws))
        if self._red is not None and self._red.chooses(self.held, now, self.free) and not self._mark_last():
            return self._drop_last()
        if self.held > self.most_bytes if self.most_bytes else len(self.waiting) > self.most_packets:
            return self._drop_first() if self.head else self._drop_last()
        return None

    def _drop_last(self) -> bytes:
        return self._count(*self.waiting.pop())

    def _drop_first(self) -> bytes:
        return self._count(*self.waiting.popleft())

    def _count(self, came: float, frame: bytes, _: Draws) -> bytes:
        self.came = came
        self.dropped += 1
        self.held -= on_the_wire(frame)
        return frame

    def _mark_last(self) -> bool:
        came, frame, draws = self.waiting[-1]
        changed = marked(frame) if self.ecn else None
        if changed is not None:
            self.waiting[-1] = came, changed, draws
            self.marks += 1
        return changed is not None

    def take(self, now: float) -> Leaving | bytes | None:
        """The next packet that has begun to leave by `now`, with the time when it has left; a frame that is dropped instead."""
        if not self.waiting:
            return None
        came, frame, draws = self.waiting[0]
        start = self.free if self.free > came else came
        if start > now:
            return None
        self.waiting.popleft()
        size = on_the_wire(frame)
        self.held -= size
        if self._codel is not None and self._codel.drops(start, start - came, self.held + size):
            changed = marked(frame) if self.ecn else None
            if changed is None:
                self.came = came
                self.dropped += 1
                return frame
            self.marks += 1
            frame = changed
        self.free = start + size * 8 / self.rate if self._opportunities is None else self._opportunities.left(start, size)
        return self.free, frame, draws

    @property
    def judged(self) -> float | None:
        """What came before this is known to leave, or to have been dropped; None when all is."""
        chooses_later = self.head or self._codel is not None
        return self.waiting[0][0] if chooses_later and self.waiting else None

    def next_time(self) -> float:
        """When the next packet begins to leave."""
        return max(self.free, self.waiting[0][0])


class CoDel:
    """RFC 8289: drops when all packets have waited for more than `target` for an `interval` (seconds)."""

    def __init__(self) -> None:
        self.target, self.interval = 0.005, 0.1
        self._above: float | None = None  # when the wait will have been too long for an interval
        self._dropping = False
        self._count = self._last_count = 0
        self._next = 0.0

    def drops(self, now: float, wait: float, held: int) -> bool:
        """Whether to drop the packet that is next, after its wait; `held` are the bytes in the queue with it."""
        if wait < self.target or held <= _SMALLEST:
            self._above, self._dropping = None, False
            return False
        if self._above is None:
            self._above = now + self.interval
            return False
        if self._dropping:
            if now < self._next:
                return False
            self._count += 1
            self._next += self.interval / math.sqrt(self._count)
            return True
        if now < self._above:
            return False
        self._dropping = True
        recent = now - self._next < 16 * self.interval
        delta = self._count - self._last_count
        self._count = self._last_count = delta if delta > 1 and recent else 1
        self._next = now + self.interval / math.sqrt(self._count)
        return True


class Red:
    """Drops at random, the more the longer the queue is on average (`least`, `most` in bytes, `probability` at `most`)."""

    def __init__(self, least: int, most: int, probability: float) -> None:
        self._least, self._most, self._probability = least, most, probability
        self._average = 0.0
        self._since = 0  # packets since the last drop, which spreads them evenly
        self._random = random.Random(0)

    def chooses(self, held: int, now: float, free: float) -> bool:
        if now > free:  # it was empty: as if small packets had found it so meanwhile
            self._average *= (1 - _AVERAGE) ** min(10_000, (now - free) * 1000)
        self._average += (held - self._average) * _AVERAGE
        if self._average < self._least:
            self._since = 0
            return False
        if self._average >= self._most:
            self._since = 0
            return True
        share = self._probability * (self._average - self._least) / (self._most - self._least)
        self._since += 1
        even = share / max(1e-9, 1 - self._since * share)
        if even < 0 or even > 1 or self._random.random() < even:
            self._since = 0
            return True
        return False
