"""However a lab ends, within a second nothing of it exists: no namespace, link, mount or process."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.labs import child_of, mine, processes_of, running
from tests.support.leftovers import of_machine
from tests.support.pynetemu import BLUE, PROGRAM, ended_by_interrupt, environment, pynetemu
from tests.support.terminal import Terminal
from tests.support.wait import wait_until

_SECONDS = 10.0  # one at most on a machine with nothing else to do
_DAEMON = "setsid -f sh -c 'exec >/dev/null 2>&1; sleep 1000'"  # outlives its session and its process group


def _gone(before: set[str]) -> None:
    wait_until(lambda: of_machine() <= before, _SECONDS, "the lab's end")


@pytest.mark.parametrize("who", ["shell", "engine", "init", "front"])
def test_killing_a_part_of_the_lab_ends_all_of_it(who: str) -> None:
    """The shell holds the front, the front init, init the engine: `pstree` shows them."""
    before = of_machine()
    with running(mine("doomed"), "-c", f"blue {_DAEMON}") as shell:
        wait_until(lambda: any("sleep 1000" in line for line in of_machine()))
        os.kill(processes_of(shell.pid)[who], signal.SIGKILL)
        wait_until(lambda: of_machine() <= before, _SECONDS, "the lab's end")


_HOLDER = """
import sys, threading
from pynetemu import Host, Network, Topology

class One(Topology):
    a = Host()

labs = []
made = (lambda: Network.attach(sys.argv[2])) if "attached" in sys.argv[1] else (lambda: Network(One()))
opener = threading.Thread(target=lambda: labs.append(made().open()))
(opener.start(), opener.join()) if "thread" in sys.argv[1] else opener.run()
next(iter(labs[0])).run("true")
print("up", flush=True)
sys.stdin.read()
labs[0].close()
print("down", flush=True)
sys.stdin.read()
"""


@contextmanager
def _holder(opener: str) -> Iterator[subprocess.Popen[str]]:
    """A program that has opened a lab, and closes it when it has nothing more to read."""
    command = [PROGRAM[0], "-c", _HOLDER, opener, mine("joined")]
    with subprocess.Popen(command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "up\n"
        yield program


@pytest.mark.parametrize(
    ("who", "opener"),
    [
        *((who, "main") for who in ("front", "init", "engine")),
        *(("front", opener) for opener in ("thread", "attached main", "attached thread")),
    ],
)
def test_a_part_of_the_lab_that_is_stopped_ends_with_the_program(who: str, opener: str) -> None:
    before = of_machine()
    if "attached" in opener:
        with running(mine("joined")):
            _stopped_part(who, opener, of_machine())
    else:
        _stopped_part(who, opener, before)
    assert of_machine() <= before


def _stopped_part(who: str, opener: str, before: set[str]) -> None:
    with _holder(opener) as program:
        front = child_of(program.pid)
        parts = {"front": front, "init": child_of(front, -1)}  # of what is attached, the process in the lab
        os.kill(parts[who] if who in parts else child_of(parts["init"]), signal.SIGSTOP)
        program.kill()
        wait_until(lambda: of_machine() <= before, 10, "the lab's end")


def test_a_lab_ends_though_what_is_attached_is_stopped() -> None:
    before = of_machine()
    with running(mine("joined")) as shell, _holder("attached main") as program:
        os.kill(child_of(program.pid), signal.SIGSTOP)
        shell.communicate(timeout=20)
        assert not any(mine("joined") in line for line in of_machine())
        program.kill()
    wait_until(lambda: of_machine() <= before)


def test_the_guard_of_a_lab_that_a_thread_has_opened_goes_with_it() -> None:
    before = of_machine()
    with _holder("thread") as program:
        front = child_of(program.pid)
        assert child_of(front) != child_of(front, -1)
        os.kill(child_of(front), signal.SIGSTOP)
        assert program.communicate(timeout=20)[0] == "down\n"
        assert of_machine() <= before


@pytest.mark.parametrize(("who", "opener"), [("front", "main"), ("init", "main"), ("engine", "main"), ("front", "thread")])
def test_closing_a_lab_ends_it_though_a_part_is_stopped(who: str, opener: str) -> None:
    before = of_machine()
    with _holder(opener) as program:
        os.kill(processes_of(program.pid)[who], signal.SIGSTOP)
        assert program.communicate(timeout=20)[0] == "down\n"
        assert of_machine() <= before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_to_the_shell_ends_the_lab(number: signal.Signals) -> None:
    before = of_machine()
    with running(mine("signaled")) as shell:
        os.kill(shell.pid, number)
        if number == signal.SIGINT:  # as of a person's Ctrl-C it is for the program in the node, which did not get it
            assert shell.stdin is not None
            shell.stdin.close()
            shell.stdin = None
        shell.wait(20)
        _gone(before)


def test_a_closed_terminal_ends_the_lab() -> None:
    before = of_machine()
    with Terminal(*PROGRAM, BLUE) as terminal:
        terminal.wait_for_prompt()
        terminal.ask(f"blue {_DAEMON}")
        terminal.hang_up()
        terminal.process.wait(20)
        _gone(before)


def test_a_terminal_closed_under_a_program_ends_the_lab() -> None:
    before = of_machine()
    with Terminal(*PROGRAM, BLUE) as terminal:
        terminal.wait_for_prompt()
        terminal.enter("blue sleep 1000")
        wait_until(lambda: any("sleep 1000" in line for line in of_machine()))
        terminal.hang_up()
        terminal.process.wait(20)
        _gone(before)


def test_an_exception_in_a_script_ends_the_lab(tmp_path: Path) -> None:
    before = of_machine()
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(BLUE.parent)!r})\n"
        "from pynetemu import Network\nfrom blue import Blue\n"
        "net = Network(Blue()).open()\n"
        "net['blue'].start('sleep', '1000')\n"
        "raise RuntimeError('mine')\n"
    )
    done = subprocess.run([PROGRAM[0], script], env=environment(), capture_output=True, text=True, timeout=20, check=False)
    assert "RuntimeError: mine" in done.stderr
    _gone(before)


@pytest.mark.slow
@pytest.mark.parametrize("milliseconds", range(5, 125, 10))
def test_ctrl_c_during_the_start_leaves_nothing(milliseconds: int) -> None:
    """At any moment of a start, which takes about 0.1 s: the whole foreground group gets it, as from a terminal."""
    before = of_machine()
    process = subprocess.Popen(
        [*PROGRAM, str(BLUE), "-c", "blue sleep 1000"],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(milliseconds / 1000)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert ended_by_interrupt(process.returncode, errors), errors
    _gone(before)


_GROWING = """
from pynetemu import Host, Link, Service, Switch, Topology, prints

class Growing(Topology):
    s1 = Switch()
    h1, h2 = Host(), Host()
    wires = [Link(h1, s1), Link(h2, s1)]
"""
_NEVER_READY = """
    h3 = Host()
    third = Link(h3, s1)
    slow = Service(h3, "echo begun; exec sleep 1000", ready=prints("never"), timeout=60)
"""


@pytest.mark.parametrize("who", ["client", "interrupted client", "engine"])
def test_what_is_killed_amid_a_change_leaves_the_lab_as_it_was_or_nothing(who: str, tmp_path: Path) -> None:
    before = of_machine()
    old, new = tmp_path / "old.py", tmp_path / "new.py"
    old.write_text(_GROWING)
    new.write_text(_GROWING + _NEVER_READY)
    with running(mine("growing"), file=old, line="h1 sh -c 'echo up; read -r _ || true'") as shell:
        was = _links_of(mine("growing"))
        command = [*PROGRAM, "apply", str(new), mine("growing")]
        with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as client:
            wait_until(lambda: any("sleep 1000" in line for line in of_machine()), what="the change's service")
            match who:
                case "client":
                    client.kill()
                case "interrupted client":
                    client.send_signal(signal.SIGINT)
                case "engine":
                    os.kill(processes_of(shell.pid)["engine"], signal.SIGKILL)
            told = client.communicate(timeout=20)[1]
        assert "Traceback" not in told
        if who == "engine":
            wait_until(lambda: of_machine() <= before, _SECONDS, "the lab's end")
            return
        assert ended_by_interrupt(client.returncode, told) == (who != "client")
        wait_until(lambda: not any("sleep 1000" in line for line in of_machine()), what="the end of the change's service")
        wait_until(lambda: _links_of(mine("growing")) == was, what="the lab as it was")
    wait_until(lambda: of_machine() <= before)


def _links_of(lab: str) -> str:
    """What `ip` and `bridge` say of the two nodes that the lab has before its change."""
    lines = "h2 ip -br link\ns1 bridge link\nh1 cat /etc/hosts\nnodes\n"
    return pynetemu("attach", lab, input=lines).stdout
