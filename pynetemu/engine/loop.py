"""Waits for requests and for children, and answers: what the engine and an attached process have in common."""

import os
import selectors
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

from pynetemu.engine.machine.machine import number_inside
from pynetemu.engine.paths import ProgramNotFound
from pynetemu.engine.processes import Processes
from pynetemu.engine.protocol.channel import Channel, ChannelClosed, DescriptorsLost, Message, close_all
from pynetemu.engine.protocol.codec import NotUnderstood
from pynetemu.engine.protocol.envelope import Refusal, pack_answer, pack_refusal, unpack_request
from pynetemu.engine.protocol.requests import Request, Resume, Signal, Spawn, Started
from pynetemu.errors import ConflictError, KernelError, LabError, PynetemuError, ServiceError


class Loop:
    """Serves Spawn, Signal and Resume on its channel until that closes; subclasses answer more.

    `enter(node)` is the way into a node.
    """

    def __init__(self, channel: Channel, enter: Callable[[str], AbstractContextManager[None]]) -> None:
        self.channel = channel
        self.processes = Processes()
        self.enter = enter
        self._events = selectors.DefaultSelector()
        self._done = False
        self._wake = -1  # readable when a child has changed

    def serve(self) -> None:
        self._wake, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self.watch(self._wake, self._children_changed)
        self.watch_channel(self.channel)
        while not self._done:
            for key, _ in self._events.select():
                key.data()

    def watch(self, descriptor: int, callback: Callable[[], None]) -> None:
        self._events.register(descriptor, selectors.EVENT_READ, callback)

    def forget(self, descriptor: int) -> None:
        self._events.unregister(descriptor)

    def watch_channel(self, channel: Channel) -> None:
        self.watch(channel.fileno(), lambda: self._serve_one(channel))

    def children_ended(self, statuses: dict[int, int]) -> None:
        """Called with children that have ended, and their status; for subclasses."""

    def finish(self) -> None:
        """Called when the main channel has closed; for subclasses."""
        self.processes.kill_all()

    def answer(self, request: Request[Any]) -> object:
        """The answer to a request, of the kind that the request's class says; the descriptors in both are closed afterwards."""
        match request:
            case Spawn():
                with self.enter(request.node):
                    job = self.processes.start(request)
                return Started(job, number_inside(job))
            case Signal():
                self.processes.signal(request.job, request.signal)
                return None
            case Resume():
                self.processes.resume(request.job, request.terminal)
                return None
        raise LabError(f"this process of the lab does not serve {type(request).__name__}")

    def serve_meanwhile(self, seconds: float) -> None:
        """For a request that takes its time: serves all others until something happens, this long at most.

        Raises ChannelClosed when the user's process has gone, which has nothing more to say before it has its answer.
        """
        for key, _ in self._events.select(seconds):
            if key.fd == self.channel.fileno():
                raise ChannelClosed("the user's process has gone")
            key.data()

    def _children_changed(self) -> None:
        with suppress(BlockingIOError):  # `serve_meanwhile` may have seen it first
            os.read(self._wake, 4096)
        self.children_ended(self.processes.reap())

    def _serve_one(self, channel: Channel) -> None:
        try:
            answer, gift = self._answer_next(channel)
            try:
                channel.send(answer, gift)
            finally:
                close_all(gift)
        except ChannelClosed:
            self.forget(channel.fileno())
            channel.close()
            if channel is self.channel:
                self.finish()
                self._done = True

    def _answer_next(self, channel: Channel) -> tuple[Message, list[int]]:
        """Receives a request and answers it, with its number. Whatever goes wrong with one, the lab lives on."""
        message: Message = {}
        request: Request[Any] | None = None
        descriptors: list[int] = []
        try:
            message, descriptors = channel.receive()
            request = unpack_request(message, descriptors)
            return pack_answer(request, self.answer(request), message.get("number"))
        except ChannelClosed:
            raise
        except Exception as error:  # noqa: BLE001
            if isinstance(error, DescriptorsLost):
                message = error.message
            return pack_refusal(_explain(request, error), message.get("number")), []
        finally:
            close_all(descriptors)


def _explain(request: Request[Any] | None, error: Exception) -> Refusal:
    node = getattr(request, "node", "")
    where = f"{node}: " if node else ""
    match error:
        case PynetemuError():
            return Refusal(_KINDS.get(type(error), "lab"), str(error))
        case NotUnderstood():
            return Refusal("lab", str(error))
        case ProgramNotFound():
            return Refusal("not_found", node=node, program=error.filename)
        case OSError():
            what = f"{error.filename}: " if error.filename else ""
            return Refusal("command", f"{where}{what}{error.strerror}")
    kind = "command" if isinstance(request, Spawn) else "lab"
    return Refusal(kind, f"{where}{error} ({type(error).__name__})")


_KINDS: dict[type[Any], str] = {KernelError: "kernel", ConflictError: "conflict", ServiceError: "service"}
