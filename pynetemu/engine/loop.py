"""Waits for requests and for children, and answers: what the engine and an attached process have in common.

One thread serves all, so nothing may wait or take long. A request that takes its time is a generator (`Steps`): it yields
between pieces of its work, and gives the answer at its end. Others are served in between.

    def _read(self, nodes: Sequence[str]) -> Steps[dict[str, str]]:
        found = {}
        for node in nodes:
            found[node] = ...
            yield 0                    # may go on at once; yield 0.005: not before so many seconds are over
        return found
"""

import os
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, suppress
from typing import Any, TypeVar

from pynetemu.engine.clients import Client, written
from pynetemu.engine.machine.machine import number_inside
from pynetemu.engine.processes import Processes, bound_log
from pynetemu.engine.protocol.channel import Behind, Channel, ChannelClosed, DescriptorsLost, Message, TooLong, close_all
from pynetemu.engine.protocol.envelope import Refusal, pack_answer, pack_refusal, refusal_of, unpack_request
from pynetemu.engine.protocol.requests import End, Request, Resume, Signal, Spawn, Started
from pynetemu.errors import LabError

_T = TypeVar("_T")
Steps = Generator[float, None, _T]

_LONGEST_ROUND = 0.05  # seconds for all that is being worked at, before who has asked meanwhile is served
_LONGEST_SLICE = 0.01  # seconds for one request, before others are looked at
_LONGEST_REQUEST = 4 << 20  # bytes, from those who attach, and 15 to a value: reading that takes some 0.05 s
_MOST_WAITING = 128 << 20  # bytes of half requests and of answers that are not read, of all who attach
_MOST_CLIENTS = 100
_SECONDS_BETWEEN_LOGS = 2.0


class _Work:
    """A request that is being answered: the steps give the answer as it is sent, and the descriptors in it."""

    def __init__(self, client: Client | None, steps: Steps[tuple[bytes, list[int]]], descriptors: list[int]) -> None:
        self.client = client
        self.due = 0.0  # on the monotonic clock
        self.result: tuple[bytes, list[int]] = (b"", [])
        self._steps = steps
        self._descriptors = descriptors  # of the request

    def go_on(self, seconds: float) -> bool:
        """Works for about so many seconds; whether that was all."""
        now = time.monotonic()
        end = now + seconds
        while now < end:
            try:
                pause = next(self._steps)
            except StopIteration as stop:
                self.result = stop.value
                self.close()
                return True
            now = time.monotonic()
            if pause:
                self.due = now + pause
                return False
        return False

    def close(self) -> None:
        """Gives up what is not done."""
        self._steps.close()
        close_all(self._descriptors)
        self._descriptors = []


class Loop:
    """Serves Spawn, Signal and Resume on its channel until that closes; subclasses answer more.

    `enter(node)` is the way into a node.
    """

    def __init__(self, channel: Channel, enter: Callable[[str], AbstractContextManager[None]]) -> None:
        self.processes = Processes()
        self.enter = enter
        self._programs: dict[int, tuple[Spawn, int]] = {}  # by the job, with the number in the node
        self._main = Client(channel.connection)
        self._clients: dict[int, Client] = {}  # by their descriptors
        self._new: deque[_Work] = deque()  # that nobody has worked at yet
        self._works: deque[_Work] = deque()
        self._events = selectors.DefaultSelector()
        self.done = False
        self._wake = -1  # readable when a child has changed
        self._add(self._main)

    def serve(self) -> None:
        """Until the main channel closes."""
        self._wake, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self.watch(self._wake, self._children_changed)
        while not self.done:
            self.turn(self._patience())

    def turn(self, seconds: float | None = 0) -> None:
        """Waits so long at most until somebody asks, takes what there is, and works a while."""
        ready = [key for key, _ in self._events.select(seconds)]
        end = time.monotonic() + _LONGEST_ROUND
        if len(ready) > 1:
            ready.sort(key=self._bytes_waiting)  # long requests last: reading them takes time
        for key in ready:
            now = self._events.get_map().get(key.fd)
            if now is not None and now.data is key.data:  # else one that came before it has closed it
                key.data()
            if time.monotonic() > end:
                break  # what is left is still ready next time
        self._work()

    def _bytes_waiting(self, key: selectors.SelectorKey) -> int:
        client = self._clients.get(key.fd)
        return client.bytes_waiting if client else 0

    def watch(self, descriptor: int, callback: Callable[[], None]) -> None:
        """Calls back whenever there is something to read."""
        self._events.register(descriptor, selectors.EVENT_READ, callback)

    def forget(self, descriptor: int) -> None:
        """From now on a descriptor is not listened to any more."""
        self._events.unregister(descriptor)

    def attach(self, connection: socket.socket) -> None:
        """From now on whoever is at the other end may ask too."""
        client = Client(connection, _LONGEST_REQUEST)
        self._add(client)
        if len(self._clients) > _MOST_CLIENTS:
            self._refuse(client, Refusal("lab", f"{_MOST_CLIENTS - 1} programs are attached to this lab, and no more may be"))
            self._leave(client)

    def children_ended(self, statuses: dict[int, int]) -> None:
        """Called with children that have ended, and their status."""
        for job in statuses.keys() & self._programs.keys():
            self.program_ended(*self._programs.pop(job), statuses[job])

    def program_ended(self, request: Spawn, pid: int, status: int) -> None:
        """Called with each program that has ended which was asked for; for subclasses."""

    def finish(self) -> None:
        """Called when the main channel has closed; for subclasses."""
        self.processes.kill_all()

    def answer(self, request: Request[Any]) -> object:
        """The answer to a request, of the kind that the request's class says, or the steps that lead to it.

        The descriptors in both are closed afterwards.
        """
        match request:
            case Spawn():
                job = self.processes.start(request, self.enter)
                started = self._started(job)
                self._programs[job] = request, started.pid
                return started
            case Signal():
                self.processes.signal(request.job, request.signal)
                return None
            case End():
                return self.processes.end(request.job)
            case Resume():
                self.processes.resume(request.job, request.terminal)
                return None
        raise LabError(f"this process of the lab does not serve {type(request).__name__}")

    def _started(self, job: int) -> Started:
        try:
            return Started(job, number_inside(job))
        except OSError as error:  # no more open files: nobody would know of the process
            self.processes.signal(job, signal.SIGKILL)
            raise OSError(error.errno, error.strerror) from error

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Calls back once, when so many seconds are over."""

        def steps() -> Steps[tuple[bytes, list[int]]]:
            yield seconds
            callback()
            return b"", []

        self._works.append(_Work(None, steps(), []))

    def bound_log(self, job: int, node: str, service: str) -> None:
        """Logs are memory: bounds that of a service while its process runs."""

        def look() -> None:
            bound_log(node, service)
            if self.processes.serves(job):
                self.later(_SECONDS_BETWEEN_LOGS, look)

        self.later(_SECONDS_BETWEEN_LOGS, look)

    def _patience(self) -> float | None:
        """How long to wait for events: for ever, or until there is work to go on with."""
        if not self._works and not self._new:
            return None
        return 0.0 if self._new else max(0.0, min(work.due for work in self._works) - time.monotonic())

    def _work(self) -> None:
        """A slice for each request that is being answered, for all new ones first: most of these are short."""
        share = min(_LONGEST_SLICE, _LONGEST_ROUND / max(len(self._new) + len(self._works), 1))
        for _ in range(len(self._new)):
            if self._new:
                self._go_on(self._new.popleft(), share)
        end = time.monotonic() + _LONGEST_ROUND
        for _ in range(len(self._works)):
            if not self._works or time.monotonic() > end:
                break  # the rest comes first next time
            self._go_on(self._works.popleft(), share)

    def _go_on(self, work: _Work, share: float) -> None:
        if work.client is not None and work.client.has_gone():
            work.close()
            self._leave(work.client)
        elif work.due > time.monotonic() or not work.go_on(share):
            self._works.append(work)
        elif work.client is not None:
            self._send(work.client, *work.result)

    def _children_changed(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._wake, 4096)
        self.children_ended(self.processes.reap())

    def _add(self, client: Client) -> None:
        self._clients[client.fileno()] = client
        self._listen_to(client)

    def _listen_to(self, client: Client) -> None:
        if client.events != selectors.EVENT_READ:
            self._set_events(client, selectors.EVENT_READ, lambda: self._hear(client))

    def _set_events(self, client: Client, events: int, callback: Callable[[], None]) -> None:
        """What to wait for at a client; nothing for 0."""
        if client.events:
            self._events.unregister(client.fileno())
        client.events = events
        if events:
            self._events.register(client.fileno(), events, callback)

    def _hear(self, client: Client) -> None:
        """Takes what a client sends. Whatever that is, the lab lives on."""
        if any(work.client is client for work in (*self._new, *self._works)):
            self._hear_meanwhile(client)
            return
        message: Message = {}
        descriptors: list[int] = []
        try:
            received = client.receive()
            if received is None:
                self._make_room()
                return
            message, descriptors = received
            steps = self._answering(unpack_request(message, descriptors), message.get("number"))
            self._new.append(_Work(client, steps, descriptors))
        except ChannelClosed:
            self._leave(client)
        except Exception as error:  # noqa: BLE001
            close_all(descriptors)
            message = error.message if isinstance(error, DescriptorsLost) else message
            self._refuse(client, refusal_of(None, error), message.get("number"))
            if isinstance(error, TooLong):
                self._leave(client)

    def _hear_meanwhile(self, client: Client) -> None:
        """While its request is answered a client has nothing to say, but may go."""
        try:
            is_there = client.connection.recv(1, socket.MSG_PEEK) != b""
        except OSError:
            is_there = False
        if is_there:
            self._set_events(client, 0, lambda: None)
        else:
            self._leave(client)

    def _answering(self, request: Request[Any], number: object) -> Steps[tuple[bytes, list[int]]]:
        """Answers a request, with its number. Whatever goes wrong with it, the lab lives on."""
        gift: list[int] = []
        try:
            answer = self.answer(request)
            if isinstance(answer, Generator):
                answer = yield from answer
            message, gift = pack_answer(request, answer, number)
        except Exception as error:  # noqa: BLE001
            message = pack_refusal(refusal_of(request, error), number)
        pieces: list[str] = []
        behind = Behind()
        try:
            for piece in written(message, behind):
                pieces.append(piece)
                yield 0
        except GeneratorExit:
            close_all(gift)
            raise
        return behind.body("".join(pieces)), gift

    def _refuse(self, client: Client, refusal: Refusal, number: object = None) -> None:
        behind = Behind()
        self._send(client, behind.body(behind.text(pack_refusal(refusal, number))), [])

    def _send(self, client: Client, answer: bytes, gift: list[int]) -> None:
        client.send(answer, gift)
        self._flush(client)
        self._make_room()

    def _flush(self, client: Client) -> None:
        """Sends what the client takes of its answer, the rest when it has read that; and then hears it again."""
        try:
            if client.flush():
                self._listen_to(client)
            else:
                self._set_events(client, selectors.EVENT_WRITE, lambda: self._flush(client))
        except ChannelClosed:
            self._leave(client)

    def _make_room(self) -> None:
        """Leaves those who have neither sent nor read anything for the longest time, where too much waits for them."""
        waiting = [client for client in self._clients.values() if client is not self._main and client.bytes_waiting]
        if sum(client.bytes_waiting for client in waiting) > _MOST_WAITING:
            self._leave(min(waiting, key=lambda client: client.last_progress))

    def _leave(self, client: Client) -> None:
        """Hears a client no more, and gives up what it has asked for."""
        if self._clients.pop(client.fileno(), None) is None:
            return  # already
        self._set_events(client, 0, lambda: None)
        for works in self._new, self._works:
            given_up = [work for work in works if work.client is client]
            for work in given_up:
                works.remove(work)
                work.close()
        client.close()
        if client is self._main:
            self.finish()
            self.done = True
