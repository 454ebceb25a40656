"""Waits for requests and for children, and answers: what the engine and an attached process have in common."""

import os
import selectors
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

from pynetemu.engine.channel import Channel, ChannelClosed, DescriptorsLost, Message, close_all
from pynetemu.engine.processes import Processes, ProgramNotFound
from pynetemu.errors import ConflictError, KernelError, PynetemuError, ServiceError

Answer = tuple[Message, list[int]]  # what is sent back: data, and descriptors that are closed afterwards


class Loop:
    """Serves "spawn", "signal" and "resume" on its channel until that closes; subclasses answer more.

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

    def answer(self, request: Message, descriptors: list[int]) -> Answer:
        """Answers a request, whose descriptors are closed afterwards."""
        match request["do"]:
            case "spawn":
                return self._spawn(request, descriptors)
            case "signal":
                self.processes.signal(request["pid"], request["signal"])
                return {}, []
            case "resume":
                self.processes.resume(request["pid"], descriptors[0] if descriptors else None)
                return {}, []
            case unknown:
                return {"error": "lab", "message": f"the lab's engine does not know the request {unknown!r}"}, []

    def _spawn(self, request: Message, descriptors: list[int]) -> Answer:
        with self.enter(request["node"]):
            return {"pid": self.processes.start(request, descriptors)}, []

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

    def _answer_next(self, channel: Channel) -> Answer:
        """Receives a request and answers it, with its number. Whatever goes wrong with one, the lab lives on."""
        request: Message = {}
        descriptors: list[int] = []
        try:
            request, descriptors = channel.receive()
            answer, gift = self.answer(request, descriptors)
        except ChannelClosed:
            raise
        except Exception as error:  # noqa: BLE001
            if isinstance(error, DescriptorsLost):
                request = error.message
            answer, gift = _explain(request, error), []
        finally:
            close_all(descriptors)
        return {**answer, "number": request.get("number")}, gift


def _explain(request: Message, error: Exception) -> Message:
    node = request.get("node", "")
    match error:
        case PynetemuError():
            return {"error": _KINDS.get(type(error), "lab"), "message": str(error)}
        case ProgramNotFound():
            return {"error": "not_found", "program": error.filename, "node": node}
        case OSError():
            what = f"{error.filename}: " if error.filename else ""
            return {"error": "command", "message": f"{node}: {what}{error.strerror}"}
    kind = "command" if request.get("do") == "spawn" else "lab"
    return {"error": kind, "message": f"{node}: {error} ({type(error).__name__})"}


_KINDS: dict[type[Any], str] = {KernelError: "kernel", ConflictError: "conflict", ServiceError: "service"}
