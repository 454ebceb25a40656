"""The types of commands' arguments: each reads a word, or says what is allowed, and completes one.

    @command
    def link(shell: Shell, a: NodeName, b: NodeName, state: Literal["up", "down"]) -> int: ...

`NodeName` is a str for Python, with an argument type for the shell. `str`, `int`, `float`, `bool` (a flag), `Path` and
`Literal` have argument types too; one of your own is `Annotated[T, x]` with an x that has the members of `ArgumentType`.
"""

import fnmatch
import math
import signal
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, Union, get_args, get_origin, runtime_checkable

from pynetemu.wording import did_you_mean, near_or_all, shortened

if TYPE_CHECKING:
    from pynetemu.shell.jobs import Job
    from pynetemu.shell.protocol import ShellLike


@runtime_checkable
class ArgumentType(Protocol):
    """How the words of an argument are read; `name` stands for it in usage lines."""

    name: str

    def parse(self, word: str, shell: "ShellLike") -> Any:
        """The value of a word; raises ValueError that says what is allowed."""

    def complete(self, prefix: str, shell: "ShellLike") -> Iterable[str]:
        """Words that the argument may be and that begin with the prefix."""


class _AnyWord:
    def parse(self, word: str, _: "ShellLike") -> str:
        return word


class Text(_AnyWord):
    name = "TEXT"

    def complete(self, _: str, __: "ShellLike") -> Iterable[str]:
        return ()


class Rest(Text):
    """The rest of the line as it is written, quotes and all."""

    name = "..."


class Line(Rest):
    """The rest of the line, which is itself a line of the shell."""

    name = "LINE"


class Number:
    name = "N"

    def __init__(self, type: type[int] | type[float], least: float = -math.inf, most: float = math.inf) -> None:
        self._type, self._least, self._most = type, least, most

    def parse(self, word: str, _: "ShellLike") -> int | float:
        try:
            number = self._type(word)
        except ValueError:
            what = "a whole number" if self._type is int else "a number"
            raise ValueError(f"{word!r} is not {what}") from None
        if not self._least <= number <= self._most:
            limits = f"at least {self._least}" if self._most == math.inf else f"{self._least} to {self._most}"
            raise ValueError(f"{word} is not {limits}")
        return number

    def complete(self, _: str, __: "ShellLike") -> Iterable[str]:
        return ()


class Choice:
    def __init__(self, words: Sequence[str]) -> None:
        self.name = "|".join(words)
        self._words = words

    def parse(self, word: str, _: "ShellLike") -> str:
        if word not in self._words:
            meant = did_you_mean(word, self._words)
            raise ValueError(f"{word!r} is not {' or '.join(self._words)}{meant and f'; {meant}'}")
        return word

    def complete(self, prefix: str, _: "ShellLike") -> Iterable[str]:
        return starting(self._words, prefix)


class OneNode:
    name = "NODE"

    def parse(self, word: str, shell: "ShellLike") -> str:
        if word not in shell.network:
            raise ValueError(f"there is no node {word!r}; {near_or_all(word, shell.network.nodes, 'the nodes are')}")
        return word

    def complete(self, prefix: str, shell: "ShellLike") -> Iterable[str]:
        return starting(shell.network.nodes, prefix)


class SomeNodes:
    """Several nodes at once: `h1,h2`, `h*`, `s?`, `all`."""

    name = "NODES"

    def parse(self, word: str, shell: "ShellLike") -> tuple[str, ...]:
        return nodes_of(word, shell.network.nodes)

    def complete(self, prefix: str, shell: "ShellLike") -> Iterable[str]:
        before, comma, last = prefix.rpartition(",")
        return (f"{before}{comma}{name}" for name in starting((*shell.network.nodes, "all"), last))


class End:
    """An end of a link: NODE, or NODE:INTERFACE."""

    name = "NODE"

    def parse(self, word: str, shell: "ShellLike") -> str:
        node, colon, interface = word.partition(":")
        OneNode().parse(node, shell)
        if colon:
            known = _interfaces(shell, node)
            if interface not in known:
                raise ValueError(f"{node} has no interface {interface!r}; it has {', '.join(known)}")
        return word

    def complete(self, prefix: str, shell: "ShellLike") -> Iterable[str]:
        node, colon, _ = prefix.partition(":")
        if colon and node in shell.network:
            return starting((f"{node}:{name}" for name in _interfaces(shell, node)), prefix)
        return starting(shell.network.nodes, prefix)


class LinkSetting(_AnyWord):
    """SETTING=VALUE of a link, or "off"; what is wrong with it is told by the network (`RunningLink.set`)."""

    name = "SETTING=VALUE"

    def complete(self, prefix: str, _: "ShellLike") -> Iterable[str]:
        from pynetemu.plan.shaping.impairment import SETTINGS

        return starting(["off", *(f"{name}=" for name in (*SETTINGS, "preset", "mechanism"))], prefix)


class OneService(_AnyWord):
    """A service by its name; which of several, and that there is none, is told by the network (`network.log`)."""

    name = "SERVICE"

    def complete(self, prefix: str, shell: "ShellLike") -> Iterable[str]:
        return starting((state.name for state in shell.network.services), prefix)


class Duration:
    """A length of time in seconds: `0.5`, `200ms`, `3s`, `1min`; a number alone is seconds, as for ping(8)."""

    name = "TIME"

    def parse(self, word: str, _: "ShellLike") -> float:
        from pynetemu.plan.units import read_duration  # with fractions, which takes a while to import

        return _with_hint(read_duration, f"{word}s" if word[-1:].isdigit() else word, word) / 1e9

    def complete(self, _: str, __: "ShellLike") -> Iterable[str]:
        return ()


class Rate:
    """Bits per second, written as in tc(8): `10mbit`, `1gbit`, `500kbit`; Mininet's `10M` too."""

    name = "RATE"

    def parse(self, word: str, _: "ShellLike") -> float:
        from pynetemu.plan.units import read_rate

        short = word[-1:].isdigit() or (word[-1:] in "kKmMgG" and word[:-1][-1:].isdigit())
        return float(_with_hint(read_rate, f"{word}bit" if short else word, word))

    def complete(self, _: str, __: "ShellLike") -> Iterable[str]:
        return ()


def _with_hint(read: Callable[[object], int], text: str, word: str) -> int:
    from pynetemu.plan.problems import Wrong

    try:
        return read(text)
    except Wrong as wrong:
        raise ValueError(f"{wrong.text.replace(repr(text), repr(word))}; {wrong.hint}") from None


class File:
    name = "FILE"

    def parse(self, word: str, _: "ShellLike") -> Path:
        return Path(word).expanduser()

    def complete(self, prefix: str, _: "ShellLike") -> Iterable[str]:
        from pynetemu.shell.files import files

        return files(prefix)


class Folder(_AnyWord):
    name = "DIR"

    def complete(self, prefix: str, _: "ShellLike") -> Iterable[str]:
        from pynetemu.shell.files import files

        return (path for path in files(prefix) if path.endswith("/"))


class ALab(_AnyWord):
    """A running lab of this user."""

    name = "LAB"

    def complete(self, prefix: str, _: "ShellLike") -> Iterable[str]:
        from pynetemu.lab.running_labs import labs

        return starting((lab.name for lab in labs()), prefix)


class OneJob:
    """A job as `%1` or `1`."""

    name = "JOB"

    def parse(self, word: str, shell: "ShellLike") -> "Job":
        return shell.jobs.find(word)

    def complete(self, prefix: str, shell: "ShellLike") -> Iterable[str]:
        return starting((f"%{job.number}" for job in shell.jobs), prefix)


class Signal:
    """A signal by name or number. As an option it is written `-INT` or `-9`."""

    name = "SIGNAL"
    dashed = True

    def parse(self, word: str, _: "ShellLike") -> signal.Signals:
        try:
            return signal.Signals(int(word)) if word.isdigit() else signal.Signals[f"SIG{word.upper().removeprefix('SIG')}"]
        except (KeyError, ValueError):
            raise ValueError(f"there is no signal {word!r}; say a number or a name such as INT, TERM, KILL") from None

    def complete(self, prefix: str, _: "ShellLike") -> Iterable[str]:
        return starting((number.name.removeprefix("SIG") for number in signal.Signals), prefix)


NodeName = Annotated[str, OneNode()]
NodeNames = Annotated[tuple[str, ...], SomeNodes()]
LinkSettings = Annotated[str, LinkSetting()]
LinkEnd = Annotated[str, End()]
Directory = Annotated[str, Folder()]
RunningLab = Annotated[str, ALab()]
BitRate = Annotated[float, Rate()]
ServiceName = Annotated[str, OneService()]
Seconds = Annotated[float, Duration()]
JobNumber = Annotated["Job", OneJob()]
SignalNumber = Annotated[signal.Signals, Signal()]
RestOfLine = Annotated[str, Rest()]
ShellLine = Annotated[str, Line()]
Status = Annotated[int, Number(int, least=0, most=255)]
Count = Annotated[int, Number(int, least=1)]

_PLAIN: dict[Any, ArgumentType] = {str: Text(), int: Number(int), float: Number(float), Path: File()}


def argument_type_of(annotation: Any) -> ArgumentType:
    """The argument type of an annotation; raises TypeError for one that has none."""
    if get_origin(annotation) is Annotated:
        given = next((extra for extra in annotation.__metadata__ if isinstance(extra, ArgumentType)), None)
        return given or argument_type_of(annotation.__origin__)
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = [option for option in get_args(annotation) if option is not type(None)]
        return argument_type_of(annotation)
    if get_origin(annotation) is Literal:
        return Choice(get_args(annotation))
    if annotation not in _PLAIN:
        raise TypeError(
            f"the shell cannot read a {annotation!r}: use str, int, float, bool, Path, Literal or Annotated[T, ArgumentType]"
        )
    return _PLAIN[annotation]


def is_node_set(word: str) -> bool:
    """Whether a word can only be a set of nodes."""
    return word == "all" or any(mark in word for mark in "*?,[")


def nodes_of(word: str, nodes: Sequence[str]) -> tuple[str, ...]:
    """The nodes of `h1,h2`, `h*`, `s[12]`, `all`, in the order of the description; raises ValueError.

    nodes_of("h*,s1", ("s1", "h1", "h2")) == ("s1", "h1", "h2")
    """
    found: set[str] = set()
    for part in filter(None, word.split(",")):
        if part in nodes:
            found.add(part)
        elif part == "all":
            found.update(nodes)
        elif matching := fnmatch.filter(nodes, part):
            found.update(matching)
        elif any(mark in part for mark in "*?["):
            raise ValueError(f"no node matches {part!r}; the nodes are {shortened(nodes)}")
        else:
            raise ValueError(f"there is no node {part!r}; {near_or_all(part, nodes, 'the nodes are')}")
    if not found:
        raise ValueError(f"{word!r} names no node; the nodes are {shortened(nodes)}")
    return tuple(node for node in nodes if node in found)


def _interfaces(shell: "ShellLike", node: str) -> list[str]:
    return [interface.name for interface in shell.network.interfaces(node) if interface.name != "lo"]


def starting(words: Iterable[str], prefix: str) -> Iterable[str]:
    return (word for word in words if word.startswith(prefix))
