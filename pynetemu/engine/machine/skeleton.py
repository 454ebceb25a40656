"""What is below the nodes' own /etc and /var: the machine's, seen through two layers that all nodes share.

    a node's own       what it writes
    folders            the machine's folders again, empty and ours: a merged folder has its owner from its topmost layer
    hidden             whiteouts, for folders of which only the empty ones above are to be seen
    the machine's      /etc, /var

An ordinary user has one id, to which the machine's folders do not belong: without the second layer nothing could be written in
them. Folders that we may not read, and those of logs, spools and the like, are hidden by the third. See overlayfs.rst in the
kernel's documentation; without root it takes Linux 5.11.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache

from pynetemu.engine.machine.users import has_id
from pynetemu.engine.mounts import STATE, remove_folder

Owner = Callable[["os.DirEntry[str]"], tuple[int, int]]
_owners: dict[str, tuple[int, int]] = {}  # of folders, by path, as `note_owners` has found them
TOPS = {"/etc": 2, "/var": 3}  # how deep folders are made again
FOLDERS, HIDDEN = f"{STATE}/folders", f"{STATE}/hidden"
_FRESH = ("/var/log", "/var/spool", "/var/tmp", "/var/cache/private", "/var/lib/private")  # folders, without what is in them
# In place, by programs: those of passwd(1) lock their tables, and keep what they had before.
_TABLES = ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")
_WITHOUT_PASSWORDS = {  # what a line of one has beside the name, where nobody has a password: shadow(5), gshadow(5)
    "/etc/shadow": ("/etc/passwd", b":*:1:0:99999:7:::\n"),
    "/etc/gshadow": ("/etc/group", b":*::\n"),
}
_REWRITTEN = (
    *(f"/etc/{name}{end}" for name in _TABLES for end in ("", "-")),
    *("/etc/.pwd.lock", "/etc/ld.so.cache", "/etc/environment", "/etc/hostname"),
)


@cache
def make() -> None:
    """Makes the layers, once for a lab: some 300 folders, in 4 ms. Raises OSError, and leaves nothing then."""
    try:
        _make()
    except OSError:
        for folder in (FOLDERS, HIDDEN):
            remove_folder(folder)
        raise


def _make() -> None:
    owner = _owner_as_it_is if _has_all_ids() else _owner_outside if _owners else None
    for top, depth in TOPS.items():
        for folder in (FOLDERS, HIDDEN):
            os.makedirs(f"{folder}{top}")
        _copy(top, depth, owner)
    for file in _REWRITTEN:
        if os.path.isfile(file):
            _copy_file(file)


def is_hidden(path: str) -> bool:
    """Whether nothing that is in a folder of the machine is seen in nodes."""
    return path in _FRESH or not os.access(path, os.R_OK | os.X_OK)


def has_range() -> bool:
    """Whether the lab has ids besides the user's that nothing of the machine belongs to."""
    return bool(_owners)


def note_owners() -> None:
    """To be called outside, by a user whose lab will have a range of ids: inside all owners but that user look the same."""
    for top, depth in TOPS.items():
        _note_owners(top, depth)


def _note_owners(path: str, depth: int) -> None:
    with suppress(OSError):
        for entry in _folders(path):
            status = entry.stat()
            if status.st_uid != os.getuid():
                _owners[entry.path] = status.st_uid, status.st_gid
            if depth > 1:
                _note_owners(entry.path, depth - 1)


def _owner_as_it_is(entry: "os.DirEntry[str]") -> tuple[int, int]:
    status = entry.stat()
    return status.st_uid, status.st_gid


def _owner_outside(entry: "os.DirEntry[str]") -> tuple[int, int]:
    user, group = _owners.get(entry.path, (0, 0))
    return user if has_id("uid", user) else 0, group if has_id("gid", group) else 0


def _copy_file(path: str) -> None:
    """With its mode and, as far as the lab has them, its owner. What we may not read is empty, but lists all users."""
    status = os.stat(path)
    with open(f"{FOLDERS}{path}", "wb") as copy:
        os.chmod(copy.fileno(), stat.S_IMODE(status.st_mode) | stat.S_IWUSR)
        if _has_all_ids():
            os.chown(copy.fileno(), status.st_uid, status.st_gid)
        if os.access(path, os.R_OK):
            with open(path, "rb") as source:
                copy.write(source.read())
        elif path in _WITHOUT_PASSWORDS:
            table, rest = _WITHOUT_PASSWORDS[path]
            with open(table, "rb") as lines:
                copy.writelines(line.partition(b":")[0] + rest for line in lines if b":" in line)


def _copy(path: str, depth: int, owner: Owner | None, below_hidden: bool = False) -> None:
    """Makes the folders of a folder again, and hides those of which nothing is to be seen."""
    for entry in _folders(path):
        again, status = f"{FOLDERS}{entry.path}", entry.stat()
        os.mkdir(again)
        if owner is not None:
            os.chown(again, *owner(entry))
        os.chmod(again, stat.S_IMODE(status.st_mode) | (0 if owner is not None else stat.S_IRWXU))
        hides = not below_hidden and is_hidden(entry.path)
        if hides:
            os.makedirs(f"{HIDDEN}{path}", exist_ok=True)
            os.mknod(f"{HIDDEN}{entry.path}", stat.S_IFCHR, os.makedev(0, 0))  # a whiteout
        if depth > 1 and os.access(entry.path, os.R_OK | os.X_OK):
            _copy(entry.path, depth - 1, owner, below_hidden or hides)


def _folders(path: str) -> "Iterator[os.DirEntry[str]]":
    with os.scandir(path) as entries:
        yield from (entry for entry in entries if entry.is_dir(follow_symlinks=False))


def _has_all_ids() -> bool:
    """Whether all ids of the machine are ours to give, as root's are."""
    with open("/proc/self/uid_map") as ids:
        return sum(int(line.split()[2]) for line in ids) > 1 << 16 and os.getuid() == 0
