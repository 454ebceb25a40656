"""The status of each verb, and of each command of the shell, that can fail: scripts go by it."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pynetemu import Network, Shell
from tests.support.labs import mine, running
from tests.support.pynetemu import BLUE, pynetemu
from topologies.blue import Blue

_LINES = [
    ("", 0),
    ("# a comment", 0),
    ("blue true", 0),
    ("blue false", 1),
    ("blue sh -c 'exit 7'", 7),
    ("blue sh -c 'kill -9 $$'", 128 + signal.SIGKILL),
    ("blue nosuchprogram", 127),
    ("blue /etc/passwd", 126),
    ("nosuch ping root", 127),
    ("blue,root true", 0),
    ("blue,root sh -c 'exit 3'", 3),
    ("blue,root sh -c 'test $(hostname) = blue || exit 5'", 5),
    ("blue,root sh -c 'test $(hostname) = root || exit 6'", 6),
    ("blue true | false", 1),
    ("blue false | true", 0),
    ("blue true; exit 0", 0),
    ("!true", 0),
    ("!exit 9", 9),
    ("sh false", 1),
    ("py 1", 0),
    ("py 1/0", 1),
    ("px nosuch", 1),
    ("ping", 127),
    ("pingall -t 9s", 0),
    ("pingall --nosuch", 2),
    ("link blue root down; pingall -t 200ms", 1),  # each line by itself, too
    ("link blue root up", 0),
    ("link blue nosuch up", 2),
    ("link blue root sideways", 2),
    ("routes nosuch", 2),
    ("arp nosuch", 2),
    ("logs nosuch", 1),
    ("fg", 1),
    ("bg %7", 1),
    ("kill %7", 1),
    ("wait %7", 1),
    ("source /nosuch/script", 1),
    ("save /nosuch/plan.json", 1),
    ("save plan.nosuch", 2),
    ("graph -o /nosuch/x.svg", 2),
    ("capture blue:nosuch", 1),
    ("capture blue -f 'no filter at all'", 2),
    ("capture -w /nosuch/x.pcapng", 1),
    ("trace blue false", 1),
    ("trace blue ping -c1 -W9 root", 0),
    ("trace 99", 1),
    ("time blue false", 1),
    ("alias no='blue false'", 0),
    ("unalias nosuch", 2),
    ("help nosuch", 2),
    ("cd /nosuch", 1),
    ("attach nosuch", 1),
    ("set nosuch", 2),
    ("switch nosuch stop", 2),
    ("iperf blue nosuch", 2),
    ("term nosuch", 2),
]


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    with Network(Blue(), name="statuses") as net:
        for node in net.nodes:
            net[node].run("true")  # its init lives from now on
        yield Shell(net)


@pytest.mark.parametrize(("line", "status"), _LINES, ids=[f"{place}-{line}" for place, (line, _) in enumerate(_LINES)])
def test_a_line_of_the_shell(shell: Shell, line: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run_script([line], "statuses") == status, capsys.readouterr()


def test_a_script_without_lines_is_no_failure_whatever_came_before(shell: Shell) -> None:
    assert shell.run_line("blue false") == 1
    assert shell.run_script([], "empty") == 0
    assert shell.run_line("blue false") == 1
    assert shell.run_script(["", "# nothing"], "empty") == 0


def test_the_first_failure_ends_lines_unless_they_go_on(shell: Shell) -> None:
    assert shell.run_lines(["blue true", "blue sh -c 'exit 3'", "blue sh -c 'exit 4'"]) == 3
    assert shell.run_lines(["set +e", "blue sh -c 'exit 3'", "blue sh -c 'exit 4'", "set -e"]) == 0
    assert shell.run_lines(["set +e", "blue sh -c 'exit 3'", "blue sh -c 'exit 4'"]) == 4
    assert shell.run_line("set -e") == 0


@pytest.mark.slow
def test_a_verb(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from pynetemu import Host, Topology\n\nclass Lab(Topology):\n    h1 = Host(mtu='x')\n")
    empty = tmp_path / "empty"
    empty.write_text("")
    failing = tmp_path / "failing"
    failing.write_text("blue sh -c 'exit 5'\nblue true\n")
    with running(mine("verbs")):
        for words, status in (
            (["exec", mine("verbs"), "blue", "--", "true"], 0),
            (["exec", mine("verbs"), "blue", "--", "sh", "-c", "exit 7"], 7),
            (["exec", mine("verbs"), "blue", "--", "sh", "-c", "kill -9 $$"], 137),
            (["exec", mine("verbs"), "blue", "--", "nosuchprogram"], 127),
            (["exec", mine("verbs"), "nosuch", "--", "true"], 1),
            (["exec", "nosuch", "blue", "--", "true"], 1),
            (["exec"], 2),
            (["attach", "nosuch"], 1),
            (["capture", mine("verbs"), "blue:nosuch"], 1),
            (["capture", mine("verbs"), "-w", "/nosuch/x.pcapng"], 1),
            (["capture", "nosuch"], 1),
            (["events", mine("verbs"), "--quiet-for", "0"], 0),
            (["events", mine("verbs"), "nosuch"], 2),
            (["events", "nosuch"], 1),
            (["ps"], 0),
            (["ps", "nosuch"], 2),
            (["plan", BLUE], 0),
            (["plan", wrong], 2),
            (["plan", "/nosuch.py"], 2),
            (["plan", BLUE, "--nosuch"], 2),
            (["draw", BLUE], 0),
            (["draw", wrong], 2),
            (["draw", BLUE, "-o", "/nosuch/x.svg"], 2),
            ([BLUE, empty], 0),
            ([BLUE, failing], 5),
            ([BLUE, "/nosuch/script"], 2),
            ([BLUE, "-c", "blue false"], 1),
            ([BLUE, "-c", "exit 6"], 6),
            ([wrong], 2),
            (["nosuch"], 2),
            (["nosuch", BLUE], 2),
            ([], 2),
        ):
            done = pynetemu(*words)
            assert done.returncode == status, (words, done)
