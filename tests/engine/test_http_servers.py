"""When the engine starts a node's web server, and what becomes of connections that wait: without a kernel's nodes."""

import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pynetemu.engine import http_servers
from pynetemu.engine.http_servers import HttpServers
from pynetemu.errors import LabError
from pynetemu.plan.operations import AddHttpServer

pytestmark = pytest.mark.pure

_SERVER = AddHttpServer("h1", "web", 0)


class _Loop:
    """Is told what to wait for, and starts programs, which get numbers from 7 on; `fails` is what becomes of the next one."""

    def __init__(self) -> None:
        self.watched: dict[int, Callable[[], None]] = {}
        self.started: list[int] = []
        self.fails: Exception | None = None
        self.processes = self

    def watch(self, descriptor: int, callback: Callable[[], None]) -> None:
        self.watched[descriptor] = callback

    def forget(self, descriptor: int) -> None:
        del self.watched[descriptor]

    def enter(self, node: str) -> Any:
        assert node == "h1"
        return nullcontext()

    def start_service(self, program: str, argv: list[str], environment: object, log: int, listener: int) -> int:
        if self.fails:
            raise self.fails
        assert (argv[0], argv[-1]) == (program, "h1")
        self.started.append(listener)
        return 6 + len(self.started)

    def bound_log(self, *_: object) -> None:
        """Not here."""

    def connected(self) -> None:
        """Somebody has connected."""
        (callback,) = self.watched.values()
        callback()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch, log: Path) -> _Loop:
    monkeypatch.chdir("/")  # where a server runs, and whoever starts it
    monkeypatch.setattr(http_servers, "open_log", lambda *_: os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY))
    return _Loop()


@pytest.fixture
def servers(loop: _Loop) -> Iterator[HttpServers]:
    nodes = {"h1": SimpleNamespace(kind="host", indexes={})}

    class Nodes(dict[str, object]):
        host = False

        def open_socket(self, node: str, *kind: int) -> socket.socket:
            assert node in self
            return socket.socket(*kind)

    servers = HttpServers(cast(Any, loop), cast(Any, Nodes(nodes)))
    assert list(servers.start(_SERVER)) == [0]
    yield servers
    servers.stop(_SERVER)
    assert not loop.watched


def _connect(loop: _Loop) -> tuple[socket.socket, socket.socket]:
    """A client's end of a connection that waits, and the listening socket."""
    (listening,) = loop.watched
    listener = socket.socket(fileno=os.dup(listening))
    client = socket.create_connection(("127.0.0.1", listener.getsockname()[1]))
    return client, listener


def test_a_connection_starts_the_server_and_waits_for_it(loop: _Loop, servers: HttpServers) -> None:
    client, listener = _connect(loop)
    (listening,) = loop.watched
    with client, listener:
        loop.connected()
        assert (loop.started, loop.watched) == ([listening], {})
        listener.accept()[0].close()  # as the server does
    servers.ended({8: 0})  # another
    assert not loop.watched
    servers.ended({7: 0})
    assert list(loop.watched) == [listening]


def test_a_server_that_was_killed_starts_again_for_who_waits(loop: _Loop, servers: HttpServers) -> None:
    client, listener = _connect(loop)
    with client, listener:
        loop.connected()
        servers.ended({7: -15})
        loop.connected()
        assert len(loop.started) == 2
        listener.accept()[0].close()
    servers.ended({8: 0})


@pytest.mark.parametrize("waits", [True, False])
def test_one_that_fails_costs_a_connection_if_one_waits(loop: _Loop, servers: HttpServers, waits: bool) -> None:
    client, listener = _connect(loop)
    with client, listener:
        loop.connected()
        if not waits:
            listener.accept()[0].close()
        servers.ended({7: 1})
        assert client.recv(1) == b""
        assert len(loop.watched) == 1
        assert os.get_blocking(listener.fileno()), "as the next server needs it"


@pytest.mark.parametrize("why", [OSError(errno.EAGAIN, "no more processes"), LabError("h1 is paused")])
def test_one_that_cannot_start_says_so_in_its_log(loop: _Loop, servers: HttpServers, log: Path, why: Exception) -> None:
    loop.fails = why
    client, listener = _connect(loop)
    with client, listener:
        loop.connected()
        assert client.recv(1) == b""
        assert log.read_text() == f"web cannot start: {why}\n"
        assert len(loop.watched) == 1


def test_its_end_ends_its_process_if_it_has_one(loop: _Loop, servers: HttpServers, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(http_servers, "kill_group", killed.append)
    client, listener = _connect(loop)
    with client, listener:
        loop.connected()
        servers.stop(_SERVER)
        assert (killed, loop.watched) == ([7], {})
        assert servers.ended({7: -9}) == ()
        assert not loop.watched
