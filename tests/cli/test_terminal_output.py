"""What an output can take, on pseudo-terminals: colors, characters, columns."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from functools import partial
from io import StringIO, TextIOWrapper
from termios import tcsetwinsize

import pytest

from pynetemu import Network, Table
from pynetemu.draw.canvas import CHARACTERS
from pynetemu.shell import registry
from pynetemu.shell.help import help_of_node, help_text, overview
from pynetemu.terminal_output import (
    PROTOCOL_STYLES,
    can_print,
    codes,
    fitted,
    has_colors,
    has_screen,
    in_last_column,
    no_room,
    paint,
    painted,
    terminal_lines,
    terminal_width,
    width,
    wrapped,
)
from pynetemu.trace.views.style import ASCII, characters
from topologies.blue import Blue


@contextmanager
def _terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard output is a terminal of 72 columns, xterm, in UTF-8; pytest has another one in fixtures."""
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    controller, end = os.openpty()
    tcsetwinsize(end, (24, 72))
    with monkeypatch.context() as patch, open(end, "w", encoding="utf-8") as file:
        patch.setattr(sys, "stdout", file)
        patch.setattr(sys, "__stdout__", file)
        try:
            yield end
        finally:
            os.close(controller)


@pytest.mark.parametrize(
    ("variable", "value", "colors", "screen"),
    [
        ("TERM", "xterm", True, True),
        ("NO_COLOR", "1", False, True),
        ("NO_COLOR", "", True, True),
        ("TERM", "dumb", False, False),
        ("TERM", None, False, False),
    ],
)
def test_colors_are_for_terminals_that_have_them(
    variable: str, value: str | None, colors: bool, screen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _terminal(monkeypatch):
        if value is None:
            monkeypatch.delenv(variable)
        else:
            monkeypatch.setenv(variable, value)
        assert (has_colors(), has_screen()) == (colors, screen)
        assert paint("x", "bold red") == ("\x1b[1;31mx\x1b[0m" if colors else "x")
        assert paint("x", "bold red", StringIO()) == "x"


def test_a_closed_output_has_no_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    with _terminal(monkeypatch):
        assert has_colors()
        sys.stdout.close()
        assert not has_colors()


def test_the_width_is_the_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    with _terminal(monkeypatch) as terminal:
        assert (width(), terminal_width()) == (72, 72)
        tcsetwinsize(terminal, (0, 0))  # as terminals without a size have it
        assert (width(), terminal_width()) == (100, None)
        monkeypatch.setenv("COLUMNS", "50")
        assert width() == 50


def test_a_pipe_has_no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.delenv("COLUMNS", raising=False)
    with open(reading), open(writing, "w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        monkeypatch.setattr(sys, "__stdout__", file)
        assert (width(), terminal_width(), has_colors()) == (100, None, False)


@pytest.mark.parametrize(("encoding", "pictures"), [("utf-8", True), ("ascii", False), ("latin-1", False), ("cp437", False)])
def test_only_what_the_encoding_has_is_printed(encoding: str, pictures: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull, "wb") as null, TextIOWrapper(null, encoding=encoding) as file:
        monkeypatch.setattr(sys, "stdout", file)
        assert (can_print(CHARACTERS), can_print(characters())) == (pictures, pictures)
        assert can_print("".join(astuple(ASCII)))


@pytest.mark.parametrize(
    ("style", "code"),
    [
        ("", ""),
        ("bold", "1"),
        ("faint", "2"),
        ("red", "31"),
        ("green", "32"),
        ("yellow", "33"),
        ("blue", "34"),
        ("magenta", "35"),
        ("cyan", "36"),
        ("bold red", "1;31"),
    ],
)
def test_styles_are_those_of_ecma_48(style: str, code: str) -> None:
    assert codes(style) == code
    assert painted("x", style) == (f"\x1b[{code}mx\x1b[0m" if style else "x")
    assert painted("", style) == ""


def test_each_protocol_has_a_color() -> None:
    assert PROTOCOL_STYLES == {"ARP": "yellow", "ND": "yellow", "ICMP": "cyan", "TCP": "green", "UDP": "cyan"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a " * 35, "a " * 35),
        ("ab " * 24, ("ab " * 24).strip()),  # 71 columns: the last is left free
        ("ab " * 25, ("ab " * 24).strip() + "\n    ab"),
        ("  hint: " + "ab " * 24, "  hint: " + ("ab " * 21).strip() + "\n      ab ab ab"),
        ("    h1 = Host(" + "x, " * 30, "    h1 = Host(" + "x, " * 30),  # a line of the user's
        ("first\n" + "ab " * 25, "first\n" + ("ab " * 24).strip() + "\n    ab"),
        ("a-" * 40, "a-" * 40),  # words are not broken
    ],
)
def test_messages_are_broken_at_words_in_a_terminal_of_72_columns(
    text: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _terminal(monkeypatch):
        assert wrapped(text, sys.stdout) == shown
    assert wrapped(text, StringIO()) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ab " * 25, ("ab " * 24).strip() + "\n    ab"),
        ("--option  " + "ab " * 25, "--option  " + ("ab " * 20).strip() + "\n          " + ("ab " * 5).strip()),
        ("ab " * 20 + "twelve-columns", ("ab " * 20).strip() + "\n    twelve-columns"),  # words are not broken
        ("a" * 80, "a" * 80),
    ],
)
def test_help_is_broken_at_words_and_goes_on_below_its_second_column(
    text: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _terminal(monkeypatch):
        told = fitted(text)
    assert told.splitlines() == shown.splitlines()
    assert fitted(text) == text  # no terminal


def test_lines_and_columns_are_not_exchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    with _terminal(monkeypatch):
        assert (terminal_lines(), terminal_width()) == (24, 72)


@pytest.mark.parametrize("columns", [40, 80])
def test_help_and_tables_are_broken_at_words(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is longer than a narrow terminal is wide, and nothing is left out."""
    monkeypatch.setenv("NO_COLOR", "1")
    network = Network(Blue())
    table = Table(("node", "interfaces"), [("blue", [f"eth{number} 10.0.0.{number}/24" for number in range(6)])])
    texts: list[Callable[[], str]] = [
        lambda: overview(network.nodes),
        lambda: help_of_node("blue", network),
        *(partial(help_text, command) for command in registry.all_commands()),
        lambda: table.text(everything=True),
    ]
    for text in texts:
        whole = text()
        with _terminal(monkeypatch) as terminal, monkeypatch.context() as patch:
            patch.setenv("NO_COLOR", "1")
            tcsetwinsize(terminal, (24, columns))
            shown = text()
        assert shown.split() == whole.split()
        assert max(map(len, shown.splitlines())) < columns, shown


def test_a_second_column_goes_on_below_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    with _terminal(monkeypatch) as terminal:
        tcsetwinsize(terminal, (24, 40))
        assert fitted("    -c  how often it is asked, in words") == "    -c  how often it is asked, in words"
        assert fitted("    -c  how often it is asked, in more words") == "    -c  how often it is asked, in more\n        words"
        assert in_last_column("one, two, three, four, five", 20) == "one, two, three,\n                    four, five"
        assert in_last_column("one, two, three, four, five", 30) == "one, two, three, four, five"
    assert fitted("a " * 80) == "a " * 80


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (OSError(errno.EFBIG, "File too large"), True),
        (OSError(errno.EIO, "Input/output error"), True),
        (OSError(errno.ENOSPC, "No space left on device", "now.py"), False),
        (OSError(errno.ENOENT, "No such file or directory"), False),
        (ValueError("No space left on device"), False),
    ],
)
def test_an_output_without_room_is_told_from_other_errors(error: Exception, is_full: bool) -> None:
    assert no_room(error) == is_full
