"""Several commands in one line, and operators where a command is missing."""

from collections.abc import Iterator

import pytest

from pynetemu import Network, Shell
from topologies.blue import Blue

_PORTS = "SWITCH PORT BRIDGE PEER STATE LEARNED"  # what `ports` prints where there is no switch


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    with Network(Blue()) as network:
        network["blue"].run("true")
        yield Shell(network)


@pytest.mark.parametrize(
    ("line", "status", "shown"),
    [
        ("echo", 127, ""),
        ("blue echo a; echo b", 0, "a b"),  # after a node's name all is the node's
        ("ports; blue echo a", 0, f"{_PORTS} a"),
        ("ports;blue echo a", 0, f"{_PORTS} a"),
        ("ports; ", 0, _PORTS),
        ("ports ;; ports;", 0, f"{_PORTS} {_PORTS}"),
        ("ports && nosuch; blue echo a", 127, _PORTS),
        ("nosuch || blue echo a", 0, "a"),
        ("ports | wc -l; ports > /dev/null && blue echo a", 0, "1 a"),
    ],
)
def test_commands_of_the_shell_one_after_the_other(
    shell: Shell, line: str, status: int, shown: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert shell.run_lines([line]) == status
    assert capfd.readouterr().out.split() == shown.split()


@pytest.mark.parametrize("line", ["blue; ports", "blue;ports", "blue ; ports", "blue && ports", "blue &&ports"])
def test_a_node_alone_is_its_shell_and_then_comes_the_next_command(line: str, capfd: pytest.CaptureFixture[str]) -> None:
    with Network(Blue()) as network, open("/dev/null") as nothing:
        assert Shell(network, stdin=nothing.fileno()).run_line(line) == 0
    assert capfd.readouterr().out.split() == _PORTS.split()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        *((operator, f"there is no command before `{operator}`") for operator in (";", "&&", "||", "|", "&", ">", "<")),
        ("| wc", "there is no command before `|`"),
        ("ports &&", "there is no command after `&&`"),
        ("ports || ; ports", "there is no command after `||`"),
        ("blue | wc", "there is no command before `|`: blue | wc"),
        ("blue &", "there is no command before `&`: blue &"),
        ("all ; ports", "all: say what to run in these 2 nodes: all ip addr"),
    ],
)
def test_a_command_that_is_missing_is_told_before_anything_runs(
    shell: Shell, line: str, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert shell.run_lines([line]) == 2
    assert tuple(capfd.readouterr()) == ("", f"pynetemu: {told}\n")
