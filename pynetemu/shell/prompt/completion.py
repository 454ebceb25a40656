"""What a word may become: `completions("blue pi", shell)` offers `ping`. Pure and quick; the prompt shows it.

Nothing is started and the engine is asked at most once, for interfaces; programs are read from PATH once.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pynetemu.engine.paths import search_path
from pynetemu.errors import PynetemuError
from pynetemu.shell import crafting, registry
from pynetemu.shell.argument_types import Line, Rest, SomeNodes, is_node_set, nodes_of
from pynetemu.shell.command import Command, Parameter
from pynetemu.shell.files import files
from pynetemu.shell.lists import parts_of
from pynetemu.shell.prompt.program_words import words_of
from pynetemu.shell.words import Word, split

if TYPE_CHECKING:
    from pynetemu.shell.shell import Shell

_BEFORE_AN_INTERFACE = frozenset(["dev", "oif", "iif", "-i", "-I", "--interface", "link", "master"])
_WITH_INTERFACES = frozenset(["ip", "tc", "bridge", "ethtool", "ifconfig", "tcpdump", "tshark", "arping"])
_OPERATORS = frozenset(("|", "||", "&&", ";", "&", "("))
_MOST = 500


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word that can stand there: it replaces the `length` characters before the cursor."""

    text: str
    length: int
    about: str = ""


def completions(before: str, shell: "Shell") -> list[Candidate]:
    """What can stand at the end of a text, the likeliest first; nothing inside a quote."""
    *_, part = parts_of(before, shell)
    before = part.text
    try:
        words = split(before)
    except ValueError:
        return []
    last = "" if not words or words[-1].end < len(before) else before[words[-1].start :]
    if last:
        words = words[:-1]
    found: list[Candidate] = []
    for candidate in _of_line(words, last, shell):
        found.append(candidate)
        if len(found) == _MOST:
            break
    return found


def _of_line(words: list[Word], last: str, shell: "Shell") -> Iterable[Candidate]:
    if not words:
        return _first(last, shell)
    first = words[0].text
    if first in shell.network or is_node_set(first):
        return _of_node(first, [word.text for word in words[1:]], last, shell)
    if first.startswith("!"):
        return _plain(files(last), last)
    if first in shell.aliases:
        words = [*split(shell.aliases[first]), *words[1:]]
        return _of_line(words, last, shell) if words and words[0].text not in shell.aliases else []
    command = registry.find(first)
    return _of_command(command, words[1:], last, shell) if command else []


def _first(last: str, shell: "Shell") -> Iterator[Candidate]:
    """The first word: a node, one of several, a command, an alias; after `!` a program of the machine."""
    if last.startswith("!"):
        yield from (Candidate(f"!{name}", len(last)) for name in _programs() if name.startswith(last[1:]))
        return
    kinds = registry.abouts()
    yield from _plain((name for name in shell.network.nodes if name.startswith(last)), last, "node")
    if "," in last:
        yield from _plain(SomeNodes().complete(last, shell), last)
    for name in sorted(registry.names(with_plugins=True)):
        if name.startswith(last) and name != "?":
            yield Candidate(name, len(last), kinds.get(name, "command"))
    yield from _plain((name for name in (*shell.aliases, "all") if name.startswith(last)), last)


def _of_node(nodes: str, words: list[str], last: str, shell: "Shell") -> Iterator[Candidate]:
    """A word of a node's line: a program, then what programs take: nodes, interfaces, files."""
    program = _program_of(words)
    if program is None:
        if "/" in last:
            yield from _plain(files(last), last)
        else:
            yield from _plain((name for name in _programs() if name.startswith(last)), last)
        return
    if words[-1] in _BEFORE_AN_INTERFACE:
        yield from _interfaces(nodes, last, shell)
        return
    if last.startswith("-"):
        return
    theirs = [word for word in words_of(program, _arguments(words)) if word.startswith(last)]
    yield from _plain(theirs, last, program)
    if theirs and not last and len(_arguments(words)) < 2 and program != "ss":
        return  # nothing but these can stand there
    tail = last[_name_start(last) :]
    yield from (Candidate(name, len(tail), "node") for name in shell.network.nodes if name.startswith(tail) and "/" not in tail)
    if program in _WITH_INTERFACES:
        yield from _interfaces(nodes, last, shell)
    yield from _plain(files(last), last)


def _name_start(word: str) -> int:
    """Where a node's name may begin in a word: after //, @, [ or =, as in http://blue:8080/ and user@blue."""
    return max(word.rfind(mark) + len(mark) if mark in word else 0 for mark in ("//", "@", "[", "="))


def _program_of(words: list[str]) -> str | None:
    """The program whose arguments are being typed; None where a program is yet to come."""
    program = None
    for word in words:
        if word in _OPERATORS:
            program = None
        elif program is None:
            program = word
    return program


def _arguments(words: list[str]) -> list[str]:
    """The words of the command that is being typed, without its program."""
    command: list[str] = []
    for word in words:
        command = [] if word in _OPERATORS else [*command, word]
    return command[1:]


def _interfaces(nodes: str, last: str, shell: "Shell") -> Iterator[Candidate]:
    try:
        names = {i.name for i in shell.network.interfaces(*nodes_of(nodes, shell.network.nodes)[:20])}
    except (PynetemuError, ValueError):
        return
    yield from _plain(sorted(name for name in names if name.startswith(last)), last, "interface")


def _of_command(command: Command, words: list[Word], last: str, shell: "Shell") -> Iterator[Candidate]:
    """A word of one of the shell's own commands: an option, the value of one, or the next argument."""
    count, waiting = 0, None
    arguments = command.arguments
    for position, word in enumerate(words):
        if waiting is not None:
            waiting = None
        elif word.text.startswith("-") and (found := _option(command, word.text)) is not None:
            waiting = found if found.form == "option" and "=" not in word.text else None
        elif count < len(arguments) and isinstance(arguments[count].type, Rest):
            if isinstance(arguments[count].type, Line):
                yield from _of_line(words[position:], last, shell)
            return
        else:
            count += 1
    if waiting is not None:
        yield from _of_kind(waiting, last, shell)
        return
    if last.startswith("-"):
        yield from (Candidate(o.option, len(last), o.about) for o in command.options if o.option.startswith(last))
        return
    if parameter := _argument(arguments, count):
        if isinstance(parameter.type, Line):
            yield from _first(last, shell)
        else:
            yield from _of_kind(parameter, last, shell)


def _of_kind(parameter: Parameter, last: str, shell: "Shell") -> Iterator[Candidate]:
    return (Candidate(text, len(last)) for text in parameter.type.complete(last, shell))


def _option(command: Command, word: str) -> Parameter | None:
    name = word.partition("=")[0]
    return next((o for o in command.options if name in (o.option, f"-{o.letter}")), None)


def _argument(arguments: list[Parameter], count: int) -> Parameter | None:
    if count < len(arguments):
        return arguments[count]
    return arguments[-1] if arguments and arguments[-1].many else None


def _plain(texts: Iterable[str], last: str, about: str = "") -> Iterator[Candidate]:
    return (Candidate(text, len(last), about) for text in texts)


@cache
def _programs() -> tuple[str, ...]:
    """The programs that a node finds; it sees the machine's files. scapy's functions stand where programs do."""
    found = set(crafting.WORDS)
    for folder in search_path(os.environ).split(os.pathsep):
        try:
            found.update(os.listdir(folder))
        except OSError:
            continue
    return tuple(sorted(found))


def is_program(name: str) -> bool:
    """Whether a node has a program of this name."""
    return name in _program_set() if "/" not in name else os.access(name, os.X_OK)


def program_begins(start: str) -> bool:
    """Whether the name of a program may begin so."""
    return any(name.startswith(start) for name in _programs())


def warm_up() -> None:
    """Reads in advance what the first Tab would wait for."""
    _program_set()
    list(registry.names())


@cache
def _program_set() -> frozenset[str]:
    return frozenset(_programs())
