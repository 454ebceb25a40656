"""The services of a running network: whether they run, what they have printed, and news of their ends."""

import json
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from pynetemu.engine.protocol.codec import Descriptor
from pynetemu.engine.protocol.requests import OpenLog, ReadServices, WatchServices
from pynetemu.errors import LabError
from pynetemu.lab.arguments import text
from pynetemu.wording import did_you_mean, near_or_all

if TYPE_CHECKING:
    from pynetemu.lab.connection import Connection
    from pynetemu.lab.lab import Lab


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A service: `status` is None while it runs, then its exit status, negative for the signal that ended it."""

    node: str
    name: str
    pid: int
    status: int | None

    def __str__(self) -> str:
        if self.status is None:
            return f"{self.name} of {self.node} runs"
        how = f"was ended by signal {-self.status}" if self.status < 0 else f"has ended with status {self.status}"
        return f"{self.name} of {self.node} {how}"


class ServiceNews:
    """Tells of services that end: readable (`fileno`) when there is news."""

    def __init__(self, control: "Connection") -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)
        with theirs:
            control.ask(WatchServices(Descriptor(theirs.fileno())))

    def fileno(self) -> int:
        """A descriptor that becomes readable when a service has ended."""
        return self._ours.fileno()

    def read(self) -> list[ServiceState]:
        """The services that have ended since; never waits."""
        news = []
        with suppress(BlockingIOError):
            while packet := self._ours.recv(4096):
                news.append(ServiceState(**json.loads(packet)))
        return news

    def close(self) -> None:
        """Hears no more."""
        self._ours.close()


def states(control: "Connection") -> list[ServiceState]:
    return [ServiceState(of.node, of.name, of.pid, of.status) for of in control.ask(ReadServices())]


def open_log(lab: "Lab", name: str) -> BinaryIO:
    """A service's output as a file that grows; raises LabError when there is no such service.

    Of much output the older part is gone: the file stands at the first line that is kept.
    """
    from pynetemu.plan.operations import AddHttpServer, AddService

    operations: list[AddHttpServer | AddService] = [*lab.inventory.of_type(AddHttpServer), *lab.inventory.of_type(AddService)]
    node, _, short = text("name", name).rpartition(".")
    found = [op for op in operations if op.name == short and node in ("", op.node)]
    if len(found) != 1:
        raise LabError(_which(lab, name, [f"{op.node}.{op.name}" for op in found or operations]))
    file = os.fdopen(lab.control.ask(OpenLog(found[0].node, short)), "rb")
    with suppress(OSError):  # it is empty
        if file.seek(os.lseek(file.fileno(), 0, os.SEEK_DATA)):
            file.readline()  # the end of a line whose beginning is gone
    return file


def _which(lab: "Lab", name: str, choices: list[str]) -> str:
    if any(choice.rpartition(".")[2] == name for choice in choices):
        return f"several services are called {name!r}; say which: {', '.join(choices)}"
    meant = did_you_mean(name, [*choices, *(choice.rpartition(".")[2] for choice in choices)])
    return f"{lab.plan.name} has no service {name!r}; {meant or near_or_all(name, choices)}"
