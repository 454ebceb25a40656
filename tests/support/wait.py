"""Waiting for a condition, instead of sleeping."""

import select
import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


def wait_until(condition: Callable[[], _T], seconds: float = 10.0, what: str = "the condition") -> _T:
    """Asks again and again until the answer is true; gives it back, fails when the time is over."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} has not come true in {seconds:g} s; it is {answer!r}")
        select.select([], [], [], 0.005)
    return answer
