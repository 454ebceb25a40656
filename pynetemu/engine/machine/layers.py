"""Mounts a node's own /etc and /var: what it writes, over the layers that all nodes share (`skeleton`), over the machine's.

Where something is mounted below the machine's, as the /etc/resolv.conf of a container, that is not one folder: nobody gets
layers over a folder with mounts in it that they may not take away (has_locked_children in fs/namespace.c), and root's layers
would show what lies under these. So such a folder is put together anew:

    /etc            a copy of all its files, once for the lab; those that are mounted as they are seen
    /var, /var/lib  a copy of the files in it; each folder in it is a piece, with layers of its own
    /var/lib/x      mounted: a piece as others. What allows no layers at all is the machine's.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from pynetemu.engine import syscalls
from pynetemu.engine.machine.skeleton import FOLDERS, HIDDEN, TOPS, is_hidden, make
from pynetemu.engine.mounts import STATE, make_folder

_COPIES = f"{STATE}/copies"
_COPIED_WHOLE = "/etc"  # which is small everywhere
_LARGEST_COPY = 16 << 20  # bytes of a file; larger ones, such as /var/swapfile, are left out
_copied: set[str] = set()
_mounted: dict[str, set[str]] = {}  # what was seen last below /etc and /var


def overlay(top: str, own: str) -> None:
    """Mounts a node's own /etc or /var over the machine's; `own` is a folder for what it writes. Raises OSError."""
    try:
        _overlay(top, own)
    except OSError as error:
        raise OSError(error.errno, f"no layers can be mounted over {top}: {error.strerror}") from error


def _overlay(top: str, own: str) -> None:
    if top not in _mounted:
        _mounted[top] = _mounted_below(top)
    if not _mounted[top]:
        try:
            _mount_layers(top, own, top, [f"{FOLDERS}{top}", f"{HIDDEN}{top}", top])
            return
        except OSError:
            _mounted[top] = _mounted_below(top)
            if not _mounted[top]:
                raise
    mounted = _mounted[top] = _mounted_below(top)
    pieces = list(_pieces(top, TOPS[top], mounted))  # while they can still be seen
    held = {path: os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC) for path, _ in pieces}
    try:
        for path, is_split in pieces:
            if is_split and path not in _copied:
                _copied.add(path)
                _copy_folder(path, f"{_COPIES}{path}", path == _COPIED_WHOLE)
        for path, is_split in pieces:
            _mount_piece(path, own, top, f"{_COPIES}{path}" if is_split else f"/proc/self/fd/{held[path]}")
    finally:
        for descriptor in held.values():
            os.close(descriptor)


def probe() -> None:
    """Mounts what a node would have; raises OSError. Leaves the calling thread in another mount namespace."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    make()
    for top in TOPS:
        overlay(top, f"{STATE}/probe")


def _mount_layers(target: str, own: str, name: str, below: list[str]) -> None:
    """`name` says where below `own` it keeps what is written."""
    upper, work = f"{own}/upper{name}", f"{own}/work{name}"
    make_folder(upper)
    make_folder(work)
    options = f"userxattr,lowerdir={':'.join(below)},upperdir={upper},workdir={work}"
    syscalls.mount("overlay", target, "overlay", 0, options)


def _mount_piece(path: str, own: str, top: str, below: str) -> None:
    layers = [f"{FOLDERS}{path}", *([f"{HIDDEN}{path}"] if os.path.isdir(f"{HIDDEN}{path}") else []), below]
    if path == top:
        _mount_layers(path, own, top, layers)
        return
    try:
        _mount_layers(path, f"{own}/pieces/{path.strip('/').replace('/', '+')}", "", layers)
    except OSError:  # mounts deep inside, or a file system over which nothing can be
        syscalls.mount(below, path, "", syscalls.MS_BIND | syscalls.MS_REC)


def _pieces(path: str, depth: int, mounted: set[str]) -> Iterator[tuple[str, bool]]:
    """The folders that need layers, each before those in it, and whether it is split."""
    is_split = depth > 0 and _has_mounts(path, mounted)
    yield path, is_split
    if is_split and path != _COPIED_WHOLE:
        with os.scandir(path) as entries:
            folders = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False) and not is_hidden(entry.path)]
        for folder in folders:
            yield from _pieces(folder, depth - 1, mounted)


def _has_mounts(path: str, mounted: set[str]) -> bool:
    return any(place.startswith(f"{path}/") for place in mounted)


def _mounted_below(top: str) -> set[str]:
    """Where something is mounted (proc_pid_mountinfo(5))."""
    with open("/proc/self/mountinfo", "rb") as file:
        lines = [line for line in file.read().splitlines() if f" {top}/".encode() in line]
    # Blanks and the like are in octal there, and all else is bytes.
    places = [os.fsdecode(line.split(b" ")[4].decode("unicode_escape").encode("latin-1")) for line in lines]
    return {place for place in places if place.startswith(f"{top}/")}


def _copy_folder(source: str, target: str, deep: bool) -> None:
    make_folder(target)
    with suppress(OSError), os.scandir(source) as entries:
        for entry in entries:
            with suppress(OSError):  # it has gone, or is not for us to read
                _copy_entry(entry, f"{target}/{entry.name}", deep)


def _copy_entry(entry: "os.DirEntry[str]", target: str, deep: bool) -> None:
    import shutil  # takes long to import, and most machines need no copies

    status = entry.stat(follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(entry.path), target)
    elif stat.S_ISDIR(status.st_mode):
        if deep:
            _copy_folder(entry.path, target, deep)
            shutil.copymode(entry.path, target)
    elif stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST_COPY:
        shutil.copyfile(entry.path, target)
        os.chmod(target, stat.S_IMODE(status.st_mode))
        with suppress(OSError):  # of somebody whose id the lab has not
            os.chown(target, status.st_uid, status.st_gid)
