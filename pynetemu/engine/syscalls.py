"""The system calls that Python 3.11 does not offer, each as a function that raises OSError.

Everything here is documented in section 2 of the manual: unshare(2), setns(2), mount(2), prctl(2), fallocate(2).
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_REMOUNT = 0x1, 0x20
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_MOVE, MS_REC, MS_SLAVE = 0x2, 0x4, 0x8, 0x1000, 0x2000, 0x4000, 0x80000

PR_SET_PDEATHSIG, PR_SET_SECCOMP = 1, 22
_PR_SET_NAME = 15
_FALLOC_FL_KEEP_SIZE, _FALLOC_FL_PUNCH_HOLE = 1, 2

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, call: str) -> None:
    if result:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno), call)


def unshare(flags: int) -> None:
    """Moves this thread into new namespaces; with CLONE_NEWPID only its children."""
    _check(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Moves this thread into the namespace behind a descriptor; `kind` is its CLONE_ flag."""
    _check(_libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    words = os.fsencode(source), os.fsencode(target), kind.encode() or None
    _check(_libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(options) or None), "mount")


def pivot_root(new: str, old: str) -> None:
    _check(_libc.pivot_root(os.fsencode(new), os.fsencode(old)), "pivot_root")


def unmount(target: str) -> None:
    """Takes a mount away at once; who is in it may stay (MNT_DETACH)."""
    _check(_libc.umount2(os.fsencode(target), 2), "umount2")


def prctl(option: int, *arguments: int) -> None:
    _check(_libc.prctl(option, *(ctypes.c_ulong(argument) for argument in arguments)), "prctl")


def set_name(name: str) -> None:
    """Names this process, as `ps -o comm` shows it (PR_SET_NAME): at most 15 bytes."""
    _check(_libc.prctl(_PR_SET_NAME, name.encode()), "prctl")


def punch_hole(file: int, size: int) -> None:
    """Gives back the memory or room of a file's first bytes, which read as zeros from then on (fallocate(2))."""
    _check(
        _libc.fallocate64(file, _FALLOC_FL_KEEP_SIZE | _FALLOC_FL_PUNCH_HOLE, ctypes.c_int64(0), ctypes.c_int64(size)),
        "fallocate",
    )


def namespace(kind: str) -> int:
    """A descriptor of this thread's namespace: kind is "net", "mnt", "uts" …, as in /proc/PID/ns (namespaces(7))."""
    return os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def inside(*namespaces: tuple[int, int], home: tuple[tuple[int, int], ...]) -> Iterator[None]:
    """Runs a block in other namespaces, given as (descriptor, CLONE_ flag), and comes back to those in `home`."""
    try:
        for descriptor, kind in namespaces:
            setns(descriptor, kind)
        yield
    finally:
        for descriptor, kind in home:
            setns(descriptor, kind)
