"""Takes what an engine sees while something else runs, and knows when everything has arrived."""

import os
import select
import threading
import time
from collections.abc import Callable
from operator import itemgetter

from pynetemu.lab.connection import readable
from pynetemu.trace.sources.events import Event, Source
from pynetemu.trace.sources.nftrace import Firewall
from pynetemu.trace.sources.processors import catch_up

_time = itemgetter(0)
_SECONDS_TO_HAND_OVER = 2.0  # the kernel hands a ring's block over after 20 ms at the latest, if it gets to run
_ROUNDS, _SECONDS_TO_PASS_ON = 3, 0.3  # where others keep sending there is always something new


class Collector:
    """Reads a source in a thread of its own until `stop`: only copies, nothing is taken apart meanwhile."""

    def __init__(self, source: Source, firewall: Firewall) -> None:
        self.events: list[Event] = []
        self._source, self._firewall = source, firewall
        self._wake = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="pynetemu-trace", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        waiting = select.poll()
        waiting.register(self._source.fileno(), select.POLLIN)
        waiting.register(self._firewall.fileno(), select.POLLIN)
        waiting.register(self._wake, select.POLLIN)
        while not any(descriptor == self._wake for descriptor, _ in waiting.poll()):
            self._take()
            self._firewall.read()

    def stop(self, under_way: Callable[[list[Event]], bool], seconds: float) -> list[Event]:
        """Ends the thread and gives all events, in the order of time.

        What processors and the kernel still hold is waited for. Then, for at most `seconds`, what is `under_way`: packets
        that may be seen again in a moment.
        """
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        os.close(self._wake)
        self._settle()
        self._pass_on()
        end, has_waited = time.monotonic() + seconds, False
        while (left := end - time.monotonic()) > 0 and under_way(self.events):
            readable([self._source.fileno()], min(left, 0.02))
            self._settle()
            has_waited = True
        if has_waited:  # it may have come to a processor in the last moment
            self._pass_on()
        return self.events

    def _take(self) -> None:
        """Empties the kernel's buffers; an engine that can puts off the work of reading what was in them."""
        hold = getattr(self._source, "hold", None)
        if hold is not None:
            hold()
        else:
            self.events += self._source.read()

    def _settle(self) -> None:
        """Takes until all is there that was seen by now, and reads it."""
        end = time.monotonic() + _SECONDS_TO_HAND_OVER
        self._take()
        has_come = self._source.all_until_now()
        while not has_come() and (left := end - time.monotonic()) > 0:
            readable([self._source.fileno()], left)
            self._take()
            os.sched_yield()
        self.events += self._source.read()
        self.events.sort(key=_time)

    def _pass_on(self) -> None:
        """Lets processors do what they have put off, as long as there is something new to be seen by that.

        A busy processor leaves packets to a thread that waits for its turn (ksoftirqd), at each link of their path anew.
        """
        end, rounds, known = time.monotonic() + _SECONDS_TO_PASS_ON, 0, -1
        while known != len(self.events) and (rounds < _ROUNDS or time.monotonic() < end):
            known, rounds = len(self.events), rounds + 1
            catch_up()
            self._settle()
