"""A lab of an ordinary user with many ids, as `ids = "range"` asks for: the user's own, which is root's number in there, and
those that /etc/subuid and /etc/subgid of the machine give to the user (subuid(5)).

Only the set-uid programs newuidmap and newgidmap may map others' ids, and only from outside. So a helper stays there:

    front ── fork ──▶ helper, outside
      │ unshare            │ waits for that
      │ waits              └── newuidmap, newgidmap: the ids of the front
"""

import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import suppress

from pynetemu.engine.paths import search_path
from pynetemu.frozen import frozen

_KINDS = (("newuidmap", "/etc/subuid"), ("newgidmap", "/etc/subgid"))
_LARGEST = 65535  # of a range: with one's own 65536 ids, which all programs and files of a machine have enough with
_FIRST_FREE = 100000  # as useradd(8) begins


@frozen
class Lack:
    """Why there are no ranges, and the line that makes them."""

    reason: str
    fix: str


def lack(etc: str = "/etc") -> Lack | None:
    """Why this user cannot have a range, None where there is one. `etc` is where the tables are looked for."""
    sudo = "sudo " if os.getuid() else ""
    if missing := [program for program, _ in _KINDS if _find(program) is None]:
        return Lack(f"{missing[0]}, which maps ranges of ids, is not installed", f"{sudo}apt-get install -y uidmap")
    tables = [f"{etc}/{table.rpartition('/')[2]}" for _, table in _KINDS]
    without = [table for table in tables if _range(table) is None]
    if not without:
        return None
    line = f"{_names()[0]}:{max(map(_first_free, tables))}:65536"
    return Lack(
        f"{' and '.join(without)} {'have' if len(without) > 1 else 'has'} no range of ids for {_names()[0]}",
        f"echo {line} | {sudo}tee -a {' '.join(without)}",
    )


class Mapper:
    """To be made before the calling process leaves for a user namespace. Raises OSError."""

    def __init__(self) -> None:
        ours, theirs = os.pipe(), os.pipe()
        pid = os.getpid()
        if os.fork() == 0:
            os.close(ours[1])
            os.close(theirs[0])
            if os.read(ours[0], 1):
                os.write(theirs[1], "".join(_map(pid)).encode())
            os._exit(0)
        os.close(ours[0])
        os.close(theirs[1])
        self._ask, self._answer = ours[1], theirs[0]

    def map(self) -> str:
        """Maps the ids of the calling process; gives what went wrong, "" for nothing."""
        os.write(self._ask, b"!")
        self.close()
        with os.fdopen(self._answer) as answer:
            return answer.read()

    def close(self) -> None:
        """The helper ends, asked or not."""
        os.close(self._ask)


def _map(pid: int) -> Iterator[str]:
    own = {"newuidmap": os.getuid(), "newgidmap": os.getgid()}
    for program, table in _KINDS:
        path, found = _find(program), _range(table)
        if path is None or found is None:
            yield f"{program}: there is no range"
            return
        yield from _run([path, str(pid), "0", str(own[program]), "1", "1", str(found[0]), str(min(found[1], _LARGEST))])


def _run(argv: list[str]) -> Iterator[str]:
    """Runs a program, and gives what it says when it fails."""
    read, write = os.pipe()
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, write, 2)])
    os.close(write)
    with os.fdopen(read, errors="replace") as errors:
        text = errors.read().strip()
    _, status = os.waitpid(pid, 0)
    if status:
        yield text or f"{argv[0]} has failed"


def _find(program: str) -> str | None:
    return shutil.which(program, path=search_path(os.environ))


def _names() -> list[str]:
    """How the tables may call this user: by name or by number."""
    names = [str(os.getuid())]
    with suppress(KeyError):
        names.insert(0, pwd.getpwuid(os.getuid()).pw_name)
    return names


def _range(table: str) -> tuple[int, int] | None:
    """This user's largest range: its first id and how many there are."""
    own = [(first, count) for name, first, count in _lines(table) if name in _names() and count]
    return max(own, key=lambda found: found[1], default=None)


def _first_free(table: str) -> int:
    return max((first + count for _, first, count in _lines(table)), default=_FIRST_FREE)


def _lines(table: str) -> Iterator[tuple[str, int, int]]:
    with suppress(OSError), open(table, errors="replace") as lines:
        for line in lines:
            name, _, numbers = line.strip().partition(":")
            first, _, count = numbers.partition(":")
            if first.isdecimal() and count.isdecimal():
                yield name, int(first), int(count)
