"""Draws sessions of the shell: at a real terminal, typed, shown and kept as they look.

python -m tests.support.picture docs/shell.svg docs/pictures/pingall.svg docs/pictures/typing.svg
"""

import io
import re
import sys
import tempfile
from dataclasses import dataclass
from html import unescape
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.support.terminal import Terminal

_ROWS, _WIDTH = 24, 92


@dataclass(frozen=True, slots=True)
class Session:
    """Lines that are typed into the shell of a lab; `last` is typed without Enter, to be seen as it stands."""

    lab: str
    lines: tuple[str, ...]
    last: str = ""


_SESSIONS = {
    "shell": Session(
        "blue",
        (
            "blue ping -c 1 root",
            "blue ip route",
            "blue curl -s host:8080",
            "blue ip route del default",
            "blue ping -c 1 host",
            "blue ip route add default via 10.0.0.1",
            "blue curl -s host:8080 | tr a-z A-Z",
            "bleu ls",
        ),
    ),
    "pingall": Session(
        "bridge",
        (
            "pingall",
            "link blue s1 down",
            "pingall -t 200ms",
            "link blue s1 up",
            "blue,green ping -c1 -q root | grep loss",
            "fdb",
            "iperf blue green",
        ),
    ),
    "typing": Session("star", ("h* hostname", "h1 ping -qi0.05 h3 >/dev/null &"), "pingall --\t"),
}
_COLORS = {"brown": "yellow", "default": "default"}  # pyte's names, where rich has others


def draw(session: Session) -> Text:
    """What the terminal shows after a session, without the last, empty prompt."""
    command = f"pynetemu topologies/{session.lab}.py"
    program = f"{Path(sys.executable).parent}/{command}"
    with tempfile.TemporaryDirectory() as state:
        shell = ["sh", "-c", f"stty rows {_ROWS} cols {_WIDTH}; printf '$ {command}\\n'; exec {program}"]
        with Terminal(*shell, prompt=f"{session.lab}> ", env={"XDG_STATE_HOME": state}) as terminal:
            for line in session.lines:
                terminal.ask(line)
            if session.last:
                terminal.type(session.last)
                terminal.expect(r"(?s)--json.*[1-9]\d* packets/s")
                return _text(terminal.screen, len(terminal.screen.buffer))
            terminal.enter("exit")
            terminal.wait()
            return _text(terminal.screen, terminal.screen.cursor.y)


def _text(screen: Any, rows: int) -> Text:
    text = Text("\n").join(_line(screen.buffer[row]) for row in range(rows))
    text.rstrip()
    return text


def _line(row: Any) -> Text:
    cells = [row[column] for column in range(_WIDTH)]
    line = Text.assemble(*(("".join(cell.data for cell in run), style) for style, run in groupby(cells, _style)))
    line.rstrip()
    return line


def _style(cell: Any) -> str:
    colors = _color(cell.fg) if cell.bg == "default" else f"{_color(cell.fg)} on {_color(cell.bg)}"
    return f"bold {colors}" if cell.bold else colors


def _color(name: str) -> str:
    if name not in _COLORS and len(name) == 6 and set(name) <= set("0123456789abcdef"):
        return f"#{name}"
    return _COLORS.get(name, name)


# Some viewers leave out spaces at the start of a text, even those that must stay.
_LEADING_SPACES = re.compile(r'x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"([^>]*)>((?:&#160;)+)([^<]*)')


def _without_leading_spaces(found: "re.Match[str]") -> str:
    x, length, spaces = float(found[1]), float(found[3]), found[5].count("&#160;")
    shift = spaces * length / len(unescape(found[5] + found[6]))
    return f'x="{x + shift:g}" y="{found[2]}" textLength="{length - shift:g}"{found[4]}>{found[6]}'


def as_svg(text: Text, name: str) -> str:
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(text, soft_wrap=True)
    svg = console.export_svg(title="pynetemu", theme=MONOKAI, unique_id=name)
    svg = _LEADING_SPACES.sub(_without_leading_spaces, svg)
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # a picture in a page may not load fonts


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(as_svg(draw(_SESSIONS[path.stem]), path.stem))
