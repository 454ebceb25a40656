"""A relay that does not answer: its answers would be taken for those to later questions."""

import os
import signal
import socket
import subprocess

import pytest

from pynetemu.engine.nodes import Nodes
from pynetemu.engine.shaping import relays
from pynetemu.errors import KernelError


def test_it_is_killed_and_asked_nothing_until_it_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "_SECONDS", 0.1)
    asked, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with asked, ours, subprocess.Popen(["sleep", "1000"]) as process:
        found = relays.Relays(Nodes.__new__(Nodes))
        found._pid, found._connection = process.pid, asked
        asked.settimeout(0.1)
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(KernelError, match=r"the relay has not answered for 0\.1 s, and is started again"):
            found.counters()
        assert process.wait() == -signal.SIGKILL
        assert found.counters() == {}
        assert found._ask({"do": "close", "name": "l"}) == {}
