"""How programs in nodes are run from Python: words, input, output, and what they leave in the background."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from pynetemu import CommandNotFound, CommandTimeout, Network, RunningNode, UsageError
from tests.support.wait import wait_until
from topologies.blue import Blue


@pytest.fixture(scope="module")
def blue() -> Iterator[RunningNode]:
    with Network(Blue(), name="programs") as net:
        yield net["blue"]


def test_what_stays_in_the_background_is_not_waited_for(blue: RunningNode, tmp_path: Path) -> None:
    """Its output stays open: waiting for the end of that would wait for the server."""
    began = time.monotonic()
    result = blue.run("sh", "-c", f"echo ready; sleep 30 & echo $! >{tmp_path}/pid", timeout=20)
    assert (result.status, result.stdout) == (0, "ready\n")
    assert time.monotonic() - began < 15
    pid = (tmp_path / "pid").read_text().strip()
    assert blue.run("ps", "-o", "args=", "-p", pid).stdout == "sleep 30\n"  # and goes on
    blue.run("kill", pid, check=True)


def test_all_that_was_printed_is_there_although_the_writer_ended_at_once(blue: RunningNode) -> None:
    for _ in range(20):
        assert len(blue.run("head", "-c", 65536, "/dev/zero", text=False).stdout) == 65536
    assert len(blue.run("head", "-c", 10_000_000, "/dev/zero").stdout) == 10_000_000


@pytest.mark.parametrize("words", [("echo", 1, 2.5), (["echo", "1", 2.5],), (("echo", b"1", "2.5"),)])
def test_words_are_strings_paths_numbers_or_one_list(blue: RunningNode, words: Any) -> None:
    result = blue.run(*words)
    assert result.stdout == "1 2.5\n"
    assert result.argv == ("echo", "1", "2.5")


def test_a_path_is_a_word(blue: RunningNode, tmp_path: Path) -> None:
    (tmp_path / "with blanks").write_text("here\n")
    assert blue.run("cat", tmp_path / "with blanks").stdout == "here\n"


@pytest.mark.parametrize("words", [(None,), ("echo", None), ("echo", True), ("echo", ["a"])])
def test_other_words_are_refused(blue: RunningNode, words: Any) -> None:
    with pytest.raises(UsageError, match="is not a word of a command"):
        blue.run(*words)


@pytest.mark.parametrize("nothing", [(), ([],)])
def test_no_word_is_refused(blue: RunningNode, nothing: Any) -> None:
    with pytest.raises(UsageError, match="at least the name of a program"):
        blue.run(*nothing)


def test_an_exception_in_the_block_ends_the_process_and_what_it_started(blue: RunningNode) -> None:
    with pytest.raises(KeyError), blue.start("sh", "-c", "sleep 3208 & sleep 3208"):
        raise KeyError
    assert blue.run("pgrep", "-f", "sleep 3208").stdout == ""


def test_a_whole_line_as_one_word_gets_the_hint_that_helps(blue: RunningNode) -> None:
    with pytest.raises(CommandNotFound) as refused:
        blue.run("ping -c1 root")
    assert 'each word is an argument: run("ping", "-c1", "root")' in str(refused.value)
    assert blue.run("ping", "-c1", "root").status == 0


def test_a_process_is_talked_to_and_waited_for(blue: RunningNode) -> None:
    with blue.start("sh", "-c", "cat; echo wrong >&2", stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        assert process.communicate("hello\n", timeout=10) == (b"hello\n", b"wrong\n")
    assert process.poll() == 0


def test_communicate_gives_up_in_time_and_lets_it_run(blue: RunningNode) -> None:
    process = blue.start("sleep", "60", stdout=PIPE)
    with pytest.raises(CommandTimeout, match=r"sleep has not ended after 0\.2 s$"):
        process.communicate(timeout=0.2)
    assert process.poll() is None
    process.kill()
    assert process.wait(10) == -9
    process.close()


def test_leaving_a_with_block_closes_its_input_and_waits(blue: RunningNode) -> None:
    with blue.start("cat", stdin=PIPE) as process:
        assert process.poll() is None
    assert process.poll() == 0


def test_a_command_that_took_too_long_is_ended(blue: RunningNode) -> None:
    with pytest.raises(CommandTimeout, match="and was killed"):
        blue.run("sleep", "61", timeout=0.2)
    wait_until(lambda: "sleep 61" not in str(blue.run("ps", "-eo", "args=").stdout))


_LEAVES_BEHIND = "setsid sleep 3201 & (setsid sh -c 'sleep 3202 & exec sleep 3203' &); setsid -f sleep 3204; exec sleep 3205"


def _asleep(node: RunningNode) -> str:
    return str(node.run("pgrep", "-f", "^sleep 320").stdout)


def test_a_timeout_ends_all_that_a_command_has_started_and_nothing_else(blue: RunningNode) -> None:
    with blue.start("sleep", "3209") as other:
        with pytest.raises(CommandTimeout):
            blue.run("sh", "-c", _LEAVES_BEHIND, timeout=0.3)
        assert _asleep(blue).split() == [str(other.pid)]
        other.kill()


def test_end_ends_all_that_a_program_has_started(blue: RunningNode) -> None:
    process = blue.start("sh", "-c", _LEAVES_BEHIND)
    wait_until(lambda: len(_asleep(blue).split()) == 5)
    process.end()
    assert process.wait() == -signal.SIGKILL
    assert _asleep(blue) == ""
    process.end()  # one that has ended is no error
    process.close()


def test_a_timeout_in_an_attached_lab_ends_all_too(blue: RunningNode) -> None:
    with Network.attach(blue.lab.name) as other:
        with pytest.raises(CommandTimeout):
            other["blue"].run("sh", "-c", _LEAVES_BEHIND, timeout=0.3)
        assert _asleep(blue) == ""
