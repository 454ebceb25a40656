"""A sheet of characters on which lines join by themselves: where one ends on another there is a ┬, where they cross a ┼."""

from collections.abc import Sequence
from itertools import pairwise

from pynetemu.safe_text import printable
from pynetemu.terminal_output import RESET, codes

_UP, _RIGHT, _DOWN, _LEFT = 1, 2, 4, 8
_LINES = " ╵╶└╷│┌├╴┘─┴┐┤┬┼"  # by the sum of the directions in which a line leaves the cell
_ASCII_LINES = " |-`||.+-'-+.+++"
_ASCII = str.maketrans({"…": "~", "●": "#", "○": "o", "◆": "@", "■": "H", "◇": "%", "◎": "&", "·": "-"})
CHARACTERS = _LINES + "".join(map(chr, _ASCII))  # all that pictures are drawn with, unless in ASCII
_STYLES = {
    "bold": "bold",
    "dim": "faint",
    "root": "bold red",
    "host": "green",
    "switch": "cyan",
    "hub": "cyan",
    "router": "yellow",
}
_OTHER_STYLE = "magenta"

Point = tuple[int, int]


class Canvas:
    """Columns count from the left and rows from the top; anything may be drawn anywhere right and below of (0, 0).

    canvas = Canvas()
    canvas.line([(0, 0), (0, 2), (4, 2)])
    canvas.write(6, 2, "h1", "host")
    print(canvas.as_text())
    """

    def __init__(self) -> None:
        self._lines: dict[Point, int] = {}
        self._characters: dict[Point, tuple[str, str]] = {}

    def line(self, points: Sequence[Point]) -> None:
        """A line along corners, each straight below, above or beside the one before."""
        for (x, y), (to_x, to_y) in pairwise(points):
            step_x, step_y = _sign(to_x - x), _sign(to_y - y)
            there, back = (_RIGHT, _LEFT) if step_x > 0 else (_LEFT, _RIGHT) if step_x else (_DOWN, _UP)
            if step_y < 0:
                there, back = _UP, _DOWN
            while (x, y) != (to_x, to_y):
                self._lines[x, y] = self._lines.get((x, y), 0) | there
                x, y = x + step_x, y + step_y
                self._lines[x, y] = self._lines.get((x, y), 0) | back

    def box(self, x: int, y: int, width: int, height: int) -> None:
        right, bottom = x + width - 1, y + height - 1
        self.line([(x, y), (right, y), (right, bottom), (x, bottom), (x, y)])

    def bridge(self, x: int, y: int) -> None:
        """Where a line from left to right passes under one from top to bottom, without touching it."""
        self._lines[x, y] = _UP | _DOWN

    def write(self, x: int, y: int, text: str, style: str = "") -> None:
        """Writes text from a place on to the right; `style` is one of `terminal_output.paint`."""
        for column, character in enumerate(printable(text), start=x):
            self._characters[column, y] = character, style

    def is_free(self, x: int, y: int, width: int) -> bool:
        cells = {(column, y) for column in range(x, x + width)}
        return not cells & (self._lines.keys() | self._characters.keys())

    def place(self, x: int, y: int, other: "Canvas") -> None:
        """Copies another canvas, its corner at (x, y)."""
        self._lines |= {(x + column, y + row): sides for (column, row), sides in other._lines.items()}
        self._characters |= {(x + column, y + row): cell for (column, row), cell in other._characters.items()}

    def as_text(self, ascii: bool = False, color: bool = False) -> str:
        """All rows, without blanks at their ends."""
        cells = {point: (_LINES[sides], "dim") for point, sides in self._lines.items()}
        if ascii:
            cells = {point: (_ASCII_LINES[sides], "dim") for point, sides in self._lines.items()}
        cells |= self._characters
        width, height = (1 + max((point[axis] for point in cells), default=-1) for axis in (0, 1))
        blank = " ", ""
        lines = (_row([cells.get((x, y), blank) for x in range(width)], color) for y in range(height))
        text = "".join(line + "\n" for line in lines)
        return text.translate(_ASCII) if ascii else text


def _row(cells: Sequence[tuple[str, str]], color: bool) -> str:
    text = "".join(character for character, _ in cells).rstrip()
    if not color:
        return text
    parts, before = [], ""
    for character, style in cells[: len(text)]:
        if style != before:
            parts.append(f"\x1b[0;{codes(_STYLES.get(style, _OTHER_STYLE))}m" if style else RESET)
            before = style
        parts.append(character)
    return "".join(parts) + RESET * bool(before)


def cut(text: str, width: int) -> str:
    """A text that may be too long: cut("eth0 10.0.0.1/24", 8) == "eth0 10…"."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…" * (width > 0)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
