"""A process in a node, as seen from the user's process."""

import fcntl
import os
import selectors
import signal
import socket
import sys
import termios
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from io import BufferedReader, BufferedWriter
from typing import IO, Literal

from pynetemu.engine.protocol.codec import Descriptor
from pynetemu.engine.protocol.requests import End, Resume, Signal, Started
from pynetemu.errors import CommandTimeout, LabError, UsageError
from pynetemu.frozen import frozen
from pynetemu.lab.arguments import data, seconds_or_none, whole
from pynetemu.lab.connection import Connection, is_readable

PIPE, STDOUT, DEVNULL = -1, -2, -3  # those of subprocess, which is not imported at every start


@frozen
class Change:
    """A change of a process's state: `value` is the signal that stopped it, or its exit status."""

    kind: Literal["stopped", "continued", "exited"]
    value: int


class Process:
    """A running process, made by `Node.start`; the lab's end is its end too.

        server = net["blue"].start("python3", "-m", "http.server", "9000")
        server.terminate()
        server.wait()

    `pid` is its number in the node; `stdin`, `stdout`, `stderr` are files where PIPE was asked for.
    """

    def __init__(
        self,
        node: str,
        argv: tuple[str, ...],
        started: Started,
        connection: Connection,
        life: socket.socket,
        pipes: Sequence[int | None],
    ) -> None:
        self.node, self.argv, self.pid = node, argv, started.pid
        self.stdin: BufferedWriter | None = os.fdopen(pipes[0], "wb") if pipes[0] is not None else None
        self.stdout: BufferedReader | None = os.fdopen(pipes[1], "rb") if pipes[1] is not None else None
        self.stderr: BufferedReader | None = os.fdopen(pipes[2], "rb") if pipes[2] is not None else None
        self._connection, self._life, self._job = connection, life, started.job
        self._status: int | None = None
        self._lock = threading.Lock()
        self._is_watched = False  # somebody has the descriptor, which then stays what it is

    def __repr__(self) -> str:
        ended = "" if self._status is None else f", ended with {self._status}"
        return f"<Process {self.pid} of {self.node}: {' '.join(self.argv)}{ended}>"

    def __del__(self) -> None:
        if getattr(self, "_status", None) is not None:  # one that nobody has waited for tells so, as sockets do
            self._life.close()

    def fileno(self) -> int:
        """A descriptor that is readable when `wait_change` would not wait; it stays open, also after the end, until `close`."""
        self._is_watched = True
        return self._life.fileno()

    def wait_change(self, timeout: float | None = None) -> Change | None:
        """Waits for the next change of state; None when the time (seconds) is over. Raises LabError when the lab ends."""
        timeout = seconds_or_none("timeout", timeout)
        end = None if timeout is None else time.monotonic() + timeout
        while (change := self._next_change()) is None:
            left = None if end is None else end - time.monotonic()
            if not self._wait_for_news(left):
                return None
        return change

    def _wait_for_news(self, seconds: float | None) -> bool:
        """Without the lock, so that other threads can ask meanwhile; one of them may have taken the end."""
        try:
            return is_readable(self._life, seconds)
        except ValueError:  # it has just been closed
            return True

    def _next_change(self) -> Change | None:
        """The next change if there is one; never waits."""
        with self._lock:
            if self._status is not None:
                return Change("exited", self._status)
            if self._life.fileno() < 0:
                raise LabError(f"{self.node}: {self.argv[0]} was closed here, and its end is not heard of any more")
            try:
                word, _, value = self._life.recv(64, socket.MSG_DONTWAIT).decode().partition(" ")
            except BlockingIOError:
                return None
            match word:
                case "stopped" | "continued":
                    return Change(word, int(value))
                case "exited":
                    self._status = int(value)
                    self._life_is_over()
                    return Change("exited", self._status)
            self._status = -signal.SIGKILL
            self._life_is_over()
        raise LabError(f"{self.node}: the lab has ended, and {self.argv[0]} with it")

    def _life_is_over(self) -> None:
        if not self._is_watched:
            self._life.close()

    def poll(self) -> int | None:
        """The exit status if it has ended, else None."""
        while self._status is None and self._next_change() is not None:
            pass
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the end and gives the exit status (negative: the signal); raises CommandTimeout, and lets it run."""
        timeout = seconds_or_none("timeout", timeout)
        end = None if timeout is None else time.monotonic() + timeout
        while self._status is None:
            left = None if end is None else end - time.monotonic()
            if (left is not None and left < 0) or self.wait_change(left) is None:
                raise CommandTimeout(f"{self.node}: {self.argv[0]} has not ended after {timeout:g} s")
        return self._status

    def send_signal(self, number: int) -> None:
        """Signals the process and its process group; one that has ended is not an error."""
        number = whole("number", number, 0)
        if number >= signal.NSIG:
            raise UsageError(f"there is no signal {number}; the last is {signal.NSIG - 1}")
        if self._status is None:
            self._connection.ask(Signal(self._job, number))

    def terminate(self) -> None:
        """Asks it to end: SIGTERM, which a program may handle."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it: SIGKILL, which no program can handle."""
        self.send_signal(signal.SIGKILL)

    def end(self) -> None:
        """Kills it with all that it has started, in sessions of its own too, and returns when it has ended."""
        if self._status is None:
            self._connection.ask(End(self._job))
            if self._life.fileno() >= 0:
                self.wait()

    def resume(self, terminal: int | None = None) -> None:
        """Continues a stopped process, in the terminal's foreground if one is given."""
        self._connection.ask(Resume(self._job, None if terminal is None else Descriptor(terminal)))

    def communicate(self, input: str | bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:
        """Writes `input` to it, and gives what it has printed, as bytes, once it has ended: (stdout, stderr).

            out, err = net["blue"].start("cat", stdin=PIPE, stdout=PIPE).communicate("hello")

        Empty where no PIPE was asked for. Raises CommandTimeout after so many seconds, and lets it run.
        """
        return communicate(self, data("input", input), seconds_or_none("timeout", timeout))

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Waits for its end, as subprocess.Popen does, and closes its files; after an exception in the block it is killed."""
        if self.stdin is not None:
            _close_quietly(self.stdin)
        try:
            if kind is None:
                self.wait()
            else:
                with suppress(LabError):  # there is an exception already, which says more
                    self.end()
        finally:
            self.close()

    def close(self) -> None:
        """Closes the files and the life socket; the process runs on."""
        for file in self.stdin, self.stdout, self.stderr:
            if file is not None:
                file.close()
        self._life.close()


Stream = int | IO[bytes] | IO[str] | None  # as for subprocess.Popen: a descriptor, a file, PIPE, DEVNULL, None to inherit


class Streams:
    """The three descriptors for a new process, and our ends of the pipes among them."""

    def __init__(self, *wanted: Stream) -> None:
        self.theirs: list[int] = []
        self.ours: list[int | None] = []
        self._close: list[int] = []
        for target, stream in enumerate(wanted):
            self._add(target, stream)

    def _add(self, target: int, stream: Stream) -> None:
        our_end = None
        if stream is None:
            their_end = target
        elif stream == PIPE:
            read, write = os.pipe()
            our_end, their_end = (write, read) if target == 0 else (read, write)
            self._close.append(their_end)
        elif stream == DEVNULL:
            their_end = os.open(os.devnull, os.O_RDWR)
            self._close.append(their_end)
        elif stream == STDOUT and target == 2:
            their_end = self.theirs[1]
        else:
            their_end = stream if isinstance(stream, int) else stream.fileno()
        self.theirs.append(their_end)
        self.ours.append(our_end)

    def close_theirs(self) -> None:
        for descriptor in self._close:
            os.close(descriptor)
        self._close = []

    def close_all(self) -> None:
        self.close_theirs()
        for descriptor in self.ours:
            if descriptor is not None:
                os.close(descriptor)


def communicate(process: Process, data: bytes, timeout: float | None) -> tuple[bytes, bytes]:
    """Feeds a process and reads what it writes until it has ended; raises CommandTimeout when the time is over.

    What it has left running in the background may keep its output open; that is not waited for.
    """
    end = None if timeout is None else time.monotonic() + timeout
    output: dict[object, bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    with selectors.PollSelector() as events:  # for so few it takes fewer calls than epoll(7)
        _register(events, process, data)
        while process._status is None:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                raise CommandTimeout(f"{process.node}: {process.argv[0]} has not ended after {timeout:g} s")
            for key, _ in events.select(left):
                if key.fileobj is process.stdin:
                    data = _feed(key.fd, data)
                    if not data:
                        events.unregister(process.stdin)
                        _close_quietly(process.stdin)
                elif key.fileobj is process._life:
                    process.poll()
                    break
                elif part := os.read(key.fd, 1 << 16):
                    output[key.fileobj] += part
                else:
                    events.unregister(key.fileobj)
    for file in process.stdout, process.stderr:
        if file is not None:
            output[file] += _what_is_there(file.fileno())
    return bytes(output[process.stdout]), bytes(output[process.stderr])


def _register(events: selectors.BaseSelector, process: Process, data: bytes) -> None:
    if process.poll() is not None:
        if process.stdin is not None:
            _close_quietly(process.stdin)
        return
    events.register(process._life, selectors.EVENT_READ)
    for file in process.stdout, process.stderr:
        if file is not None:
            events.register(file, selectors.EVENT_READ)
    if process.stdin is not None and data:
        os.set_blocking(process.stdin.fileno(), False)
        events.register(process.stdin, selectors.EVENT_WRITE)
    elif process.stdin is not None:
        process.stdin.close()


def _what_is_there(descriptor: int) -> bytes:
    """What the pipe holds at this moment (FIONREAD in pipe(7)), and no more: others may go on writing."""
    waiting = int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)
    there = b""
    while len(there) < waiting and (part := os.read(descriptor, waiting - len(there))):
        there += part
    return there


def _feed(descriptor: int, data: bytes) -> bytes:
    """Writes what fits into the pipe, and gives back the rest: none when nobody reads any more."""
    try:
        return data[os.write(descriptor, data[: 1 << 16]) :]
    except BrokenPipeError:
        return b""


def _close_quietly(file: BufferedWriter) -> None:
    try:
        file.close()
    except BrokenPipeError:
        return
