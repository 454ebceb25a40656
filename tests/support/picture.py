"""Draws the README's picture: a session of the shell at a real terminal, typed, shown and kept as it looks.

python -m tests.support.picture docs/shell.svg
"""

import io
import re
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.support.terminal import Terminal

_LINES = (
    "blue ping -c 1 root",
    "blue ip route",
    "blue curl -s host:8080",
    "blue ip route del default",
    "blue ping -c 1 host",
    "blue ip route add default via 10.0.0.1",
    "blue curl -s host:8080 | tr a-z A-Z",
    "bleu ls",
)
_OPEN = "pynetemu topologies/blue.py"
_WIDTH = 92
_COLOURS = {"brown": "yellow", "default": "default"}  # pyte's names, where rich has others


def session() -> Any:
    """The terminal's screen after the session, without the last, empty prompt."""
    program = f"{Path(sys.executable).parent}/{_OPEN}"
    with tempfile.TemporaryDirectory() as state:
        shell = ["sh", "-c", f"printf '$ {_OPEN}\\n'; exec {program}"]
        with Terminal(*shell, env={"XDG_STATE_HOME": state}) as terminal:
            for line in _LINES:
                terminal.ask(line)
            terminal.enter("exit")
            terminal.wait()
            return terminal.screen


def as_text(screen: Any) -> Text:
    return Text("\n").join(_line(screen.buffer[row]) for row in range(screen.cursor.y))


def _line(row: Any) -> Text:
    cells = [row[column] for column in range(_WIDTH)]
    line = Text.assemble(*(("".join(cell.data for cell in run), style) for style, run in groupby(cells, _style)))
    line.rstrip()
    return line


def _style(cell: Any) -> str:
    colour = _COLOURS.get(cell.fg, cell.fg)
    if cell.fg not in _COLOURS and len(cell.fg) == 6 and set(cell.fg) <= set("0123456789abcdef"):
        colour = f"#{cell.fg}"
    return f"bold {colour}" if cell.bold else colour


def as_svg(text: Text) -> str:
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(text, soft_wrap=True)
    svg = console.export_svg(title="pynetemu", theme=MONOKAI, unique_id="shell")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # a picture in a page may not load fonts


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(as_svg(as_text(session())))
