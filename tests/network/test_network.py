"""The Python interface: from scripts, threads, asyncio; commands, processes and sockets in nodes."""

import asyncio
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pynetemu import (
    CommandFailed,
    CommandNotFound,
    CommandTimeout,
    Host,
    HttpServer,
    LabError,
    Link,
    Network,
    Root,
    Topology,
    UsageError,
)
from pynetemu.lab.running_labs import labs
from tests.support.labs import mine
from tests.support.leftovers import of_machine
from tests.support.wait import wait_until


class Pair(Topology):
    root = Root(address="192.168.0.194/24")
    blue = Host(default_via="10.0.0.1")
    wire = Link(root.interface("veth_root", "10.0.0.1/24"), blue.interface("veth_blue", "10.0.0.2/24"))
    root_web = HttpServer(root, port=8080)


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    """For tests that leave it as it was."""
    with Network(Pair()) as net:
        for node in net:  # what this process keeps open for nodes is there from now on
            node.run("true")
            node.socket().close()
        yield net


def _page(net: Network) -> str:
    return str(net["blue"].run("curl", "-s", "root:8080").stdout)


def test_a_network_is_up_inside_with_and_gone_after_it() -> None:
    before = of_machine()
    with Network(Pair()) as net:
        assert _page(net).startswith("Hello from root")
    assert net.ended
    assert of_machine() <= before


def test_the_class_serves_as_well_as_an_instance() -> None:
    with Network(Pair) as net:
        assert net.nodes == ("root", "blue")
        assert "blue" in net
        assert [node.name for node in net] == ["root", "blue"]
        assert len(net) == 2


def test_from_a_thread() -> None:
    pages: list[str] = []

    def use() -> None:
        with Network(Pair()) as net:
            pages.append(_page(net))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert pages[0].startswith("Hello from root")


def test_two_networks_in_threads_at_once() -> None:
    barrier = threading.Barrier(2, timeout=20)
    names: list[str] = []

    def use() -> None:
        with Network(Pair(), name=mine("both")) as net:
            barrier.wait()
            assert _page(net).startswith("Hello from root")
            names.append(net.name)
            barrier.wait()

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names) == [mine("both"), f"{mine('both')}-2"]


def test_under_a_running_event_loop() -> None:
    async def notebook() -> str:
        with Network(Pair()) as net:
            return await asyncio.to_thread(_page, net)

    assert asyncio.run(notebook()).startswith("Hello from root")


def test_one_network_serves_many_threads() -> None:
    with Network(Pair()) as net:
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda n=n: found.append(str(net["blue"].run("echo", str(n)).stdout))) for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == [f"{n}\n" for n in range(8)]


def test_run_gives_status_and_both_outputs(net: Network) -> None:
    result = net["blue"].run("sh", "-c", "echo out; echo err >&2; exit 3")
    assert (result.status, result.stdout, result.stderr) == (3, "out\n", "err\n")
    assert net["blue"].run("sh", "-c", "kill -KILL $$").status == -signal.SIGKILL
    assert net["blue"].run("cat", input="text").stdout == "text"
    assert net["blue"].run("cat", input=b"\xff\x00", text=False).stdout == b"\xff\x00"
    assert net["blue"].run("cat").stdout == ""
    assert net["blue"].run("sh", "-c", "echo $COLOR", env={"COLOR": "blue"}).stdout == "blue\n"
    assert net["blue"].run("pwd", cwd="/usr").stdout == "/usr\n"


def test_commands_have_the_environment_as_it_is_when_they_start(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    def environment(**added: str) -> dict[bytes, bytes]:
        output = net["blue"].run("env", "-0", env=added, text=False).stdout
        assert isinstance(output, bytes)
        return dict(line.split(b"=", 1) for line in output.split(b"\0") if line)

    monkeypatch.setenv("COLOR", "blue=1\n")
    assert environment()[b"COLOR"] == b"blue=1\n"
    assert environment(COLOR="red", MORE="")[b"COLOR"] == b"red"
    monkeypatch.setitem(os.environb, b"COLOR", b"\xff")
    now = environment()
    assert (now[b"COLOR"], now.keys() - os.environb.keys()) == (b"\xff", set())
    monkeypatch.delenv("COLOR")
    assert b"COLOR" not in environment()
    monkeypatch.setattr(os, "environ", {"PATH": os.environ["PATH"], "COLOR": "green"})
    assert environment().keys() == {b"PATH", b"COLOR"}


def test_much_output_and_input_at_once_do_not_block(net: Network) -> None:
    data = os.urandom(1 << 20)
    assert net["blue"].run("sh", "-c", "tee /dev/stderr", input=data, text=False).stdout == data


def test_wrong_commands_are_errors_of_their_own_kind(net: Network) -> None:
    with pytest.raises(CommandNotFound, match="blue: no program 'nosuch'"):
        net["blue"].run("nosuch")
    with pytest.raises(CommandFailed) as failed:
        net["blue"].run("sh", "-c", "echo why >&2; exit 3", check=True)
    assert (failed.value.result.status, failed.value.result.stderr) == (3, "why\n")
    assert "why" in str(failed.value)
    with pytest.raises(CommandTimeout, match=r"sleep has not ended after 0\.2 s"):
        net["blue"].run("sleep", "1000", timeout=0.2)
    assert net["blue"].run("pgrep", "-f", "sleep 1000").status == 1
    with pytest.raises(LabError, match="did you mean 'blue'"):
        net["bleu"]
    with pytest.raises(UsageError, match="at least the name of a program"):
        net["blue"].run()


def test_a_process_can_be_signaled_stopped_and_waited_for(net: Network) -> None:
    process = net["blue"].start("sleep", "1000")
    assert process.poll() is None
    with pytest.raises(CommandTimeout):
        process.wait(0.05)
    process.send_signal(signal.SIGSTOP)
    change = process.wait_change(5)
    assert change is not None
    assert (change.kind, change.value) == ("stopped", signal.SIGSTOP)
    process.resume()
    assert process.wait_change(5) is not None
    process.terminate()
    assert process.wait(5) == -signal.SIGTERM
    process.terminate()  # one that has ended is not an error
    process.close()


def test_a_process_has_pipes_where_they_were_asked_for(net: Network) -> None:
    process = net["blue"].start("cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"there and back\n")
    process.stdin.close()
    assert process.stdout.read() == b"there and back\n"
    assert process.wait(5) == 0
    process.close()


def test_a_socket_lives_in_its_node() -> None:
    with Network(Pair()) as net:
        with net["blue"].socket() as client:
            client.settimeout(5)
            client.connect(("10.0.0.1", 8080))
            assert client.getsockname()[0] == "10.0.0.2"
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert b"Hello from root. You are 10.0.0.2" in b"".join(iter(lambda: client.recv(4096), b""))
        with net["root"].socket(socket.AF_INET, socket.SOCK_DGRAM) as a, net["blue"].socket(type=socket.SOCK_DGRAM) as b:
            a.bind(("10.0.0.1", 5000))
            a.settimeout(5)
            b.sendto(b"hello", ("10.0.0.1", 5000))
            assert a.recvfrom(100) == (b"hello", ("10.0.0.2", b.getsockname()[1]))


def test_a_raw_socket_in_a_node_needs_no_root(net: Network) -> None:
    with net["blue"].socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as raw:
        raw.bind(("veth_blue", 0))
        raw.settimeout(5)
        net["blue"].run("ping", "-c1", "root", check=True)
        assert any(raw.recv(2048)[12:14] == b"\x08\x00" for _ in range(6))


def test_what_a_program_started_ends_with_the_network(tmp_path: Path) -> None:
    with Network(Pair()) as net:
        net["blue"].run("sh", "-c", f"setsid -f sh -c 'exec >{tmp_path}/started 2>&1; sleep 1000'", check=True)
        wait_until((tmp_path / "started").exists)


def test_an_exception_ends_the_network() -> None:
    before = of_machine()

    def use() -> None:
        with Network(Pair()) as net:
            net["blue"].start("sleep", "1000").close()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()
    assert of_machine() <= before


def test_a_network_that_is_not_open_says_so() -> None:
    net = Network(Pair())
    with pytest.raises(LabError, match="is not open"):
        net["blue"].run("true")
    net.close()
    with net:
        pass
    with pytest.raises(LabError, match="is not open"):
        net["blue"].run("true")
    with net:  # and it opens again
        assert net["blue"].run("true").status == 0


def test_an_open_network_may_be_opened_again() -> None:
    with Network(Pair()).open() as net:
        assert net.open()["blue"].run("true").status == 0
    assert net.ended


def test_a_running_network_is_found_and_attached_to_by_its_name() -> None:
    with Network(Pair(), name=mine("found")) as net:
        (lab,) = (lab for lab in labs() if lab.pid == os.getpid() and lab.name == mine("found"))
        assert (lab.name, lab.nodes, Path(lab.file).name) == (mine("found"), ("root", "blue"), "test_network.py")
        with Network.attach(mine("found")) as attached:
            assert attached["blue"].run("hostname").stdout == "blue\n"
            with attached["blue"].socket() as client:
                client.connect(("10.0.0.1", 8080))
        assert net["blue"].run("true").status == 0


def test_the_file_of_a_lab_may_have_a_colon_in_its_name(tmp_path: Path) -> None:
    file, space = str(tmp_path / "a:b.py"), dict[str, type[Topology]]()
    exec(compile("from pynetemu import Host, Topology\nclass Colon(Topology):\n    h1 = Host()\n", file, "exec"), space)
    with Network(space["Colon"](), name=mine("colon")):
        assert [lab.file for lab in labs() if lab.name == mine("colon")] == [file]


def test_commands_leave_the_callers_signals_and_children_alone() -> None:
    child = subprocess.Popen(["true"])
    handler = signal.getsignal(signal.SIGCHLD)
    with Network(Pair()) as net:
        net["blue"].run("true")
        assert signal.getsignal(signal.SIGCHLD) is handler
    assert child.wait() == 0


def test_the_network_goes_though_the_program_reaps_all_children() -> None:
    """As a program with a SIGCHLD handler of its own, or a test runner, may do."""
    before = signal.signal(signal.SIGCHLD, lambda *_: os.waitpid(-1, os.WNOHANG))
    try:
        with Network(Pair()) as net:
            assert net["blue"].run("true").status == 0
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_a_program_in_a_node_has_its_three_streams_open_and_nothing_else(net: Network) -> None:
    listing = net["blue"].run("ls", "/proc/self/fd", check=True).stdout
    assert str(listing).split() == ["0", "1", "2", "3"]  # the last is the folder that ls reads
    with net["blue"].socket() as client:
        assert not client.get_inheritable()
