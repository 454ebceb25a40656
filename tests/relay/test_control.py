"""What the engine tells the relay: each request does its own thing, with its own words."""

import json
import os
import socket
import struct
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from pynetemu.plan.problems import Wrong
from pynetemu.relay import control
from pynetemu.relay.control import Control
from pynetemu.relay.relay import Link

pytestmark = pytest.mark.pure


class _Told:
    """Both ends of a control: `tell` sends a request, lets it be served, and gives the answer."""

    def __init__(self) -> None:
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.relay, self.theirs = Mock(), theirs
        Control(theirs, self.relay)
        watched, self.serve = self.relay.watch.call_args.args
        assert watched is theirs

    def tell(self, **request: Any) -> Any:
        self.ours.send(json.dumps(request).encode())
        self.serve()
        return json.loads(self.ours.recv(1 << 16))


@pytest.fixture
def told() -> Iterator[_Told]:
    told = _Told()
    with told.ours, told.theirs:
        yield told


def test_settings_journals_and_ends_of_links_are_handed_on(told: _Told) -> None:
    assert told.tell(do="set", name="l", side=1, words=["rate", "1mbit"], macs={"h1": "02:00:00:00:00:01"}, began=4) == {}
    told.relay.configure.assert_called_once_with("l", 1, ["rate", "1mbit"], {"h1": "02:00:00:00:00:01"}, 4)
    assert told.tell(do="journal", name="l", side=0, path="/x", most=7) == {}
    told.relay.journal.assert_called_once_with("l", 0, "/x", 7)
    assert told.tell(do="follow", name="l", side=1, path="/y") == {}
    told.relay.follow.assert_called_once_with("l", 1, "/y")
    assert told.tell(do="close", name="k") == {}
    told.relay.close.assert_called_once_with("k")


def test_what_is_asked_is_answered(told: _Told) -> None:
    told.relay.counters.return_value = {"l": [1, 2]}
    assert told.tell(do="counters") == {"l": [1, 2]}
    told.relay.ended.return_value = [["lost"], []]
    assert told.tell(do="ended", name="l") == {"sides": [["lost"], []]}
    told.relay.ended.assert_called_once_with("l")
    told.relay.marks.return_value = {"marks": [], "since": 2.5}
    assert told.tell(do="marks", since=1.5) == {"marks": [], "since": 2.5}
    told.relay.marks.assert_called_once_with(1.5)


def test_long_lists_come_in_parts(told: _Told, monkeypatch: pytest.MonkeyPatch) -> None:
    course = Mock()
    monkeypatch.setattr(control, "Course", course)
    monkeypatch.setattr(control, "from_words", lambda words: f"read {words}")
    play = {"do": "play", "name": "l", "side": 1, "period": 9, "began": 5, "linear": True}
    assert told.tell(**play, steps=[[0, "a"]], is_last=False) == {}
    told.relay.play.assert_not_called()
    assert told.tell(**play, steps=[[1, "b"]], is_last=True) == {}
    course.assert_called_once_with([(0, "read a"), (1, "read b")], 9, 5, True)
    told.relay.play.assert_called_once_with("l", 1, course.return_value)
    assert told.tell(**play, steps=[], is_last=True) == {}
    assert told.relay.play.call_args.args == ("l", 1, None)
    replay = {"do": "replay", "name": "l", "side": 0, "began": 3}
    assert told.tell(**replay, times=[5], is_last=True) == {}  # and nothing of the list before
    assert told.tell(**replay, times=[6], is_last=False) == {}
    assert told.tell(**replay, times=[7], is_last=True) == {}
    assert [call.args for call in told.relay.replay.call_args_list] == [("l", 0, [5], 3), ("l", 0, [6, 7], 3)]


def test_links_are_opened_with_their_own_rings(told: _Told, monkeypatch: pytest.MonkeyPatch) -> None:
    rings = Mock(return_value=["a", "b", "c", "d"])
    monkeypatch.setattr(control, "rings", rings)
    made = Mock(wraps=Link)
    monkeypatch.setattr(control, "Link", made)
    links: list[dict[str, Any]] = [
        {"name": "l", "ends": [1, 2], "mtu": 1500, "memory": 10, "buffers": 7, "seed": 3, "apart": True},
        {"name": "k", "ends": [4, 5], "mtu": 9000, "memory": 20, "buffers": 0, "seed": 6, "apart": False},
    ]
    assert told.tell(do="open", links=links) == {}
    rings.assert_called_once_with([(1, 1500, 10, 7), (2, 1500, 10, 7), (4, 9000, 20, 0), (5, 9000, 20, 0)])
    assert [call.args[3:] for call in made.call_args_list] == [(3, True), (6, False)]
    first, second = (call.args[0] for call in told.relay.open.call_args_list)
    for link, sent, pair in (first, links[0], ("a", "b")), (second, links[1], ("c", "d")):
        assert (link.name, link.ends, link.rings) == (sent["name"], tuple(sent["ends"]), pair)


@pytest.mark.parametrize(("error", "text"), [(OSError(2, "missing"), "missing"), (Wrong("no such word"), "no such word")])
def test_what_fails_is_told_and_the_next_request_is_served(told: _Told, error: Exception, text: str) -> None:
    told.relay.close.side_effect = error
    assert text in told.tell(do="close", name="l")["error"]
    assert "name" in told.tell(do="close")["error"]
    told.relay.close.side_effect = None
    assert told.tell(do="close", name="l") == {}


def test_the_relay_ends_with_the_engine(told: _Told) -> None:
    told.ours.close()
    with pytest.raises(SystemExit) as ended:
        told.serve()
    assert ended.value.code == 0


@pytest.mark.parametrize(("machine", "number"), [("x86_64", 314), ("aarch64", 274), ("riscv64", None)])
def test_the_relay_wakes_as_soon_as_the_kernel_lets_it(
    machine: str, number: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PR_SET_TIMERSLACK of a nanosecond, and slices of 0.1 ms (prctl(2), sched_setattr(2))."""
    libc, relay, connection = Mock(), Mock(), Mock()
    monkeypatch.setattr("ctypes.CDLL", Mock(return_value=libc))
    monkeypatch.setattr("gc.disable", Mock())
    monkeypatch.setattr("os.uname", lambda: SimpleNamespace(machine=machine))
    monkeypatch.setattr(control, "Relay", Mock(return_value=relay))
    control.main(connection)
    libc.prctl.assert_called_once_with(29, 1, 0, 0, 0)
    assert relay.watch.call_args.args[0] is connection
    relay.run.assert_called_once_with()
    if number is None:
        libc.syscall.assert_not_called()
    else:
        called, process, attributes, flags = libc.syscall.call_args.args
        assert (called, process, flags) == (number, 0, 0)
        size, policy, _, nice, _, slice_ = struct.unpack_from("=IIQiIQ", attributes)
        assert (size, policy, slice_, len(attributes)) == (56, 0, 100_000, 56)
        assert nice == os.getpriority(os.PRIO_PROCESS, 0)  # what it was started with
