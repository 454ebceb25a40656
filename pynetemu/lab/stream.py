"""The events of a running lab as they come: an iterator, a callback, or beside an event loop."""

import json
import os
import socket
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from typing import Self, TypeVar

from pynetemu.engine.protocol.codec import Descriptor, from_data
from pynetemu.engine.protocol.requests import Occurrence, WatchEvents
from pynetemu.errors import LabError, PynetemuError, UsageError
from pynetemu.lab.arguments import seconds, seconds_or_none
from pynetemu.lab.connection import readable
from pynetemu.lab.events import ChangeEvent, LabEvent, LostEvent, ProcessEvent, ServiceEvent
from pynetemu.lab.listening import LabLike, Listening
from pynetemu.lab.reading import LabState
from pynetemu.topology.part import quoted

_E = TypeVar("_E", bound=LabEvent)

_PACKET = 1 << 18  # bytes of one packet of the engine's, which has a command's words at most
_LATE = 0.005  # seconds after which a thread that does nothing but wait surely runs: sys.getswitchinterval()


class Events:
    """What happens in a lab from the moment of `net.events()` on; see there. Closing it, or the lab, ends the iteration.

        with net.events() as events:
            net["h1"].run("ip", "link", "set", "eth0", "down")
            print(events.wait(LinkEvent, node="h1").what)

    Events wait here until they are taken. It is read by one thread at a time.
    """

    def __init__(
        self,
        lab: LabLike,
        streams: "list[Events]",
        nodes: Sequence[str],
        timeout: float | None,
        callback: Callable[[LabEvent], object] | None,
    ) -> None:
        self._streams = streams  # those of the lab that are open
        self._lab, self._nodes, self._timeout, self._callback = lab, nodes, timeout, callback
        self._waiting: deque[LabEvent] = deque()
        self._came = threading.Condition()  # when there is another event, or no more will come
        self._thread: threading.Thread | None = None
        self._is_closed = self._has_ended = False

    def __repr__(self) -> str:
        return f"<Events of {self._lab.name}{', closed' if self._is_closed else ''}>"

    def start(self, read: Callable[[], LabState] | None = None) -> Self:
        """Begins, and returns when nothing can be missed any more; `net.events()` has done so.

        `read` is called as soon as what happens waits to be heard, and gives what all nodes have then: `listening.PICTURE`.
        """
        self._listening = Listening(self._lab, self._nodes)
        self._told, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._told.setblocking(False)
        try:
            with theirs:
                self._lab.control.ask(WatchEvents(Descriptor(theirs.fileno())))
            self._listening.start(read)
        except BaseException:
            self._told.close()
            raise
        self._ready = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)  # readable while events wait, or all is over
        self._stop = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._ended = os.dup(self._lab.fileno())
        self._streams.append(self)
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        """Ends it; what has happened until now can still be taken. Closing twice is not an error."""
        if self._thread is None or self._is_closed:
            return
        os.eventfd_write(self._stop, 1)
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self._is_closed = True
        with suppress(ValueError):
            self._streams.remove(self)
        for descriptor in (self._ready, self._stop, self._ended):
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        """A descriptor that is readable while events wait, for select(2) and event loops; then `pending` gives them."""
        return self._ready

    def pending(self) -> list[LabEvent]:
        """The events that wait; never waits itself."""
        with self._came:
            found = list(self._waiting)
            self._waiting.clear()
            self._show()
        return found

    def next(self, timeout: float | None = None) -> LabEvent:
        """The next event; raises TimeoutError when none comes for so many seconds, LabError when there will be none."""
        event = self._next(seconds_or_none("timeout", timeout))
        if event is None:
            raise LabError(f"the events of {self._lab.name} have ended")
        return event

    def wait(
        self, kind: type[_E], condition: Callable[[_E], object] | None = None, *, node: str = "", timeout: float = 10.0
    ) -> _E:
        """The next event of a class, in a node and for which a condition holds if these are given; others go on waiting here.

            events.wait(LinkEvent, lambda event: event.what == "down", node="h1")

        Raises LabError when none has come after so many seconds.
        """

        timeout = seconds("timeout", timeout)
        if not isinstance(kind, type):
            raise UsageError(f"wait: {quoted(kind)} is not a class of events\n    hint: events.wait(LinkEvent)")

        def is_meant(event: LabEvent) -> bool:
            return isinstance(event, kind) and node in ("", event.node) and (condition is None or bool(condition(event)))

        with suppress(TimeoutError):
            found = self._next(timeout, is_meant)
            if found is not None:
                assert isinstance(found, kind)
                return found
        where = f" in {node}" if node else ""
        raise LabError(f"no {kind.__name__}{where} like this has come in {timeout:g} s")

    def _next(self, timeout: float | None, is_meant: Callable[[LabEvent], bool] | None = None) -> LabEvent | None:
        """The first that is meant; None at the end."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._came:
                is_over = self._is_over
                place = next((at for at, event in enumerate(self._waiting) if is_meant is None or is_meant(event)), None)
                if place is not None:
                    event = self._waiting[place]
                    del self._waiting[place]
                    self._show()
                    return event
                if is_over:
                    return None
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError(f"nothing has happened in {self._lab.name} for {timeout:g} s")
                self._came.wait(left)

    def __iter__(self) -> Iterator[LabEvent]:
        """All of them as they come, to the end of the lab, or until nothing has happened for the `timeout` of `net.events`."""
        with suppress(TimeoutError):
            while (event := self._next(self._timeout)) is not None:
                yield event

    async def __aiter__(self) -> AsyncIterator[LabEvent]:
        """The same in an asyncio program, which does other things meanwhile."""
        import asyncio

        loop = asyncio.get_running_loop()
        while not (self._is_over and not self._waiting):
            with suppress(TimeoutError):
                while (event := self._next(0)) is not None:
                    yield event
            if not self._waiting and not self._is_over:
                came = asyncio.Event()
                loop.add_reader(self._ready, came.set)
                try:
                    await asyncio.wait_for(came.wait(), self._timeout)
                except TimeoutError:
                    return
                finally:
                    loop.remove_reader(self._ready)

    @property
    def _is_over(self) -> bool:
        return self._is_closed or self._has_ended

    def put(self, *events: LabEvent) -> None:
        """Adds events, from any thread."""
        if self._callback is not None:
            for event in events:
                self._callback(event)
            return
        with self._came:
            self._waiting += events
            self._show()
            self._came.notify_all()

    def _show(self) -> None:
        """Makes `fileno` readable, or not, as it should be."""
        if self._is_closed:
            return
        with suppress(BlockingIOError):
            if self._waiting:
                os.eventfd_write(self._ready, 1)
            elif not self._is_over:
                os.eventfd_read(self._ready)

    def _run(self) -> None:
        try:
            with suppress(PynetemuError, OSError):  # the lab has ended
                while self._hear():
                    pass
        finally:
            self._listening.close()
            self._told.close()
            with self._came:
                self._has_ended = True
                os.eventfd_write(self._ready, 1)  # who waits sees that nothing more comes
                self._came.notify_all()

    def _hear(self) -> bool:
        """Waits for something, and tells of it; false when all is over. What came before the end is told."""
        began = time.time()
        kernel, engine = self._listening.socket.fileno(), self._told.fileno()
        found = readable([kernel, engine, self._stop, self._ended], None)
        if self._ended in found:
            return False
        now = time.time()
        has_waited = now - began > _LATE
        if engine in found:
            events = list(self._occurrences(now))
            self.put(*events)
            if any(isinstance(event, ChangeEvent) for event in events):  # there may be other nodes now
                self.put(*self._listening.look_again())
        if kernel in found:
            self.put(*self._listening.heard(now - _LATE if has_waited else None))
        return self._stop not in found

    def _occurrences(self, now: float) -> Iterator[LabEvent]:
        with suppress(BlockingIOError):
            while packet := self._told.recv(_PACKET):
                one: Occurrence = from_data(Occurrence, json.loads(packet), [])
                if not (one.node and self._nodes) or one.node in self._nodes:
                    yield _event_of(one, now)


def _event_of(one: Occurrence, now: float) -> LabEvent:
    since = min(one.time, now)
    match one.kind:
        case "process":
            return ProcessEvent(time=now, since=since, node=one.node, pid=one.pid, argv=one.argv, status=one.status)
        case "service":
            return ServiceEvent(time=now, since=since, node=one.node, name=one.text, pid=one.pid, status=one.status)
        case "lost":
            return LostEvent(time=now, since=since, node="")
    nodes = {"added": one.added, "removed": one.removed, "changed": one.changed}
    return ChangeEvent(time=now, since=since, node=one.node, text=one.text, **nodes)
