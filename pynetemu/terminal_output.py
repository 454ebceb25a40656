"""What an output can take: colors, characters, columns; and the one palette of all that is printed.

Colors are for terminals that have them (TERM is neither unset nor "dumb"), unless NO_COLOR is set: no-color.org.
"""

import errno
import os
import sys
from typing import IO

RESET = "\x1b[0m"
# By protocol, in captures and in traces.
PROTOCOL_STYLES = {"ARP": "yellow", "ND": "yellow", "ICMP": "cyan", "TCP": "green", "UDP": "cyan"}
_CODES = {"bold": 1, "faint": 2, "red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36}
_OURS = ("hint:", "fix:", "usage:", "`pynetemu doctor`")  # indented lines of messages that are not quotes
_IN_ASCII = {"→": "->", "⇄": "<->", "·": "-", "…": "...", "µ": "u", "²": "2", "³": "3", "¼": "1/4"}
_DEFAULT_WIDTH = 100
_NARROWEST = 16  # columns in which words are worth breaking lines at
_NO_ROOM = errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO


def no_room(error: BaseException) -> bool:
    """Whether an error is that of an output behind which a disk is full or broken."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM and error.filename is None


def codes(style: str) -> str:
    """The parameters of SGR (ECMA-48) for a style: codes("bold red") == "1;31"."""
    return ";".join(str(_CODES[word]) for word in style.split())


def painted(text: str, style: str) -> str:
    """The text in a style such as "bold red", whatever the output."""
    return f"\x1b[{codes(style)}m{text}{RESET}" if style and text else text


def paint(text: str, style: str, file: IO[str] | None = None) -> str:
    """The text in a style, for a file (standard output); unchanged where there are no colors."""
    return painted(text, style) if style and has_colors(file) else text


def has_colors(file: IO[str] | None = None) -> bool:
    """Whether a file (standard output) shows colors: a terminal that is not dumb, unless the user has set NO_COLOR."""
    return not os.environ.get("NO_COLOR") and has_screen(file)


def has_screen(file: IO[str] | None = None) -> bool:
    """Whether a file (standard output) is a terminal that understands more than lines."""
    return is_terminal(file or sys.stdout) and os.environ.get("TERM", "dumb") != "dumb"


def is_terminal(file: IO[str]) -> bool:
    """Whether a file is a terminal; one that is closed is none."""
    try:
        return file.isatty()
    except ValueError:  # it is closed
        return False


def can_print(text: str) -> bool:
    """Whether standard output has these characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def in_ascii(error: UnicodeError) -> tuple[str, int]:
    """An error handler (codecs.register_error) for outputs that lack characters: those that we write have others that stand for
    them, of the user's the code is shown."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_IN_ASCII.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in text), error.end


def width() -> int:
    """The columns of COLUMNS or the terminal; 100 where there is none."""
    from shutil import get_terminal_size

    return get_terminal_size((_DEFAULT_WIDTH, 24)).columns


def terminal_width() -> int | None:
    """The columns of the terminal that standard output is; None for a pipe or a file, whose lines may be of any length."""
    return _size(sys.stdout)[0]


def terminal_lines() -> int | None:
    """How many lines the terminal has that standard output is; None for a pipe or a file."""
    return _size(sys.stdout)[1]


def wrapped(text: str, file: IO[str]) -> str:
    """A message for people, broken at words where a file is a terminal; what it quotes of the user's stays as it is."""
    columns = _size(file)[0] if is_terminal(file) else None
    if columns is None or len(text) < columns:
        return text
    return "\n".join(_broken(line, columns) for line in text.split("\n"))


def fitted(text: str) -> str:
    """Lines for the terminal that standard output is, broken at words; a second column goes on below its beginning."""
    columns = terminal_width()
    if columns is None:
        return text
    return "\n".join(_at_words(line, columns, _second_column(line, columns)) for line in text.split("\n"))


def in_last_column(text: str, start: int) -> str:
    """What stands from a column of the terminal that standard output is to its right edge, broken at words."""
    columns = terminal_width()
    if columns is None or columns - start < _NARROWEST:
        return text
    return _at_words(text, columns - start, 0).replace("\n", f"\n{'':{start}}")


def _second_column(line: str, columns: int) -> int:
    indent = len(line) - len(line.lstrip())
    gap = line.find("  ", indent)
    column = len(line) - len(line[gap:].lstrip()) if gap >= 0 else columns
    return column if column <= columns // 2 else indent or 4


def _broken(line: str, columns: int) -> str:
    indent = len(line) - len(line.lstrip())
    is_quoted = bool(indent) and not line.lstrip().startswith(_OURS)
    return line if is_quoted else _at_words(line, columns, indent + 4)


def _at_words(line: str, columns: int, further: int) -> str:
    """A line in pieces that a terminal of so many columns has room for; those after the first begin further right."""
    if len(line) < columns:
        return line
    from textwrap import wrap

    lines = wrap(
        line, max(columns - 1, _NARROWEST), subsequent_indent=" " * further, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines)


def _size(file: IO[str]) -> tuple[int | None, int | None]:
    try:
        columns, lines = os.get_terminal_size(file.fileno())
    except (OSError, ValueError):  # nothing that has a terminal, or a descriptor
        return None, None
    return columns or None, lines or None
