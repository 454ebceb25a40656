"""What a line of the shell means: a word, which is a node, a set of nodes or a command of the shell, and the rest.

The rest of a node's line is for the node. Plain words are a program and its arguments; anything more (pipes, `>`, `$`, `&&`)
is a line for `sh` in the node, so that it means what it means everywhere.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pynetemu.errors import UsageError
from pynetemu.frozen import frozen
from pynetemu.shell.scan import LineReader, operators
from pynetemu.shell.words import split

if TYPE_CHECKING:
    from pynetemu.shell.command import Command

# Characters and quoted strings that mean the same to `words.split` and to sh (POSIX XCU 2.2, 2.6).
_PLAIN = re.compile(r"""(?:[\w@%+:,./=\- \t]++|'[^']*+'|"[^"$`\\]*+")*+""", re.ASCII)
SH_WORDS = frozenset(
    ". : ! { [[ alias bg break builtin case cd command continue eval exec exit export fg for getopts hash if "  # noqa: SIM905
    "jobs local read readonly return set shift source time times trap type ulimit umask unalias unset until wait while".split()
)
_QUOTED_OR_OUTPUT = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.|([|>])""", re.DOTALL)
_SUDO = re.compile(r"\s*(sudo)(?:\s+(?:-[EHnSikb]+|-u\s*root|--user[= ]root|--))*\s+(?=[^-\s])")
_SUDO_USER, _SUDO_PLAIN = re.compile(r"-u(?=.)|--user=(?=.)"), re.compile(r"-[EHnSikb]+")
_PYTHON = ("py", "px")  # whose quotes are Python's


@frozen
class Line:
    """A line taken apart: `word` is its first word, `rest` the text after it."""

    word: str
    rest: str

    def for_node(self) -> tuple[str, bool]:
        """The rest without a `&` at its end, and whether it had one; raises ValueError for a quote that is not closed."""
        if self.rest.startswith(("&", "|")):
            raise ValueError(f"there is no command before `{self.rest[0]}`")
        line, end, document = self.rest.partition("\n")
        if not end:
            split(line)  # raises for a quote that is not closed
        *_, (last, place) = [("", 0), *operators(line)]
        if last != "&" or line[place + 1 :].strip():
            return self.rest, False
        return f"{line[:place].rstrip()}{end}{document}", True

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


def without_sudo(text: str) -> str:
    """A line without the `sudo` before its commands, and its options that make no difference: in a node everybody is root."""
    starts = [0, *(place + len(operator) for operator, place in operators(text))] if "sudo" in text else []
    for start in reversed(starts):
        if found := _SUDO.match(text, start):
            text = text[: found.start(1)] + text[found.end() :]
    return text


def without_user(argv: Sequence[str]) -> tuple[list[str], str | None]:
    """What `sudo -u postgres psql` asks for: ["psql"] and "postgres"; None for root. Others are given back as they are."""
    words, user = list(argv), None
    if words[:1] != ["sudo"]:
        return words, None
    words.pop(0)
    while words and (option := words[0]).startswith("-"):
        words.pop(0)
        if option in ("-u", "--user") and words:
            user = words.pop(0)
        elif found := _SUDO_USER.match(option):
            user = option[found.end() :]
        elif option != "--" and not _SUDO_PLAIN.fullmatch(option):
            return list(argv), None
    return (words, user) if words and user else (list(argv), None)


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
    """Lines with their numbers, joined where a quote or a here-document is still open or a backslash ends the line."""
    reader: LineReader | None = None
    start = 0
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if reader is None:
            start = number
            if _is_whole_at_once(text):
                yield start, text
                continue
            reader = LineReader()
        if reader.read(text):
            yield start, reader.text
            reader = None
    if reader is not None:
        yield start, reader.text


def is_whole(text: str) -> bool:
    """Whether a line ends here: no quote and no here-document is open, no backslash at its end."""
    if _is_whole_at_once(text):
        return True
    reader = LineReader()
    return [reader.read(line) for line in text.split("\n")][-1]


def _is_whole_at_once(text: str) -> bool:
    """Comments, and lines of Python."""
    text = text.lstrip()
    return text.startswith("#") or text.partition(" ")[0] in _PYTHON


def argv_of(rest: str) -> list[str]:
    """The program and arguments for a node: the words themselves, or `sh -c` with the text where it takes a shell."""
    if _PLAIN.fullmatch(rest):
        words = [word.text for word in split(rest)]
        if words and words[0] not in SH_WORDS and "=" not in words[0]:
            return words
    return ["sh", "-c", rest]


def _without_output(text: str) -> tuple[str, str]:
    """Cuts a text at its first `|` or `>` that is not quoted."""
    for found in _QUOTED_OR_OUTPUT.finditer(text):
        if found[1]:
            return text[: found.start()].rstrip(), text[found.start() :]
    return text, ""
