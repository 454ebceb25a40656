"""Lines of several commands of the shell: `pingall; nodes && links`.

After a node's name the line is the node's, operators and all, so that it means there what it means everywhere; so it is after a
command that takes the rest of its line, such as `py`.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pynetemu.frozen import frozen
from pynetemu.shell.scan import operators

if TYPE_CHECKING:
    from pynetemu.shell.protocol import ShellLike

_FIRST = re.compile(r"\s*([!?]?)([^\s;&|]*)")
BETWEEN = (";", "&&", "||")


@frozen
class Part:
    """One command of a line, at line[start:]; `operator` stands before it, "" before the first."""

    operator: str
    text: str
    start: int


def parts_of(line: str, shell: "ShellLike") -> Iterator[Part]:
    """The commands of a line, most often one; empty where one is missing before or after an operator."""
    operator, start = "", 0
    while True:
        text = line[start:]
        between = (found for found in operators(text) if found[0] in BETWEEN)
        following, end = ("", len(text)) if _takes_all(text, shell) else next(between, ("", len(text)))
        if text[:end].strip() or operator != ";":
            yield Part(operator, text[:end], start)
        if not following:
            return
        operator, start = following, start + end + len(following)


def _takes_all(text: str, shell: "ShellLike", may_be_alias: bool = True) -> bool:
    from pynetemu.shell import registry
    from pynetemu.shell.argument_types import is_node_set

    found = _FIRST.match(text)
    mark, word = found.groups() if found else ("", "")
    if mark == "!":
        return True
    if word in shell.network or is_node_set(word):
        return found is None or not text[found.end() :].lstrip().startswith(BETWEEN)  # else the node's shell, and then that
    if word in shell.aliases and may_be_alias:
        return _takes_all(shell.aliases[word], shell, may_be_alias=False)
    command = registry.find(word)
    return command is not None and command.takes_rest
