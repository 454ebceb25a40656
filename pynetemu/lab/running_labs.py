"""The running labs of this user: how they are found, and how another process attaches to one.

A lab listens at an abstract unix socket, `@pynetemu/UID/NAME` (unix(7)): it has no file that could be left behind, and it
goes with the engine. Both sides ask the kernel who the other is (SO_PEERCRED), and talk to their own user only.
"""

import errno
import os
import re
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress

from pynetemu.engine.protocol.channel import Channel, peer_user
from pynetemu.engine.protocol.joined_requests import EndLab
from pynetemu.engine.protocol.requests import Describe, Description
from pynetemu.errors import LabError, UsageError
from pynetemu.frozen import frozen
from pynetemu.lab.connection import Connection, LabEnded, is_readable, readable
from pynetemu.topology.part import quoted
from pynetemu.wording import near_or_all

_NAME = re.compile(r"[\w.][\w.-]*")
_LONGEST_NAME = 64  # bytes: with the user's number before it and -2 after it, it is part of a socket's address of 108
# A socket that listens (__SO_ACCEPTCON) at a lab's address: the user's number and the lab's name.
_LISTED = re.compile(r"\S+: \S+ \S+ 00010000 .*? @pynetemu/([0-9]{1,10})/([^/]+)", re.ASCII)
_SILENT = "stopped, or very busy"
_PATIENCE_AT_THE_END = 10.0  # seconds
_PATIENCE = 2.0  # seconds for a lab's answer, which takes milliseconds


@frozen
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
    """This user's running labs, by name; without those that do not answer."""
    return labs_and_silent()[0]


def labs_and_silent() -> tuple[list[RunningLab], dict[str, str]]:
    """This user's running labs, and why others did not answer, by name. All are asked at once, for two seconds at most."""
    asked: dict[str, tuple[Connection, Callable[[], Description]]] = {}
    silent: dict[str, str] = {}
    for name in _names().get(os.getuid(), []):
        try:
            opened = _open(name, 0)
        except BlockingIOError:
            silent[name] = _SILENT
        except OSError:  # it has ended meanwhile
            continue
        else:
            if peer_user(opened) == os.getuid():
                connection = Connection(Channel(opened))
                asked[name] = connection, connection.begin(Describe())
            else:
                opened.close()
    found = []
    end = time.monotonic() + _PATIENCE
    while asked and (answered := readable([one for one, _ in asked.values()], end - time.monotonic())):
        for name in [name for name, (connection, _) in asked.items() if connection in answered]:
            connection, answer = asked.pop(name)
            try:
                lab = answer()
                found.append(RunningLab(name, lab.pid, lab.file, lab.nodes, lab.started))
            except LabEnded:
                pass
            except LabError as error:  # of another version
                silent[name] = str(error)
            connection.close()
    for name, (connection, _) in asked.items():
        silent[name] = _SILENT
        connection.close()
    return sorted(found, key=lambda lab: lab.name), dict(sorted(silent.items()))


def address(name: str) -> str:
    """Where a lab of this user listens, without the abstract namespace's leading zero byte."""
    return f"pynetemu/{os.getuid()}/{name}"


def _abstract(name: str) -> bytes:
    """An abstract socket's name (unix(7)), whatever the locale's encoding is."""
    return b"\0" + name.encode("utf-8", "surrogateescape")


def check_name(name: object) -> str:
    """The name of a lab; raises UsageError for what cannot be one."""
    hint = "letters, digits, . - and _ are allowed, and no - at the start"
    if isinstance(name, str) and _NAME.fullmatch(name):
        if (size := len(name.encode(errors="surrogatepass"))) <= _LONGEST_NAME:
            return name
        hint = f"{_LONGEST_NAME} bytes at most, and this has {size}"
    raise UsageError(f"{quoted(name)} cannot be a lab's name\n    hint: {hint}")


def name_of(topology: str) -> str:
    """A lab's name after that of its topology."""
    return topology.lower().encode()[:_LONGEST_NAME].decode(errors="ignore")


def listen(wanted: str) -> tuple[str, socket.socket]:
    """Takes a name for a new lab: the wanted one, or `wanted-2` and so on where labs of that name run."""
    number = 1
    while True:
        name = wanted if number == 1 else f"{wanted}-{number}"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            listener.bind(_abstract(address(name)))
            listener.listen(16)
            return name, listener
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise LabError(f"{wanted!r} cannot be a lab's name: {error}") from error
            number += 1


def connect(name: str) -> tuple[Connection, Description]:
    """Connects to a running lab of this user, and lets it describe itself; raises LabError, also when it does not answer."""
    if not isinstance(name, str):
        check_name(name)
    silent = f"the lab {name!r} does not answer: it is {_SILENT}"
    try:
        opened = _open(name, _PATIENCE)
    except BlockingIOError:
        raise LabError(silent) from None
    except (OSError, ValueError):
        raise LabError(_no_such_lab(name)) from None
    if (owner := peer_user(opened)) != os.getuid():  # anybody may listen at an abstract address
        opened.close()
        raise LabError(f"lab {name!r} belongs to another user (uid {owner}), who listens in its place")
    connection = Connection(Channel(opened))
    answer = connection.begin(Describe())
    if not is_readable(connection, _PATIENCE):
        connection.close()
        raise LabError(silent)
    try:
        return connection, answer()
    except LabError:
        connection.close()
        raise


def stop(name: str) -> None:
    """Ends a running lab of this user, whoever has started it, and waits until its engine has gone. Raises LabError."""
    connection, _ = connect(name)
    with suppress(LabEnded):
        connection.ask(EndLab())
        if not is_readable(connection, _PATIENCE_AT_THE_END):
            raise LabError(f"the lab {name!r} does not end: it is {_SILENT}")
    connection.close()


def _open(name: str, patience: float) -> socket.socket:
    """A connection to whoever listens there. Raises BlockingIOError where too many wait already, after so many seconds."""
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        opened.setblocking(patience > 0)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(patience), 0))
        opened.connect(_abstract(address(name)))
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 0))
        opened.setblocking(True)
    except BaseException:
        opened.close()
        raise
    return opened


def _names() -> dict[int, list[str]]:
    """The names of all labs of this machine, by user, as /proc/net/unix lists their sockets; anybody may bind any name."""
    names: dict[int, list[str]] = {}
    with open("/proc/net/unix", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            found = _LISTED.fullmatch(line.rstrip("\n"))
            if found and _NAME.fullmatch(found[2]):
                names.setdefault(int(found[1]), []).append(found[2])
    return {user: list(dict.fromkeys(theirs)) for user, theirs in names.items()}


def _no_such_lab(name: str) -> str:

    names = _names()
    others = [user for user, theirs in names.items() if user != os.getuid() and name in theirs]
    if others:
        return f"the lab {name!r} belongs to another user (uid {others[0]})"
    own = sorted(names.get(os.getuid(), []))
    if not own:
        return f"there is no lab {name!r}; you have no running lab"
    return f"there is no lab {name!r}; {near_or_all(name, own, 'running:')}"
