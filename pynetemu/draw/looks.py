"""How each kind of node looks: `look("router").mark == "◆"`. A kind that is not known here looks like `_OTHER`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """A kind in all pictures.

    `mark` stands for it in the terminal, `icon` is a path in a square of 16 pixels, `round` says how round the corners are,
    from 0 to 1. `light` and `dark` are the colors of the inside and of the border on such backgrounds. `dot` and `mermaid`
    are shapes of those languages.
    """

    mark: str
    icon: str
    round: float
    light: tuple[str, str]
    dark: tuple[str, str]
    dot: str = "box"
    mermaid: tuple[str, str] = ("[", "]")


_BLUE = ("#ddf4ff", "#0969da"), ("#0c2d6b", "#58a6ff")
_GREEN = ("#dafbe1", "#1a7f37"), ("#0f3d1e", "#3fb950")
_YELLOW = ("#fff8c5", "#9a6700"), ("#4b2900", "#d29922")
_RED = ("#ffebe9", "#cf222e"), ("#5d0f12", "#ff7b72")
_PURPLE = ("#fbefff", "#8250df"), ("#3c1e70", "#bc8cff")
_GRAY = ("#f6f8fa", "#6e7781"), ("#161b22", "#8b949e")

_LOOKS = {
    "host": Look("○", "M2 3h12v8H2zM5 14h6M8 11v3", 0.4, *_GREEN, mermaid=("(", ")")),
    "switch": Look("●", "M2 5h11M10 2l3 3-3 3M14 11H3M6 8l-3 3 3 3", 0.1, *_BLUE),
    "hub": Look("◎", "M8 8L3 3M8 8l5-5M8 8v6M6 8a2 2 0 1 0 4 0a2 2 0 1 0-4 0", 0.1, *_BLUE),
    "router": Look("◆", "M1.5 8a6.5 6.5 0 1 0 13 0a6.5 6.5 0 1 0-13 0M4.5 8h7M8 4.5v7", 1.0, *_YELLOW, "ellipse", ("([", "])")),
    "root": Look("■", "M1.5 8L8 2l6.5 6M4 7v7h8V7", 0.1, *_RED, mermaid=("[[", "]]")),
    "nat": Look("◇", "M1 8h6M4.5 5l3 3-3 3M10 2v12M12 8h3", 0.4, *_PURPLE, "hexagon", ("{{", "}}")),
    "group": Look("○", "M2 5h9v9H2zM5 5V2h9v9h-3", 0.1, *_GRAY, mermaid=("(", ")")),
}
_OTHER = Look("◇", "M8 1.5l6 3.3v6.4l-6 3.3-6-3.3V4.8z", 0.4, *_PURPLE, "hexagon", ("{{", "}}"))


def look(kind: str) -> Look:
    return _LOOKS.get(kind, _OTHER)


def is_switch(kind: str) -> bool:
    """Whether interfaces are mere ports, named after the neighbors."""
    return kind in ("switch", "hub", "group")
