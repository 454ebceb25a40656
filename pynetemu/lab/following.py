"""The plan of a running lab, as its engine has it now: whoever changes it, all see it at once."""

import json
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from pynetemu.engine.protocol.change_requests import Changed, ChangeLab, Cut, TakeBack
from pynetemu.engine.protocol.codec import Descriptor
from pynetemu.engine.protocol.envelope import Overtaken
from pynetemu.engine.protocol.requests import (
    KeepDescription,
    ReadDescription,
    ReadPlan,
    Request,
    WatchPlan,
)
from pynetemu.errors import LabError
from pynetemu.plan.data import change_to_data, from_data
from pynetemu.plan.operations import Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from pynetemu.lab.connection import Connection
    from pynetemu.plan.again import Memory
    from pynetemu.topology import Topology
    from pynetemu.topology.data import DescriptionText


class FollowedPlan:
    """A lab's plan, with its number, and the description that it was made of, for all to change.

    The engine tells of new ones over a socket, which takes a microsecond to look at.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.memo: Memory | None = None  # of the description, once it has been changed
        self._revision = 0
        self._description: tuple[int, Topology | None] | None = None  # of the plan of a number
        self._news: socket.socket | None = None
        self._text: tuple[int, DescriptionText] | None = None  # of the description, as the engine has it, of that number
        self._lock = threading.Lock()

    def now(self, control: "Connection") -> Plan:
        """The plan as it is now; of a lab that has ended the last one."""
        with self._lock, suppress(LabError):
            if (latest := self._latest(control)) > self._revision:
                self.plan, self._revision = from_data(control.ask(ReadPlan())), latest
        return self.plan

    def description(self, control: "Connection") -> "Topology | None":
        """What the plan of now was made of; None where that is not known. Raises LabError."""
        self.now(control)
        if self._description is None or self._description[0] != self._revision:
            from pynetemu.topology.data import from_data as topology_from_data

            found = control.ask(ReadDescription())
            topology = None if found.description is None else topology_from_data(json.loads(found.description))
            self._description = found.revision, topology
        return self._description[1]

    def keep(self, control: "Connection", topology: "Topology", data: bytes | None) -> None:
        """Tells the engine what the first plan was made of. Raises LabError."""
        self._description = 0, topology
        if data is not None:
            control.ask(KeepDescription(0, data))

    def change(
        self, control: "Connection", old: Plan, new: Plan, topology: "Topology | None", same: bool = False
    ) -> tuple[str, ...]:
        """Makes the lab, which one plan says, what another says, all of it or nothing; gives what the engine has to tell.

        The `topology` is what the new one was made of, if that is known, or the `same` as of the old one. Raises KernelError,
        ServiceError, LabError, and KeyboardInterrupt, when all is as it was.
        """
        if self.now(control) is not old:
            raise Overtaken
        if same and self._description is not None and self._description[0] == self._revision:
            topology = self._description[1]
        change = change_to_data(old, new)
        text, whole, cuts = self._described(old, new, None if same else topology)
        keeps, self._text = same or (text is not None and whole is None), None
        answer = _ask(control, lambda cancel: ChangeLab(self._revision, change, cancel, whole, keeps, cuts))
        with self._lock:
            self.plan, self._revision = new, answer.revision
        if text is not None:
            self._text = answer.revision, text
        self._description = (answer.revision, topology) if topology is not None or not same else None
        return answer.told

    def _described(
        self, old: Plan, new: Plan, topology: "Topology | None"
    ) -> "tuple[DescriptionText | None, bytes | None, tuple[Cut, ...]]":
        """The text of a description; and what the engine is told of it: all, or where it is other than what that has."""
        from pynetemu.topology.data import NoDataError

        if topology is None:
            return None, None, ()
        said = None if self.memo is None else self.memo.between(old, new)
        if said is not None and self._text is not None and self._text[0] == self._revision:
            text = self._text[1]
            with suppress(NoDataError):
                cuts = text.cuts(topology, *said)
                if cuts is not None:
                    return text, None, tuple(Cut(*cut) for cut in cuts)
        made = _text_of(topology)
        return made, None if made is None else made.whole(), ()

    def take_back(self, control: "Connection") -> tuple[str, ...]:
        """Takes the last change back, whoever made it; raises as `change`."""
        self.now(control)
        answer = _ask(control, lambda cancel: TakeBack(self._revision, cancel))
        return answer.told

    def close(self) -> None:
        """Hears of no more changes."""
        if self._news is not None:
            self._news.close()
            self._news, self._revision, self._description, self._text = None, 0, None, None

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


def data_of(topology: "Topology") -> bytes | None:
    """A description for the engine to keep; None for one with values that only this process has."""
    text = _text_of(topology)
    return None if text is None else text.whole()


def _text_of(topology: "Topology") -> "DescriptionText | None":
    from pynetemu.topology.data import DescriptionText, NoDataError

    try:
        return DescriptionText(topology)
    except NoDataError:
        return None


def _ask(control: "Connection", request: "Callable[[Descriptor], Request[Changed]]") -> Changed:
    """Asks for a change; Ctrl-C breaks it off, and is raised when all is as it was before."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        return control.ask(request(Descriptor(theirs.fileno())), on_interrupt=lambda: ours.send(b"x"))
