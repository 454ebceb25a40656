"""The order of pings between more nodes than the kernel has room for among their neighbors."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pynetemu.measure.introductions import Introductions, Way, first_meetings

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.measure.ends import End

# Of the 1024 neighbors that the kernel keeps for all namespaces together (see engine.neighbors) so many are ours at once: those
# of two tiles, those that have not answered, and where there are routers those between them and the nodes.
AT_ONCE, _MOST_UNANSWERED, _MOST_OF_ROUTERS = 800, 200, 240
_MEETINGS_AT_ONCE = 20  # a broadcast to a thousand nodes takes some ms, and who waits wants to see progress
_ENTRIES_OF_A_PAIR = {4: 2, 6: 4}  # those of IPv6 are of global and link-local addresses


class Crowd:
    """Pings by their numbers: the two directions of a pair are 2n and 2n + 1, those of the first node with all others first.

    `ways` are the ends of those on one link, None of routed ones; `learned` are the numbers of those that need room;
    `has_answered` tells it of a ping, and `hear` waits so many seconds for answers.
    """

    def __init__(
        self,
        lab: "Lab",
        nodes: Sequence[str],
        ways: Sequence[Way | None],
        learned: set[int],
        *,
        timeout: float,
        has_answered: Callable[[int], bool],
        hear: Callable[[float], None],
    ) -> None:
        self._lab, self._nodes, self._ways, self._learned = lab, nodes, ways, learned
        self._timeout, self._has_answered, self._hear = timeout, has_answered, hear
        self._introductions = Introductions(lab, hear)
        self._unanswered: list[Way] = []
        has_six = any(":" in far.address for _, far in self._on_link(learned))
        self._entries = _ENTRIES_OF_A_PAIR[6 if has_six else 4]
        is_routed = None in ways
        self._side = int(((AT_ONCE - is_routed * _MOST_OF_ROUTERS) / 2 / self._entries) ** 0.5)  # of a tile, in nodes
        self._routed_tiles = 0

    def batches(self) -> Iterator[Sequence[int]]:
        """All pings' numbers; the next batch is taken when one has been answered, or will not be."""
        done: set[int] = set()
        if self._entries == _ENTRIES_OF_A_PAIR[6]:
            self._introductions.await_link_local(self._nodes)
        for batch in self._first_meetings():
            self._introductions.forget(self._on_link(batch))  # so that they ask by broadcast
            yield batch
            for near, far in self._on_link(number for number in batch[::2] if self._has_answered(number)):
                self._introductions.met(near, far)
            done.update(batch)
            self._introductions.forget(self._no_longer_needed(batch))
        following = self._tiles(done)
        batch, asking = next(following, ([], []))
        with self._introductions.asking(self._on_link(asking)) as asked:
            pass
        room: list[Way] = []
        while batch:  # while a tile is asked, the next one's nodes get to know each other
            self._introductions.settle(asked)
            next_batch, asking = next(following, ([], []))
            with self._introductions.asking(self._on_link(asking), forgotten=room) as asked:
                yield batch
            room = self._no_longer_needed(batch)
            batch = next_batch

    def _on_link(self, numbers: Iterable[int]) -> Iterator[Way]:
        return (way for number in numbers if number in self._learned and (way := self._ways[number]))

    def _first_meetings(self) -> Iterator[list[int]]:
        """Who asks first, each followed by the answerer's own ping."""
        links: dict[int, dict[str, End]] = {}
        for near, _ in self._on_link(sorted(self._learned)):
            links.setdefault(near.network, {}).setdefault(near.node, near)
        places = {node: place for place, node in enumerate(self._nodes)}
        meetings: dict[int, list[int]] = {}
        for ends in links.values():
            for near, far in first_meetings(list(ends.values())):
                number = self._number(places[near.node], places[far.node])
                if number in self._learned:
                    meetings.setdefault(number >> 1, [number, number ^ 1])
        pairs = list(meetings.values())
        for start in range(0, len(pairs), _MEETINGS_AT_ONCE):
            yield [number for pair in pairs[start : start + _MEETINGS_AT_ONCE] for number in pair]

    def _number(self, source: int, target: int) -> int:
        """That of a ping, by the places of its two nodes."""
        low, high = (source, target) if source < target else (target, source)
        return low * (2 * len(self._nodes) - low - 3) + 2 * (high - 1) + (source > target)

    def _tiles(self, done: set[int]) -> Iterator[tuple[list[int], list[int]]]:
        """Some nodes with some others, both directions, source by source; and those of them that introduce themselves.

        An ARP request makes the asker known to the asked; a neighbor solicitation only its link-local address (RFC 4861, 7.2).
        """
        side = self._side
        blocks = [range(start, min(start + side, len(self._nodes))) for start in range(0, len(self._nodes), side)]
        for place, rows in enumerate(blocks):
            for columns in blocks[place:]:
                there = [number for a in rows for b in columns if a < b and (number := self._number(a, b)) not in done]
                back = [number for b in columns for a in rows if a < b and (number := self._number(b, a)) not in done]
                if there:
                    yield there + back, there if self._entries == _ENTRIES_OF_A_PAIR[4] else there + back

    def _no_longer_needed(self, batch: Sequence[int]) -> list[Way]:
        """Neighbors who have answered; those who have not may do so as long as they do not become too many."""
        self._routed_tiles += any(self._ways[number] is None for number in batch)
        if self._routed_tiles * self._side * self._entries > _MOST_OF_ROUTERS:  # each tile has some nodes that are new
            self._lab.forget_neighbors()
            self._routed_tiles = 0
        room = list(self._on_link(filter(self._has_answered, batch)))
        self._unanswered += self._on_link(number for number in batch if not self._has_answered(number))
        if len(self._unanswered) > _MOST_UNANSWERED:
            end = time.monotonic() + self._timeout
            while (left := end - time.monotonic()) > 0:
                self._hear(left)
            room += self._unanswered
            self._unanswered.clear()
        return room
