"""Watchers of the engine who do not read are told that they have missed something."""

import json
import socket

import pytest

from pynetemu.engine.live.watchers import Watchers
from pynetemu.engine.protocol.requests import Occurrence

pytestmark = pytest.mark.pure


def _read(watcher: socket.socket) -> list[str]:
    kinds = []
    while True:
        try:
            kinds.append(json.loads(watcher.recv(1 << 16))["kind"])
        except BlockingIOError:
            return kinds


def test_who_does_not_read_in_time_is_told_so_and_delays_nobody() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    watchers = Watchers()
    watchers.add(theirs)
    ours.setblocking(False)
    with ours:
        for number in range(5000):
            watchers.tell(Occurrence("process", 1.0, "h1", "", number, ("true",), 0))
        told = _read(ours)
        assert 0 < len(told) < 5000
        assert set(told) == {"process"}
        watchers.tell(Occurrence("change", 2.0, text="again"))
        assert _read(ours) == ["lost", "change"]
    watchers.tell(Occurrence("change", 3.0))  # nobody is there any more
    assert theirs.fileno() == -1
