"""What a signature gives: values, errors, help, options; for our commands, those of the user's file and of plugins."""

import json
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from pynetemu import Host, Network, Shell, Switch, Table, Topology, UsageError, command
from pynetemu.shell import registry
from pynetemu.shell.argument_types import NodeName, NodeNames, RestOfLine, Seconds, SignalNumber
from pynetemu.shell.command import Command
from pynetemu.shell.help import help_text
from pynetemu.shell.reference import as_markdown
from pynetemu.shell.topics import TOPICS
from tests.support.labs import mine, running
from tests.support.pynetemu import CLONE, environment, in_blue, pynetemu

pytestmark = pytest.mark.pure


class Some(Topology):
    s1 = Switch()
    h1 = Host()
    h2 = Host()
    h10 = Host()


@pytest.fixture
def shell() -> Shell:
    return Shell(Network(Some()))


@command
def everything(
    shell: Shell,
    a: NodeName,
    state: Literal["up", "down"] = "up",
    *more: int,
    count: int = 1,
    wait: Seconds = 1.0,
    file: Path | None = None,
    quick: bool = False,
) -> int:
    """is there to be read

    a           a node
    -c, --count  how often
    -q, --quick  at once
    """
    return 0


@command
def sent(shell: Shell, nodes: NodeNames, line: RestOfLine = "", *, signal: SignalNumber = signal.SIGTERM) -> int:
    """takes the rest of the line"""
    return 0


@pytest.mark.parametrize(
    ("text", "arguments", "options"),
    [
        ("h1", ["h1"], {}),
        ("h1 down", ["h1", "down"], {}),
        ("h1 down 1 2 -3", ["h1", "down", 1, 2, -3], {}),
        ("-c 3 h1", ["h1"], {"count": 3}),
        ("h1 -c3 --wait=200ms -q", ["h1"], {"count": 3, "wait": 0.2, "quick": True}),
        ("h1 --file '/tmp/a b'", ["h1"], {"file": Path("/tmp/a b")}),
        ("-- h1", ["h1"], {}),
        ("h1 # a comment", ["h1"], {}),
    ],
)
def test_words_become_values(shell: Shell, text: str, arguments: list[Any], options: dict[str, Any]) -> None:
    assert everything.read(shell, text) == (arguments, options)


@pytest.mark.parametrize(
    ("text", "arguments", "options"),
    [
        ("h* ip addr | wc -l", [("h1", "h2", "h10"), "ip addr | wc -l"], {}),
        ("h2,s1", [("s1", "h2")], {}),
        ("all echo 'a  b'", [("s1", "h1", "h2", "h10"), "echo 'a  b'"], {}),
        ("-9 h1 ls -9 it's", [("h1",), "ls -9 it's"], {"signal": signal.SIGKILL}),
        ("--signal INT h1 -x", [("h1",), "-x"], {"signal": signal.SIGINT}),
    ],
)
def test_the_rest_of_a_line_stays_as_it_is(shell: Shell, text: str, arguments: list[Any], options: dict[str, Any]) -> None:
    assert sent.read(shell, text) == (arguments, options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it needs A"),
        ("h3", "there is no node 'h3'; the nodes are s1, h1, h2, h10"),
        ("h100", "there is no node 'h100'; did you mean 'h10'?"),
        ("h1 uo", "'uo' is not up or down"),
        ("h1 up one", "'one' is not a whole number"),
        ("h1 --cuont 3", "unknown option --cuont; did you mean '--count'?"),
        ("h1 --count", "--count needs a value: --count N"),
        ("h1 --quick=yes", "--quick takes no value"),
        ("h1 --wait soon", "'soon' is not a time; it is a number and a unit, such as 20ms, 1.5s or 200us"),
        ("'h1", "No closing quotation"),
    ],
)
def test_wrong_words_are_named_with_what_is_allowed(shell: Shell, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        everything.read(shell, text)
    usage = "everything A [up|down] [MORE ...] [--count N] [--wait TIME] [--file FILE] [--quick]"
    assert str(caught.value) == f"everything: {message}\n    usage: {usage}"


def test_one_word_too_many_is_named(shell: Shell) -> None:
    with pytest.raises(UsageError, match="plan: one word too many: 'h1'"):
        found("plan").read(shell, "h1")


def test_a_command_may_have_an_option_json_of_its_own(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run_line("plan --json") == 0
    assert json.loads(capsys.readouterr().out)["name"] == "Some"


def test_help_comes_from_the_signature_and_the_docstring() -> None:
    assert help_text(everything) == (
        "everything A [up|down] [MORE ...] [--count N] [--wait TIME] [--file FILE] [--quick]\n"
        "    is there to be read\n"
        "\n"
        "    a           a node\n"
        "\n"
        "    -c, --count N  how often\n"
        "    --wait TIME\n"
        "    --file FILE\n"
        "    -q, --quick    at once"
    )


def test_a_parameter_that_the_shell_cannot_read_is_refused_at_once() -> None:
    def wrong(shell: Shell, what: Sequence[int]) -> None: ...

    with pytest.raises(TypeError, match=r"wrong\(what\): the shell cannot read"):
        command(wrong)


def test_a_command_is_still_a_function(shell: Shell) -> None:
    assert everything(shell, "h1") == 0


def test_a_table_is_text_and_data() -> None:
    table = Table(("node", "ports", "up"), [("s1", ["a", "b"], True), ("long name", [], None)])
    assert table.text(False) == "NODE       PORTS  UP\ns1         a, b   yes\nlong name  -      -"
    assert json.loads(json.dumps(table.data()))[0] == {"node": "s1", "ports": ["a", "b"], "up": True}


def test_the_list_of_commands_is_that_of_the_modules() -> None:
    for topic, names in TOPICS.items():
        assert names.split() == list(registry._of_module(registry._load(topic))), topic


@pytest.mark.parametrize("name", list(registry.names(with_plugins=False)))
def test_every_command_tells_what_it_does(name: str) -> None:
    told = found(name)
    assert told.about and not told.about.endswith(".") and told.about[0].islower()
    assert len(told.about) <= 57  # so that help fits 80 columns
    assert all(option.about for option in told.options), told.usage


def found(name: str) -> Command:
    command = registry.find(name)
    assert command is not None
    return command


def test_the_reference_is_that_of_the_commands() -> None:
    page = CLONE / "docs" / "reference" / "shell.md"
    assert page.read_text() == as_markdown(), f"run: python -m pynetemu.shell.reference > {page}"


_FILE = """\
from pynetemu import Host, Shell, Topology, command

class Lab(Topology):
    a = Host()

@command("hi", name="hello")
def greet(shell: Shell, name: str = "world", *, loud: bool = False) -> int:
    \"""greets

    -l, --loud  in capitals
    \"""
    print(f"hello {name}".upper() if loud else f"hello {name} in {shell.network.name}")
    return 3
"""


def test_the_users_file_has_commands_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text(_FILE)
    assert pynetemu("lab.py", "-c", "hello you", cwd=tmp_path).stdout == "hello you in lab\n"
    done = pynetemu("lab.py", "-c", "help", "-c", "hi -l", cwd=tmp_path)
    assert "hello, hi              greets" in done.stdout
    assert done.stdout.endswith("HELLO WORLD\n") and done.returncode == 3


def test_the_shell_of_another_terminal_has_them_too(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text(_FILE.replace("a = Host()", "blue = Host()"))
    with running(mine("commanded"), file=tmp_path / "lab.py"):
        done = pynetemu("attach", mine("commanded"), input="hello you\n")
    assert (done.stdout, done.returncode) == (f"hello you in {mine('commanded')}\n", 3)


def test_a_wrong_command_in_the_users_file_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text(_FILE + "\n@command\ndef wrong(shell: Shell, what: dict) -> None: ...\n")
    done = pynetemu("lab.py", "-c", "hello", cwd=tmp_path)
    assert done.returncode == 2
    assert "lab.py:15" in done.stderr and "wrong(what): the shell cannot read" in done.stderr


def test_plugins_bring_commands(tmp_path: Path) -> None:
    """A distribution as pip installs it: its metadata name the command, its module has it."""
    information = tmp_path / "greeter-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: greeter\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[pynetemu.commands]\ngreet = greeter:greet\nbroken = greeter:nothing\n")
    (tmp_path / "greeter.py").write_text("def greet(shell, name: str) -> int:\n    print('hello', name)\n    return 4\n")
    path = {"PYTHONPATH": f"{CLONE}{os.pathsep}{tmp_path}"}
    run: Callable[..., Any] = lambda line: pynetemu(CLONE / "topologies/blue.py", "-c", line, env=path)  # noqa: E731
    done = run("greet you")
    assert (done.stdout, done.returncode) == ("hello you\n", 4)
    assert "broken: its plugin greeter:nothing failed: AttributeError" in run("broken").stderr
    assert environment()["PYTHONPATH"] == str(CLONE)


def test_commands_of_the_shell_refuse_the_background() -> None:
    done = in_blue("nodes &")
    assert done.returncode == 2
    assert "nodes: `&` is for commands in nodes" in done.stderr


def test_data_for_programs() -> None:
    rows = json.loads(in_blue("nodes --json").stdout)
    assert [row["node"] for row in rows] == ["root", "blue"]
