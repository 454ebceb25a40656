"""What a caller may do that is wrong, or that few do: the lab answers, and lives on."""

import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from pynetemu import (
    CommandError,
    CommandNotFound,
    Host,
    HttpServer,
    LabError,
    Link,
    Network,
    Service,
    Topology,
    UsageError,
    finished,
)
from pynetemu.engine.protocol.channel import ChannelClosed
from pynetemu.engine.protocol.envelope import pack_request
from pynetemu.engine.protocol.requests import ReadTables
from pynetemu.lab.running_labs import connect
from tests.support.pynetemu import CLONE, environment


class Pair(Topology):
    a = Host()
    b = Host()
    wire = Link(a.interface("eth0", "10.0.0.1/24"), b.interface("eth0", "10.0.0.2/24"))
    page = HttpServer(b, port=80)
    visit = Service(a, "curl -s http://10.0.0.2/", ready=finished(), timeout=10)


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with Network(Pair()) as network:
        network["a"].run("curl", "-s", "b")
        yield network


def _lives(net: Network) -> bool:
    return net["a"].run("echo", "alive").stdout == "alive\n"


def test_web_servers_answer_while_services_start(net: Network) -> None:
    assert net.log("visit").startswith("Hello from b")


def test_a_request_that_cannot_be_is_an_error(net: Network, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^env: 'COUNT': 5: names and values of variables are text$"):
        net["a"].run("true", env={"COUNT": 5})  # type: ignore[dict-item]
    with pytest.raises(CommandError, match="a: embedded null byte"):
        net["a"].run("echo", "a\0b")
    with pytest.raises(OSError, match="Bad file descriptor"):
        net["a"].start("true", stdin=999)
    assert _lives(net)


def test_what_is_missing_is_told_by_its_name(net: Network, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="a: /nowhere: No such file or directory") as folder:
        net["a"].run("true", cwd="/nowhere")
    script = tmp_path / "script"
    script.write_text("#!/nowhere/sh\n")
    script.chmod(0o755)
    with pytest.raises(CommandError, match=f"{script}: the program that it names in its first line is missing") as interpreter:
        net["a"].run(str(script))
    assert not {type(folder.value), type(interpreter.value)} & {CommandNotFound}


def _ask_until_an_alarm_comes(net: Network, seconds: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, seconds)
    while True:
        net.interfaces("a")


def test_after_an_interrupt_each_answer_is_still_that_of_its_request(net: Network) -> None:
    class Interrupt(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for microseconds in range(200, 2200, 20):
            with pytest.raises(Interrupt):
                _ask_until_an_alarm_comes(net, microseconds / 1e6)
            assert set(net.namespaces()) == {"a", "b"}
            assert net.totals().up == 2
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_process_whose_changes_nobody_reads_stops_nobody(net: Network) -> None:
    process = net["a"].start("sleep", "1000")
    for _ in range(400):
        process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGCONT)
    process.kill()
    assert process.wait(timeout=10) == -signal.SIGKILL
    assert _lives(net)


def test_one_thread_asks_while_another_waits(net: Network) -> None:
    process = net["a"].start("sleep", "1000")
    statuses: list[int] = []
    waiting = [threading.Thread(target=lambda: statuses.append(process.wait())) for _ in range(2)]
    for thread in waiting:
        thread.start()
    assert process.poll() is None  # and does not wait with them, which would be for as long as a test may take
    process.kill()
    for thread in waiting:
        thread.join(10)
    assert statuses == [-signal.SIGKILL] * 2


def test_an_attached_client_that_reads_no_answers_is_left(net: Network) -> None:
    client = connect(net.name)[0]
    client_socket = client._channel.connection
    client_socket.setblocking(False)
    with suppress(BlockingIOError, ChannelClosed):
        while True:
            client._channel.send(*pack_request(ReadTables(("a", "b"), ("links", "addresses"))))
    assert _lives(net)
    client.close()


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"1",
        b'"x"',
        b"{",
        b"",
        b"\xff",
        b"[" * 50_000,
        b"{}",
        b'{"do":[]}',
        b'{"protocol":1,"do":"Spawn","fields":{"node":[]}}',
    ],
)
def test_a_request_that_is_none_is_refused(net: Network, body: bytes) -> None:
    client = connect(net.name)[0]
    client._channel.connection.sendmsg([b"\3" + body], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [0]))])
    answer, _ = client._channel.receive()
    assert answer["error"]
    assert _lives(net)
    client.close()


def test_an_engine_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(LabError, match="the lab's engine cannot start: /nowhere/python: No such file"):
        Network(Pair()).open()


_FAILING = """
from pynetemu import Host, HttpServer, Network, Topology

class One(Topology):
    a = Host()
    page = HttpServer(a, port=80)

with Network(One()) as net:
    for _ in range(2):
        print(net["a"].run("curl", "-s", "--max-time", "10", "localhost").status)
    print(net.log("page"))
"""


def test_a_web_server_that_fails_is_started_once_for_each_request(tmp_path: Path) -> None:
    shutil.copytree(CLONE / "pynetemu", tmp_path / "pynetemu", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "pynetemu/programs/http_server.py").write_text("import sys; sys.exit('broken')\n")
    done = subprocess.run(
        [sys.executable, "-c", _FAILING],
        capture_output=True,
        text=True,
        cwd=tmp_path,  # where Python looks first
        timeout=50,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("56\n56\nbroken\nbroken\n\n", "")  # curl: failure in receiving


_PROGRAM = """
import os, resource, signal, sys
from pathlib import Path
from pynetemu import CommandError, Host, Network, Topology

class One(Topology):
    a = Host()

os.close(0), os.close(1)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
sys.path.append(Path("/nowhere"))
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
net = Network(One()).begin()
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, hard))
files = [os.open("/dev/null", os.O_RDONLY) for _ in range(1100)]  # beyond what select(2) takes
with net:
    if os.fork() == 0:
        sys.exit()  # by way of __exit__
    processes = []
    try:
        while len(processes) < 300:
            processes.append(net["a"].start("sleep", "1000"))
    except CommandError as error:
        print(error, file=sys.stderr)  # the engine had the lower limit
    for process in processes[:50]:
        process.kill()
        process.wait()
    print(net["a"].run("echo", "alive").stdout, net.ended, file=sys.stderr)
"""


def test_from_a_process_with_few_streams_many_files_and_ignored_children() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, env=environment(), timeout=50, check=False
    )
    refusal, _, rest = done.stderr.partition("\n")
    assert refusal.startswith("a: ") and "Too many open files" in refusal
    assert rest == "alive\n False\n"
    assert done.returncode == 0


def test_captures_and_sniffing_take_descriptors_of_any_number(tmp_path: Path, net: Network) -> None:
    """select(2) takes none from 1024 on, and a large lab's capture has more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    with ExitStack() as files:
        for _ in range(1100):
            files.enter_context(Path("/dev/null").open())
        with net.capture(tmp_path / "x.pcapng", "a") as capture:
            net["a"].run("ping", "-c1", "b")
        assert not capture.summary.endswith(" 0 packets")
        assert len(net["a"].sniff("icmp", count=0, timeout=0.01)) == 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
