"""The command itself: help, wrong arguments, wrong files; exit statuses and exact texts."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.pynetemu import BLUE, PROGRAM, STAR, environment, pynetemu


def test_help_names_every_verb() -> None:
    text = pynetemu("--help").stdout
    for verb in ("run", "plan", "ps", "exec", "attach", "doctor"):
        assert f"\n  {verb} " in text
        assert pynetemu(verb, "--help").returncode == 0


def test_without_arguments_the_help_is_an_error() -> None:
    done = pynetemu()
    assert done.returncode == 2
    assert "usage: pynetemu" in done.stderr


def test_version() -> None:
    from pynetemu import __version__

    assert pynetemu("--version").stdout == f"pynetemu {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch.py"], "pynetemu: there is no file nosuch.py\n"),
        (["test"], "pynetemu: there is no file test\n    hint: `pynetemu --help` lists the verbs\n"),
        (["treee"], "pynetemu: there is no file treee\n    hint: did you mean the shape 'tree'?\n"),
        (["--verison"], "pynetemu: there is no option '--verison'\n    hint: did you mean '--version'?\n"),
        (["list"], "pynetemu: there is no verb or file 'list'\n    hint: did you mean 'ps'?\n"),
        (["pln", "lab.py"], "pynetemu: there is no verb or file 'pln'\n    hint: did you mean 'plan'?\n"),
        ([BLUE, "-p", "n=3"], "pynetemu: Blue has no parameter 'n'\n    hint: Blue has no parameters\n"),
        ([BLUE, "--nosuch"], "pynetemu: unrecognized arguments: --nosuch\n"),
        ([STAR, "-p", "n"], "pynetemu: argument -p: 'n' is not NAME=VALUE, such as n=5\n"),
        (["exec", "nosuchlab", "blue", "--", "ls"], "pynetemu: there is no lab 'nosuchlab'; "),
        (["attach", "nosuchlab"], "pynetemu: there is no lab 'nosuchlab'; "),
    ],
)
def test_wrong_arguments_are_told_in_one_line_or_with_a_hint(arguments: list[str | Path], message: str, tmp_path: Path) -> None:
    (tmp_path / "reprs.py").touch()  # as like to "nosuch.py" as ".py" is
    done = pynetemu(*arguments, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith(message)
    assert done.stdout == ""


def test_a_wrong_description_exits_with_2_and_tells_everything_at_once(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text(
        "from pynetemu import Host, HttpServer, Link, Topology\n"
        "class Lab(Topology):\n"
        "    a = Host()\n"
        "    b = Host()\n"
        '    wire = Link(a.interface("x", "10.0.0.1"), b)\n'
        "    web = HttpServer(b, port=99999)\n"
    )
    done = pynetemu("lab.py", "-c", "a true", cwd=tmp_path)
    assert done.returncode == 2
    assert "lab.py:5: " in done.stderr
    assert "lab.py:6: " in done.stderr
    assert "Traceback" not in done.stderr


def test_parameters_reach_build() -> None:
    done = pynetemu(STAR, "-p", "n=2", "-c", "h1 ping -c1 h2", "-c", "h3 true")
    assert "1 received" in done.stdout
    assert "no node or command 'h3'" in done.stderr


def test_a_parameter_that_build_needs_is_told_without_a_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text(
        "from pynetemu import Host, Topology\nclass Lab(Topology):\n    h1 = Host()\n    def build(self, n): pass\n"
    )
    done = pynetemu("plan", "lab.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "pynetemu: Lab needs the parameter 'n'\n    hint: -p n=..., or Lab(n=...)\n"
    assert pynetemu("plan", "lab.py", "-p", "n=3", cwd=tmp_path).returncode == 0


def test_a_class_is_picked_by_name(tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(
        "from pynetemu import Host, Topology\nclass A(Topology):\n    a = Host()\nclass B(Topology):\n    b = Host()\n"
    )
    assert pynetemu("two.py:B", "-c", "b hostname", cwd=tmp_path).stdout == "b\n"
    ambiguous = pynetemu("two.py", "-c", "b hostname", cwd=tmp_path)
    assert ambiguous.returncode == 2
    assert "two.py:A" in ambiguous.stderr


def test_a_lab_runs_from_any_directory_and_by_its_verb(tmp_path: Path) -> None:
    assert pynetemu("run", BLUE, "-c", "blue hostname", cwd=tmp_path).stdout == "blue\n"


def test_an_interrupted_start_is_quiet(tmp_path: Path) -> None:
    """The user's file stops half-way until it is interrupted, as a slow one would be."""
    (tmp_path / "slow.py").write_text("import os\nos.kill(os.getpid(), 2)\n")
    done = subprocess.run(
        [*PROGRAM, "slow.py"], capture_output=True, text=True, cwd=tmp_path, env=environment(), timeout=20, check=False
    )
    assert done.returncode == -signal.SIGINT
    assert done.stderr == ""


@pytest.mark.parametrize("words", [["plan", BLUE], ["--help"], ["draw", "--help"], ["--version"], ["single", "-c", "nodes"]])
def test_a_full_disk_behind_the_output_is_told_in_a_line(words: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), timeout=20, check=False
        )
    assert (done.returncode, done.stderr) == (1, "pynetemu: the output cannot be written: No space left on device\n")
