"""What a direction of a link does over time."""

from bisect import bisect_right
from collections.abc import Sequence

from pynetemu.plan.shaping.impairment import Impairment, Schedule
from pynetemu.plan.shaping.ramps import between

_PIECE = 0.01  # seconds for which settings hold that change linearly


class Course:
    """Steps from a moment on, each with the settings that hold from then; again after `period` seconds if that is not 0.

    With `linear`, settings change evenly from each step to the next.
    """

    def __init__(self, steps: Sequence[tuple[float, Impairment]], period: float, began: float, linear: bool) -> None:
        self._times = [time for time, _ in steps]
        self._settings = [settings for _, settings in steps]
        self._period, self._began, self._linear = period, began, linear

    def at(self, now: float) -> tuple[Impairment | None, float | None]:
        """The settings at a moment, None before the first step; and when there are others, None for never."""
        turns = int((now - self._began) // self._period) if self._period else 0
        begin = self._began + turns * self._period
        passed = now - begin
        place = bisect_right(self._times, passed) - 1
        following = begin + self._times[place + 1] if place + 1 < len(self._times) else self._next_turn(begin)
        if place < 0 and not turns:
            return None, following
        if not self._linear or place < 0 or place + 1 == len(self._times):
            return self._settings[place], following
        step = self._times[place + 1] - self._times[place]
        share = (passed - self._times[place]) / step
        found = between(self._settings[place], self._settings[place + 1], share)
        return found, min(now + _PIECE, begin + self._times[place + 1])

    def _next_turn(self, begin: float) -> float | None:
        return begin + self._period + self._times[0] if self._period else None


def scheduled(schedule: Schedule, began: float) -> Course:
    """A schedule of a description."""
    steps = [(time / 1e9, settings) for time, settings in schedule.steps]
    return Course(steps, schedule.every / 1e9, began, schedule.linear)
