"""The user's end of an engine's process: starting it, talking to it, and seeing it end.

Importing this module costs a few milliseconds, so that a program can start the engine first and import the rest of
what it needs while the engine starts.
"""

import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Protocol, TypeVar

from pynetemu.engine.protocol import starting
from pynetemu.engine.protocol.channel import Channel, ChannelClosed, Message, close_all
from pynetemu.engine.protocol.envelope import Overtaken, Refusal, Refused, pack_request, unpack_answer
from pynetemu.engine.protocol.requests import Join, Request, Start
from pynetemu.errors import CommandError, ConflictError, KernelError, LabError, PynetemuError, ServiceError

_SECONDS_TO_END = 10.0
_SECONDS_BETWEEN_LOOKS = 0.5


class _HasFileno(Protocol):
    def fileno(self) -> int: ...


A = TypeVar("A")
_Source = TypeVar("_Source", bound=int | _HasFileno)


class LabEnded(LabError):
    """The engine has gone, and the lab with it."""


class Connection:
    """Asks an engine, from any thread: connection.ask(OpenSocket("blue", ...)). Nothing else talks to engines.

    What can be asked is in `engine.protocol.requests`.
    """

    def __init__(self, channel: Channel, host: bool = False) -> None:
        self._channel = channel
        self._host = host
        self._lock = threading.Lock()
        self._number = 0  # of the last request: where a caller was interrupted, the answer to its request still comes

    def fileno(self) -> int:
        return self._channel.fileno()

    def ask(self, request: Request[A], on_interrupt: Callable[[], object] | None = None, meanwhile: Iterable[object] = ()) -> A:
        """Waits for the answer; raises what the engine says, LabError when the lab has ended.

        Descriptors in the request stay the caller's, those in the answer become the caller's. Ctrl-C is raised after the
        answer, which `on_interrupt` may hasten. What is to be done `meanwhile` goes on until there is one.
        """
        with self._lock, _interrupts_later(on_interrupt) as interrupts:
            self._send(request)
            for _ in meanwhile:
                if self._channel.has_more():
                    break
            message, descriptors = self._receive()
            if interrupts:
                close_all(descriptors)
            return self._unpack(request, message, descriptors)

    def begin(self, request: Request[A]) -> Callable[[], A]:
        """Sends a request, and gives what waits for its answer; until then nothing else can be asked."""
        self._lock.acquire()
        try:
            self._send(request)
        except BaseException:
            self._lock.release()
            raise

        def finish() -> A:
            try:
                return self._unpack(request, *self._receive())
            finally:
                self._lock.release()

        return finish

    def close(self) -> None:
        with suppress(OSError):  # the other side may have closed it first
            self._channel.connection.shutdown(socket.SHUT_RDWR)
        self._channel.close()

    def _send(self, request: Request[Any]) -> None:
        self._number += 1
        with suppress(ChannelClosed):  # what the engine said before it ended is still to be read
            self._channel.send(*pack_request(request, self._number))

    def _receive(self) -> tuple[Message, list[int]]:
        try:
            message, descriptors = self._channel.receive()
            while message.get("number") not in (None, self._number):
                close_all(descriptors)
                message, descriptors = self._channel.receive()
        except ChannelClosed as error:
            raise LabEnded("the lab has ended") from error
        return message, descriptors

    def _unpack(self, request: Request[A], message: Message, descriptors: list[int]) -> A:
        try:
            return unpack_answer(request, message, descriptors)
        except Refused as refused:
            raise _error(refused.refusal, self._host) from None


class EngineProcess(Protocol):
    """What a lab needs of its engine: `Sandbox` is one, `pynetemu.testing.FakeEngine` another."""

    @property
    def connection(self) -> Connection:
        """Where it is asked."""

    def fileno(self) -> int:
        """A descriptor that becomes readable when it has ended."""

    def close(self) -> None:
        """Ends it; not twice."""


class Sandbox:
    """An engine's process. `start()` makes one with a sandbox of its own, `join(address)` one in a running lab."""

    def __init__(self, pid: int, connection: Connection, has_joined: bool) -> None:
        self.pid = pid
        self._has_joined = has_joined
        self.connection = connection
        self._ended = os.pidfd_open(pid)
        self._user = os.getpid()

    @classmethod
    def start(cls, host: bool = False, privileged: bool = False, ids: str = "one", *, by_fork: bool = False) -> "Sandbox":
        """Starts an engine and returns at once; a refusal comes with the first answer.

        With `host`, the lab's root is the machine's own network namespace. Root's `privileged` labs may change the machine.
        `ids` is "one" or "range", see `Topology`. With `by_fork` the engine is a fork of this process, if that has one thread:
        a third of a start less, for a process in which no code of the user's has run.
        """
        begin = starting.fork if by_fork and starting.has_one_thread() else starting.spawn
        return cls._spawn(lambda path: Start(host, privileged, ids, os.getpid(), _is_first_thread(), path), host, begin)

    @classmethod
    def join(cls, address: str) -> "Sandbox":
        """Starts a process in the lab that listens at this address."""
        return cls._spawn(lambda path: Join(address, os.getpid(), _is_first_thread(), path))

    @classmethod
    def _spawn(
        cls,
        start: Callable[[tuple[str, ...]], Request[None]],
        host: bool = False,
        begin: Callable[[int], int] = starting.spawn,
    ) -> "Sandbox":
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                pid = begin(theirs.fileno())
        except OSError as error:  # too many processes, say
            ours.close()
            raise LabError(f"the lab's engine cannot start: {sys.executable}: {error.strerror}") from error
        channel = Channel(ours)
        request = start(tuple(path for path in sys.path if isinstance(path, str)))
        with suppress(ChannelClosed):  # it is told by the first answer
            channel.send(*pack_request(request))
        return cls(pid, Connection(channel, host), isinstance(request, Join))

    def fileno(self) -> int:
        """A descriptor that becomes readable when the engine, and with it all of its lab, has ended."""
        return self._ended

    def close(self) -> None:
        """Ends the engine, and returns when its last process has gone. Closing twice is not an error.

        In a process that has been forked from the one that started it (os.fork) nothing ends.
        """
        if self._ended < 0 or os.getpid() != self._user:
            return
        self.connection.close()
        end = time.monotonic() + _SECONDS_TO_END
        while not is_readable(self._ended, _SECONDS_BETWEEN_LOOKS):
            processes = self._processes()
            if time.monotonic() > end or any(map(_is_stopped, processes)):
                self._kill(processes)
                break
        with suppress(ChildProcessError):  # the user's program may reap all children
            os.waitpid(self.pid, 0)
        os.close(self._ended)
        self._ended = -1

    def _processes(self) -> list[int]:
        """The front, PID 1 of the sandbox and the engine; or the front and what has joined. As far as the kernel tells:
        CONFIG_PROC_CHILDREN."""
        found = [self.pid]
        with suppress(OSError, IndexError):
            for place in (-1,) if self._has_joined else (-1, 0):  # the front's may come after a guard, init has orphans too
                with open(f"/proc/{found[-1]}/task/{found[-1]}/children") as children:
                    found.append(int(children.read().split()[place]))
        return found

    def _kill(self, processes: list[int]) -> None:
        """Ends the front, with which PID 1 of the sandbox goes, with which all the rest goes; and waits until it has."""
        others = []
        for pid in processes[1:]:
            with suppress(ProcessLookupError):
                others.append(os.pidfd_open(pid))
        signal.pidfd_send_signal(self._ended, signal.SIGKILL)
        for descriptor in others:
            is_readable(descriptor, _SECONDS_TO_END)
            os.close(descriptor)


def _is_first_thread() -> bool:
    return threading.get_native_id() == os.getpid()


def _is_stopped(pid: int) -> bool:
    """By SIGSTOP, say: then it cannot end by itself (proc_pid_stat(5))."""
    with suppress(OSError), open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(") ")[2].startswith("T")
    return False


def is_readable(source: int | _HasFileno, seconds: float | None) -> bool:
    """Waits until there is something to read, so many seconds at most."""
    return bool(readable([source], seconds))


def readable(sources: Sequence[_Source], seconds: float | None) -> list[_Source]:
    """Those that have something to read, waited for so many seconds at most; None waits for ever.

    poll(2) takes any descriptor, select(2) only those below 1024, and a large lab's capture has more.
    """
    waiting = select.poll()
    by_number = {source if isinstance(source, int) else source.fileno(): source for source in sources}
    for number in by_number:
        waiting.register(number, select.POLLIN)
    return [by_number[number] for number, _ in waiting.poll(None if seconds is None else max(0, seconds * 1000))]


@contextmanager
def _interrupts_later(on_interrupt: Callable[[], object] | None = None) -> Iterator[list[int]]:
    """A block that Ctrl-C does not break off: a request whose answer stayed unread would give it to the next one.

    What came meanwhile is in the list, and is handled at the end, as usual. Engines answer within milliseconds; where one does
    not, since it has been stopped, the second Ctrl-C is handled at once.
    """
    came: list[int] = []
    usual = signal.getsignal(signal.SIGINT)
    if not callable(usual) or threading.current_thread() is not threading.main_thread():
        yield came
        return

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if on_interrupt is not None and len(came) == 1:
            on_interrupt()
        if len(came) > 1:
            usual(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, usual)
        if came:
            usual(signal.SIGINT, None)


def _error(refusal: Refusal, host: bool) -> PynetemuError:
    match refusal.error:
        case "privilege":
            from pynetemu.engine.privilege import diagnose

            return diagnose(refusal.step, refusal.errno, refusal.message, host=host)
        case "not_found":
            from pynetemu.engine.packages import missing_program

            return missing_program(refusal.program, refusal.node)
        case "kernel":
            return KernelError(refusal.message)
        case "conflict":
            return ConflictError(refusal.message)
        case "service":
            return ServiceError(refusal.message)
        case "command":
            return CommandError(refusal.message)
        case "overtaken":
            return Overtaken()
    return LabError(refusal.message)
