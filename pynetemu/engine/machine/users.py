"""The users of a node, as its /etc/passwd and /etc/group have them, and programs that run as one of these.

Where the lab has the user's id, a program takes it as login(1) does. A lab of an ordinary user has a single id: there the
program gets a user namespace, in which that id has the user's number. So it is that user to itself, owns what it makes, and
has lost root's capabilities (user_namespaces(7)).
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from pynetemu.engine import syscalls
from pynetemu.errors import CommandError
from pynetemu.frozen import frozen

_LARGEST_FILE = 1 << 20  # bytes


@frozen
class User:
    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]  # the other ones
    home: str
    shell: str

    @property
    def env(self) -> dict[str, str]:
        """What login(1) sets for the user."""
        return {"HOME": self.home, "USER": self.name, "LOGNAME": self.name, "SHELL": self.shell}


def find_user(wanted: str, node: str) -> User:
    """A user by name or number; called inside the node. Raises CommandError."""
    for name, _, uid, gid, _, home, shell in _lines("/etc/passwd", 7):
        if wanted in (name, uid) and uid.isdecimal() and gid.isdecimal():
            groups = [int(number) for _, _, number, members in _lines("/etc/group", 4) if name in members.split(",")]
            return User(name, int(uid), int(gid), tuple(groups), home or "/", shell or "/bin/sh")
    if wanted.isascii() and wanted.isdecimal():
        return User(wanted, int(wanted), int(wanted), (), "/", "/bin/sh")
    text = f"there is no user {wanted!r} in the /etc/passwd of {node}"
    raise CommandError(f"{text}\n    hint: `useradd {wanted}` in the node adds one; a number needs none")


def become(user: User) -> None:
    """The calling process, which is root of the lab and is to start a program, is that user from now on. Raises OSError."""
    if has_id("uid", user.uid) and has_id("gid", user.gid):
        os.setgroups([group for group in (user.gid, *user.groups) if has_id("gid", group)])
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
        return
    outside = os.geteuid(), os.getegid()
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    with suppress(OSError):  # "deny" already, in the lab
        _write("setgroups", "deny")
    _write("uid_map", f"{user.uid} {outside[0]} 1")
    _write("gid_map", f"{user.gid} {outside[1]} 1")


def has_id(kind: str, number: int) -> bool:
    """Whether there is such an id in this user namespace; kind is "uid" or "gid"."""
    with open(f"/proc/self/{kind}_map") as lines:
        return any(int(first) <= number < int(first) + int(count) for first, _, count in map(str.split, lines))


def has_one_id() -> bool:
    """Whether this user namespace has a single one."""
    with open("/proc/self/uid_map") as lines:
        return sum(int(line.split()[2]) for line in lines) == 1


def _lines(path: str, count: int) -> Iterator[list[str]]:
    """The lines of a table of so many columns. A node's programs write it: it may be anything, and nobody waits for it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    with open(descriptor, "rb") as file:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            for line in file.read(_LARGEST_FILE).decode(errors="replace").splitlines():
                if len(columns := line.split(":")) == count:
                    yield columns


def _write(name: str, text: str) -> None:
    with open(f"/proc/self/{name}", "w") as file:
        file.write(text)
