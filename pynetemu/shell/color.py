"""Colors for what the shell prints, where they are wanted: on a terminal that has them, unless NO_COLOR is set."""

import os
import sys
from functools import cache
from typing import IO

_CODES = {"bold": 1, "faint": 2, "red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36}


def paint(text: str, style: str, file: IO[str] | None = None) -> str:
    """The text in a style such as "bold red", for a file (standard output); unchanged where there are no colors."""
    if not style or not wanted(file or sys.stdout):
        return text
    return f"\x1b[{';'.join(str(_CODES[word]) for word in style.split())}m{text}\x1b[0m"


def wanted(file: IO[str]) -> bool:
    return _allowed() and is_terminal(file)


def has_screen() -> bool:
    """Whether standard output is a terminal that understands more than lines."""
    return is_terminal(sys.stdout) and os.environ.get("TERM", "dumb") != "dumb"


def is_terminal(file: IO[str]) -> bool:
    try:
        return file.isatty()
    except ValueError:  # it is closed
        return False


@cache
def _allowed() -> bool:
    """See no-color.org; a dumb terminal would print the codes."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
