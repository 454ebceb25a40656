"""Starts processes in nodes, reports what becomes of them, and signals them.

Each process has a life socket: a SOCK_SEQPACKET pair, one end at the caller, at which every change of state arrives as
one packet, "stopped 20", "continued 18", "exited 0" (negative: the signal that ended it). Descriptors can be waited for in
any thread or event loop of the caller.

The engine's processes live in the caller's session, so that a node's programs may have its terminal (credentials(7)).
"""

import os
import select
import signal
import socket
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, NoReturn

from pynetemu.engine import mounts, syscalls
from pynetemu.engine.machine.users import User, become, find_user
from pynetemu.engine.paths import find_program, unpacked
from pynetemu.engine.protocol.requests import Spawn
from pynetemu.frozen import record

_SECONDS_TO_END = 2.0  # of a killed program; one in an uninterruptible call takes longer, and is left to itself
_LARGEST_LOG = 16 << 20  # bytes
_RESET = (signal.SIGPIPE, signal.SIGXFSZ)  # Python ignores these, and exec would hand that down
_OF_JOBS = (*_RESET, signal.SIGTSTP, signal.SIGQUIT)  # the shell ignores these, and after `reload` its engine would


Words = list[str] | tuple[str, ...]


@record
class Job:
    pid: int
    life: socket.socket
    own_group: bool
    mark: int = 0  # of all that it starts, 0 for none


class Processes:
    """The children of this process that run in nodes, by their number."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._services: set[int] = set()
        self._unmarked: int | None = None  # a cgroup namespace to come back to

    def start(self, request: Spawn, enter: Callable[[str], AbstractContextManager[None]]) -> int:
        """Starts a program in a node, into which `enter` leads; gives its number.

        Raises ProgramNotFound with its name, CommandError for an unknown user, other OSErrors from exec.
        """
        unmarked = self._begin_mark()
        try:
            with enter(request.node):
                job = self._start(request)
            if unmarked >= 0:
                job.mark = _namespace_of("thread-self", "cgroup")  # it runs already meanwhile
        finally:
            if unmarked >= 0:
                syscalls.setns(unmarked, syscalls.CLONE_NEWCGROUP)
        return job.pid

    def _begin_mark(self) -> int:
        """From now on what is started gets a mark, and whatever that starts; gives the namespace to come back to, or -1.

        The mark is a cgroup namespace: processes have it from their parents, and it changes nothing for them but what
        /proc/self/cgroup calls the same folder (cgroup_namespaces(7)).
        """
        if self._unmarked is None:
            self._unmarked = _namespace_of_our_own()
        try:
            if self._unmarked >= 0:
                syscalls.unshare(syscalls.CLONE_NEWCGROUP)
        except OSError:  # no more of them
            return -1
        return self._unmarked

    def _start(self, request: Spawn) -> Job:
        directory = _change_directory(request.directory, request.must_enter)
        env = unpacked(request.env)
        program = find_program(request.argv[0], env.get("PATH", os.defpath), directory)
        user = find_user(request.user, request.node) if request.user else None
        env = {**user.env, **env} if user else env
        life = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, os.dup(request.life))  # so it is not asked what it is
        try:
            if request.terminal is not None or user is not None:
                pid = _fork(program, request.argv, env, request.streams, request.own_group, request.terminal, user)
            else:
                pid = _spawn(program, request.argv, env, request.streams, request.own_group)
        except FileNotFoundError as error:  # it is there, but not what it needs: see ENOENT in execve(2)
            life.close()
            raise OSError(error.errno, "the program that it names in its first line is missing", program) from error
        except BaseException:
            life.close()
            raise
        self._jobs[pid] = job = Job(pid, life, request.own_group)
        return job

    def start_service(
        self,
        program: str,
        argv: list[str],
        env: Mapping[str, str],
        log: int,
        listener: int | None = None,
        user: User | None = None,
    ) -> int:
        """Starts a service of the lab, with its listening socket if it has one as descriptor 3; no caller waits for it."""
        if user is not None:
            with open(os.devnull) as nothing:
                pid = _fork(program, argv, env, (nothing.fileno(), log, log), own_group=True, terminal=None, user=user)
            self._services.add(pid)
            return pid
        actions = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
        if listener is not None:
            actions.append((os.POSIX_SPAWN_DUP2, listener, 3))
        nullfile = os.open(os.devnull, os.O_RDWR)
        actions.append((os.POSIX_SPAWN_DUP2, nullfile, 0))
        try:
            pid = os.posix_spawn(program, argv, env, file_actions=actions, setpgroup=0, setsigmask=(), setsigdef=_RESET)
        finally:
            os.close(nullfile)
        self._services.add(pid)
        return pid

    def serves(self, pid: int) -> bool:
        """Whether a service still runs."""
        return pid in self._services

    def reap(self) -> dict[int, int]:
        """Tells each life socket what has happened since; gives back the children that have ended, with their status."""
        ended: dict[int, int] = {}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            except ChildProcessError:
                return ended
            if pid == 0:
                return ended
            if os.WIFSTOPPED(status):
                self._tell(pid, f"stopped {os.WSTOPSIG(status)}")
            elif os.WIFCONTINUED(status):
                self._tell(pid, f"continued {int(signal.SIGCONT)}")
            else:
                ended[pid] = os.waitstatus_to_exitcode(status)
                self._tell(pid, f"exited {ended[pid]}", is_last=True)
                self._services.discard(pid)
                if job := self._jobs.pop(pid, None):
                    job.life.close()

    def _tell(self, pid: int, change: str, is_last: bool = False) -> None:
        """Never waits: of a process whose changes nobody reads only the last is sure to be told.

        A unix socket is ready for writing while a quarter of its buffer is used at most (unix_writable in net/unix/af_unix.c).
        """
        job = self._jobs.get(pid)
        if job is not None and (is_last or _is_writable(job.life)):
            with suppress(OSError):  # the caller may have lost interest, or have gone
                job.life.send(change.encode(), socket.MSG_DONTWAIT)

    def signal(self, pid: int, number: int) -> None:
        """Signals a process, and the whole of its process group when it has one of its own; an ended one is not an error."""
        job = self._jobs.get(pid)
        with suppress(ProcessLookupError):
            if job is not None and job.own_group:
                os.killpg(pid, number)
            elif job is not None:
                os.kill(pid, number)

    def end(self, pid: int) -> Generator[float, None, None]:
        """Kills a process with its group, and whatever it has started that is still there, in sessions of its own too."""
        if (job := self._jobs.get(pid)) is not None:
            self.signal(pid, signal.SIGKILL)
            yield from _kill("cgroup", job.mark)

    def resume(self, pid: int, terminal: int | None) -> None:
        """Continues a stopped process; `terminal` becomes its group's first."""
        if terminal is not None and pid in self._jobs:
            with suppress(OSError):  # it has ended meanwhile
                os.tcsetpgrp(terminal, pid)
        self.signal(pid, signal.SIGCONT)

    def kill_all(self) -> None:
        for pid in list(self._jobs):
            self.signal(pid, signal.SIGKILL)


def _is_writable(life: socket.socket) -> bool:
    waiting = select.poll()
    waiting.register(life, select.POLLOUT)
    return any(events & select.POLLOUT for _, events in waiting.poll(0))


def log_file(node: str, service: str) -> str:
    """Where a service's output is kept, in the lab's own /run."""
    return f"{mounts.STATE}/logs/{node}/{service}.log"


def open_log(node: str, service: str) -> int:
    path = log_file(node, service)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)


def bound_log(node: str, service: str) -> None:
    """Gives back the older part of a log that has grown large; its place stays empty."""
    with suppress(OSError), open(log_file(node, service), "r+b", buffering=0) as file:
        if (size := file.seek(0, os.SEEK_END)) > _LARGEST_LOG:
            syscalls.punch_hole(file.fileno(), size - _LARGEST_LOG // 2)


def _change_directory(path: str, must: bool) -> str:
    """Goes where the caller is; unless it was asked for, a directory that a node does not have becomes /."""
    try:
        os.chdir(path)
    except OSError:
        if must:
            raise
        os.chdir(path := "/")
    return path


def _spawn(program: str, argv: Words, env: Mapping[str, str], stdio: Sequence[int], own_group: bool) -> int:
    actions = [(os.POSIX_SPAWN_DUP2, descriptor, target) for target, descriptor in enumerate(stdio)]
    group: dict[str, Any] = {"setpgroup": 0, "setsigdef": _OF_JOBS} if own_group else {"setsigdef": _RESET}
    return os.posix_spawn(program, argv, env, file_actions=actions, setsigmask=(), **group)


def _fork(
    program: str,
    argv: Words,
    env: Mapping[str, str],
    stdio: Sequence[int],
    own_group: bool,
    terminal: int | None,
    user: User | None,
) -> int:
    """As `_spawn`, for a terminal's foreground, where the process must be before it reads from it or writes to it, and for
    another user than root."""

    def prepare() -> None:
        if own_group:
            os.setpgid(0, 0)
        if terminal is not None:
            os.tcsetpgrp(terminal, os.getpid())
        for target, descriptor in enumerate(stdio):
            os.dup2(descriptor, target)
        for number in _OF_JOBS if own_group else _RESET:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if user is not None:
            become(user)
        os.execve(program, argv, env)

    error_read, error_write = os.pipe()
    if (pid := os.fork()) == 0:
        _become(prepare, error_write)
    os.close(error_write)
    with os.fdopen(error_read, "rb") as errors:
        failed, _, what = errors.read().decode(errors="replace").partition(" ")
    if failed:
        os.waitpid(pid, 0)
        raise OSError(int(failed), os.strerror(int(failed)), what or argv[0])
    return pid


def _become(another: Callable[[], None], errors: int) -> NoReturn:
    try:
        another()
    except OSError as error:
        os.write(errors, f"{error.errno} {error.filename or ''}".encode())
    finally:
        os._exit(127)


def kill_group(pid: int) -> None:
    """Kills a service and what it has started, and returns when it has ended; its status is for `reap`."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def _namespace_of_our_own() -> int:
    """A cgroup namespace of our own user namespace, to which we may come back; -1 where the kernel has none."""
    try:
        syscalls.unshare(syscalls.CLONE_NEWCGROUP)
        return syscalls.namespace("cgroup")
    except OSError:
        return -1


def kill_in_network(network: int) -> None:
    """Kills the programs in a network namespace, whoever has started them."""
    for _ in _kill("net", os.fstat(network).st_ino):
        os.sched_yield()


def _kill(kind: str, namespace: int) -> Generator[float, None, None]:
    """Kills the programs in a namespace, 0 for none, and those that they start meanwhile."""
    end = time.monotonic() + _SECONDS_TO_END
    while found := [pid for pid in _pids() if namespace and _namespace_of(pid, kind) == namespace]:
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > end:
            return
        yield 0


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]


def _namespace_of(pid: int | str, kind: str) -> int:
    """0 of a process that has ended, and only waits to be asked for its status."""
    try:
        return os.stat(f"/proc/{pid}/ns/{kind}").st_ino
    except OSError:
        return 0
