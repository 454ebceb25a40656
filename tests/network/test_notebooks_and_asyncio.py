"""Notebooks and asyncio programs: objects that say what they are, `async with`, readers of processes."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from pynetemu import DescriptionError, Host, LabError, Link, Network, Process, Shell, Topology, UsageError


class Pair(Topology):
    h1, h2 = Host(), Host()
    wire = Link(h1.interface("eth0", "10.0.0.1/24"), h2.interface("eth0", "10.0.0.2/24"))


class Twice(Topology):
    h1, h2 = Host(), Host()
    wire = Link(h1.interface("eth0", "10.0.0.1/24"), h2.interface("eth0", "10.0.0.1/24"))


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with Network(Pair()) as network:
        network["h1"].run("true")  # opens what stays open
        yield network


def test_a_network_says_whether_it_is_open() -> None:
    network = Network(Pair(), name="seldom")
    shown = [repr(network)]
    with network:
        shown.append(repr(network))
        network["h1"].run("true")
    assert [text.replace(network.name, "seldom") for text in [*shown, repr(network)]] == [
        "<Network seldom, not open>",
        "<Network seldom>",
        "<Network seldom, not open>",
    ]
    assert repr(Network(Pair())) == "<Network not open yet>"


def test_what_users_hold_says_what_it_is(net: Network) -> None:
    with net.trace("icmp") as trace:
        assert repr(trace) == "<Trace that has not ended>"
        net["h1"].run("ping", "-c1", "-W5", "10.0.0.2", check=True)
    assert repr(trace) == f"<Trace of 2 packets by {trace.engine}>"
    assert repr(trace[1]) == "<Journey 1: h1 → h2>"
    process = net["h1"].start("sh", "-c", "exit 3")
    assert repr(process) == f"<Process {process.pid} of h1: sh -c exit 3>"
    process.wait()
    assert repr(process) == f"<Process {process.pid} of h1: sh -c exit 3, ended with 3>"
    objects = [net.state(), net.capture("file.pcapng"), net.trace(), process, trace, *trace]
    with net.events(timeout=1) as events:
        objects.append(events)
    assert repr(net.state("h1")) == "<LabState of h1>"
    for one in objects:
        assert " at 0x" not in repr(one) and len(repr(one)) < 200, repr(one)


def test_a_notebook_shows_a_trace_as_its_ladder(net: Network) -> None:
    class Printer:
        shown = ""

        def text(self, obj: str) -> None:
            self.shown += obj

    with net.trace("icmp") as trace:
        net["h1"].run("ping", "-c1", "-W5", "10.0.0.2", check=True)
    printer = Printer()
    trace._repr_pretty_(printer, cycle=False)
    assert printer.shown == trace.ladder()


def test_a_notebook_shows_what_is_wrong_with_a_description_without_our_lines() -> None:
    with pytest.raises(DescriptionError) as caught:
        Network(Twice()).open()
    (shown,) = caught.value._render_traceback_()
    assert shown == f"DescriptionError: {caught.value}"
    assert "test_notebooks_and_asyncio.py:" in shown


async def _opened() -> str:
    async with Network(Pair()) as network:
        result = await asyncio.to_thread(network["h1"].run, "hostname")
        assert not network.ended
    assert network.ended
    return str(result.stdout)


def test_async_with() -> None:
    assert asyncio.run(_opened()) == "h1\n"


async def _cancelled(network: Network) -> None:
    task = asyncio.ensure_future(network.__aenter__())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert network.ended


def test_an_opening_that_is_cancelled_leaves_no_lab() -> None:
    asyncio.run(_cancelled(Network(Pair())))


async def _status(process: Process) -> int:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def changed() -> None:
        if process.poll() is not None:
            loop.remove_reader(process)
            ended.set()

    loop.add_reader(process, changed)
    await asyncio.wait_for(ended.wait(), 20)
    return process.wait()


def test_a_reader_of_a_process_is_removed_when_it_has_ended(net: Network) -> None:
    with net["h1"].start("sh", "-c", "exit 7") as process:
        assert asyncio.run(_status(process)) == 7
        assert process.fileno() >= 0
    assert process.wait() == 7


def test_a_process_that_has_ended_answers_as_before(net: Network) -> None:
    process = net["h1"].start("echo", "out", stdin=-1, stdout=-1)
    assert process.wait(20) == 0
    assert process.communicate(b"too late", timeout=20) == (b"out\n", b"")
    assert (process.poll(), process.wait(), process.wait_change()) == (0, 0, process.wait_change(0))
    process.kill()
    process.terminate()


def test_wrong_arguments_that_are_told_at_once(net: Network) -> None:
    process = net["h1"].start("sleep", "60")
    with pytest.raises(UsageError, match="there is no signal 999"):
        process.send_signal(999)
    process.kill()
    process.wait()
    with pytest.raises(UsageError, match="family='tcp' is not a whole number"):
        net["h1"].socket("tcp")  # type: ignore[arg-type]
    for wrong in ({"host": "yes"}, {"privileged": 1}, {"host": None}):
        with pytest.raises(UsageError, match="is neither True nor False"):
            Network(Pair(), **wrong)
    node: Any = net["h1"]
    for call in (lambda: net.set_link(node, "h2", up=True), lambda: net[node], lambda: net.ping_all(node)):
        with pytest.raises(LabError, match="say its name: 'h1'"):
            call()


def test_a_process_that_was_closed_is_told_so(net: Network) -> None:
    process = net["h1"].start("sleep", "60")
    process.close()
    for ask in (process.poll, process.wait, process.communicate, lambda: process.wait_change(0)):
        with pytest.raises(LabError, match="h1: sleep was closed here, and its end is not heard of any more"):
            ask()
    process.end()


def test_names_and_lines_of_other_types(net: Network, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("a/b", "", "-x", 3):
        with pytest.raises(UsageError, match="cannot be a lab's name"):
            net.rename(wrong)  # type: ignore[arg-type]
    assert Shell(net).run_line(3) == 2  # type: ignore[arg-type]
    assert capsys.readouterr().err == "pynetemu: 3 is not a line of the shell: those are text\n"


def test_a_folder_is_not_told_to_be_overwritten(net: Network) -> None:
    with pytest.raises(UsageError, match="/tmp is a folder"):
        net.save("/tmp", overwrite=True)
