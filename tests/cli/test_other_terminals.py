"""A running lab from a second process: `pynetemu ps`, `exec` and `attach`; two labs of one file; the labs' names."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.labs import mine, processes_of, running
from tests.support.pynetemu import BLUE, PROGRAM, environment, pynetemu
from tests.support.terminal import Terminal
from tests.support.wait import wait_until

SECOND = mine("second")
_WRONG = mine("secnod")


@pytest.fixture(scope="module", autouse=True)
def shell() -> Iterator["subprocess.Popen[str]"]:
    """A lab whose every process runs already, so that the tests leave none behind."""
    with running(SECOND) as process:
        for node, other in ("blue", "root"), ("root", "blue"):
            assert pynetemu("exec", SECOND, node, "--", "curl", "-s", f"{other}:8080").returncode == 0
        yield process


def test_ps_lists_it(shell: "subprocess.Popen[str]") -> None:
    head, *rows = pynetemu("ps").stdout.splitlines()
    assert head.split() == ["LAB", "PID", "BY", "AGE", "NODES", "FILE"]
    (row,) = (row.split() for row in rows if row.startswith(f"{SECOND} "))
    assert row[:3] == [SECOND, str(shell.pid), "pynetemu"]
    assert row[-3:] == ["root,", "blue", str(BLUE)]
    (data,) = (lab for lab in json.loads(pynetemu("ps", "--json").stdout) if lab["name"] == SECOND)
    assert (data["pid"], data["nodes"], data["file"]) == (shell.pid, ["root", "blue"], str(BLUE))
    assert isinstance(data["started"], float)
    assert data["by"] == "pynetemu"


def test_exec_passes_all_three_streams_and_the_status() -> None:
    script = "from sys import *; stdout.buffer.write(stdin.buffer.read()[::-1]); stderr.write('told'); exit(7)"
    done = subprocess.run(
        [*PROGRAM, "exec", SECOND, "blue", "--", "python3", "-c", script],
        input=bytes(range(256)),
        capture_output=True,
        env=environment(),
        timeout=20,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == (bytes(reversed(range(256))), b"told", 7)


@pytest.mark.parametrize(
    ("command", "status", "stdout"),
    [
        (["hostname"], 0, "blue\n"),
        (["echo", "a  b", "$HOME", "*", "it's", ""], 0, "a  b $HOME * it's \n"),
        (["sh", "-c", "kill -TERM $$"], 128 + signal.SIGTERM, ""),
        (["curl", "-s", "root:8080"], 0, "Hello from root. You are 10.0.0.2, and asked for /\n"),
        (["nosuchprogram"], 127, ""),
        (["/etc/passwd"], 126, ""),
    ],
)
def test_exec_runs_a_command_as_it_was_given(command: list[str], status: int, stdout: str) -> None:
    done = pynetemu("exec", SECOND, "blue", "--", *command)
    assert (done.returncode, done.stdout) == (status, stdout), done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["exec", _WRONG, "blue", "--", "true"], f"there is no lab {_WRONG!r}; did you mean {SECOND!r}?"),
        (["exec", SECOND, "bleu", "--", "true"], "Blue has no node 'bleu'; did you mean 'blue'?"),
        (["exec", SECOND, "help"], "Blue has no node 'help'; it has root, blue"),
        (["attach", "xyz"], "there is no lab 'xyz'; "),
    ],
    ids=["lab", "node", "help", "unlike any"],
)
def test_wrong_names_are_told_with_what_there_is(arguments: list[str], told: str) -> None:
    done = pynetemu(*arguments)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_what_one_process_changes_another_sees() -> None:
    assert pynetemu("exec", SECOND, "blue", "--", "ip", "route", "add", "10.9.0.0/16", "via", "10.0.0.1").returncode == 0
    assert "10.9.0.0/16" in pynetemu("exec", SECOND, "blue", "--", "ip", "route").stdout
    assert pynetemu("exec", SECOND, "root", "--", "ip", "netns", "exec", "blue", "ip", "route").stdout.count("10.9.0.0/16") == 1


def test_attach_takes_lines_from_standard_input() -> None:
    done = pynetemu("attach", SECOND, input="blue hostname\nroot hostname\nblue sh -c 'exit 5'\nblue hostname\n")
    assert (done.stdout, done.returncode) == ("blue\nroot\n", 5)


def test_attach_at_a_terminal_and_leaving_leaves_the_lab_running() -> None:
    with Terminal(*PROGRAM, "attach", SECOND, prompt=f"{SECOND}> ") as terminal:
        terminal.wait_for_prompt()
        assert terminal.ask("blue hostname") == "blue"
        assert "/dev/pts/" in terminal.ask("blue tty")
        terminal.enter("blue sleep 1000")
        wait_until(lambda: "sleep" in pynetemu("exec", SECOND, "blue", "--", "ps", "-eo", "comm").stdout)
        terminal.key("c")
        terminal.wait_for_prompt()
        terminal.key("d")
        assert terminal.wait() == 130
    assert pynetemu("exec", SECOND, "blue", "--", "true").returncode == 0


def test_the_end_of_the_lab_ends_those_that_attached() -> None:
    with running(mine("short")) as short:
        command = [*PROGRAM, "exec", mine("short"), "blue", "--", "sh", "-c", "echo started; exec sleep 1000"]
        attached = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), start_new_session=True
        )
        assert attached.stdout is not None
        assert attached.stdout.readline() == "started\n"
        os.kill(processes_of(short.pid)["engine"], signal.SIGKILL)
        _, told = attached.communicate(timeout=10)
        assert attached.returncode != 0
        assert "Traceback" not in told


@pytest.mark.slow
def test_two_labs_of_one_file_side_by_side() -> None:
    with running(SECOND):  # takes the next free name
        names = [lab["name"] for lab in json.loads(pynetemu("ps", "--json").stdout)]
        assert {SECOND, f"{SECOND}-2"} <= set(names)
        assert pynetemu("exec", f"{SECOND}-2", "blue", "--", "ip", "link", "set", "lo", "down").returncode == 0
        for name, received in (SECOND, "1 received"), (f"{SECOND}-2", "unreachable"):
            answer = pynetemu("exec", name, "blue", "--", "sh", "-c", "ping -c1 -W1 127.0.0.1 2>&1").stdout
            assert (received in answer) or (name == f"{SECOND}-2" and "1 received" not in answer)


@pytest.mark.parametrize("name", ["a b", "a/b", "a\nb", "", "x" * 200])
def test_a_name_that_others_could_not_use_is_refused(name: str) -> None:
    done = pynetemu(BLUE, "--name", name, "-c", "blue true")
    assert done.returncode == 2
    assert "cannot be a lab's name" in done.stderr


_SIZED = """
from pynetemu import Host, Link, Switch, Topology

class Sized(Topology):
    s1 = Switch()

    def build(self, n: int = 1) -> None:
        for i in range(1, n + 1):
            self.add(Link(self.add(f"h{i}", Host()), self.s1))
"""


def test_another_terminal_changes_the_lab_and_reloads_its_file(tmp_path: Path) -> None:
    file = tmp_path / "sized.py"
    file.write_text(_SIZED)
    with running(mine("sized"), "-p", "n=2", file=file, line="h1 sh -c 'echo up; read -r _ || true'"):
        done = pynetemu("attach", mine("sized"), input="add host h9 s1\nimpair h9 s1 delay=1ms\nremove h1-s1\n", cwd=Path("/"))
        added, *links, removed = done.stdout.splitlines()
        assert (added, removed) == ("added h9; changed s1", "changed s1, h1"), done.stderr
        assert [line.split()[:4] for line in links[1:]] == [
            ["h9:eth0", "s1:h9", "delay", "1ms"],
            ["s1:h9", "h9:eth0", "delay", "1ms"],
        ]
        done = pynetemu("attach", mine("sized"), input="undo\nmove h9 s1 h2\nreload\nreload\n", cwd=Path("/"))
        told = "changed s1, h1\nchanged s1, h2, h9\nremoved h9; changed h2\nnothing has changed\n"
        assert done.stdout == told, done.stderr
        file.write_text(_SIZED.replace("Switch()", "Switch(nosuch=1)"))
        assert "Switch has no option 'nosuch'" in pynetemu("attach", mine("sized"), input="reload\n").stderr
        assert "only where the lab was started" in pynetemu("attach", mine("sized"), input="reload --fresh\n").stderr
        file.write_text(_SIZED.replace("n + 1", "n + 2"))
        assert pynetemu("attach", mine("sized"), input="reload --dry-run\nreload\n").stdout.endswith("added h3; changed s1\n")
