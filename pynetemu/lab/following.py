"""The plan of a running lab, as its engine has it now: whoever changes it, all see it at once."""

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from pynetemu.engine.protocol.codec import Descriptor
from pynetemu.engine.protocol.requests import Changed, ChangeLab, ReadPlan, Request, TakeBack, WatchPlan
from pynetemu.errors import LabError
from pynetemu.plan.data import change_to_data, from_data
from pynetemu.plan.operations import Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from pynetemu.lab.connection import Connection


class FollowedPlan:
    """A lab's plan, with its number. The engine tells of new ones over a socket, which takes a microsecond to look at."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._revision = 0
        self._news: socket.socket | None = None
        self._lock = threading.Lock()

    def now(self, control: "Connection") -> Plan:
        """The plan as it is now; of a lab that has ended the last one."""
        with self._lock, suppress(LabError):
            if (latest := self._latest(control)) > self._revision:
                self.plan, self._revision = from_data(control.ask(ReadPlan())), latest
        return self.plan

    def change(self, control: "Connection", new: Plan) -> tuple[str, ...]:
        """Makes the lab what a plan says, all of it or nothing; gives what the engine has to tell.

        Raises KernelError, ServiceError, LabError, and KeyboardInterrupt, when all is as it was.
        """
        old = self.now(control)
        change = change_to_data(old, new)
        answer = _ask(control, lambda cancel: ChangeLab(self._revision, change, cancel))
        with self._lock:
            self.plan, self._revision = new, answer.revision
        return answer.told

    def take_back(self, control: "Connection") -> tuple[str, ...]:
        """Takes the last change back, whoever made it; raises as `change`."""
        self.now(control)
        answer = _ask(control, lambda cancel: TakeBack(self._revision, cancel))
        return answer.told

    def close(self) -> None:
        """Hears of no more changes."""
        if self._news is not None:
            self._news.close()
            self._news, self._revision = None, 0

    def _latest(self, control: "Connection") -> int:
        if self._news is None:
            self._news, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._news.setblocking(False)
            with theirs:
                return control.ask(WatchPlan(Descriptor(theirs.fileno())))
        latest = self._revision
        with suppress(BlockingIOError):
            while packet := self._news.recv(64):
                latest = int(packet)
        return latest


def _ask(control: "Connection", request: "Callable[[Descriptor], Request[Changed]]") -> Changed:
    """Asks for a change; Ctrl-C breaks it off, and is raised when all is as it was before."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        return control.ask(request(Descriptor(theirs.fileno())), on_interrupt=lambda: ours.send(b"x"))
