"""Colors for a line while it is typed: `highlighted("blue ping root", shell)`; what is unknown is red."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pynetemu.shell import registry
from pynetemu.shell.argument_types import Line, Rest, is_node_set, nodes_of
from pynetemu.shell.command import Command
from pynetemu.shell.language import SH_WORDS
from pynetemu.shell.lists import parts_of
from pynetemu.shell.prompt.completion import is_program, program_begins

if TYPE_CHECKING:
    from pynetemu.shell.shell import Shell

Fragment = tuple[str, str]  # a style's class and the text that has it

_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<operator>[|&;<>()]+)|(?P<string>(?:[^\s'"|&;<>()]*(?:'[^']*'?|"[^"]*"?))+)|(?P<word>[^\s|&;<>()]+)"""
)
_BUILT_IN = frozenset(["echo", "printf", "true", "false", "test", "[", "pwd", "kill", "jobs", "umask"]) | SH_WORDS


def highlighted(text: str, shell: "Shell") -> list[Fragment]:
    """The text in pieces, each with its style: node, command, program, option, string, operator, comment, unknown or ""."""
    found: list[Fragment] = []
    for part in parts_of(text, shell):
        found += [("operator", part.operator)] if part.operator else []
        found += _of_part(part.text, shell)
    return found


def _of_part(text: str, shell: "Shell") -> list[Fragment]:
    stripped = text.lstrip()
    lead = text[: len(text) - len(stripped)]
    if stripped.startswith("#"):
        return [("comment", text)]
    if stripped.startswith(("!", "?")):
        return [("", lead), ("operator", stripped[0]), ("", stripped[1:])]
    found = re.match(r"\S*", stripped)
    assert found is not None
    first, rest = found.group(), stripped[found.end() :]
    kind = _kind_of(first, bool(rest), shell)
    start: list[Fragment] = [("", lead), (kind, first)]
    if kind == "node":
        return [*start, *_of_node(rest, shell)]
    command = registry.find(first) if kind == "command" and first not in shell.aliases else None
    return [*start, *(_of_command(command, rest, shell) if command else _words(rest, shell))]


def _kind_of(word: str, is_complete: bool, shell: "Shell") -> str:
    if word in shell.network:
        return "node"
    names = [*registry.names(with_plugins=False), *shell.aliases]
    if word in names:
        return "command"
    if is_node_set(word):
        try:
            return "node" if nodes_of(word, shell.network.nodes) else ""
        except ValueError:
            return "unknown" if is_complete else ""
    may_become = not is_complete and any(name.startswith(word) for name in (*shell.network.nodes, *names))
    return "" if not word or may_become or registry.find(word) else "unknown"


def _of_node(text: str, shell: "Shell") -> Iterator[Fragment]:
    """A node's line: programs where programs stand, names of nodes among their arguments."""
    program_is_due = True
    for token in _TOKEN.finditer(text):
        word = token.group()
        match token.lastgroup:
            case "space":
                yield "", word
            case "operator":
                program_is_due = not word.endswith((">", "<"))
                yield "operator", word
            case "string":
                program_is_due = False
                yield "string", word
            case _ if program_is_due:
                program_is_due = "=" in word or word in SH_WORDS
                yield _program(word, token.end() < len(text)), word
            case _:
                yield from _argument(word, shell)


def _program(word: str, is_complete: bool) -> str:
    if "=" in word or "$" in word or word in _BUILT_IN or is_program(word):
        return "program"
    return "" if "/" in word or (not is_complete and program_begins(word)) else "unknown"


def _of_command(command: Command, text: str, shell: "Shell") -> Iterator[Fragment]:
    """A line of one of the shell's own commands; its rest may be a line itself."""
    arguments = 0
    for token in _TOKEN.finditer(text):
        word = token.group()
        parameter = command.arguments[arguments] if arguments < len(command.arguments) else None
        is_option = word.startswith("-") and token.lastgroup == "word"
        if parameter and isinstance(parameter.type, Rest) and token.lastgroup != "space" and not is_option:
            rest = text[token.start() :]
            yield from highlighted(rest, shell) if isinstance(parameter.type, Line) else [("", rest)]
            return
        if is_option:
            yield ("option" if _has_option(command, word) else "unknown"), word
        elif token.lastgroup == "word":
            arguments += 1
            yield from _argument(word, shell)
        else:
            yield _style(token.lastgroup), word


def _has_option(command: Command, word: str) -> bool:
    name = word.partition("=")[0]
    return any(
        option.option.startswith(name)
        or (option.letter and name.startswith(f"-{option.letter}"))
        or hasattr(option.type, "dashed")
        for option in command.options
    )


def _words(text: str, shell: "Shell") -> Iterator[Fragment]:
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "word":
            yield from _argument(token.group(), shell)
        else:
            yield _style(token.lastgroup), token.group()


def _argument(word: str, shell: "Shell") -> Iterator[Fragment]:
    """An argument; a node's name in it stands out: blue, http://blue:8080/, user@blue."""
    if word.startswith("-"):
        yield "option", word
        return
    found = re.fullmatch(r"(.*(?://|@|\[)|)([\w.-]+)([\]:/].*|)", word)
    if found and (found[2] in shell.network or found[2].rpartition(".")[0] in shell.network):
        yield "", found[1]
        yield "name", found[2]
        yield "", found[3]
    else:
        yield "", word


def _style(group: str | None) -> str:
    return group if group in ("string", "operator") else ""
