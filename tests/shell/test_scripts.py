"""Scripts: a file beside the description, `source`, standard input; where they stop, and what they say then."""

import os
from pathlib import Path

import pytest

from pynetemu.shell.language import argv_of, logical_lines, parse
from tests.support.labs import mine
from tests.support.pynetemu import BLUE, PROGRAM, pynetemu

_SCRIPT = """\
# comments and empty lines

blue echo one   # and a comment behind
blue sh -c 'echo two
echo three'
blue echo fo\\
ur
set +e
blue false
blue echo five
set -e
blue sh -c "exit 3"
blue echo never
"""


@pytest.mark.parametrize("how", ["script", "source", "standard input"])
def test_a_script_runs_up_to_the_line_that_fails(how: str, tmp_path: Path) -> None:
    file = tmp_path / "lab.txt"
    file.write_text(_SCRIPT)
    if how == "script":
        done = pynetemu(BLUE, file)
    elif how == "source":
        done = pynetemu(BLUE, "-c", f"source {file}", "-c", "blue echo never")
    else:
        done = pynetemu(BLUE, input=_SCRIPT)
    assert done.stdout == "one\ntwo\nthree\nfour\nfive\n"
    assert done.returncode == 3
    named = f'pynetemu: {file}:12: status 3: blue sh -c "exit 3"\n'
    assert done.stderr == ("" if how == "standard input" else named)


def test_exit_in_a_script_leaves_with_its_status(tmp_path: Path) -> None:
    (tmp_path / "inner").write_text("exit 4\n")
    (tmp_path / "outer").write_text(f"source {tmp_path}/inner\nblue echo never\n")
    done = pynetemu(BLUE, tmp_path / "outer")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 4)


def test_a_script_that_runs_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "self").write_text(f"source {tmp_path}/self\n")
    done = pynetemu(BLUE, tmp_path / "self")
    assert "too many nested lines" in done.stderr
    assert done.returncode == 1


def test_programs_of_a_script_read_what_the_shell_was_given(tmp_path: Path) -> None:
    (tmp_path / "lab.txt").write_text("blue cat\n")
    assert pynetemu(BLUE, tmp_path / "lab.txt", input="given\n").stdout == "given\n"


def test_wrong_scripts_are_refused_before_anything_is_built(tmp_path: Path) -> None:
    done = pynetemu(BLUE, tmp_path / "nosuch")
    assert done.stderr == f"pynetemu: {tmp_path}/nosuch: No such file or directory\n"
    assert pynetemu(BLUE, tmp_path / "nosuch", "-c", "nodes").stderr == "pynetemu: say a script or -c, not both\n"


def test_reload_reads_the_description_anew(tmp_path: Path) -> None:
    text = "from pynetemu import Host, Topology\nclass Lab(Topology):\n    a = Host()\n"
    (tmp_path / "lab.py").write_text(text)
    (tmp_path / "more.py").write_text(text + "    b = Host()\n")
    (tmp_path / "wrong.py").write_text(text + "    b = Host(\n")
    script = "nodes | tail -1\n!cp more.py lab.py\nreload\nb hostname\n!cp wrong.py lab.py\nset +e\nreload\nb hostname\n"
    done = pynetemu("lab.py", input=script, cwd=tmp_path)
    assert done.stdout == "a     host  -\nadded b\nb\nb\n"
    assert "lab.py:4: SyntaxError: '(' was never closed" in done.stderr


def test_reload_tells_what_it_would_do_undo_takes_it_back_and_fresh_makes_all_anew(tmp_path: Path) -> None:
    text = "from pynetemu import *\nclass Lab(Topology):\n    s1 = Switch()\n    a = Host()\n    w = Link(a, s1)\n"
    (tmp_path / "lab.py").write_text(text)
    (tmp_path / "more.py").write_text(text + "    b = Host()\n    x = Link(b, s1)\n")
    lines = [
        "a sleep 1001 &",
        "!cp more.py lab.py",
        "reload --dry-run | head -2",
        "reload",
        "a pgrep sleep | wc -l",
        "b ping -c1 a | grep received",
        "undo",
        "nodes | tail -1",
        "reload --fresh",
        "a pgrep sleep | wc -l",
        "b ping -c1 a | grep received",
        f"!{' '.join(PROGRAM)} ps | grep -o '^{mine('reloaded')} *' | sed 's/ //g'",
        "reload",
    ]
    done = pynetemu("lab.py", "--name", mine("reloaded"), input="\n".join(lines), cwd=tmp_path)
    received = "1 packets transmitted, 1 received, 0% packet loss, time 0ms"
    assert done.stdout.splitlines() == [
        "ip netns add b",
        "ip -n b link set dev lo up",
        "added b; changed s1",
        "1",
        received,
        "removed b; changed s1",
        "a     host    eth0 10.0.1.11/24",
        "0",
        received,
        mine("reloaded"),
        "nothing has changed",
    ], done.stderr


def test_apply_changes_a_lab_from_another_terminal(tmp_path: Path) -> None:
    text = "from pynetemu import *\nclass Lab(Topology):\n    s1 = Switch()\n    a = Host()\n    w = Link(a, s1)\n"
    (tmp_path / "lab.py").write_text(text)
    (tmp_path / "more.py").write_text(text + "    b = Host()\n    x = Link(b, s1)\n")
    program = " ".join(PROGRAM)
    lines = [
        f"!{program} apply more.py {mine('applied')}",
        "b ping -c1 a | grep received",
        f"!{program} apply lab.py {mine('applied')} --dry-run",
        f"!{program} apply lab.py {mine('applied')}",
        "b ping -c1 a",
    ]
    done = pynetemu("lab.py", "--name", mine("applied"), input="\n".join(lines), cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "added b; changed s1",
        "1 packets transmitted, 1 received, 0% packet loss, time 0ms",
        "ip -n b link del dev eth0",
        "ip netns del b",
        "removed b; changed s1",
    ], done.stderr
    assert "no node or command 'b'" in done.stderr
    assert "there is no lab 'nosuch'" in pynetemu("apply", "lab.py", "nosuch", cwd=tmp_path).stderr


def test_apply_finds_the_lab_by_its_description_with_its_parameters(tmp_path: Path) -> None:
    name = f"Sized{os.getpid()}"
    build = "    def build(self, n: int) -> None:\n        for i in range(n):\n            self.add(f'h{i}', Host())\n"
    (tmp_path / "lab.py").write_text(f"from pynetemu import *\nclass {name}(Topology):\n{build}")
    done = pynetemu("lab.py", "-p", "n=1", input=f"!{' '.join(PROGRAM)} apply lab.py -p n=3\nh2 hostname", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("added h1, h2\nh2\n", "")


def test_reload_of_a_description_that_exits_leaves_the_lab_as_it_is(tmp_path: Path) -> None:
    text = "from pynetemu import Host, Topology\nclass Lab(Topology):\n    a = Host()\n"
    (tmp_path / "lab.py").write_text(text)
    (tmp_path / "exits.py").write_text(f"import sys\n{text}    def build(self):\n        sys.exit()\n")
    done = pynetemu("lab.py", input="!cp exits.py lab.py\nset +e\nreload\na hostname\n", cwd=tmp_path)
    assert (done.stdout, done.returncode) == ("a\n", 0)
    assert "lab.py:6: Lab.build failed: SystemExit" in done.stderr


@pytest.mark.pure
@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        (["a 'b", "c'", "d"], [(1, "a 'b\nc'"), (3, "d")]),
        (["a \\", "b"], [(1, "a b")]),
        (["# it's", "b"], [(1, "# it's"), (2, "b")]),
        (["py 'it\\'s'", "b"], [(1, "py 'it\\'s'"), (2, "b")]),
        (["a 'b", "c"], [(1, "a 'b\nc")]),
        (["a <<X", "it's", "X", "b"], [(1, "a <<X\nit's\nX"), (4, "b")]),
        (["a <<-'x y' <<Z; b", "\tx y", "Z", "c"], [(1, "a <<-'x y' <<Z; b\n\tx y\nZ"), (4, "c")]),
        (["a <<<X # <<Y 'z", "b"], [(1, "a <<<X # <<Y 'z"), (2, "b")]),
        (["py 1 <<2", "pyramid 'b", "c'"], [(1, "py 1 <<2"), (2, "pyramid 'b\nc'")]),
        (["a b\\", "c 'd\\", "e' \\", "f"], [(1, "a bc 'd\\\ne' f")]),
        (["a <<X", "b"], [(1, "a <<X\nb")]),
        (["a \\"] * 100_000, [(1, "a " * 99_999 + "a ")]),
        (["a 'b", *["c"] * 100_000, "'"], [(1, "a 'b" + "\nc" * 100_000 + "\n'")]),
    ],
    ids=range(13),
)
def test_lines_go_on_while_a_quote_is_open(lines: list[str], joined: list[tuple[int, str]]) -> None:
    assert list(logical_lines(lines)) == joined


@pytest.mark.pure
def test_a_line_of_a_megabyte_is_read_once() -> None:
    """With time that grows as its square this would take longer than a test may."""
    line = parse(f"blue echo {'x' * 5_000_000} 'a b' &")
    assert line is not None
    rest, background = line.for_node()
    assert background
    assert argv_of(rest)[2:] == ["a b"]
