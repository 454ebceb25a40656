"""The running labs of this user: how they are found, and how another process attaches to one.

A lab listens at an abstract unix socket, `@pynetemu/UID/NAME` (unix(7)): it has no file that could be left behind, and it
goes with the engine. Both sides ask the kernel who the other is (SO_PEERCRED), and talk to their own user only.
"""

import errno
import os
import re
import socket
from contextlib import suppress
from dataclasses import dataclass

from pynetemu.engine.channel import Channel, peer_user
from pynetemu.errors import LabError
from pynetemu.lab.connection import Connection
from pynetemu.wording import near_or_all

_NAME = re.compile(r"[\w.][\w.-]*")


@dataclass(frozen=True, slots=True)
class RunningLab:
    """A running lab: its name, its user process's number, the file of its description, its nodes, and when it started.

    `started` is in seconds since 1970.
    """

    name: str
    pid: int
    file: str
    nodes: tuple[str, ...]
    started: float


def labs() -> list[RunningLab]:
    """This user's running labs, by name."""
    found = []
    for name in sorted(_names().get(os.getuid(), [])):
        with suppress(LabError):  # it has ended meanwhile
            connection = connect(name)
            answer, _ = connection.request({"do": "describe"})
            connection.close()
            found.append(RunningLab(name, answer["pid"], answer["file"], tuple(answer["nodes"]), answer["started"]))
    return found


def address(name: str) -> str:
    """Where a lab of this user listens, without the abstract namespace's leading zero byte."""
    return f"pynetemu/{os.getuid()}/{name}"


def listen(wanted: str) -> tuple[str, socket.socket]:
    """Takes a name for a new lab: the wanted one, or `wanted-2` and so on where labs of that name run."""
    if not _NAME.fullmatch(wanted):
        hint = "letters, digits, . - and _ are allowed, and no - at the start"
        raise LabError(f"{wanted!r} cannot be a lab's name\n    hint: {hint}")
    number = 1
    while True:
        name = wanted if number == 1 else f"{wanted}-{number}"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            listener.bind("\0" + address(name))
            listener.listen(16)
            return name, listener
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise LabError(f"{wanted!r} cannot be a lab's name: {error}") from error
            number += 1


def connect(name: str) -> Connection:
    """Connects to a running lab of this user; raises LabError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect("\0" + address(name))
    except OSError:
        connection.close()
        raise LabError(_no_such_lab(name)) from None
    if (owner := peer_user(connection)) != os.getuid():  # anybody may listen at an abstract address
        connection.close()
        raise LabError(f"lab {name!r} belongs to another user (uid {owner}), who listens in its place")
    return Connection(Channel(connection))


def _names() -> dict[int, list[str]]:
    """The names of all labs of this machine, by user, as /proc/net/unix lists their sockets."""
    names: dict[int, list[str]] = {}
    with open("/proc/net/unix", encoding="utf-8", errors="surrogateescape") as file:  # others' names may be any bytes
        for line in file:
            path = line.split(maxsplit=7)[7:]
            parts = path[0].strip().split("/", 2) if path else []
            is_listening = " 00010000 " in line  # __SO_ACCEPTCON
            if len(parts) == 3 and parts[0] == "@pynetemu" and parts[1].isdigit() and is_listening:
                names.setdefault(int(parts[1]), []).append(parts[2])
    return names


def _no_such_lab(name: str) -> str:

    names = _names()
    others = [user for user, theirs in names.items() if user != os.getuid() and name in theirs]
    if others:
        return f"the lab {name!r} belongs to another user (uid {others[0]})"
    own = sorted(names.get(os.getuid(), []))
    if not own:
        return f"there is no lab {name!r}; you have no running lab"
    return f"there is no lab {name!r}; {near_or_all(name, own, 'running:')}"
