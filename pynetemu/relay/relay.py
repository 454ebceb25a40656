"""The relay's loop: frames from rings into directions, and out when they are due.

Times are those of the kernel's stamps, on the monotonic clock: when the relay wakes late, only the delay itself is late.
"""

import heapq
import select
import socket
import time
from collections.abc import Callable
from dataclasses import asdict
from itertools import takewhile
from operator import itemgetter
from time import monotonic as clock
from typing import Any, NoReturn

from pynetemu.frozen import replaced
from pynetemu.plan.shaping.impairment import Impairment, from_words
from pynetemu.relay.course import Course, scheduled
from pynetemu.relay.direction import BUFFER, MOST_HELD, Direction, Ended
from pynetemu.relay.frames import VNET
from pynetemu.relay.journal import Journal
from pynetemu.relay.opportunities import Opportunities
from pynetemu.relay.ring import BATCH, Arrival, Ring, Sender

_BRACKET = 5e-5  # seconds that two readings of clocks may be apart, else we were interrupted between them
_ENDED = {"lost", "dropped", "corrupted", "overload"}  # what befell packets that `ended` tells
_MOST_ENDED, _MOST_MARKS = 200, 500  # packets in one answer, of each direction and in all
_TO = slice(VNET, VNET + 6)  # where a frame has the MAC address of its receiver
_LATE = 1e-3  # seconds after its time from which a frame counts as late
_LOOK_AWAY = 1e-3  # seconds for which rings may fill while there is traffic, which spares waking for each frame
_GRAIN = 1e-4  # seconds between departures that are sent together
_MOST_LEAD = 3e-4  # seconds that we wake before a departure at most: what timers, and we ourselves, usually take
_LATER, _SOONER = 1 / 8, 1 / 24  # weights of a new lateness in what is usual: most times we are awake in time


class Link:
    """A link with its two ends, and a direction from each."""

    def __init__(self, name: str, ends: tuple[int, int], rings: tuple[Ring, Ring], seed: int, apart: bool) -> None:
        self.name, self.ends, self.rings = name, ends, rings
        self.directions = Direction(f"{name}/a_to_b", seed, apart), Direction(f"{name}/b_to_a", seed, apart)


class Relay:
    """All relayed links of a lab, in one process; `Control` tells it which."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self._sender = Sender()
        self._events = select.epoll()
        self._calls: dict[int, Callable[[], None]] = {}
        self._ends: dict[int, tuple[Ring, Direction]] = {}
        self._heap: list[tuple[float, int]] = []  # when to look at a direction, by its place
        self._directions: dict[int, Direction] = {}
        self._places = 0
        self._offset = _between_clocks()
        self._look_away = _LOOK_AWAY
        self._lead = 0.0
        self._woken = 0.0  # when a timer was to wake us, if one did
        self._found: list[Arrival] = []
        self._timeline: list[tuple[float, int, int, Course]] = []  # when a course goes on, its number, its direction's place
        self._plays = 0
        self._courses: dict[int, Course] = {}  # the last of each direction

    def watch(self, source: socket.socket, call: Callable[[], None]) -> None:
        """Calls when there is something to read."""
        self._events.register(source, select.EPOLLIN)
        self._calls[source.fileno()] = call

    def open(self, link: Link) -> None:
        """Takes frames from both ends of a link from now on."""
        self.links[link.name] = link
        for side, direction in enumerate(link.directions):
            direction.pointer = self._sender.pointer(link.ends[1 - side])
            self._place(direction)
            ring = link.rings[side]
            self._ends[ring.socket.fileno()] = ring, direction
            self._events.register(ring.socket, select.EPOLLIN)

    def close(self, name: str) -> None:
        """Forgets a link, with all that is on its way."""
        link = self.links.pop(name)
        for side, direction in enumerate(link.directions):
            for one in (direction, *direction.parts.values()):
                self._directions.pop(one.place)
            self._courses.pop(direction.place, None)
            direction.write_journal(None)
            ring = link.rings[side]
            self._events.unregister(ring.socket)
            del self._ends[ring.socket.fileno()]
            ring.close()
            self._sender.forget(link.ends[side])

    def configure(self, name: str, side: int, words: list[str], macs: dict[str, list[str]], began: float) -> None:
        """Changes what one direction of a link does; nodes that it names have these MAC addresses. Raises Wrong.

        If there is a schedule, it is one that began at that moment.
        """
        direction, wanted = self.links[name].directions[side], from_words(words)
        self._configure(direction, wanted)
        self._divide(direction, wanted, macs)
        if wanted.schedule:
            self.play(name, side, scheduled(wanted.schedule, began))
        elif direction.has_schedule:
            self.play(name, side, None)
        direction.has_schedule = bool(wanted.schedule)

    def _divide(self, direction: Direction, wanted: Impairment, macs: dict[str, list[str]]) -> None:
        """Gives packets to some nodes a part of their own. One that is named no more lets go what is on its way."""
        towards = dict(wanted.towards)
        for node in towards.keys() - direction.parts.keys():
            self._place(direction.new_part(node))
        direction.part_of.clear()
        for node, part in direction.parts.items():
            self._configure(part, replaced(towards.get(node, Impairment()), seed=wanted.seed))
            if node in towards:
                direction.part_of.update((bytes.fromhex(mac.replace(":", "")), part) for mac in macs.get(node, ()))
        direction.note_parts()

    def _place(self, direction: Direction) -> None:
        direction.place = self._places
        self._directions[self._places] = direction
        self._places += 1

    def _configure(self, direction: Direction, wanted: Impairment) -> None:
        direction.configure(wanted, clock())
        self._note(direction)
        delays = [one.delay for one in self._directions.values() if one.into is None]
        self._look_away = min(_LOOK_AWAY, min(delays, default=_LOOK_AWAY) / 4)

    def play(self, name: str, side: int, course: Course | None) -> None:
        """Lets a direction follow a course from now on; None ends it."""
        direction = self.links[name].directions[side]
        self._courses.pop(direction.place, None)
        if course is not None:
            self._courses[direction.place] = course
            self._plays += 1
            heapq.heappush(self._timeline, (clock(), self._plays, direction.place, course))

    def replay(self, name: str, side: int, milliseconds: list[int], began: float) -> None:
        """Lets packets of a direction leave at Mahimahi's opportunities; none for its rate again."""
        direction = self.links[name].directions[side]
        direction.replay(Opportunities(milliseconds, began) if milliseconds else None, clock())
        self._note(direction)

    def follow(self, name: str, side: int, path: str) -> None:
        """Lets packets of a direction meet the fates of a journal; "" for those of its settings. Raises OSError and Wrong."""
        text = ""
        if path:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        self.links[name].directions[side].follow(text)

    def journal(self, name: str, side: int, path: str, most: int) -> None:
        """Adds the fates of a direction's packets to a file, up to so many lines; "" ends it. Raises OSError."""
        self.links[name].directions[side].write_journal(Journal(path, most) if path else None)

    def _go_on(self) -> float | None:
        """Lets courses go on that are due; gives back when the next one is."""
        timeline, now = self._timeline, clock()
        while timeline and timeline[0][0] <= now:
            _, number, place, course = heapq.heappop(timeline)
            direction = self._directions.get(place)
            if direction is None or self._courses.get(place) is not course:
                continue
            settings, due = course.at(now)
            if settings is not None:
                self._configure(direction, settings)
            if due is not None:
                heapq.heappush(timeline, (due, number, place, course))
        return timeline[0][0] if timeline else None

    def run(self) -> NoReturn:
        """For ever: SystemExit ends it."""
        events, ends, calls = self._events, self._ends, self._calls
        while True:
            busy = came = False
            asked = []
            for number, _ in events.poll(0, 256):
                if number in ends:
                    came = True
                    busy |= self._receive(*ends[number]) >= BATCH
                else:
                    asked.append(calls[number])
            for call in asked:  # what came in before is known then
                call()
            step = self._go_on() if self._timeline else None
            if self._woken:
                late = min(max(clock() - self._woken, 0.0), _MOST_LEAD)
                self._lead += (late - self._lead) * (_LATER if late > self._lead else _SOONER)
                self._woken = 0.0
            sent = self._transmit()
            due = self._heap[0][0] if self._heap else None
            if step is not None and (due is None or step < due):
                due = step
            if busy or (due is not None and due - clock() <= self._lead and not sent):
                continue
            self._wait(due, came, _GRAIN if sent else 0.0)

    def _wait(self, due: float | None, came: bool, least: float) -> None:
        """Sleeps until a departure is near or something comes in; while there is traffic until rings have filled a little."""
        now = clock()
        wait = None if due is None else max(due - now - self._lead, least)
        if came and self._look_away >= _GRAIN:
            if wait is not None and wait < self._look_away:
                self._woken = now + wait
            time.sleep(self._look_away if wait is None else min(wait, self._look_away))
        elif not select.select([self._events], [], [], wait)[0] and wait:  # it waits for microseconds; epoll knows milliseconds
            self._woken = now + wait

    def _receive(self, ring: Ring, direction: Direction) -> int:
        found = self._found
        count = ring.take(found)
        before, wall, now = clock(), time.time(), clock()
        if now - before < _BRACKET and abs(wall - before - self._offset) > _BRACKET:
            self._offset = wall - before  # somebody has set the clock: by themselves both go alike
        offset, line, delay, part_of = self._offset, direction.line, direction.delay, direction.part_of
        plain = direction.plain and len(line) + count < MOST_HELD
        if plain and not ring.took_buffers and self._are_of_now(found, now):
            shift = offset - delay
            line.extend([(seconds + nanoseconds * 1e-9 - shift, frame) for seconds, nanoseconds, frame in found])
            direction.seen = line[-1][0] - delay
            found.clear()
        for seconds, nanoseconds, frame in found:
            came = seconds + nanoseconds * 1e-9 - offset
            if not -1 < came - now < 1:
                came = clock()  # somebody has set the clock
            if plain and len(frame) < BUFFER:
                line.append((came + delay, frame))
            elif (part := part_of.get(frame[_TO])) is not None:
                part.counters.received += 1
                part.arrive(came, frame)
                self._note(part)
            else:
                direction.arrive(came, frame)
        if found:
            direction.seen = came
        found.clear()
        direction.counters.received += count
        self._note(direction)
        return count

    def _are_of_now(self, found: list[Arrival], now: float) -> bool:
        """Whether nobody has set the clock while these came; not where there are none."""
        return bool(found) and all(-1 < one[0] + one[1] * 1e-9 - self._offset - now < 1 for one in (found[0], found[-1]))

    def _note(self, direction: Direction) -> None:
        """Sees to it that a direction is looked at in time."""
        wake = direction.wake()
        if wake is not None and (direction.entry is None or wake < direction.entry):
            direction.entry = wake
            heapq.heappush(self._heap, (wake, direction.place))

    def _transmit(self) -> int:
        """Sends what is due; gives back how many frames those were."""
        heap, now, total = self._heap, clock(), 0
        while heap and heap[0][0] <= now:
            when, place = heapq.heappop(heap)
            direction = self._directions.get(place)
            if direction is None or direction.entry != when:
                continue  # an earlier look took its place
            direction.serve(now)
            total += self._send(direction, now)
            direction.entry = None
            self._note(direction)
        self._flush()
        return total

    def _send(self, direction: Direction, now: float) -> int:
        late = self._send_until(direction, now - _LATE)
        count = late + self._send_until(direction, now)
        direction.counters.late += late
        direction.counters.sent += count
        return count

    def _send_until(self, direction: Direction, last: float) -> int:
        """Sends what was due by a time; gives back how many frames those were."""
        if direction.into is not None:
            return self._pass_on(direction, direction.into, last)
        count, sender = 0, self._sender
        for frames in (direction.ahead, direction.line):
            while added := sender.put_due(direction.pointer, frames, last):
                count += added
                if sender.is_full:
                    self._flush()
        return count

    def _pass_on(self, part: Direction, into: Direction, last: float) -> int:
        count = 0
        for frames in (part.ahead, part.line):
            while frames and frames[0][0] <= last:
                count += 1
                into.arrive(*frames.popleft())
        self._note(into)
        return count

    def _flush(self) -> None:
        for pointer in self._sender.flush():
            for direction in self._directions.values():
                if direction.pointer == pointer:
                    direction.counters.unsent += 1
                    direction.counters.sent -= 1

    def counters(self) -> dict[str, list[dict[str, Any]]]:
        """What became of the packets of each direction, by the name of its link."""
        return {
            link.name: [_counted(*side) for side in zip(link.directions, link.rings, strict=True)]
            for link in self.links.values()
        }

    def ended(self, name: str) -> list[list[tuple[str, int, str]]]:
        """The last packets of each direction of a link that did not leave as they came, the frames in hexadecimal."""
        found = []
        for side in self.links[name].directions:
            ended = [one for part in (side, *side.parts.values()) for one in part.ended if one.what in _ENDED]
            found.append([(one.what, one.number, one.frame.hex()) for one in ended[-_MOST_ENDED:]])
        return found

    def marks(self, since: float) -> dict[str, Any]:
        """The packets that did not leave as all others, of which this was found since a moment, a batch of them at most.

        Each as its link, side, when it came, what befell it, its place in its flow, its frame in hexadecimal. `since` is the
        moment for the next question, and `more` says that there are others already. What came before `now` has been judged, but
        on sides that `undecided` has, with the time before which it has there. Times are the kernel's stamps in nanoseconds.
        """
        marks: list[tuple[float, str, int, Ended]] = []
        undecided, now = [], clock()
        for link in self.links.values():
            for side, (ring, direction) in enumerate(zip(link.rings, link.directions, strict=True)):
                if (until := _judged(ring, direction)) is not None:
                    undecided.append((link.name, side, self._stamp(until)))
                for part in (direction, *direction.parts.values()):
                    new = takewhile(lambda one: one.found > since, reversed(part.ended))
                    marks += [(one.found, link.name, side, one) for one in new]
        marks.sort(key=itemgetter(0))
        chosen = marks[:_MOST_MARKS]
        told = [(name, side, self._stamp(one.came), one.what, one.number, one.frame.hex()) for _, name, side, one in chosen]
        last = chosen[-1][0] if chosen else since
        times = {"now": self._stamp(now), "undecided": undecided, "since": last}
        return {"marks": told, **times, "more": len(chosen) < len(marks)}

    def _stamp(self, when: float) -> int:
        return round((when + self._offset) * 1e9)


def _judged(ring: Ring, direction: Direction) -> float | None:
    """What had come in before this has been judged; None when all has."""
    queues = [one.queue for one in (direction, *direction.parts.values()) if one.queue]
    waiting = [when for queue in queues if (when := queue.judged) is not None]
    return min([*waiting, *([] if ring.is_empty else [direction.seen])], default=None)


def _between_clocks() -> float:
    """What the clock of the kernel's stamps is ahead of the monotonic one, read without being interrupted in between."""
    readings = [(clock(), time.time(), clock()) for _ in range(20)]
    before, wall, _ = min(readings, key=lambda reading: reading[2] - reading[0])
    return wall - before


def _counted(direction: Direction, ring: Ring) -> dict[str, Any]:
    """With what was done to packets to one node: those have come in and left once."""
    found = asdict(direction.counters)
    found["overload"] += ring.count_losses()
    every = (direction, *direction.parts.values())
    for part in direction.parts.values():
        for name, value in asdict(part.counters).items():
            found[name] += 0 if name in ("received", "sent", "late") else value
    found["marked"] = sum(one.queue.marks for one in every if one.queue)
    return {**found, "held": sum(one.held for one in every)}
