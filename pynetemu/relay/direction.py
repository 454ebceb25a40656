"""One direction of a link: what comes in at one end, and when it leaves at the other."""

from collections import deque
from dataclasses import dataclass
from time import monotonic as clock
from typing import NamedTuple

from pynetemu.plan.shaping.distributions import table
from pynetemu.plan.shaping.impairment import Impairment, Loss
from pynetemu.relay.fates import CORRUPT, JITTER, PLACE, REORDER, TWICE, Draws, Fates, Loser, chance, loser
from pynetemu.relay.frames import VNET, corrupted
from pynetemu.relay.journal import Journal, Told, told_or
from pynetemu.relay.opportunities import Opportunities
from pynetemu.relay.queues import Queue

_MOST_REMEMBERED, _REMEMBERED = 1000, 160  # packets of each direction that were lost or changed, and bytes of each
MOST_HELD = 100_000  # packets on their way, so that a flood over a long delay takes no more than 200 MB
BUFFER = 1 << 14  # bytes from which a frame is a buffer that its receiver's kernel has yet to cut; of these:
_MOST_BUFFERS = 2000
_CORRECTION = 1 / 256  # how fast the mean delay is brought back to what was asked, for each packet
_TABLE_SHIFT = 32 - 12  # a draw of 32 bits as a place in a table of 4096
_NO_DRAWS: Draws = ()


@dataclass(slots=True)
class Counters:
    """What became of the packets of one direction, since the link was made.

    `received` are those that the relay has taken in, `sent` has the copies too; `lost` as asked, `dropped` by the queue;
    `overload` and `unsent` are what should have got through; `late` left more than a millisecond after their time.
    """

    received: int = 0
    sent: int = 0
    lost: int = 0
    dropped: int = 0
    marked: int = 0
    duplicated: int = 0
    reordered: int = 0
    corrupted: int = 0
    late: int = 0
    overload: int = 0
    unsent: int = 0


class Ended(NamedTuple):
    """A packet that did not leave as all others: `what` was done, `number` is its place in its flow, 0 when nobody counted.

    It came in at one time, and what becomes of it was found at another.
    """

    what: str
    number: int
    frame: bytes
    came: float
    found: float


class Direction:
    """`line` has the frames on their way in the order of their times, `ahead` those that overtake them."""

    def __init__(self, name: str, seed: int, apart: bool) -> None:
        self.counters = Counters()
        self.line: deque[tuple[float, bytes]] = deque()
        self.ahead: deque[tuple[float, bytes]] = deque()
        self.queue: Queue | None = None
        self._opportunities: Opportunities | None = None
        self._journal: Journal | None = None
        self._told: Told | None = None
        self.ended: deque[Ended] = deque(maxlen=_MOST_REMEMBERED)
        self.has_schedule = False
        self.into: Direction | None = None  # where its frames go, which are those to one node; else they leave
        self.parts: dict[str, Direction] = {}  # those to one node, by its name
        self.part_of: dict[bytes, Direction] = {}  # the same, by the node's MAC addresses
        self.entry: float | None = None  # when it is to be looked at, as the relay has noted
        self.pointer = 0  # where the address lies to which its frames are sent
        self.place = 0
        self.seen = 0.0  # when the last frame came
        self._name, self._seed, self._apart = name, seed, apart
        self._fates = Fates(seed, name)
        self._last = 0.0  # when the last frame of the line is due
        self._ahead_of_mean = 0.0  # seconds by which keeping the order has raised the mean delay
        self._slot_end = 0.0
        self._buffers = 0  # that came since they were counted
        self._loss: tuple[Loss, bool] | None = None
        self._model: Loser | None = None
        self.configure(Impairment())

    def new_part(self, node: str) -> "Direction":
        """What is done besides to the packets to one node; it goes on through this direction."""
        part = self.parts[node] = Direction(f"{self._name}/{node}", self._seed, self._apart)
        part.into = self
        return part

    def configure(self, wanted: Impairment, now: float | None = None) -> None:
        """Takes other settings. Nothing overtakes what is on its way, which comes as it would have come.

        But not later than what is sent `now`, if that is given: else all would wait for packets on a way of minutes.
        """
        if wanted.seed is not None and (wanted.seed, True) != (self._seed, self._apart):
            self._fates, self._seed, self._apart = Fates(wanted.seed, self._name), wanted.seed, True
            if self._told is not None:
                self._told.own = self._fates
        self.delay, self.jitter = wanted.delay / 1e9, wanted.jitter / 1e9
        self._table = table(wanted.distribution) if self.jitter else ()
        self._twice, self._corrupt, self._reorder = map(chance, (wanted.duplicate, wanted.corrupt, wanted.reorder))
        if (wanted.loss, self._apart) != self._loss:  # else the state of its model goes on
            self._loss = wanted.loss, self._apart
            self._model = loser(*self._loss)
        self._is_lost = self._model if self._told is None else told_or(self._model)
        self._slot = wanted.slot[0] / 1e9, wanted.slot[1] / 1e9
        has_slots = wanted.slot[1] > 0
        self._draws = bool(
            self._told or self._twice or self._corrupt or self._reorder or self._is_lost or self.jitter or has_slots
        )
        self._wanted = wanted
        if self._opportunities is None:
            self._pace(wanted, now)
        if now is not None:
            self._shorten(now)
        self.note_parts()

    def note_parts(self) -> None:
        """To be told when packets to one node are treated otherwise from now on."""
        self.plain = not (self._draws or self.queue or self.part_of)

    def follow(self, journal: str) -> None:
        """Lets packets meet the fates of a journal, whose text this is; "" for those of the settings again. Raises Wrong."""
        self._told = Told(journal, self._fates) if journal else None
        self.configure(self._wanted)

    def replay(self, opportunities: Opportunities | None, now: float | None = None) -> None:
        """Lets packets leave at these opportunities; None for the rate again. `now` as in `configure`."""
        waiting = self.queue
        self._opportunities = opportunities
        if opportunities is None:
            self.queue = None
            self._pace(self._wanted, now)
        else:
            self.queue = Queue(self._wanted, opportunities)
        if waiting is not None:
            self._empty(waiting, now)
        if now is not None:
            self._shorten(now)
        self.note_parts()

    def _pace(self, wanted: Impairment, now: float | None) -> None:
        if wanted.rate and self.queue:
            self.queue.configure(wanted, now)
        elif wanted.rate:
            self.queue = Queue(wanted)
        elif self.queue:
            self._empty(self.queue, now)
            self.queue = None

    def _empty(self, queue: Queue, now: float | None) -> None:
        """What waited for a rate that is no more follows in its order."""
        free = queue.free if now is None else min(queue.free, now)
        for came, frame, draws in queue.waiting:
            self._fly(max(came, free), frame, draws)

    def _shorten(self, now: float) -> None:
        """What is on its way comes no later than what would leave the queue next."""
        latest = self.delay + (now if self.queue is None else max(now, self.queue.free))
        self._last, self._slot_end = min(self._last, latest), min(self._slot_end, latest)
        tail: list[bytes] = []
        while self.line and self.line[-1][0] > latest:
            tail.append(self.line.pop()[1])
        self.line.extend((latest, frame) for frame in reversed(tail))

    @property
    def held(self) -> int:
        """Packets that wait or are on their way."""
        return len(self.line) + len(self.ahead) + (len(self.queue.waiting) if self.queue else 0)

    def write_journal(self, journal: Journal | None) -> None:
        """From now on a line for each packet whose fate is drawn."""
        if self._journal is not None:
            self._journal.close()
        self._journal = journal

    def _as_text(self, draws: Draws) -> str:
        """What a packet that is not lost will meet."""
        place = f"corrupted:{draws[PLACE]:08x}"
        bounds = (place, CORRUPT, self._corrupt), ("twice", TWICE, self._twice), ("ahead", REORDER, self._reorder)
        return " ".join([f"{draws[JITTER]:08x}", *(word for word, draw, bound in bounds if draws[draw] < bound)])

    def arrive(self, now: float, frame: bytes) -> None:
        """Takes a frame that has come in at a time."""
        counters, queue = self.counters, self.queue
        holds = len(self.line) if queue is None else len(self.line) + len(queue.waiting)
        if holds >= MOST_HELD or (len(frame) > BUFFER and self._has_most_buffers()):
            counters.overload += 1
            self._remember("overload", 0, frame, now)
            return
        draws, copies = _NO_DRAWS, 1
        if self._draws:
            flow, number, draws = (self._told or self._fates).next(frame)
            if self._is_lost is not None and self._is_lost(flow, draws):
                counters.lost += 1
                self._remember("lost", number + 1, frame, now)
                if self._journal is not None:
                    self._journal.write(flow, number, "lost")
                return
            if draws[CORRUPT] < self._corrupt:
                self._remember("corrupted", number + 1, frame, now)
                frame = corrupted(frame, draws[PLACE])
                counters.corrupted += 1
            if draws[TWICE] < self._twice:
                self._remember("twice", number + 1, frame, now)
                counters.duplicated += 1
                copies = 2
            if draws[REORDER] < self._reorder and queue is None:  # else the queue may drop it
                self._remember("ahead", number + 1, frame, now)
            if self._journal is not None:
                self._journal.write(flow, number, self._as_text(draws))
        for _ in range(copies):
            if queue is None:
                self._fly(now, frame, draws)
            else:
                if queue.free <= now:  # else none has begun to leave
                    self.serve(now)
                if (dropped := queue.put(now, frame, draws)) is not None:
                    self._drop(dropped, queue.came)

    def _has_most_buffers(self) -> bool:
        self._buffers += 1
        if self._buffers > _MOST_BUFFERS:
            self._buffers = sum(len(frame) > BUFFER for _, frame in self.line) + 1
        return self._buffers > _MOST_BUFFERS

    def _drop(self, frame: bytes, came: float) -> None:
        self.counters.dropped += 1
        self._remember("dropped", 0, frame, came)

    def _remember(self, what: str, number: int, frame: bytes, came: float) -> None:
        self.ended.append(Ended(what, number, frame[VNET : VNET + _REMEMBERED], came, clock()))

    def _fly(self, now: float, frame: bytes, draws: Draws) -> None:
        due = now + self.delay
        if self.jitter and draws:
            if draws[REORDER] < self._reorder:
                return self._overtake(now, frame)
            due = max(now, due + self.jitter * self._table[draws[JITTER] >> _TABLE_SHIFT] - self._ahead_of_mean, self._last)
            error = self._ahead_of_mean + (due - now - self.delay) * _CORRECTION
            self._ahead_of_mean = min(max(error, 0.0), self.delay)
        elif draws and draws[REORDER] < self._reorder:
            return self._overtake(now, frame)
        if self._slot[1]:
            due = self._bunch(due, draws)
        self._last = due = max(due, self._last)
        self.line.append((due, frame))
        return None

    def _overtake(self, now: float, frame: bytes) -> None:
        self.counters.reordered += 1
        self.ahead.append((now, frame))

    def _bunch(self, due: float, draws: Draws) -> float:
        """The end of the slot in which a frame is due; each lasts as long as its first frame's draw says."""
        if due > self._slot_end:
            least, most = self._slot
            share = min(max(draws[REORDER] / 2**32, 0.0), 1.0) if draws else 0.5
            self._slot_end = due + least + (most - least) * share
        return self._slot_end

    def serve(self, now: float) -> None:
        """Takes from the queue what has begun to leave by `now`."""
        if (queue := self.queue) is None:
            return
        simply, delay, append = not (self._reorder or self.jitter or self._slot[1]), self.delay, self.line.append
        while (left := queue.take(now)) is not None:
            if isinstance(left, bytes):
                self._drop(left, queue.came)
            elif simply:
                due = left[0] + delay
                self._last = due = due if due > self._last else self._last
                append((due, left[1]))
            else:
                self._fly(*left)

    def wake(self) -> float | None:
        """When something is to be done next."""
        if self.ahead:
            return self.ahead[0][0]
        if self.line:
            return self.line[0][0]
        if self.queue is not None and self.queue.waiting:
            return self.queue.next_time()
        return None
