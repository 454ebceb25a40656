"""A control timer: sleeps to moments a millisecond apart, and in the end prints how late 99 of 100 wakes were at most, in s."""

import ctypes
import select
import sys
import time

_APART = 0.001
_PR_SET_TIMERSLACK = 29


def main() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    late: list[float] = []
    print("ready", flush=True)
    due = time.monotonic()
    while True:
        due = max(due + _APART, time.monotonic())
        if select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
            break
        late.append(time.monotonic() - due)
    print(sorted(late)[len(late) * 99 // 100] if late else 0.0)


main()
