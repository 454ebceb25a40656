"""Waiting for a condition, instead of sleeping."""

import os
import select
import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")

PATIENCE = 20 if os.environ.get("PYNETEMU_IN_VM") else 1  # an emulated processor is slower by so much


def wait_until(condition: Callable[[], _T | None], seconds: float = 20.0, what: str = "the condition") -> _T:
    """Asks again and again until the answer is true; gives it back, fails when the time is over."""
    end = time.monotonic() + seconds * PATIENCE
    while not (answer := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} has not come true in {seconds:g} s; it is {answer!r}")
        select.select([], [], [], 0.005)
    return answer
