"""The words of a line, with where each stands: for arguments, completion and colors alike."""

import re

from pynetemu.frozen import frozen

_WORD = re.compile(r"""(?:[^\s'"\\]++|\\.|'[^']*+'|"(?:[^"\\]++|\\.)*+")++""", re.DOTALL)
_PART = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)""", re.DOTALL)


@frozen
class Word:
    """A word as it is meant, `text`, and where it is written: line[start:end], with its quotes."""

    text: str
    start: int
    end: int

    @property
    def is_plain(self) -> bool:
        """Whether nothing of it is quoted."""
        return len(self.text) == self.end - self.start


def split(line: str) -> list[Word]:
    """The words of a line, up to a comment; raises ValueError for a quote that is not closed.

    Quotes mean what they mean in sh (POSIX XCU 2.2): split("kill 'a b'")[1] == Word("a b", 5, 10).
    """
    words: list[Word] = []
    end = 0
    while found := _WORD.search(line, end):
        if line[end : found.start()].strip():
            break
        if found.group().startswith("#"):
            return words
        words.append(Word(_PART.sub(_unquoted, found.group()), found.start(), found.end()))
        end = found.end()
    if line[end:].strip():
        raise ValueError("No closing quotation")
    return words


def _unquoted(part: "re.Match[str]") -> str:
    single, double, escaped = part.groups()
    if double is not None:
        return re.sub(r'\\(["\\$`])', r"\1", double)
    return str(escaped if single is None else single)
