"""What a line of the shell means: a word, which is a node, a set of nodes or a command of the shell, and the rest.

The rest of a node's line is for the node. Plain words are a program and its arguments; anything more (pipes, `>`, `$`, `&&`)
is a line for `sh` in the node, so that it means what it means everywhere.
"""

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetemu.errors import UsageError
from pynetemu.shell.words import split

if TYPE_CHECKING:
    from pynetemu.shell.command import Command

# Characters and quoted strings that mean the same to shlex and to sh (POSIX XCU 2.2, 2.6).
_PLAIN = re.compile(r"""(?:[\w@%+:,./=\- \t]|'[^']*'|"[^"$`\\]*")*""", re.ASCII)
SH_WORDS = frozenset(
    ". : ! { [[ alias bg break builtin case cd command continue eval exec exit export fg for getopts hash if "  # noqa: SIM905
    "jobs local read readonly return set shift source time times trap type ulimit umask unalias unset until wait while".split()
)
_QUOTED_OR_OUTPUT = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.|([|>])""", re.DOTALL)
_PYTHON = ("py", "px")  # whose quotes are Python's


@dataclass(frozen=True, slots=True)
class Line:
    """A line taken apart: `word` is its first word, `rest` the text after it."""

    word: str
    rest: str

    def for_node(self) -> tuple[str, bool]:
        """The rest without a `&` at its end, and whether it had one; raises ValueError for a quote that is not closed."""
        if self.rest == "&":
            raise ValueError("there is no command before `&`")
        words = list(shlex.shlex(self.rest, posix=True, punctuation_chars=True))
        background = len(words) > 1 and words[-1] == "&" and self.rest.endswith("&")
        return (self.rest[:-1].rstrip() if background else self.rest), background

    def for_command(self, command: "Command") -> tuple[str, str]:
        """The text for one of the shell's commands, and where its output goes: "", or `| ...`, `> ...`; raises UsageError."""
        if command.takes_rest:
            return self.rest, ""
        text, tail = _without_output(self.rest)
        if not tail and text.endswith("&") and not text.endswith("\\&"):
            if any(option.name == "background" for option in command.options):
                return f"{text[:-1]} --background", ""
            raise UsageError(f"{self.word}: `&` is for commands in nodes; this one runs in the foreground only")
        return text, tail


def parse(text: str) -> Line | None:
    """Takes a line apart; None for an empty line or a comment. `!LINE` is `sh LINE`, `?CMD` is `help CMD`."""
    text = text.strip()
    if not text or text.startswith("#"):
        return None
    for mark, word in ("!", "sh"), ("?", "help"):
        if text.startswith(mark):
            return Line(word, text[1:].strip())
    word, *rest = text.split(None, 1)
    return Line(word, rest[0] if rest else "")


def logical_lines(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, joined where a quote is still open or a backslash ends the line."""
    kept: list[str] = []
    start = 0
    for number, line in enumerate(lines, 1):
        if not kept:
            start = number
        kept.append(line.rstrip("\r\n"))
        text = "\n".join(kept)
        if is_whole(text):
            yield start, text.replace("\\\n", "")
            kept = []
    if kept:
        yield start, "\n".join(kept)


def is_whole(text: str) -> bool:
    """Whether a line ends here: no quote is open, no backslash at its end."""
    if text.lstrip().startswith(("#", *_PYTHON)):
        return True
    try:
        split(text)
    except ValueError:
        return False
    return True


def argv_of(rest: str) -> list[str]:
    """The program and arguments for a node: the words themselves, or `sh -c` with the text where it takes a shell."""
    if _PLAIN.fullmatch(rest):
        words = shlex.split(rest)
        if words and words[0] not in SH_WORDS and "=" not in words[0]:
            return words
    return ["sh", "-c", rest]


def _without_output(text: str) -> tuple[str, str]:
    """Cuts a text at its first `|` or `>` that is not quoted."""
    for found in _QUOTED_OR_OUTPUT.finditer(text):
        if found[1]:
            return text[: found.start()].rstrip(), text[found.start() :]
    return text, ""
