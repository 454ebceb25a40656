"""The prompt as a person sees it: completion, colors, the bar, news above the line, pasted lines, Ctrl-C at every moment."""

import json
import os
import shutil
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.labs import mine
from tests.support.pynetemu import CLONE, PROGRAM, STAR, environment
from tests.support.terminal import Terminal
from tests.support.wait import wait_until

pytestmark = pytest.mark.slow


@contextmanager
def _open(tmp_path: Path, file: Path = STAR, prompt: str = "star> ", env: dict[str, str] | None = None) -> Iterator[Terminal]:
    home = {"XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    with Terminal(*PROGRAM, file, prompt=prompt, env={**home, **(env or {})}) as terminal:
        terminal.wait_for_prompt()
        yield terminal
        if terminal.process.poll() is None:
            terminal.key("c")
            terminal.enter("exit")
            terminal.wait()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with _open(tmp_path) as terminal:
        yield terminal


def _color(terminal: Terminal, word: str) -> str:
    """The color of a word in the line of the cursor."""
    row = terminal.screen.buffer[terminal.screen.cursor.y]
    line = "".join(row[column].data for column in range(120))
    return str(row[line.index(word)].fg)


def test_tab_completes_and_words_get_their_colors(terminal: Terminal) -> None:
    terminal.type("pingallf\t")
    terminal.expect(r"star> pingallfull")
    terminal.type(" h1,\t")
    terminal.expect(r"h1,h1")
    terminal.key("c")
    terminal.wait_for_prompt()
    terminal.type("h1 ping h2")
    terminal.expect("star> h1 ping h2")
    assert (_color(terminal, "h1"), _color(terminal, "h2")) == ("green", "green")
    terminal.key("u")
    terminal.type("h9 nosuch")
    terminal.expect("star> h9 nosuch")
    assert _color(terminal, "h9") == "red"
    terminal.key("u")


def test_the_bar_tells_of_nodes_packets_and_jobs(terminal: Terminal) -> None:
    terminal.expect(r"star(-\d+)? \| 4 of 4 nodes up \| [\d,]+ packets/s \| \d+ dropped")
    terminal.ask("h1 sleep 1000 &")
    terminal.ask("h1 ping -qi0.01 h2 &")
    terminal.expect(r"4 of 4 nodes up \| [1-9][\d,]* packets/s \| \d+ dropped \| 2 jobs")
    terminal.ask("link h1 s1 down")
    terminal.expect(r"3 of 4 nodes up")
    terminal.ask("kill -9 %1 %2")


def test_news_of_a_job_comes_above_the_line_being_typed(terminal: Terminal) -> None:
    terminal.enter("h1 sleep 0.7 &")
    terminal.wait_for_prompt()
    terminal.type("h2 echo ty")
    terminal.expect(r"\[1\]  Done +h1 sleep 0.7 &")
    terminal.type("ped\r")
    terminal.expect(r"(?m)^star> h2 echo typed$")
    terminal.expect(r"(?m)^typed$")


def test_the_death_of_a_service_comes_above_the_line(tmp_path: Path) -> None:
    file = tmp_path / "served.py"
    file.write_text(
        "from pynetemu import Host, Service, Topology, prints\n"
        "class Served(Topology):\n"
        "    a = Host()\n"
        "    talker = Service(a, \"sh -c 'echo ready; sleep 1000'\", ready=prints('ready'))\n"
    )
    with _open(tmp_path, file, "served> ") as terminal:
        pid = json.loads(terminal.ask("services --json"))[0]["pid"]
        terminal.enter(f"a sh -c 'sleep 0.5; kill -9 {pid}' &")
        terminal.wait_for_prompt()
        terminal.type("a echo ty")
        terminal.expect("talker of a was ended by signal 9")
        terminal.type("ped\r")
        terminal.expect(r"(?m)^typed$")


_VANISHES = """
import os, socket, sys, threading
from pynetemu import Host, Network, Shell, Topology
from pynetemu.engine.protocol.requests import Spawn, Started
from pynetemu.shell.prompt.opening import open_prompt
from pynetemu.testing import FakeEngine

class Solo(Topology):
    a = Host()

def vanish(request):
    life = socket.socket(fileno=os.dup(request.life))
    def tell():
        with life, open(sys.argv[1]) as told:
            told.read()
    threading.Thread(target=tell, daemon=True).start()
    return Started(1, 1)

engine = FakeEngine()
engine.answer(Spawn, vanish)
with Network(Solo(), sandbox=engine) as net:
    sys.exit(open_prompt(Shell(net, job_control=True)))
"""


def test_a_job_may_be_the_first_to_tell_of_the_labs_end(tmp_path: Path) -> None:
    """The lab itself tells nothing here."""
    script, pipe = tmp_path / "script.py", tmp_path / "pipe"
    script.write_text(_VANISHES)
    os.mkfifo(pipe)
    home = {"XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    with Terminal(sys.executable, script, pipe, prompt="solo> ", env=home) as terminal:
        terminal.enter("a job &")
        terminal.wait_for_prompt()
        terminal.type("a ec")
        terminal.expect("solo> a ec")
        pipe.write_text("")  # opens it, and closes it
        terminal.expect("pynetemu: the lab solo has ended")
        assert "exception" not in terminal.shown().lower()
        assert terminal.wait() == 1


def test_several_lines_can_be_pasted_and_a_quote_goes_on(terminal: Terminal) -> None:
    terminal.type("\x1b[200~h1 hostname\nh2 hostname\n\x1b[201~")
    terminal.expect(r"\.\.\. h2 hostname")
    terminal.type("\r")
    terminal.expect(r"(?m)^h1\nh2$")
    terminal.wait_for_prompt()
    terminal.type("h1 echo 'open\r")
    terminal.expect(r"(?m)^\.\.\.")
    terminal.type("closed'\r")
    terminal.expect(r"(?m)^open\nclosed$")


def test_history_is_searched_and_kept_for_the_next_lab(tmp_path: Path) -> None:
    with _open(tmp_path) as terminal:
        terminal.ask("h1 echo remembered")
        terminal.ask("h2 echo other")
        terminal.type("h1\x1b[A")  # the arrow up: the last line that begins so
        terminal.expect("star> h1 echo remembered")
        terminal.key("u")
    with _open(tmp_path) as terminal:
        terminal.key("r")
        terminal.type("remem")
        terminal.expect(r"h1 echo remembered")
        terminal.type("\r\r")  # takes the line, and runs it
        terminal.expect(r"(?m)^remembered$")
        terminal.wait_for_prompt()


def test_keys_of_vi_and_the_users_own_lines(tmp_path: Path) -> None:
    (tmp_path / "pynetemu").mkdir()
    (tmp_path / "pynetemu" / "shellrc").write_text("alias who = h1 hostname\nkeys vi\n")
    with _open(tmp_path) as terminal:
        assert terminal.ask("who") == "h1"
        terminal.type("xwho")
        terminal.expect("star> xwho")
        terminal.type("\x1b0x")  # vi's: to the start, delete a character
        terminal.expect("(?m)star> who$")
        terminal.type("\r")
        terminal.wait_for_prompt()


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ("h1 ping h2", "bytes from"),
        ("h* ping h2", "bytes from"),
        ("pingall -t 100s", ""),
        ("iperf h1 h2 -t 100s", ""),
        ("wait", ""),
        ("!sh -c 'echo ready; exec sleep 1000'", "(?m)^ready$"),
        ("py [i for i in iter(int, 1)]", ""),
    ],
)
def test_ctrl_c_comes_back_to_the_prompt_with_the_terminal_as_it_was(line: str, sign: str, terminal: Terminal) -> None:
    terminal.ask("s1 ip link set h3 down")
    terminal.ask("h1 sleep 1000 &")
    before = terminal.ask("!stty -a")
    terminal.expect("nodes up")  # all is imported: Python can lose an interrupt in the midst of an import
    terminal.enter(line)
    if sign:
        terminal.expect(sign)
    else:
        wait_until(lambda: not _waits_for_keys(terminal), what="the end of the prompt")
    terminal.key("c")
    terminal.wait_for_new_prompt()
    terminal.clear()
    assert terminal.ask("!stty -a") == before
    assert terminal.ask("h2 hostname") == "h2"
    terminal.ask("kill %1")


def _waits_for_keys(terminal: Terminal) -> bool:
    """Whether the prompt has the terminal, which gives it every key at once."""
    return not termios.tcgetattr(terminal.descriptor)[3] & termios.ICANON


def _sockets(terminal: Terminal) -> int:
    found = 0
    for link in Path(f"/proc/{terminal.process.pid}/fd").iterdir():
        with suppress(OSError):  # it is closed already
            found += os.readlink(link).startswith("socket:")
    return found


def test_an_interrupted_pingall_tells_what_is_known(terminal: Terminal) -> None:
    terminal.ask("s1 ip link set h3 down")
    sockets = _sockets(terminal) - 2  # the prompt's event loop has a pair, which goes with it
    terminal.enter("pingall -t 100s")
    wait_until(lambda: _sockets(terminal) >= sockets + 3, what="a socket for each of the three hosts")
    terminal.key("c")
    terminal.expect(r"interrupted: ([0-2]) of \1 answered, .*\1 of 6 pairs")  # as many as came before the key


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_it_works_without_colors_and_on_a_dumb_terminal(variable: str, value: str, tmp_path: Path) -> None:
    with _open(tmp_path, env={variable: value}) as terminal:
        assert "6 of 6 answered" in terminal.ask("pingall")
        if variable == "TERM":
            assert terminal.ask("watch --times 2 -n 0.1 h1 hostname") == "h1\nh1"
        cells = [cell for row in terminal.screen.buffer.values() for cell in row.values()]
        assert {cell.fg for cell in cells} == {"default"}


def test_reload_at_the_prompt(tmp_path: Path) -> None:
    file = tmp_path / "lab.py"
    file.write_text("from pynetemu import Host, Topology\nclass Lab(Topology):\n    a = Host()\n")
    with _open(tmp_path, file, "lab> ") as terminal:
        file.write_text(file.read_text() + "    b = Host()\n")
        terminal.ask("reload")
        assert terminal.ask("b hostname") == "b"
        terminal.expect(r"lab \| [012] of 2 nodes up")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
def test_terminals_of_nodes_are_windows_of_tmux(tmp_path: Path) -> None:
    """A tmux server of the test's own; the lab's shell is its first window."""

    def tmux(*words: str) -> str:
        command = ["tmux", "-S", str(tmp_path / "tmux"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=env).stdout

    env = environment({"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path), "TERM": "xterm"})
    env.pop("TMUX", None)
    tmux(
        "-f",
        os.devnull,
        "new-session",
        "-d",
        "-x",
        "100",
        "-y",
        "30",
        "-c",
        str(CLONE),
        *PROGRAM,
        str(STAR),
        "--name",
        mine("tmuxed"),
    )
    try:
        wait_until(lambda: f"{mine('tmuxed')}>" in tmux("capture-pane", "-p"), what="the prompt")
        tmux("send-keys", "term h1 h2", "Enter")
        wait_until(lambda: tmux("list-windows", "-F", "#{window_name}").split()[1:] == ["h1", "h2"], what="the windows")
        tmux("send-keys", "-t", "h2", "hostname > /tmp/$$; cat /tmp/$$; rm /tmp/$$", "Enter")
        wait_until(lambda: "\nh2\n" in tmux("capture-pane", "-p", "-t", "h2"), what="the answer of h2")
        tmux("send-keys", "-t", ":0", "exit", "Enter")
        wait_until(lambda: not tmux("list-windows"), what="the end of all windows")
    finally:
        tmux("kill-server")
