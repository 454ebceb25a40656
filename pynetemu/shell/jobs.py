"""The shell's jobs: processes in nodes that run in the background or are stopped."""

import signal
from collections.abc import Iterator
from typing import Literal

from pynetemu.errors import LabError
from pynetemu.frozen import record
from pynetemu.lab.process import Change, Process

State = Literal["Running", "Stopped", "Done"]
_STATES: dict[str, State] = {"stopped": "Stopped", "continued": "Running", "exited": "Done"}


def exit_status(status: int) -> int:
    """A process's status as shells count: 128 + n for one that was ended by signal n."""
    return 128 - status if status < 0 else status


@record
class Job:
    number: int
    process: Process
    text: str
    state: State = "Running"

    def take(self, change: Change) -> None:
        """Notes that its process has stopped, goes on or has ended."""
        self.state = _STATES[change.kind]

    def signal(self, number: int) -> None:
        """Sends a signal, and lets a stopped process go on where it would not hear of it otherwise."""
        self.process.send_signal(number)
        if self.state == "Stopped" and number in (signal.SIGTERM, signal.SIGHUP):
            self.process.resume()  # a stopped process sees a signal only when it continues

    @property
    def outcome(self) -> str:
        """The state in a word, with the status of one that has failed."""
        if self.state == "Done" and (status := exit_status(self.process.poll() or 0)):
            return f"Exit {status}"
        return self.state

    def __str__(self) -> str:
        return f"[{self.number}]  {self.outcome:<9} {self.text}"


class Jobs:
    """The jobs by number, as `%1` names them."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}

    def add(self, process: Process, text: str) -> Job:
        """A new job with the next number; `text` is the line that began it."""
        number = max(self._jobs, default=0) + 1
        self._jobs[number] = job = Job(number, process, text)
        return job

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def __len__(self) -> int:
        return len(self._jobs)

    def remove(self, job: Job) -> None:
        """Forgets a job that has ended and was told of."""
        self._jobs.pop(job.number, None)

    def find(self, word: str) -> Job:
        """The job of `%1` or `1`, or the latest without a word; raises LabError."""
        if not self._jobs:
            raise LabError("there are no jobs")
        if not word:
            return self._jobs[max(self._jobs)]
        digits = word.removeprefix("%")
        if digits.isdigit() and int(digits) in self._jobs:
            return self._jobs[int(digits)]
        raise LabError(f"there is no job {word}; `jobs` lists them")

    def news(self) -> list[Job]:
        """The jobs whose state has changed since; those which have ended are forgotten."""
        return [job for job in self if self.refresh(job)]

    def refresh(self, job: Job) -> bool:
        """Takes in what has become of a job, and forgets one that has ended; true if that is news."""
        before = job.state
        while job.state != "Done" and (change := job.process.wait_change(0)):
            job.take(change)
        if job.state == "Done":
            self.remove(job)
        return job.state != before
