"""How a ladder is drawn: its signs, its colors, its width."""

from dataclasses import dataclass, field

_COLORS = {"ARP": "33", "ND": "33", "ICMP": "36", "TCP": "32", "UDP": "36"}
_BOLD, _DIM, _FAILED, _FINE, _PLAIN = "1", "2", "31;1", "32;1", "0"


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


@dataclass(frozen=True, slots=True)
class Style:
    """`width` is how many columns there are (None: any number); without `color` no escape sequences are written."""

    color: bool = False
    width: int | None = None
    signs: Signs = field(default_factory=Signs)

    def paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.color and text else text

    def of_protocol(self, protocol: str, text: str) -> str:
        return self.paint(_COLORS.get(protocol, _PLAIN), text)

    def bold(self, text: str) -> str:
        return self.paint(_BOLD, text)

    def dim(self, text: str) -> str:
        return self.paint(_DIM, text)

    def failed(self, text: str) -> str:
        return self.paint(_FAILED, text)

    def fine(self, text: str) -> str:
        return self.paint(_FINE, text)

    def words(self, text: str) -> str:
        """The text with signs that this style has."""
        return text.replace("→", self.signs.arrow).replace("…", self.signs.cut) if self.signs == ASCII else text

    def cut(self, text: str, used: int) -> str:
        """The text as far as it fits behind what a line has already."""
        if self.width is None or len(text) + used <= self.width:
            return text
        room = self.width - used
        return text[: room - 1] + self.signs.cut if room > 0 else ""
