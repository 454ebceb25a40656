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
from collections.abc import Iterator

from pynetemu.engine import syscalls
from pynetemu.engine.mounts import STATE

TOPS = {"/etc": 2, "/var": 3}  # how deep folders are made again
_FOLDERS, _HIDDEN = f"{STATE}/folders", f"{STATE}/hidden"
_FRESH = ("/var/log", "/var/spool", "/var/tmp", "/var/cache/private", "/var/lib/private")  # folders, without what is in them
_REWRITTEN = ("/etc/passwd", "/etc/group", "/etc/ld.so.cache", "/etc/environment", "/etc/hostname")  # in place, by programs


def make() -> None:
    """Makes the layers, once for a lab: some 300 folders, in 4 ms."""
    is_root = _has_all_ids()
    for top, depth in TOPS.items():
        for folder in (_FOLDERS, _HIDDEN):
            os.makedirs(f"{folder}{top}")
        _copy(top, depth, is_root)
    for file in _REWRITTEN:
        if os.path.isfile(file) and os.access(file, os.R_OK):
            with open(file, "rb") as source, open(f"{_FOLDERS}{file}", "wb") as target:
                target.write(source.read())


def overlay(top: str, own: str) -> None:
    """Mounts a node's own /etc or /var over the machine's; `own` is a folder for what it writes. Raises OSError."""
    upper, work = f"{own}/upper{top}", f"{own}/work{top}"
    os.makedirs(upper, exist_ok=True)
    os.makedirs(work, exist_ok=True)
    layers = f"lowerdir={_FOLDERS}{top}:{_HIDDEN}{top}:{top},upperdir={upper},workdir={work}"
    syscalls.mount("overlay", top, "overlay", 0, f"userxattr,{layers}")


def probe() -> None:
    """Raises OSError where there can be no such layers. Leaves the calling thread in another mount namespace."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    own = f"{STATE}/probe"
    for top in TOPS:
        for folder in "upper", "work":
            os.makedirs(f"{own}/{folder}{top}", exist_ok=True)
        options = f"userxattr,lowerdir={top},upperdir={own}/upper{top},workdir={own}/work{top}"
        syscalls.mount("overlay", top, "overlay", 0, options)


def _copy(path: str, depth: int, is_root: bool, is_hidden: bool = False) -> None:
    """Makes the folders of a folder again, and hides those of which nothing is to be seen."""
    for entry in _folders(path):
        again, status = f"{_FOLDERS}{entry.path}", entry.stat()
        os.mkdir(again)
        os.chmod(again, stat.S_IMODE(status.st_mode) | (0 if is_root else stat.S_IRWXU))
        if is_root:
            os.chown(again, status.st_uid, status.st_gid)
        is_readable = os.access(entry.path, os.R_OK | os.X_OK)
        hides = not is_hidden and (entry.path in _FRESH or not is_readable)
        if hides:
            os.makedirs(f"{_HIDDEN}{path}", exist_ok=True)
            os.mknod(f"{_HIDDEN}{entry.path}", stat.S_IFCHR, os.makedev(0, 0))  # a whiteout
        if depth > 1 and is_readable:
            _copy(entry.path, depth - 1, is_root, is_hidden or hides)


def _folders(path: str) -> "Iterator[os.DirEntry[str]]":
    with os.scandir(path) as entries:
        yield from (entry for entry in entries if entry.is_dir(follow_symlinks=False))


def _has_all_ids() -> bool:
    """Whether all ids of the machine are ours to give, as root's are."""
    with open("/proc/self/uid_map") as ids:
        return sum(int(line.split()[2]) for line in ids) > 1 << 16 and os.getuid() == 0
