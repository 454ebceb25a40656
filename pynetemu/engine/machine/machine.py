"""The namespaces in which a node's programs live, and the process that keeps them: the init of its PID namespace.

    engine, outside ── fork ──▶ init of blue, PID 1 in there: `sleep infinity`
      │ parent of all              the kernel reaps for it what has lost its parent
      └── setns, spawn ──▶ ping, bash, curl: PIDs 2, 3, 4 in there

So `ps`, `killall` and `kill -9 -1` mean the programs of that node, and nobody in there can end its init (pid_namespaces(7)).
When init ends, the kernel kills all that is in its namespace.
"""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from pynetemu.engine import syscalls
from pynetemu.engine.mounts import INIT
from pynetemu.frozen import frozen

NAMES, PROCESSES, MOUNTS = syscalls.CLONE_NEWUTS, syscalls.CLONE_NEWPID, syscalls.CLONE_NEWNS
# The mount namespace is last: it is what /proc hangs on.
KINDS = (("uts", NAMES), ("pid", PROCESSES), ("mnt", MOUNTS))


@frozen
class Machine:
    """`init` is its number outside; the descriptors are of the namespaces in `KINDS`, each with its CLONE_ flag."""

    init: int
    namespaces: tuple[tuple[int, int], ...]

    def has_ended(self) -> bool:
        """Whether its init has ended, and all processes with it; it is still to be reaped."""
        try:
            return os.waitid(os.P_PID, self.init, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def close(self) -> None:
        for descriptor, _ in self.namespaces:
            os.close(descriptor)


def start_machine(prepare: Callable[[], None], finish: Callable[[], None], home: tuple[tuple[int, int], ...]) -> Machine:
    """Makes the namespaces, and runs `prepare` in them, which has INIT there, and `finish` below its
    /proc; `home` is where the calling thread comes back to.

    Raises OSError.
    """
    with syscalls.inside(home=home):
        syscalls.unshare(NAMES | PROCESSES | MOUNTS)
        prepare()
        init = _fork_init(finish)
    descriptors = tuple((os.open(f"/proc/{init}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC), kind) for name, kind in KINDS)
    return Machine(init, descriptors)


def number_inside(pid: int) -> int:
    """A process's number in the PID namespace where it lives, the last one in NSpid (proc_pid_status(5))."""
    file = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = os.read(file, 4096)
    finally:
        os.close(file)
    return int(text.partition(b"\nNSpid:")[2].partition(b"\n")[0].split()[-1])


def _fork_init(finish: Callable[[], None]) -> int:
    """The first process of a PID namespace: the only one that can mount its /proc, and then the one that never ends."""
    error_read, error_write = os.pipe()
    if (pid := os.fork()) == 0:
        _become_init(finish, error_write)
    os.close(error_write)
    with os.fdopen(error_read, "rb") as errors:
        failed = errors.read().decode()
    if failed:
        os.waitpid(pid, 0)
        code, _, step = failed.partition(" ")
        raise OSError(int(code), os.strerror(int(code)), step)
    return pid


def _become_init(finish: Callable[[], None], errors: int) -> NoReturn:
    try:
        os.setpgid(0, 0)  # keys at the user's terminal are not for it
        syscalls.mount("proc", "/proc", "proc", syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC)
        finish()
        with suppress(OSError):  # in a chroot, say: then somebody may unmount what is there, which costs that node's view
            syscalls.unshare(syscalls.CLONE_NEWUSER | MOUNTS)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # stays so over exec: the kernel reaps (waitpid(2))
        os.execv(INIT, ["sleep", "infinity"])  # some programs are many, and know by this word which is meant
    except OSError as error:
        os.write(errors, f"{error.errno} {error.filename or 'init'}".encode())
    finally:
        os._exit(127)
