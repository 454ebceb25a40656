"""Where quotes, comments, here-documents and operators are in lines, as in sh (POSIX XCU 2.2, 2.3, 2.7.4).

Each sign is read once, so that a line may be a megabyte long, and a quote go over thousands of lines.
"""

import re
from collections.abc import Iterator

from pynetemu.frozen import fresh, record

_UNQUOTED = re.compile(
    r"""(?P<end>\\$)|\\.|(?P<quote>['"])|(?P<comment>(?<![^\s;&|()])\#)|<<<"""
    r"""|<<(?P<tabs>-?)[ \t]*(?P<document>(?:[^\s;&|<>()'"\\]|\\.|'[^']*'|"[^"]*")+)|[^\\'"\#<]+|.""",
    re.DOTALL,
)
_WITHIN = {
    "'": re.compile("(?P<quote>')|[^']+"),
    '"': re.compile(r'(?P<end>\\$)|\\.|(?P<quote>")|[^"\\]+', re.DOTALL),
}
_TOKEN = re.compile(
    r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.|(?P<comment>(?<![^\s;&|()])\#)|(?P<bracket>[()])"""
    r"""|>&|&>|(?P<operator>&&|\|\||[;&|])|[^\\'"\#;&|()>]+|.""",
    re.DOTALL,
)


@record
class LineReader:
    """Joins lines that belong together: while a quote or a here-document is open, or after a backslash."""

    with_documents: bool = True
    _parts: list[str] = fresh(factory=list)
    _quote: str = ""
    _documents: list[tuple[bool, str]] = fresh(factory=list)  # those that are open: whether tabs do not count, its end

    def read(self, line: str) -> bool:
        """Takes the next line, without its end; says whether what has been read is whole."""
        if self._documents and not self._quote:
            return self._read_document(line)
        goes_on, text = self._scan(line)
        self._parts.append(text if goes_on else f"{text}\n")
        return not (goes_on or self._quote or self._documents)

    @property
    def text(self) -> str:
        return "".join(self._parts).removesuffix("\n")

    def _read_document(self, line: str) -> bool:
        self._parts.append(f"{line}\n")
        without_tabs, end = self._documents[0]
        if (line.lstrip("\t") if without_tabs else line) == end:
            self._documents.pop(0)
        return not self._documents

    def _scan(self, line: str) -> tuple[bool, str]:
        """Whether a backslash joins the next line to this one, and the line without it."""
        place = 0
        while found := (_WITHIN[self._quote] if self._quote else _UNQUOTED).match(line, place):
            if place == len(line):
                break
            place = found.end()
            kind = found.lastgroup
            if kind == "end":
                return True, line[:-1]
            if kind == "comment":
                break
            if kind == "quote":
                self._quote = "" if self._quote else found.group()
            elif kind == "document" and self.with_documents:
                self._documents.append((bool(found["tabs"]), re.sub(r"""\\(.)|['"]""", r"\1", found["document"])))
        return False, line


def operators(text: str) -> Iterator[tuple[str, int]]:
    """The operators of a line outside of quotes, comments and brackets, with their places: operators("a; b &")."""
    depth = 0
    for found in _TOKEN.finditer(text):
        match found.lastgroup:
            case "comment":
                return
            case "bracket":
                depth += 1 if found.group() == "(" else -1
            case "operator" if depth <= 0:
                yield found.group(), found.start()
