"""The bar below the prompt: the lab, its nodes, packets a second, what was dropped, jobs."""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetemu.errors import PynetemuError
from pynetemu.wording import counted

if TYPE_CHECKING:
    from pynetemu.lab.state import Totals
    from pynetemu.shell.shell import Shell

_INTERVAL = 1.0  # seconds
_REST = 0.3  # seconds without a line: what was typed at once has been read
_SHARE = 0.03  # of the time that asking may take: a lab of thousands is asked less often


@dataclass(frozen=True, slots=True)
class _Sample:
    time: float
    totals: "Totals"


class Bar:
    """Asks for the lab's totals in a thread of its own, while the prompt waits."""

    def __init__(self, shell: "Shell") -> None:
        self._shell = shell
        self._samples: list[_Sample] = []  # the last two
        self._changed: Callable[[], None] | None = None
        self._wanted, self._hidden = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def show(self, changed: Callable[[], None]) -> None:
        """From now on `changed` is called, in the thread, when there is something new."""
        self._changed = changed
        self._hidden.clear()
        self._wanted.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="bar", daemon=True)
            self._thread.start()

    def hide(self) -> None:
        """The prompt has gone for a while."""
        self._wanted.clear()
        self._hidden.set()

    def text(self) -> str:
        """blue | 2 of 2 nodes up | 12 packets/s | 0 dropped | 1 job"""
        network = self._shell.network
        parts = [network.name]
        if self._samples:
            totals = self._samples[-1].totals
            parts += [f"{totals.up} of {len(network)} nodes up", self._rate(), f"{totals.dropped} dropped"]
        else:
            parts.append(counted(len(network), "node"))
        jobs = list(self._shell.jobs)
        stopped = sum(job.state == "Stopped" for job in jobs)
        if jobs:
            parts.append(counted(len(jobs), "job") + (f", {stopped} stopped" if stopped else ""))
        return " | ".join(parts)

    @property
    def has_drops(self) -> bool:
        """Whether interfaces have dropped packets since the last look."""
        return len(self._samples) == 2 and self._samples[1].totals.dropped > self._samples[0].totals.dropped

    def _rate(self) -> str:
        if len(self._samples) < 2:
            return "0 packets/s"
        before, now = self._samples
        rate = max(0.0, (now.totals.packets - before.totals.packets) / (now.time - before.time))
        return f"{rate:,.0f} packets/s"

    def _work(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))  # they are for the thread that runs commands
        self._wait_for_rest()
        from pynetemu.shell import registry
        from pynetemu.shell.prompt.completion import warm_up

        registry.load_all()
        warm_up()
        while True:
            self._wanted.wait()
            start = time.monotonic()
            try:
                totals = self._shell.network.totals()
            except (PynetemuError, OSError):  # the lab has ended, or is just being made anew
                totals = None
            now = time.monotonic()
            if totals is not None:
                self._samples = [*self._samples[-1:], _Sample(now, totals)]
                if self._wanted.is_set() and self._changed:
                    self._changed()
            threading.Event().wait(max(_INTERVAL, (now - start) / _SHARE))

    def _wait_for_rest(self) -> None:
        """What we import next would take the processor from lines that are there already."""
        self._wanted.wait()
        while self._hidden.wait(_REST):
            self._wanted.wait()
