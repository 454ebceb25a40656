"""How a ladder is drawn: its signs, its colors, its width."""

import textwrap
from dataclasses import astuple, dataclass, field

from pynetemu.terminal_output import PROTOCOL_STYLES, painted

_NARROWEST = 20  # columns that a wrapped text has at least


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of a ladder."""

    start: str = "●"
    passing: str = "○"
    right: str = "▶"
    left: str = "◀"
    dropped: str = "✗"
    waiting: str = "?"
    quiet: str = "·"
    line: str = "━"
    crossing: str = "┿"
    corner: str = "└"
    arrow: str = "→"
    fine: str = "✔"
    bullet: str = "·"
    cut: str = "…"
    down: str = "│"


ASCII = Signs("o", "o", ">", "<", "X", "?", ".", "-", "+", "`", "->", "OK", "-", "~", "|")


def characters() -> str:
    """All that a ladder is drawn with, unless in ASCII."""
    return "".join(astuple(Signs()))


@dataclass(frozen=True, slots=True)
class Style:
    """`width` is how many columns there are (None: any number); without `color` no escape sequences are written."""

    color: bool = False
    width: int | None = None
    signs: Signs = field(default_factory=Signs)

    def paint(self, style: str, text: str) -> str:
        return painted(text, style) if self.color else text

    def of_protocol(self, protocol: str, text: str) -> str:
        return self.paint(PROTOCOL_STYLES.get(protocol, ""), text)

    def bold(self, text: str) -> str:
        return self.paint("bold", text)

    def dim(self, text: str) -> str:
        return self.paint("faint", text)

    def failed(self, text: str) -> str:
        return self.paint("bold red", text)

    def fine(self, text: str) -> str:
        return self.paint("bold green", text)

    def words(self, text: str) -> str:
        """The text with signs that this style has."""
        return text.replace("→", self.signs.arrow).replace("…", self.signs.cut) if self.signs == ASCII else text

    def wrapped(self, text: str, indent: int, further: int | None = None) -> list[str]:
        """The text on as many lines as the width takes, all of it; `further` is the indent of those after the first."""
        first, rest = " " * indent, " " * (indent if further is None else further)
        if self.width is None or indent + len(text) <= self.width:
            return [first + text]
        width = max(self.width, len(rest) + _NARROWEST)
        return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)

    def cut(self, text: str, used: int) -> str:
        """The text as far as it fits behind what a line has already."""
        if self.width is None or len(text) + used <= self.width:
            return text
        room = self.width - used
        return text[: room - 1] + self.signs.cut if room > 0 else ""
