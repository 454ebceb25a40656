"""How each kind of node looks in a picture; one that is not known here is drawn like `_OTHER`."""

_MARKS = {"host": "○", "switch": "●", "hub": "◎", "router": "◆", "root": "■", "nat": "◇", "group": "○"}
_OTHER = "◇"


def mark(kind: str) -> str:
    """The sign of a kind in the terminal."""
    return _MARKS.get(kind, _OTHER)
