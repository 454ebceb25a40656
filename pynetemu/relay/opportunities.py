"""A link of a varying rate as Mahimahi's traces have it: the milliseconds at which a packet of 1,500 bytes could leave."""

from bisect import bisect_left
from collections.abc import Sequence

SIZE = 1500  # bytes of an opportunity: Mahimahi's PACKET_SIZE
_STANDING = 0.1  # seconds of the mean rate that wait at most, where nobody says more


class Opportunities:
    """Opportunities in turn, from a moment on, again and again; those that nobody uses are gone."""

    def __init__(self, milliseconds: Sequence[int], begin: float) -> None:
        self._times = [time * 1e-3 for time in milliseconds]
        self._period = self._times[-1]
        self._begin = begin
        self._next, self._left = 0, SIZE  # the opportunity that is used next, and its bytes

    @property
    def limit(self) -> int:
        """The bytes that wait at most by default, ten packets at least."""
        return max(10 * SIZE, int(len(self._times) * SIZE / self._period * _STANDING))

    def _at(self, number: int) -> float:
        turns, place = divmod(number, len(self._times))
        return self._begin + turns * self._period + self._times[place]

    def left(self, start: float, size: int) -> float:
        """When a packet has left that may begin at `start`."""
        if self._at(self._next) < start:
            turns, rest = divmod(start - self._begin, self._period)
            number = int(turns) * len(self._times) + bisect_left(self._times, rest)
            if number > self._next:
                self._next, self._left = number, SIZE
        end = start
        while size > 0:
            end = self._at(self._next)
            taken = min(size, self._left)
            size -= taken
            self._left -= taken
            if not self._left:
                self._next, self._left = self._next + 1, SIZE
        return max(start, end)
