"""What an installation brings besides the command: topologies, completion, the manual page."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from pynetemu.cli.main import VERBS
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.load import load
from tests.support.man_page import page
from tests.support.pynetemu import BLUE, CLONE, PROGRAM, environment, pynetemu


def test_examples_are_listed_shown_and_copied(tmp_path: Path) -> None:
    listed = pynetemu("examples").stdout
    assert {f"{file.relative_to(BLUE.parent).with_suffix('')}" for file in BLUE.parent.rglob("*.py")} <= set(listed.split())
    assert pynetemu("examples", "blue").stdout == BLUE.read_text()
    done = pynetemu("examples", "--copy", str(tmp_path / "labs"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "labs" / "broken" / "mtu.py").exists() or list((tmp_path / "labs" / "broken").iterdir())
    assert compile_plan(load(str(tmp_path / "labs" / "blue.py"))).nodes == ("root", "blue")
    again = pynetemu("examples", "blue", "--copy", str(tmp_path / "labs"))
    assert (again.returncode, again.stderr.count("already")) == (2, 1)
    unknown = pynetemu("examples", "blu")
    assert (unknown.returncode, "did you mean 'blue'?" in unknown.stderr) == (2, True)


def test_an_example_that_is_elsewhere_is_told_of(tmp_path: Path) -> None:
    done = pynetemu("nat.py", "-c", "nodes", cwd=tmp_path)
    assert (done.returncode, "pynetemu examples nat --copy ." in done.stderr) == (2, True)


def test_the_wheel_has_the_examples_and_the_manual_page() -> None:
    wheel = tomllib.loads((CLONE / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"topologies": "pynetemu/examples"}
    assert all((CLONE / source).exists() for source in (*wheel["force-include"], *wheel["shared-data"]))


@pytest.mark.pure
def test_the_manual_page_is_that_of_the_command_line() -> None:
    file = CLONE / "docs" / "pynetemu.1"
    assert file.read_text() == page(), f"run: python -m tests.support.man_page > {file}"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pla"], ["plan"]),
        (["plan", "--as"], ["--as-shell"]),
        (["fat"], ["fat-tree"]),
        (["topologies/bl"], ["topologies/blue.py"]),
        (["topologies/blue.py", "--str"], ["--strict"]),
        (["topologies/br"], ["topologies/bridge.py", "topologies/broken/"]),
        (["completion", ""], ["bash", "zsh"]),
        (["examples", "blu"], ["blue"]),
    ],
)
def test_bash_completes(words: list[str], offered: list[str]) -> None:
    script = f"""
pynetemu() {{ {" ".join(map(str, PROGRAM))} "$@"; }}
eval "$(pynetemu completion bash)"
COMP_WORDS=(pynetemu "$@") COMP_CWORD=$#
_pynetemu
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        ["bash", "-c", script, "bash", *words], capture_output=True, text=True, cwd=CLONE, env=environment(), timeout=50
    )
    assert (sorted(set(done.stdout.split())), done.stderr) == (offered, "")


def test_the_script_for_zsh_is_a_script() -> None:
    text = pynetemu("completion", "zsh").stdout
    assert text.startswith("autoload") and all(verb in text for verb in VERBS)
    if shell := shutil.which("zsh"):
        assert subprocess.run([shell, "-n"], input=text, text=True, timeout=50).returncode == 0
