"""The shell at a real terminal: programs have it while they run, keys reach them, and the shell takes it back whole."""

import os
import signal
import stat
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.labs import child_of, processes_of
from tests.support.pynetemu import BLUE, PROGRAM
from tests.support.terminal import Terminal
from tests.support.wait import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """The lab's shell at its prompt, with a state folder of its own; left at the end if it still runs.

    By a line: it waits for the prompt, where a key would be taken by what runs before that.
    """
    with Terminal(*PROGRAM, BLUE, env={"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}, cwd=tmp_path) as terminal:
        terminal.wait_for_prompt()
        yield terminal
        if terminal.process.poll() is None:
            terminal.wait_for_prompt()
            terminal.type("exit\r")
            terminal.wait()


def _children_of(process: int) -> list[str]:
    """The commands of all the lab's programs."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[3] == str(os.getsid(process)):
                found.append(command)
        except OSError:
            continue
    return found


def _wait_for(terminal: Terminal, command: str) -> None:
    wait_until(lambda: command in _children_of(terminal.process.pid), what=f"the start of {command!r}")


def _wait_for_end(terminal: Terminal, command: str) -> None:
    wait_until(lambda: command not in _children_of(terminal.process.pid), what=f"the end of {command!r}")


def test_programs_have_the_terminal_and_its_size_also_when_it_changes(terminal: Terminal) -> None:
    assert terminal.ask("blue hostname") == "blue"
    assert terminal.ask("blue tty").startswith("/dev/pts/")
    assert terminal.ask("blue stty size") == "150 120"
    terminal.resize(140, 100)
    assert terminal.ask("blue stty size") == "140 100"
    terminal.enter("blue sh -c 'trap \"stty size; exit\" WINCH; echo ready; while :; do read -r x || :; done'")
    terminal.expect("(?m)^ready$")
    terminal.resize(139, 100)
    terminal.expect("(?m)^139 100$")
    terminal.wait_for_prompt()


def test_ctrl_c_ends_the_program_and_not_the_shell(terminal: Terminal) -> None:
    terminal.enter("blue sleep 1001")
    _wait_for(terminal, "sleep 1001")
    terminal.key("c")
    assert terminal.wait_for_prompt().strip() == "^C"
    _wait_for_end(terminal, "sleep 1001")
    assert terminal.ask("blue echo still here") == "still here"


def test_ctrl_c_at_the_prompt_throws_the_line_away(terminal: Terminal) -> None:
    terminal.type("blue echo never")
    terminal.key("c")
    assert terminal.ask("blue echo again") == "again"


def test_ctrl_backslash_ends_the_program_and_not_the_shell(terminal: Terminal) -> None:
    terminal.enter("blue sleep 1002")
    _wait_for(terminal, "sleep 1002")
    terminal.type("\x1c")
    terminal.wait_for_prompt()
    _wait_for_end(terminal, "sleep 1002")


def test_a_program_that_handles_ctrl_c_goes_on(terminal: Terminal) -> None:
    terminal.enter("blue sh -c 'trap \"echo caught\" INT; echo ready; read -r line; echo $line'")
    terminal.expect("(?m)^ready$")
    terminal.key("c")
    terminal.expect("caught")
    terminal.type("typed\r")
    terminal.wait_for_prompt()


def test_bash_in_a_node_has_job_control(terminal: Terminal) -> None:
    terminal.enter("blue bash --norc --noediting -i")
    terminal.expect(r"bash-[\d.]+[$#] $|bash-[\d.]+[$#]$")
    terminal.type("hostname; sleep 1003\r")
    _wait_for(terminal, "sleep 1003")
    terminal.key("z")
    terminal.expect(r"Stopped +sleep 1003")
    terminal.type("jobs; echo sum $((20 + 3))\r")
    terminal.expect("(?m)^sum 23$")
    terminal.type("fg\r")
    terminal.expect(r"fg\n+sleep 1003")
    terminal.key("c")
    terminal.type("exit 6\r")
    terminal.wait_for_prompt()
    assert "no job control" not in terminal.shown()
    assert terminal.ask("blue echo back") == "back"


def test_programs_of_a_lab_that_was_made_anew_quit_and_stop_by_keys(terminal: Terminal) -> None:
    """Its engine is a child of the shell, which ignores both signals."""
    terminal.ask("reload --fresh")
    terminal.enter("blue sleep 1007")
    _wait_for(terminal, "sleep 1007")
    terminal.key("\\")
    terminal.wait_for_prompt()
    _wait_for_end(terminal, "sleep 1007")
    terminal.enter("blue sleep 1008")
    _wait_for(terminal, "sleep 1008")
    terminal.key("z")
    assert "blue sleep 1008" in terminal.wait_for_prompt()
    terminal.ask("kill -9 %1")
    _wait_for_end(terminal, "sleep 1008")


def test_ctrl_z_stops_fg_bg_and_kill_work(terminal: Terminal) -> None:
    terminal.enter("blue sleep 1004")
    _wait_for(terminal, "sleep 1004")
    terminal.key("z")
    assert "blue sleep 1004" in terminal.wait_for_prompt()
    assert "blue sleep 1004" in terminal.ask("jobs")
    terminal.ask("bg")
    assert "Running" in terminal.ask("jobs")
    terminal.enter("fg %1")
    terminal.expect("sleep 1004")
    terminal.key("c")
    terminal.wait_for_prompt()
    _wait_for_end(terminal, "sleep 1004")
    terminal.ask("blue sleep 1005 &")
    _wait_for(terminal, "sleep 1005")
    assert "sleep 1005" in terminal.ask("jobs")
    terminal.ask("kill %1")
    _wait_for_end(terminal, "sleep 1005")
    wait_until(lambda: "sleep 1005" not in terminal.ask("jobs"))


def test_a_background_server_answers_while_the_shell_goes_on(terminal: Terminal, tmp_path: Path) -> None:
    log = tmp_path / "log"
    terminal.ask("blue python3 -um http.server 9000 >log 2>&1 &")
    wait_until(lambda: log.exists() and "port 9000" in log.read_text())
    assert terminal.ask("root curl -s -o /dev/null -w '%{http_code}\\n' blue:9000/") == "200"
    terminal.ask("kill %1")


@pytest.mark.parametrize("end", ["exits", "is killed", "is interrupted"])
def test_the_terminals_settings_are_back_however_a_program_leaves_them(terminal: Terminal, end: str) -> None:
    before = terminal.ask("blue stty -a")
    how = {"exits": "true", "is killed": "kill -9 $$", "is interrupted": "kill -INT $$"}[end]
    terminal.enter(f"blue sh -c 'stty raw -echo; {how}'")
    terminal.wait_for_new_prompt()
    assert terminal.ask("blue stty -a") == before


@pytest.mark.parametrize(
    ("program", "keys", "sign"), [("top", "q", r"load average"), ("vi -u NONE", "\x1b:q!\r", r"(?m)^~$")], ids=["top", "vi"]
)
def test_programs_of_the_whole_screen(terminal: Terminal, program: str, keys: str, sign: str) -> None:
    before = terminal.ask("blue stty -a")
    terminal.enter(f"blue {program}")
    terminal.expect_on_screen(sign)
    terminal.type(keys)
    terminal.wait_for_new_prompt()
    terminal.clear()
    assert terminal.ask("blue stty -a") == before


@pytest.mark.parametrize(("line", "status"), [("", 0), ("blue false", 1), ("blue sh -c 'exit 7'", 7)])
def test_ctrl_d_leaves_with_the_status_of_the_last_line(terminal: Terminal, line: str, status: int) -> None:
    if line:
        terminal.ask(line)
    terminal.key("d")
    assert terminal.wait() == status


def test_exit_leaves_with_its_status(terminal: Terminal) -> None:
    terminal.enter("exit 3")
    assert terminal.wait() == 3


@pytest.mark.parametrize("leave", ["ctrl-d", "killed", "engine killed"])
def test_the_users_own_shell_gets_its_terminal_back(tmp_path: Path, leave: str) -> None:
    """Whatever ends pynetemu at its prompt or under a program; only its own `kill -9` must leave what readline had set."""
    with Terminal("sh", "-i", prompt="$ ", env={"PS1": "$ ", "XDG_STATE_HOME": str(tmp_path)}) as terminal:
        terminal.wait_for_prompt()
        before = terminal.ask("stty -a")
        terminal.enter(" ".join([*PROGRAM, str(BLUE)]))
        terminal.expect(r"(?m)^blue(-\d+)?>")
        shell = child_of(terminal.process.pid)
        if leave == "ctrl-d":
            terminal.key("d")
        else:
            os.kill(processes_of(shell)["engine"] if leave == "engine killed" else shell, signal.SIGTERM)
        terminal.wait_for_new_prompt()
        assert not Path(f"/proc/{shell}").exists()
        assert terminal.ask("stty -a") == before


def test_the_end_of_the_lab_is_told_while_typing(terminal: Terminal) -> None:
    terminal.type("blue ec")
    os.kill(processes_of(terminal.process.pid)["engine"], signal.SIGKILL)
    terminal.expect(r"the lab blue(-\d+)? has ended")
    assert terminal.wait() == 1


def test_the_end_of_the_lab_under_a_program_is_told(terminal: Terminal) -> None:
    terminal.enter("blue sleep 1006")
    _wait_for(terminal, "sleep 1006")
    os.kill(processes_of(terminal.process.pid)["engine"], signal.SIGKILL)
    terminal.expect(r"the lab (blue(-\d+)? )?has ended")
    assert terminal.wait() == 1


def test_the_end_of_the_lab_elsewhere_is_told_beside_a_job(terminal: Terminal) -> None:
    with Terminal(*PROGRAM, "attach", terminal.lab) as other:
        other.wait_for_prompt()
        other.enter("blue sleep 1007 &")
        other.wait_for_prompt()
        other.type("blue ec")
        os.kill(processes_of(terminal.process.pid)["engine"], signal.SIGKILL)
        other.expect("the lab blue(-\\d+)? has ended")
        assert other.wait() == 1
    assert terminal.wait() == 1


def test_lines_are_remembered_for_the_user_alone(terminal: Terminal, tmp_path: Path) -> None:
    terminal.ask("blue echo remembered")
    terminal.key("d")
    terminal.wait()
    (history,) = (file for file in tmp_path.rglob("history") if file.is_file())
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert "blue echo remembered" in history.read_text()
    with Terminal(*PROGRAM, BLUE, env={"XDG_STATE_HOME": str(tmp_path)}) as again:
        again.wait_for_prompt()
        again.type("\x1b[A")
        again.expect(r"blue(-\d+)?> blue echo remembered")


def test_no_state_folder_is_no_reason_to_fail() -> None:
    with Terminal(*PROGRAM, BLUE, env={"XDG_STATE_HOME": "/proc/nosuch"}) as terminal:
        terminal.wait_for_prompt()
        assert terminal.ask("blue echo works") == "works"


def test_the_terminal_of_the_tests_is_like_any_other() -> None:
    """So that what is said above about settings means something: it echoes, and lines are edited by the kernel."""
    with Terminal("sh", "-c", "stty -a; cat", prompt="") as terminal:
        terminal.expect("isig icanon iexten echo ")
        assert termios.ECHO
