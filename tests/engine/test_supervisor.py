"""Services as the engine keeps them: when one is ready, what is told of its end, and what is said of one that is not ready."""

import json
import socket
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pynetemu.engine import supervisor
from pynetemu.engine.supervisor import Services, _hint, _output, _Service
from pynetemu.errors import ServiceError
from pynetemu.plan.operations import AddService

pytestmark = pytest.mark.pure

Prints = Callable[[bytes], None]


def _operation(ready: str = "", name: str = "web", command: str = "serve", source: str = "") -> AddService:
    return AddService("h1", name, command, "/", ready, 10.0, (), source=source)


@pytest.fixture
def prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prints:
    log = tmp_path / "log"
    log.touch()
    monkeypatch.setattr(supervisor, "log_file", lambda node, name: str(log))

    def write(data: bytes) -> None:
        with open(log, "ab") as file:
            file.write(data)

    return write


def test_a_text_is_found_that_comes_in_pieces_and_not_found_twice(prints: Prints) -> None:
    prints(b"ready from before")
    service = _Service(_operation(), 5, frozenset(), len(b"ready from before"))
    assert not service.prints("ready")
    prints(b"re")
    assert not service.prints("ready")
    prints(b"ad")
    assert not service.prints("ready")
    prints(b"y\n")
    assert service.prints("ready")
    prints(b"other\n")
    assert not service.prints("ready")
    prints("später bereit".encode())
    assert service.prints("später")


def _services(ready: str, *, status: int | None = None, others: tuple[str, ...] = (), now: tuple[str, ...] = ()) -> Any:
    services = Services(SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]
    services._sockets = lambda operation: frozenset(now)  # type: ignore[method-assign]
    service = _Service(_operation(ready), 5, frozenset(others), 0)
    service.status = status
    return services, service


@pytest.mark.parametrize(
    ("ready", "status", "others", "now", "is_ready"),
    [
        ("", None, (), (), True),
        ("tcp:80", None, (), (), False),
        ("tcp:80", None, (), ("7",), True),
        ("tcp:80", None, ("7",), ("7",), False),  # somebody else's
        ("udp:53", None, ("7",), ("7", "8"), True),
        ("udp:53", None, (), (), False),
        ("finished", None, (), (), False),
        ("finished", 1, (), (), False),
        ("finished", 0, (), (), True),
    ],
)
def test_when_a_service_is_ready(
    ready: str, status: int | None, others: tuple[str, ...], now: tuple[str, ...], is_ready: bool
) -> None:
    services, service = _services(ready, status=status, others=others, now=now)
    assert services._is_ready(service) is is_ready


def test_a_service_that_prints_is_ready_when_it_has(prints: Prints) -> None:
    services, service = _services("prints:a:b")
    prints(b"a\n")
    assert not services._is_ready(service)
    prints(b"a:b\n")
    assert services._is_ready(service)


def test_one_that_ends_or_is_late_is_told_with_its_output(prints: Prints, monkeypatch: pytest.MonkeyPatch) -> None:
    services, service = _services("tcp:80", status=7)
    prints(b"first\nsecond \x1b\n")
    with pytest.raises(ServiceError) as ended:
        next(services._wait_until_ready(service))
    text = "the service web of h1 ended with status 7 before it was ready; it printed:\n    first\n    second \\x1b"
    assert str(ended.value) == text
    services, service = _services("tcp:80")
    clock = iter([100.0, 110.0, 110.1])
    monkeypatch.setattr(supervisor, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    waiting = services._wait_until_ready(service)
    assert next(waiting) > 0  # after exactly the time that it has
    with pytest.raises(ServiceError, match=r"the service web of h1 is not ready \(tcp:80\) after 10 s; it printed:"):
        next(waiting)


@pytest.mark.parametrize(
    ("ready", "status", "others", "words"),
    [
        ("tcp:80", None, ("7",), "another program of h1 has tcp port 80 already"),
        ("udp:53", 0, ("7",), "another program of h1 has udp port 53 already"),
        ("tcp:80", 0, (), "it went to the background, or ended"),
        ("prints:x", 0, (), "it went to the background, or ended"),
        ("prints:x", None, (), "many programs buffer what they print"),
        ("prints:x", 1, (), ""),
        ("tcp:80", None, (), ""),
        ("tcp:80", 1, (), ""),
    ],
)
def test_what_often_is_the_matter(ready: str, status: int | None, others: tuple[str, ...], words: str) -> None:
    _, service = _services(ready, status=status, others=others)
    told = _hint(service)
    assert told.startswith(f"\n    hint: {words}") if words else told == ""


def test_the_end_of_the_output_is_told(prints: Prints) -> None:
    assert _output(_operation()) == "; it printed nothing"
    lines = [f"line {number}" for number in range(1000)]
    prints("\n".join(lines).encode() + b"\n")
    told = _output(_operation()).split("\n    ")
    assert told[0] == "; it printed:"
    assert told[1:] == lines[-supervisor._LINES_TOLD :]
    prints(b"x" * (supervisor._BYTES_TOLD + 5))
    assert _output(_operation()) == "; it printed:\n    " + "x" * supervisor._BYTES_TOLD


def test_the_end_of_a_service_is_told_once_to_each_who_watches(prints: Prints) -> None:
    services = Services(SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]
    web = _Service(_operation(name="web"), 5, frozenset(), 0)
    job = _Service(_operation("finished", name="job"), 6, frozenset(), 0)
    services._services = {50: web, 60: job}
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2)]
    for ours, theirs in pairs:
        services.watch(theirs)
        ours.setblocking(False)
    assert services.ended({50: -9, 70: 1}) == [web.state()]
    assert (web.status, job.status) == (-9, None)
    for ours, _ in pairs:
        told = json.loads(ours.recv(1000))
        assert (told["node"], told["name"], told["pid"], told["status"]) == ("h1", "web", 5, -9)
    assert services.ended({60: 0}) == [job.state()]  # it was to end: nobody is told
    with pytest.raises(BlockingIOError):
        pairs[0][0].recv(1000)
    pairs[1][0].close()
    job.status = None
    assert services.ended({60: 3}) == [job.state()]
    assert json.loads(pairs[0][0].recv(1000))["status"] == 3
    assert services.states() == [web.state(), job.state()]
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


def test_a_service_is_stopped_with_its_group_if_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(supervisor, "kill_group", killed.append)
    services = Services(SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]
    kept, stopped, over = (_Service(_operation(name=name), 5, frozenset(), 0) for name in ("a", "b", "c"))
    over.status = 0
    services._services = {10: kept, 20: stopped, 30: over}
    services.stop(_operation(name="b"))
    services.stop(_operation(name="c"))
    assert (killed, services._services) == ([20], {10: kept})


def test_a_program_that_the_node_lacks_is_told_before_it_is_started(tmp_path: Path) -> None:
    program = tmp_path / "there"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for command in ("there -x", f"{program}", "exec there", "[ -e x ]", "$X y", "(a)", "while true; do :; done"):
        supervisor._check_program(_operation(command=command), str(tmp_path))
    with pytest.raises(ServiceError, match=r"^lab.py:7: the service web of h1 cannot start: .*nosuchprogram"):
        supervisor._check_program(_operation(command="nosuchprogram -x", source="lab.py:7"), str(tmp_path))


@pytest.mark.parametrize(
    ("ready", "found"), [("tcp:80", {"11"}), ("udp:80", {"22"}), ("tcp:81", {"13"}), ("", set()), ("finished", set())]
)
def test_listening_sockets_are_read_from_the_tables_of_the_kernel(
    ready: str, found: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """proc_net(5): the port in hexadecimal, the state (0A listens, 07 is bound), and the inode at the tenth place."""
    line = "   0: 00000000:{port} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1\n"
    tables = {
        "tcp": [("0050", "0A", 11), ("0050", "01", 12)],
        "tcp6": [("0051", "0A", 13)],
        "udp": [("0050", "07", 22), ("0050", "01", 23)],
    }
    for name, rows in tables.items():
        text = "".join(line.format(port=port, state=state, inode=inode) for port, state, inode in rows)
        (tmp_path / name).write_text(f"heading\n{text}")
    opened = open
    monkeypatch.setattr(
        "builtins.open", lambda path, *more: opened(str(path).replace("/proc/thread-self/net", str(tmp_path)), *more)
    )
    monkeypatch.setattr("pynetemu.engine.syscalls.inside", lambda *_, **__: nullcontext())
    nodes: Any = {"h1": SimpleNamespace(network=3)}
    services = Services(SimpleNamespace(), type("Nodes", (dict,), {"home": ()})(nodes))  # type: ignore[arg-type]
    assert services._sockets(_operation(ready)) == found
