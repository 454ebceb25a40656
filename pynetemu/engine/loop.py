"""Waits for requests and for children, and answers: what the engine and an attached process have in common."""

import os
import select
import selectors
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from pynetemu.engine.channel import Channel, ChannelClosed, Message, close_all
from pynetemu.engine.processes import Processes
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
        self._wake, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
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
        """Answers a request, whose descriptors it takes over."""
        match request["do"]:
            case "spawn":
                return self._spawn(request, descriptors)
            case "signal":
                self.processes.signal(request["pid"], request["signal"])
                return {}, []
            case "resume":
                self.processes.resume(request["pid"], descriptors[0] if descriptors else None)
                close_all(descriptors)
                return {}, []
            case unknown:
                close_all(descriptors)
                return {"error": "lab", "message": f"the lab's engine does not know the request {unknown!r}"}, []

    def _spawn(self, request: Message, descriptors: list[int]) -> Answer:
        with self.enter(request["node"]):
            return {"pid": self.processes.start(request, descriptors)}, []

    def look_after_children(self, seconds: float) -> None:
        """For requests that take their time: waits until a child ends, this long at most. Raises ChannelClosed."""
        waiting = select.poll()
        waiting.register(self._wake, select.POLLIN)
        waiting.register(self.channel.fileno(), select.POLLRDHUP)
        for descriptor, _ in waiting.poll(seconds * 1000):
            if descriptor != self._wake:
                raise ChannelClosed("the user's process has gone")
            self._children_changed()

    def _children_changed(self) -> None:
        os.read(self._wake, 4096)
        self.children_ended(self.processes.reap())

    def _serve_one(self, channel: Channel) -> None:
        try:
            request, descriptors = channel.receive()
            answer, gift = self._try(request, descriptors)
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

    def _try(self, request: Message, descriptors: list[int]) -> Answer:
        try:
            return self.answer(request, descriptors)
        except PynetemuError as error:
            return {"error": _KINDS.get(type(error), "lab"), "message": str(error)}, []
        except FileNotFoundError as error:
            return {"error": "not_found", "program": error.filename, "node": request.get("node", "")}, []
        except OSError as error:
            what = f"{error.filename}: " if error.filename else ""
            return {"error": "command", "message": f"{request.get('node', '')}: {what}{error.strerror}"}, []


_KINDS: dict[type[Any], str] = {KernelError: "kernel", ConflictError: "conflict", ServiceError: "service"}
