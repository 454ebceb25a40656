"""What a line of the shell means: a word, which is a node or a command of the shell, and the rest.

The rest is for the node. Plain words are a program and its arguments; anything more (pipes, `>`, `$`, `&&`) is a line for
`sh` in the node, so that it means what it means everywhere.
"""

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetemu.errors import UsageError

if TYPE_CHECKING:
    from pynetemu.shell.command import Command

# Characters and quoted strings that mean the same to shlex and to sh (POSIX XCU 2.2, 2.6).
_PLAIN = re.compile(r"""(?:[\w@%+:,./=\- \t]|'[^']*'|"[^"$`\\]*")*""", re.ASCII)
_SH_WORDS = frozenset(
    ". : ! { [[ alias bg break builtin case cd command continue eval exec exit export fg for getopts hash if "  # noqa: SIM905
    "jobs local read readonly return set shift source time times trap type ulimit umask unalias unset until wait while".split()
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line taken apart: `word` is its first word, `rest` the text after it, without a trailing `&`."""

    word: str
    rest: str
    background: bool

    def arguments_of(self, command: "Command") -> str:
        """The text for one of the shell's commands, which runs in the foreground; raises UsageError."""
        if not self.background:
            return self.rest
        if command.takes_rest:
            return f"{self.rest} &"
        raise UsageError(f"{self.word}: `&` is for commands in nodes; this one runs in the foreground only")


def parse(text: str) -> Line | None:
    """Takes a line apart; None for an empty line or a comment. Raises ValueError for a quote that is not closed."""
    text = text.strip()
    if not text or text.startswith("#"):
        return None
    words = list(shlex.shlex(text, posix=True, punctuation_chars=True))
    background = len(words) > 1 and words[-1] == "&" and text.endswith("&")
    if background:
        text = text[:-1].rstrip()
    word, _, rest = text.partition(" ")
    return Line(word, rest.strip(), background)


def argv_of(rest: str) -> list[str]:
    """The program and arguments for a node: the words themselves, or `sh -c` with the text where it takes a shell."""
    if _PLAIN.fullmatch(rest):
        words = shlex.split(rest)
        if words and words[0] not in _SH_WORDS and "=" not in words[0]:
            return words
    return ["sh", "-c", rest]
