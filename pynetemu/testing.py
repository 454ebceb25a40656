"""An engine without a kernel, for tests of code that uses labs: your own checks, commands of the shell, reports.

    from pynetemu import Network
    from pynetemu.testing import FakeEngine

    def test_a_lost_ping_is_told() -> None:
        engine = FakeEngine()
        engine.program("ping", stdout="1 packets transmitted, 0 received", status=1)
        with Network(Blue(), sandbox=engine) as net:
            assert my_check(net) == "blue does not reach root"
        assert engine.commands == [("blue", ("ping", "-c1", "root"))]

No namespace is made and no program runs: it starts in a millisecond, on any system that Python has unix sockets on. It speaks
the same protocol as the engine, so all of `Network` works on it, as far as the test says what is answered.
"""

import os
import select
import signal
import socket
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from pynetemu.engine.paths import ProgramNotFound
from pynetemu.engine.protocol.channel import Channel, ChannelClosed, Message, close_all
from pynetemu.engine.protocol.codec import Descriptor as Descriptor
from pynetemu.engine.protocol.envelope import pack_answer, pack_refusal, refusal_of, unpack_request
from pynetemu.engine.protocol.requests import (
    Build,
    Describe,
    Described,
    Description,
    End,
    Feature,
    Features,
    KeepDescription,
    Networks,
    ReadDescription,
    ReadPlan,
    ReadServices,
    Request,
    Resume,
    Signal,
    Spawn,
    Started,
    TakeRing,
    TryFeatures,
    WatchServices,
)
from pynetemu.errors import LabError
from pynetemu.frozen import frozen
from pynetemu.lab.connection import Connection, readable

A = TypeVar("A")


@frozen
class Output:
    """What a program of a fake engine does: prints, and ends with a status.

    With `waits` it runs until a signal ends it, as a server does.
    """

    stdout: str | bytes = ""
    stderr: str | bytes = ""
    status: int = 0
    waits: bool = False


Program = Callable[[str, tuple[str, ...], bytes], Output]
"""Called with the node, the words of the command and what it was given to read."""


class FakeEngine:
    """To be given to `Network` as `sandbox`; it answers what it was told to, and keeps what it was asked.

    A lab that it pretends to run is not among `pynetemu.labs()`. It ends with the `Network`, and is used once.
    """

    def __init__(self) -> None:
        self.requests: list[Request[Any]] = []
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection = Connection(Channel(self._ours))
        self._ended, self._end = os.pipe()
        self._answers: dict[type[Request[Any]], Callable[[Any], Any]] = {}
        self._programs: dict[str, Program] = {}
        self._processes: dict[int, _Process] = {}
        self._built: Build | None = None
        self._described: KeepDescription | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def program(
        self,
        name: str,
        does: Program | None = None,
        *,
        stdout: str | bytes = "",
        stderr: str | bytes = "",
        status: int = 0,
        waits: bool = False,
    ) -> None:
        """What a program of all nodes does: always the same, or what a function of its node, words and input says.

            engine.program("ping", stdout="64 bytes from 10.0.0.1")
            engine.program("hostname", lambda node, argv, stdin: Output(stdout=node + "\\n"))

        A program that was not told of is not there: CommandNotFound.
        """
        same = Output(stdout, stderr, status, waits)
        self._programs[name] = does or (lambda *_: same)

    def answer(self, kind: type[Request[A]], answer: A | Callable[[Any], A]) -> None:
        """What is answered to a kind of request (`pynetemu.engine.protocol.requests`): a value, or a function of the request.

            engine.answer(ReadTotals, LabTotals(packets=10, dropped=1, up=2))

        A function may raise errors of pynetemu, which the caller gets as from an engine.
        """
        self._answers[kind] = answer if callable(answer) else lambda _: answer

    @property
    def commands(self) -> list[tuple[str, tuple[str, ...]]]:
        """The node and the words of each command that was started, in order."""
        return [(request.node, request.argv) for request in self.requests if isinstance(request, Spawn)]

    @property
    def connection(self) -> Connection:
        """Where it is asked; it serves from the first time on that somebody wants to know."""
        if self._thread is None and not self._is_closed:
            self._thread = threading.Thread(target=self._serve, name="fake engine", daemon=True)
            self._thread.start()
        return self._connection

    def fileno(self) -> int:
        """A descriptor that becomes readable when it has ended."""
        return self._ended

    def end(self) -> None:
        """Ends as an engine that was killed does: whoever asks is told that the lab has ended."""
        with suppress(OSError):
            self._theirs.shutdown(socket.SHUT_RDWR)
        self._join()
        if self._end >= 0:
            os.close(self._end)
            self._end = -1

    def close(self) -> None:
        """Ends, and frees what it has. Closing twice is not an error."""
        if self._is_closed:
            return
        self._is_closed = True
        self.end()
        self._connection.close()
        self._theirs.close()
        os.close(self._ended)

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
        for process in self._processes.values():
            process.end(-signal.SIGKILL)
            process.join()

    def _serve(self) -> None:
        channel = Channel(self._theirs)
        with suppress(ChannelClosed):
            while True:
                message, descriptors = channel.receive()
                try:
                    answer, gift = self._reply(message, descriptors)
                    channel.send(answer, gift)
                    close_all(gift)
                finally:
                    close_all(descriptors)

    def _reply(self, message: Message, descriptors: list[int]) -> tuple[Message, list[int]]:
        request: Request[Any] | None = None
        try:
            request = unpack_request(message, descriptors)
            self.requests.append(request)
            return pack_answer(request, self._answer(request), message.get("number"))
        except Exception as error:  # noqa: BLE001
            return pack_refusal(refusal_of(request, error), message.get("number")), []

    def _answer(self, request: Request[Any]) -> object:
        if told := self._answers.get(type(request)):
            return told(request)
        match request:
            case Build():
                self._built = request
                return None
            case Describe() if built := self._built:
                return Description(built.pid, built.file, built.started, ())
            case KeepDescription():
                self._described = request
                return None
            case ReadDescription() if kept := self._described:
                return Described(kept.revision, kept.description)
            case ReadPlan() if self._built:
                return self._built.plan
            case TryFeatures():
                return tuple(Feature(name, "", "", needed=False) for name in request.names)
            case Features() | ReadServices():
                return ()
            case Networks():
                return {}
            case TakeRing() | WatchServices():
                return None
            case Spawn():
                return self._spawn(request)
            case Signal() | Resume() | End():
                self._signal(request)
                return None
        name = type(request).__name__
        raise LabError(f"the fake engine was not told what to answer: engine.answer({name}, …), for {request}")

    def _spawn(self, request: Spawn) -> Started:
        name = os.path.basename(request.argv[0])
        if name not in self._programs:
            raise ProgramNotFound(2, "no such program", request.argv[0])
        number = len(self._processes) + 1
        self._processes[number] = _Process(request, self._programs[name])
        return Started(number, number)

    def _signal(self, request: Signal | Resume | End) -> None:
        process = self._processes.get(request.job)
        number = {Signal: getattr(request, "signal", 0), End: signal.SIGKILL}.get(type(request), 0)
        if process is not None and number not in (0, signal.SIGCONT):
            process.end(-number)


class _Process:
    """A program that pretends to run, in a thread, since it may have to wait for what it is given, or for who reads."""

    def __init__(self, request: Spawn, program: Program) -> None:
        self._stdin, self._stdout, self._stderr = [os.dup(stream) for stream in request.streams]
        self._life = socket.socket(fileno=os.dup(request.life))
        self._killed, self._kill = os.pipe()  # readable when a signal has ended it
        self._status: int | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, args=(request, program), name=request.argv[0], daemon=True)
        self._thread.start()

    def end(self, status: int) -> None:
        """Ends it, if it has not yet."""
        with self._lock:
            if self._status is None:
                self._status = status
                os.close(self._kill)

    def join(self) -> None:
        """Waits until nothing of it is left."""
        self._thread.join()

    def _run(self, request: Spawn, program: Program) -> None:
        try:
            output = program(request.node, request.argv, self._read())
        except Exception as error:  # noqa: BLE001
            output = Output(stderr=f"{type(error).__name__}: {error}\n", status=1)
        self._write(self._stdout, output.stdout)
        self._write(self._stderr, output.stderr)
        if output.waits:
            readable([self._killed], None)
        self.end(output.status)
        close_all([self._stdin, self._stdout, self._stderr, self._killed])
        with self._life, suppress(OSError):  # the caller has lost interest
            self._life.send(f"exited {self._status}".encode())

    def _read(self) -> bytes:
        """What is written into a pipe until its end; nothing of terminals and other files."""
        data = b""
        if stat.S_ISFIFO(os.fstat(self._stdin).st_mode):
            while self._killed not in readable([self._stdin, self._killed], None):
                if not (part := os.read(self._stdin, 1 << 16)):
                    break
                data += part
        return data

    def _write(self, descriptor: int, output: str | bytes) -> None:
        """As far as it is read; poll(2) says that a pipe is writable when it takes PIPE_BUF bytes."""
        data = output.encode() if isinstance(output, str) else output
        events = select.poll()
        events.register(descriptor, select.POLLOUT)
        events.register(self._killed, select.POLLIN)
        with suppress(OSError):  # nobody reads it any more
            while data and all(ready == descriptor for ready, _ in events.poll()):
                data = data[os.write(descriptor, data[: select.PIPE_BUF]) :]
