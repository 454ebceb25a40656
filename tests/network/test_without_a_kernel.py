"""What a user's process does with answers of an engine, asked of `pynetemu.testing.FakeEngine`: no namespace is made."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest

from pynetemu import (
    CommandFailed,
    CommandNotFound,
    CommandTimeout,
    Host,
    KernelError,
    LabError,
    Link,
    Network,
    Result,
    Service,
    ServiceError,
    Topology,
)
from pynetemu.engine.protocol.channel import Channel
from pynetemu.engine.protocol.envelope import pack_request, unpack_answer
from pynetemu.engine.protocol.requests import (
    Build,
    Describe,
    Described,
    Features,
    ForgetNeighbors,
    KeepDescription,
    LabTotals,
    NeighborsLeft,
    Networks,
    OpenLog,
    OpenSocket,
    ReadDescription,
    ReadFiles,
    ReadPlan,
    ReadServices,
    ReadTotals,
    ServiceStatus,
    TakeRing,
    TryFeatures,
    WatchServices,
)
from pynetemu.plan.data import from_data
from pynetemu.testing import Descriptor, FakeEngine, Output
from tests.support.leftovers import everything

pytestmark = pytest.mark.pure


class Pair(Topology):
    a = Host()
    b = Host()
    wire = Link(a.interface("eth0", "10.0.0.1/24"), b.interface("eth0", "10.0.0.2/24"))
    web = Service(b, "true")


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    before = everything()
    engine = FakeEngine()
    yield engine
    engine.close()
    assert everything() <= before


@pytest.fixture
def net(engine: FakeEngine) -> Iterator[Network]:
    with Network(Pair(), sandbox=engine) as network:
        yield network


def test_a_lab_is_what_its_plan_says(net: Network, engine: FakeEngine) -> None:
    (build,) = [request for request in engine.requests if isinstance(request, Build)]
    assert from_data(build.plan) == net.plan
    assert (build.pid, build.file, net.nodes) == (os.getpid(), __file__, ("a", "b"))
    assert not net.ended


def test_what_the_lab_is_can_be_asked_for(net: Network, engine: FakeEngine) -> None:
    ask = net.control.ask
    what = ask(Describe())
    assert (what.pid, what.file) == (os.getpid(), __file__)
    assert from_data(ask(ReadPlan())) == net.plan
    ask(KeepDescription(7, b"text"))
    assert ask(ReadDescription()) == Described(7, b"text")
    assert [feature.name for feature in ask(TryFeatures(("fq", "netem")))] == ["fq", "netem"]
    assert (ask(Features()), ask(Networks()), ask(TakeRing("a"))) == ((), {}, None)


def test_commands_print_and_end(net: Network, engine: FakeEngine) -> None:
    engine.program("ping", stdout="out\n", stderr="err\n", status=2)
    assert net["a"].run("ping", "b") == Result("a", ("ping", "b"), 2, "out\n", "err\n")
    with pytest.raises(CommandFailed, match="a: `ping -c1 b` ended with status 2\nerr"):
        net["a"].run("ping", "-c1", "b", check=True)
    assert engine.commands == [("a", ("ping", "b")), ("a", ("ping", "-c1", "b"))]


def test_commands_read_what_they_are_given(net: Network, engine: FakeEngine) -> None:
    engine.program("tr", lambda node, argv, stdin: Output(stdout=f"{node} {argv[1]} ".encode() + stdin.upper()))
    text = "x" * 300_000
    assert net["b"].run("tr", "a-z", input=text).stdout == "b a-z " + text.upper()
    with net["b"].start("tr", "0", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.communicate("y") == (b"b 0 Y", b"")


def test_a_program_that_raises_says_so_and_has_failed(net: Network, engine: FakeEngine) -> None:
    def fail(node: str, argv: tuple[str, ...], stdin: bytes) -> Output:
        raise ValueError(f"{node} cannot {argv[1]}")

    engine.program("tool", fail)
    assert net["a"].run("tool", "that") == Result("a", ("tool", "that"), 1, "", "ValueError: a cannot that\n")


def test_a_program_that_is_not_there_is_told_with_where_to_get_it(net: Network) -> None:
    with pytest.raises(CommandNotFound, match=r"a: no program 'traceroute'\n    hint: the Debian package traceroute has it"):
        net["a"].run("traceroute", "b")


def test_a_program_that_waits_ends_by_signals_and_time(net: Network, engine: FakeEngine) -> None:
    engine.program("server", stdout="listens\n", waits=True)
    process = net["a"].start("server", stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"listens\n"
    assert process.poll() is None
    with pytest.raises(CommandTimeout, match=r"a: server has not ended after 0.01 s"):
        process.wait(0.01)
    for harmless in 0, signal.SIGCONT:
        process.send_signal(harmless)
        assert process.poll() is None
    process.terminate()
    assert (process.wait(), process.poll()) == (-signal.SIGTERM, -signal.SIGTERM)
    process.kill()  # has ended already
    process.close()
    with pytest.raises(CommandTimeout, match=r"a: server has not ended after 0.01 s, and was killed"):
        net["a"].run("server", timeout=0.01)


def test_an_engine_that_has_gone_is_told(net: Network, engine: FakeEngine) -> None:
    engine.program("server", waits=True)
    process = net["a"].start("server")
    engine.end()
    assert net.ended
    with pytest.raises(LabError, match="the lab has ended"):
        net["a"].run("true")
    assert process.wait() == -signal.SIGKILL
    process.close()


def test_questions_are_answered_by_values_and_functions(net: Network, engine: FakeEngine) -> None:
    engine.answer(ReadTotals, LabTotals(packets=10, dropped=1, up=2))
    assert (net.totals().packets, net.totals().dropped, net.totals().up) == (10, 1, 2)
    engine.answer(ReadFiles, lambda request: dict.fromkeys(request.nodes, ("text",)))
    assert net.control.ask(ReadFiles(("a",), ("/proc/net/snmp",))) == {"a": ("text",)}
    with pytest.raises(LabError, match=r"the fake engine was not told what to answer: engine.answer\(OpenSocket, …\)"):
        net["a"].socket()


@pytest.mark.parametrize("kind", [KernelError, ServiceError, LabError])
def test_errors_come_as_they_were_raised(engine: FakeEngine, kind: type[LabError]) -> None:
    def refuse(_: object) -> None:
        raise kind("no room")

    engine.answer(Build, refuse)
    with pytest.raises(kind, match=r"^no room$") as caught:
        Network(Pair(), sandbox=engine).open()
    assert type(caught.value) is kind


def test_sockets_and_logs_are_the_caller_s(net: Network, engine: FakeEngine) -> None:
    near, far = socket.socketpair()
    engine.answer(OpenSocket, Descriptor(os.dup(far.fileno())))
    with near, far, net["a"].socket() as opened:
        near.send(b"hello")
        assert opened.recv(10) == b"hello"
    engine.answer(OpenLog, lambda _: Descriptor(os.open(__file__, os.O_RDONLY)))
    assert net.log("web").startswith('"""What a user')


def test_services_and_news_of_them(net: Network, engine: FakeEngine) -> None:
    engine.answer(ReadServices, (ServiceStatus("b", "web", 7, None), ServiceStatus("b", "once", 8, -9)))
    assert [str(state) for state in net.services] == ["web of b runs", "once of b was ended by signal 9"]
    watchers: list[int] = []
    engine.answer(WatchServices, lambda request: watchers.append(os.dup(request.watcher)))
    news = net.service_news()
    with socket.socket(fileno=watchers[0]) as watcher:
        assert news.read() == []
        watcher.send(b'{"node": "b", "name": "web", "pid": 7, "status": 1}')
        assert [str(state) for state in news.read()] == ["web of b has ended with status 1"]
    news.close()


def test_many_threads_ask_at_once(net: Network, engine: FakeEngine) -> None:
    engine.answer(ReadFiles, lambda request: {request.nodes[0]: request.paths})
    engine.program("echo", lambda node, argv, _: Output(stdout=f"{node} {argv[1]}"))
    wrong: list[object] = []

    def ask(number: int) -> None:
        for turn in range(20):
            path = f"{number}/{turn}"
            if net.control.ask(ReadFiles(("a",), (path,))) != {"a": (path,)}:
                wrong.append(path)
            if net["b"].run("echo", path).stdout != f"b {path}":
                wrong.append(path)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_requests_that_wait_are_answered_one_by_one(net: Network, engine: FakeEngine) -> None:
    """As an engine's: each message is a packet of its own."""
    begun, go_on = threading.Event(), threading.Event()

    def answer(request: ReadFiles) -> dict[str, tuple[str, ...]]:
        begun.set()
        go_on.wait()
        return {"a": request.paths}

    engine.answer(ReadFiles, answer)
    with socket.socket(fileno=os.dup(engine.connection.fileno())) as connection:
        channel = Channel(connection)
        requests = [ReadFiles(("a",), (path,)) for path in ("first", "x" * 100_000, "last")]
        for number, request in enumerate(requests, 1001):
            channel.send(*pack_request(request, number))
            begun.wait()
        go_on.set()
        for number, request in enumerate(requests, 1001):
            message, _ = channel.receive()
            assert (message["number"], unpack_answer(request, message, ())) == (number, {"a": request.paths})


def test_neighbors_that_are_left_are_counted(net: Network, engine: FakeEngine) -> None:
    engine.answer(ForgetNeighbors, NeighborsLeft(3, 1))
    counts = net.forget_neighbors("a")
    assert (counts.permanent, counts.unanswered) == (3, 1)
    assert engine.requests[-1] == ForgetNeighbors(("a",), False)
