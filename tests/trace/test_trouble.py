"""What goes wrong around a trace: what was seen is kept and shown, and a line says what is the matter."""

import os
import re
import select
import signal
import subprocess
from contextlib import suppress

import pytest

from pynetemu import LabError, Network
from pynetemu.lab.connection import Sandbox
from tests.support.pynetemu import BLUE, PROGRAM, environment, in_blue
from tests.support.terminal import Terminal
from topologies.blue import Blue

_LADDER = "ms    blue      root"


def test_a_lab_that_dies_meanwhile() -> None:
    with Network(Blue()) as network:
        tracer = network.trace()
        trace = tracer.start()
        network["blue"].run("ping", "-c1", "root", check=True)
        assert isinstance(network._sandbox, Sandbox)
        os.kill(network._sandbox.pid, signal.SIGKILL)
        assert select.select([network.fileno()], [], [], 10)[0]
        tracer.stop()
        trace.expect("echo request", "echo reply")
        assert _LADDER in trace.ladder()
        with pytest.raises(LabError, match="has ended"), network.trace():
            pass


def test_a_block_that_fails_still_fills_the_trace() -> None:
    with Network(Blue()) as network:
        tracer = network.trace("icmp")
        with suppress(ZeroDivisionError), tracer as trace:
            network["blue"].run("ping", "-c1", "root", check=True)
            raise ZeroDivisionError
    trace.expect("echo request", "echo reply")


def test_a_lab_that_another_process_has_opened() -> None:
    with Network(Blue(), name="traced") as network, Network.attach(network.name) as attached, attached.trace("icmp") as trace:
        network["blue"].run("ping", "-c1", "root", check=True)
    trace.path("echo request", "blue root")


@pytest.mark.parametrize(
    ("line", "message", "status"),
    [
        ("trace bleu ls", "no node or command 'bleu'; did you mean 'blue'?", 127),
        ("trace 7", "nothing has been traced yet", 1),
        ("trace", "nothing has been traced yet", 1),
        ("why", "nothing has been traced yet", 1),
        ("trace blue ping root &", "trace: it runs a line in the foreground", 2),
        ("trace --filter 'host' blue true", "syntax error", 2),
    ],
)
def test_wrong_lines(line: str, message: str, status: int) -> None:
    done = in_blue(line)
    assert message in done.stderr
    assert done.returncode == status


def test_the_status_is_the_lines_and_wrong_numbers_are_told() -> None:
    assert in_blue("trace blue false").returncode == 1
    done = in_blue("trace blue true", "trace 7777")
    assert "the trace has no packet 7777; it" in done.stderr


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    command = " ".join([*PROGRAM, str(BLUE), "-c", "'trace -v blue ping -c3 -i0.01 root'"])
    done = subprocess.run(
        f"{command} | head -1", shell=True, capture_output=True, text=True, env=environment(), timeout=30, check=False
    )
    assert done.stdout.startswith("PING root")
    assert done.stderr == ""


def test_ctrl_c_ends_the_command_and_shows_what_was_seen() -> None:
    with Terminal(*PROGRAM, BLUE) as terminal:
        terminal.enter("trace blue ping root")
        terminal.expect("icmp_seq=1")
        terminal.key("c")
        printed = terminal.wait_for_prompt()
        assert "ping statistics" in printed
        assert re.search(r"ICMP echo reply seq 1 +root → blue", printed)
        assert terminal.ask("why") == "nothing was dropped in the last trace"
        terminal.enter("trace --live")
        terminal.expect("Ctrl-C ends")
        terminal.key("c")
        assert "packets, 0 missed" in terminal.wait_for_prompt()
