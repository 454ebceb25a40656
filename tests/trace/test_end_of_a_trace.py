"""The end of a trace: what processors have put off, and what the kernel still holds, is waited for."""

import os
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from pynetemu.trace.sources import collector as collecting
from pynetemu.trace.sources.collector import Collector
from pynetemu.trace.sources.events import Event
from pynetemu.trace.sources.processors import catch_up


def _event(number: int) -> Event:
    return Event(number, "h1", "eth0", "out", b"", 0)


class _Source:
    """Gives one more of its events whenever processors have had their turn; a block of them is open `waits` times."""

    lost, name = 0, "fake"

    def __init__(self, later: int, waits: int = 0) -> None:
        self.ends, self.turns = os.pipe(), 0
        self.later, self.waits, self.ready = later, waits, [_event(0)]

    def fileno(self) -> int:
        return self.ends[0]

    def read(self) -> list[Event]:
        found, self.ready = self.ready, []
        return found

    def all_until_now(self) -> Callable[[], bool]:
        left = self.waits

        def has_come() -> bool:
            nonlocal left
            left -= 1
            return left < 0

        return has_come

    def turn(self) -> None:
        self.turns += 1
        if self.later:
            self.later -= 1
            self.ready.append(_event(self.later + 1))

    def close(self) -> None:
        for end in self.ends:
            os.close(end)


@pytest.fixture
def firewall() -> Any:
    ends = os.pipe()
    yield SimpleNamespace(fileno=lambda: ends[0], read=lambda: None)
    for end in ends:
        os.close(end)


@pytest.mark.parametrize("later", [0, 1, 5])
def test_what_comes_at_each_turn_of_the_processors_is_taken(later: int, firewall: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = _Source(later)
    monkeypatch.setattr(collecting, "catch_up", source.turn)
    monkeypatch.setattr(collecting, "_SECONDS_TO_PASS_ON", 60.0)
    found = Collector(source, firewall).stop(lambda events: False, 1.0)
    source.close()
    assert [event.time for event in found] == list(range(later + 1))
    assert source.turns == later + 1  # the last of them brought nothing


def test_others_that_keep_sending_are_not_waited_for(firewall: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = _Source(1000)
    monkeypatch.setattr(collecting, "catch_up", source.turn)
    monkeypatch.setattr(collecting, "_SECONDS_TO_PASS_ON", 0.0)
    Collector(source, firewall).stop(lambda events: False, 1.0)
    source.close()
    assert source.turns == 3


def test_what_is_under_way_is_waited_for_and_looked_for_once_more(firewall: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = _Source(0)
    asked: list[str] = []
    monkeypatch.setattr(collecting, "catch_up", lambda: asked.append("turn"))
    monkeypatch.setattr(collecting, "readable", lambda descriptors, seconds: asked.append("wait"))
    Collector(source, firewall).stop(lambda events: asked.count("wait") < 2, 60.0)
    source.close()
    assert asked == ["turn", "wait", "wait", "turn"]


def test_a_block_that_is_open_is_waited_for(firewall: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = _Source(0, waits=3)
    waited: list[float] = []
    monkeypatch.setattr(collecting, "catch_up", lambda: None)
    monkeypatch.setattr(collecting, "readable", lambda descriptors, seconds: waited.append(seconds))
    Collector(source, firewall).stop(lambda events: False, 1.0)
    source.close()
    assert len(waited) == 6  # at the end, and after the processors' turn
    assert all(0 < seconds <= 2 for seconds in waited)


def test_processors_are_left_as_they_were_found() -> None:
    allowed = os.sched_getaffinity(0)
    catch_up()
    assert os.sched_getaffinity(0) == allowed


def test_a_machine_without_a_loopback_has_no_turn_of_its_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr("pynetemu.trace.sources.processors.socket.socket", refuse)
    catch_up()
