"""Text of strangers (packets, other users' names, programs' output) made fit for terminals and pictures.

A DNS name or an HTTP line may have escape sequences, that move a terminal's cursor or set its keys, carriage returns that
write over what stands there, and marks that turn the reading direction round.
"""

import re

# Control characters (C0, DEL, C1), marks of direction and of lines, the byte order mark, halves of pairs (Unicode 15, 23.2).
_UNSAFE = "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
_UNSAFE_IN_LINES = _UNSAFE.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f")
_MERMAID = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", ";": "#59;", "%": "#37;", "`": "#96;", "&": "#amp;"}
_IN_MERMAID = str.maketrans(_MERMAID)


def printable(text: str) -> str:
    """The text on one line, with escapes for what would not simply be shown: printable("a\\x1b[2Jb") == "a\\\\x1b[2Jb"."""
    return text if text.isascii() and text.isprintable() else re.sub(_UNSAFE, _escape, text)


def printable_lines(text: str) -> str:
    """As `printable`, but for ends of lines and tabs."""
    return re.sub(_UNSAFE_IN_LINES, _escape, text.replace("\r\n", "\n"))


def in_mermaid(text: str) -> str:
    """The text as a label of a Mermaid diagram, in which nothing of it is Mermaid's language or HTML."""
    return printable(text).translate(_IN_MERMAID)


def _escape(found: "re.Match[str]") -> str:
    return found.group().encode("unicode_escape", "surrogatepass").decode()
