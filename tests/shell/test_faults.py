"""What fails in a line costs that line: the lab lives on, and what to report is in a file."""

import os
import re
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from pynetemu import Network
from pynetemu.shell.shell import Shell
from tests.support.pynetemu import BLUE, PROGRAM, Finished, pynetemu
from tests.support.terminal import Terminal
from topologies.blue import Blue

_FILE = """
from pynetemu import Host, Shell, Topology, command

class Lab(Topology):
    blue = Host()

@command
def divide(shell: Shell) -> int:
    return 1 // 0

@command
def number(shell: Shell) -> int:
    return int("\\033[31mx")

@command
def deep(shell: Shell) -> int:
    return deep.function(shell)

@command
def closed(shell: Shell) -> int:
    import os
    os.close(12345)
"""


def _lines(folder: Path, *lines: str, env: dict[str, str] | None = None) -> Finished:
    """Runs lines in a lab with commands that fail, whatever becomes of each; the last one proves that the lab still stands."""
    (folder / "lab.py").write_text(_FILE)
    state = {"XDG_STATE_HOME": str(folder / "state"), **(env or {})}
    return pynetemu("lab.py", input="\n".join(["set +e", *lines, "blue hostname"]) + "\n", cwd=folder, env=state)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("divide", "ZeroDivisionError: integer division or modulo by zero"),
        ("number", "ValueError: invalid literal for int"),
        ("deep", "RecursionError: maximum recursion depth exceeded"),
        ("closed", r"OSError: \[Errno 9\] Bad file descriptor"),
    ],
)
def test_an_exception_costs_a_line_and_is_kept(tmp_path: Path, line: str, told: str) -> None:
    done = _lines(tmp_path, line)
    file = tmp_path / "state" / "pynetemu" / "faults.txt"
    assert done.stdout == "blue\n"
    (only,) = done.stderr.splitlines()
    assert re.match(f"pynetemu: {line}: this should not happen, the lab lives on: {told}", only)
    assert only.endswith(f"please report it with the end of {file}")
    assert f"line: {line}\nTraceback" in file.read_text() and re.search(told, file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_where_the_state_cannot_be_kept_it_is_a_temporary_file(tmp_path: Path) -> None:
    done = _lines(tmp_path, "divide", env={"XDG_STATE_HOME": "/dev/null", "TMPDIR": str(tmp_path)})
    (file,) = tmp_path.glob("pynetemu-fault-*.txt")
    assert done.stderr.rstrip().endswith(str(file))
    assert "ZeroDivisionError" in file.read_text()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("graph -o /nosuch/x.svg", "/nosuch/x.svg: there is no folder /nosuch"),
        ("save /proc/x.json", "save: /proc/x.json: No such file or directory"),
        ("source /", "Is a directory"),
        ('blue send IP(dst="127.0.0.1")/("x"*70000)', "blue: scapy cannot put this packet into bytes: "),
        ("blue echo 'x", "Unterminated quoted string"),  # by sh: quotes go on over lines, up to the end of the input
        ("nosuch* true", "no node"),
        (", true", "',' names no node; the nodes are blue"),
        ("capture nosuch", "no node, interface or link is called 'nosuch', and no filter begins so; the nodes are blue"),
    ],
)
def test_what_the_machine_or_the_user_is_to_mend_is_told_as_that(tmp_path: Path, line: str, told: str) -> None:
    done = _lines(tmp_path, line)
    assert done.stdout.endswith("blue\n") or "'" in line
    assert told in done.stderr and "Traceback" not in done.stderr and "should not happen" not in done.stderr


def test_any_bytes_in_lines(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text(_FILE)
    lines = b"set +e\nblue printf %s \xff\xe9\nno\xffsuch\nhelp \xff\nalias x\xff='blue hostname'\nalias\nblue hostname\n"
    (tmp_path / "script").write_bytes(lines)
    done = subprocess.run([*PROGRAM, "lab.py"], input=lines, capture_output=True, cwd=tmp_path, timeout=50, check=False)
    assert done.stdout.startswith(b"\xff\xe9") and done.stdout.endswith(b"blue\n"), done
    assert b"Traceback" not in done.stderr and b"should not" not in done.stderr, done.stderr


def test_half_of_a_pair_is_no_character(capfd: pytest.CaptureFixture[str]) -> None:
    with Network(Blue()) as network:
        shell = Shell(network)
        assert shell.run_line("blue echo \ud800") == 2
        assert shell.run_line("blue hostname") == 0
    out, errors = capfd.readouterr()
    assert (out, errors) == ("blue\n", "pynetemu: character 11 of the line is none: '\\ud800', half of a pair\n")


@pytest.mark.slow
def test_interrupts_in_pairs_at_the_prompt(tmp_path: Path) -> None:
    with Terminal(*PROGRAM, BLUE, env={"XDG_STATE_HOME": str(tmp_path)}) as terminal:
        for _ in range(20):
            terminal.wait_for_prompt()
            terminal.type("\x03\x03")
            os.kill(terminal.process.pid, signal.SIGINT)
            terminal.type("nodes\x03\r\x03\x03")
        terminal.type("\r")
        terminal.wait_for_new_prompt()
        assert "blue" in terminal.ask("blue hostname")
        assert "Traceback" not in terminal.shown() and "Warning" not in terminal.shown()
        os.write(terminal.descriptor, b"blue printf %s '\xff'; echo\r")  # no text, and yet a line, which is kept in the history
        terminal.wait_for_new_prompt()
        assert "blue" in terminal.ask("blue hostname")
        assert "Traceback" not in terminal.shown()
        terminal.enter("exit")
        terminal.wait()
