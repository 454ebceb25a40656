"""The engine's loop, without a kernel: many ask at once, badly, slowly and too much, and each of the others is answered."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from types import SimpleNamespace
from typing import Any

import pytest

from pynetemu.engine import loop as loops
from pynetemu.engine.loop import Loop, Steps
from pynetemu.engine.protocol.channel import PART, Assembly, Channel, ChannelClosed, Message
from pynetemu.engine.protocol.codec import Descriptor
from pynetemu.engine.protocol.envelope import Refused, pack_request, unpack_answer
from pynetemu.engine.protocol.requests import Describe, Description, Networks, OpenLog, ReadPlan, Request, Signal, WatchServices
from pynetemu.errors import LabError
from tests.support.wait import wait_until

pytestmark = pytest.mark.pure

_WHAT = Description(1, "file", 2.0, ("a", "b"))


class _Engine(Loop):
    """Knows a few requests: some at once, some in steps, for which it notes who was served in between."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel, lambda _: nullcontext())
        self.log: list[str] = []
        self.plan: dict[str, Any] = {}
        self.finished = False
        self.steps = self._count

    def answer(self, request: Request[Any]) -> object:
        self.log.append(type(request).__name__)
        match request:
            case Describe():
                return _WHAT
            case ReadPlan():
                return self.plan
            case Networks():
                return self.steps()
            case OpenLog():
                return os.open(os.devnull, os.O_RDONLY)
            case WatchServices():
                os.write(request.watcher, b"x")
                return None
        raise LabError("no such thing")

    def _count(self) -> Steps[dict[str, int]]:
        try:
            for number in range(3):
                yield 0.001
                self.log.append(f"step {number}")
        except GeneratorExit:
            self.log.append("given up")
            raise
        return {"steps": 3}

    def finish(self) -> None:
        self.finished = True


class _Asker:
    def __init__(self, engine: _Engine, connection: socket.socket) -> None:
        self.engine, self.connection = engine, connection
        connection.setblocking(False)
        self.channel = Channel(connection)
        self.incoming = Assembly()

    def send(self, request: Request[Any], number: int = 0) -> None:
        self.channel.send(*pack_request(request, number))

    def receive(self) -> tuple[Message, list[int]]:
        """The next message, for which the engine goes on."""
        for _ in range(5000):
            if (message := self.poll()) is not None:
                return message
            self.engine.turn(0.001)
        raise AssertionError("there is no answer")

    def poll(self) -> tuple[Message, list[int]] | None:
        """The next message, if it is there."""
        with suppress(BlockingIOError):
            while (message := self.incoming.receive(self.connection)) is None:
                pass
            return message
        return None

    def ask(self, request: Request[Any]) -> Any:
        self.send(request)
        return unpack_answer(request, *self.receive())


@contextmanager
def _attached(engine: _Engine) -> Iterator[_Asker]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    engine.attach(theirs)
    with ours:
        yield _Asker(engine, ours)


@pytest.fixture
def engine() -> Iterator[_Engine]:
    before = _open_files()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    engine = _Engine(Channel(theirs))
    with ours:
        yield engine
    while engine._clients:
        engine.turn(1)
    assert engine.finished
    engine._events.close()
    del engine
    wait_until(lambda: _open_files() <= before)


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def other(engine: _Engine) -> Iterator[_Asker]:
    """Somebody who behaves."""
    with _attached(engine) as asker:
        yield asker
        assert asker.ask(Describe()) == _WHAT


_BROKEN = [b"", b"[]", b"null", b"1", b'"x"', b"{", b"\xff", b"[" * 50_000, b'{"a":' * 30_000, b"{}", b'{"do":[]}', b"9" * 5000]


@pytest.mark.parametrize("text", _BROKEN, ids=lambda text: repr(text[:9]))
def test_what_is_no_request_is_refused(engine: _Engine, other: _Asker, text: bytes) -> None:
    with _attached(engine) as bad:
        bad.connection.sendmsg([b"\3" + text])
        message, _ = bad.receive()
        assert message["error"] == "lab" and message["message"]
        assert bad.ask(Describe()) == _WHAT


@pytest.mark.parametrize(
    "packet", [b"\0", b"\0x", b"\2x", b"\1", b"\1{", b"\7x", b"\xff" + b"x" * (2 * PART)], ids=lambda packet: repr(packet[:9])
)
def test_what_is_no_packet_keeps_nobody_waiting(engine: _Engine, other: _Asker, packet: bytes) -> None:
    with _attached(engine) as bad:
        for _ in range(20):
            bad.connection.sendmsg([packet])
            assert other.ask(Describe()) == _WHAT


def test_half_a_request_keeps_nobody_waiting_and_may_end_at_any_time(engine: _Engine, other: _Asker) -> None:
    text = b'{"protocol":%d,"number":5,"do":"Describe","fields":{}}' % pack_request(Describe())[0]["protocol"]
    with _attached(engine) as dripping:
        for place in range(len(text)):
            last = 2 if place == len(text) - 1 else 0
            dripping.connection.sendmsg([bytes([last | (place == 0)]) + text[place : place + 1]])
            assert other.ask(Describe()) == _WHAT
        assert unpack_answer(Describe(), *dripping.receive()) == _WHAT
        dripping.connection.sendmsg([b"\1" + text[:10]])
        assert other.ask(Describe()) == _WHAT


def test_a_request_without_an_end_is_refused(engine: _Engine, other: _Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "_LONGEST_REQUEST", 4 * PART)
    with _attached(engine) as endless:
        for flags in (1, 0, 0, 0):
            endless.connection.sendmsg([bytes([flags]) + b"x" * PART])
            engine.turn()
        assert "a request of more than" in endless.receive()[0]["message"]
        with pytest.raises(ConnectionError):
            endless.connection.sendmsg([b"\0x"])


def test_all_half_requests_together_are_limited(engine: _Engine, other: _Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "_MOST_WAITING", 5 * PART)
    with _attached(engine) as first, _attached(engine) as second:
        for asker in (first, second):
            for flags in (1, 0, 0):
                asker.connection.sendmsg([bytes([flags]) + b"x" * PART])
                engine.turn()
        assert len(engine._clients) == 3
        with pytest.raises(ConnectionError):
            first.connection.sendmsg([b"\0x"])


def test_who_reads_no_answers_is_left(engine: _Engine, other: _Asker) -> None:
    with _attached(engine) as deaf:
        for _ in range(10):
            deaf.send(Describe())
            engine.turn()
            assert other.ask(Describe()) == _WHAT
        with pytest.raises(ChannelClosed):
            deaf.send(Describe())


def test_a_long_answer_waits_for_its_reader(engine: _Engine, other: _Asker) -> None:
    engine.plan = {"operations": [{"op": "x" * 100, "number": number} for number in range(20_000)]}
    with _attached(engine) as slow:
        slow.send(ReadPlan())
        for _ in range(50):
            assert other.ask(Describe()) == _WHAT
        assert unpack_answer(ReadPlan(), *slow.receive()) == engine.plan
        assert slow.ask(Describe()) == _WHAT


def test_answers_that_nobody_reads_are_limited(engine: _Engine, other: _Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.plan = {"text": ["x" * 1000] * 1000}
    monkeypatch.setattr(loops, "_MOST_WAITING", 2_500_000)
    with _attached(engine) as first, _attached(engine) as second, _attached(engine) as third:
        for asker in (first, second, third):
            asker.send(ReadPlan())
            for _ in range(50):
                engine.turn()
        with pytest.raises(ChannelClosed):
            first.receive()
        assert unpack_answer(ReadPlan(), *third.receive()) == engine.plan


def test_others_are_served_between_the_steps_of_a_long_request(engine: _Engine, other: _Asker) -> None:
    with _attached(engine) as long:
        long.send(Networks())
        while "step 0" not in engine.log:
            engine.turn(0.001)
        assert other.ask(Describe()) == _WHAT
        assert engine.log.index("Describe") < len(engine.log) - 1 or "step 2" not in engine.log
        assert unpack_answer(Networks(), *long.receive()) == {"steps": 3}


def test_what_somebody_asked_who_has_gone_is_given_up(engine: _Engine, other: _Asker) -> None:
    with _attached(engine) as long:
        long.send(Networks())
        while "step 0" not in engine.log:
            engine.turn(0.001)
    while "given up" not in engine.log:
        engine.turn(0.001)
    assert "step 2" not in engine.log


def test_who_asks_again_before_the_answer_gets_both(engine: _Engine, other: _Asker) -> None:
    with _attached(engine) as eager:
        eager.send(Networks(), 1)
        eager.send(Describe(), 2)
        assert [eager.receive()[0]["number"] for _ in range(2)] == [1, 2]


def test_descriptors_go_both_ways_and_stay_nowhere(engine: _Engine, other: _Asker) -> None:
    read, write = os.pipe()
    other.ask(WatchServices(Descriptor(write)))
    assert os.read(read, 10) == b"x"
    with pytest.raises(Refused, match="no such thing"):
        other.ask(Signal(1, 2))
    log = other.ask(OpenLog("a", "b"))
    assert os.readlink(f"/proc/self/fd/{log}") == os.devnull
    for descriptor in (read, write, log):
        os.close(descriptor)
    with _attached(engine) as leaving:
        leaving.send(WatchServices(Descriptor(0)))
        leaving.send(OpenLog("a", "b"))


def test_no_more_than_some_may_attach(engine: _Engine, other: _Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "_MOST_CLIENTS", 3)
    with _attached(engine) as third, _attached(engine) as fourth:
        with pytest.raises(Refused, match="2 programs are attached to this lab, and no more may be"):
            unpack_answer(Describe(), *fourth.receive())
        assert third.ask(Describe()) == _WHAT


def test_many_long_requests_leave_room_for_short_ones(engine: _Engine, other: _Asker) -> None:
    engine.plan = {"operations": [{"op": "x" * 100, "number": number} for number in range(5_000)]}
    with _attached(engine) as a, _attached(engine) as b, _attached(engine) as c:
        for asker in (a, b, c):
            asker.send(ReadPlan())
        turns = 0
        other.send(Describe())
        while True:
            engine.turn()
            turns += 1
            if other.poll() is not None:
                break
        assert turns == 1
        for asker in (a, b, c):
            assert unpack_answer(ReadPlan(), *asker.receive()) == engine.plan


def test_what_was_asked_is_given_up_though_there_was_more_to_ask(engine: _Engine, other: _Asker) -> None:
    with _attached(engine) as eager:
        eager.send(Networks(), 1)
        eager.send(Networks(), 2)
        while "step 0" not in engine.log:
            engine.turn(0.001)
    while "given up" not in engine.log:
        engine.turn(0.001)
    assert engine.log.count("Networks") == 1


def test_short_requests_come_before_the_next_step_of_many_long_ones(
    engine: _Engine, other: _Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]  # one that only the work moves

    def slow() -> Steps[dict[str, int]]:
        for _ in range(4):
            clock[0] += 0.01  # all of it in one step
            yield 0
        return {}

    monkeypatch.setattr(loops, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    engine.steps = slow
    with ExitStack() as attached:
        long = [attached.enter_context(_attached(engine)) for _ in range(30)]
        for asker in long:
            asker.send(Networks())
        engine.turn()
        before = clock[0]
        assert other.ask(Describe()) == _WHAT
        assert clock[0] - before < 0.15, "each of the 30 takes a step, 0.3 s"
        for asker in long:
            assert unpack_answer(Networks(), *asker.receive()) == {}
