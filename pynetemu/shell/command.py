"""Commands as typed functions: the signature and the docstring are the whole of a command.

    @command
    def link(shell: Shell, a: NodeName, b: NodeName, state: Literal["up", "down"]) -> int:
        \"""Sets the link between two nodes up or down.

        a, b  the nodes at its ends
        \"""

Arguments are words in their order; those with a default may be left out, `*words` takes all that are left, and what
stands after `*` is an option: `*, count: Count = 1` is `--count N`, a bool is a flag. In the docstring, the first line is
what lists say; a line that begins with an argument's name, or with its option (`-c, --count`, which gives it a letter),
tells about it. A command gives back its exit status, None for 0, or an Answer to be shown, which gives it `--json`.

The first parameter is the shell that runs it (`shell.network`, `shell.jobs`, `shell.status`).
"""

import inspect
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload

from pynetemu.errors import UsageError
from pynetemu.shell.answers import Answer
from pynetemu.shell.argument_types import ArgumentType, Choice, Rest, argument_type_of
from pynetemu.shell.words import Word, split
from pynetemu.wording import near_or_all

if TYPE_CHECKING:
    from pynetemu.shell.protocol import ShellLike

USERS_FILE = "pynetemu_file"  # the module that plan.load makes of it
Form = Literal["argument", "option", "flag"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the function: `many` for `*words`; `letter` is its short option, `about` what the docstring says."""

    name: str
    form: Form
    type: ArgumentType
    default: Any
    many: bool = False
    letter: str = ""
    about: str = ""

    @property
    def option(self) -> str:
        return "--" + self.name.strip("_").replace("_", "-")

    @property
    def spelling(self) -> str:
        """As usage lines have it: NODE, [NODES], FILE ..., --count N."""
        if self.form == "flag":
            return self.option
        if self.form == "option":
            return "-SIGNAL" if getattr(self.type, "dashed", False) else f"{self.option} {self.type.name}"
        if isinstance(self.type, Rest | Choice):
            return self.type.name
        name = self.name.strip("_").upper()
        return f"{name} ..." if self.many else name

    @property
    def heading(self) -> str:
        """As lists of options have it: -c, --count N."""
        return f"-{self.letter}, {self.spelling}" if self.letter else self.spelling

    @property
    def is_needed(self) -> bool:
        return self.default is inspect.Parameter.empty and not self.many


class Command:
    """A function as a command of the shell; calling it calls the function."""

    def __init__(self, function: Callable[..., Any], name: str, topic: str, other_names: Sequence[str]) -> None:
        self.function = function
        self.name = name
        self.topic = topic
        self.other_names = tuple(other_names)
        text = inspect.cleandoc(function.__doc__ or "")
        self.about, _, self.details = text.partition("\n")
        self.parameters = tuple(_parameters(function, text))

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self.function(*arguments, **options)

    def __repr__(self) -> str:
        return f"<Command {self.usage}>"

    @property
    def arguments(self) -> list[Parameter]:
        return [parameter for parameter in self.parameters if parameter.form == "argument"]

    @property
    def options(self) -> list[Parameter]:
        return [parameter for parameter in self.parameters if parameter.form != "argument"]

    @property
    def usage(self) -> str:
        """link A B up|down; pingall [NODES ...] [--count N]."""
        order = [*self.options, *self.arguments] if self.takes_rest else [*self.arguments, *self.options]
        words = [p.spelling if p.is_needed else f"[{p.spelling}]" for p in order]
        return " ".join([self.name, *words])

    @property
    def explanation(self) -> str:
        """The docstring after its first line, without its lines about options, which have a list of their own."""
        options = [f" {option.option} " for option in self.options]
        kept = [line for line in self.details.splitlines() if not any(option in f" {line.strip()} " for option in options)]
        return "\n".join(kept).strip("\n")

    @property
    def takes_rest(self) -> bool:
        """Whether the line's end is its own affair: quotes, pipes and `&` in it too."""
        return any(isinstance(parameter.type, Rest) for parameter in self.arguments)

    def run(self, shell: "ShellLike", text: str) -> int:
        """Runs the command with the words of a text; gives its status. Raises UsageError for wrong words."""
        arguments, options = self.read(shell, text)
        own = inspect.signature(self.function).parameters  # "json" may be an option of a command that prints by itself
        everything, as_json = (name not in own and options.pop(name, False) for name in ("all", "json"))
        if as_json:
            from pynetemu.shell.output import aside

            with aside():
                result = self.function(shell, *arguments, **options)
        else:
            result = self.function(shell, *arguments, **options)
        if isinstance(result, Answer):
            from pynetemu.shell.output import show

            show(result, everything, as_json)
            return result.status
        return int(result or 0)

    def read(self, shell: "ShellLike", text: str) -> tuple[list[Any], dict[str, Any]]:
        """The values of a text's words for the function: in their order, and by name."""
        try:
            return _Reader(self, shell, text).read()
        except ValueError as error:
            raise UsageError(f"{self.name}: {error}\n    usage: {self.usage}") from None


class _Reader:
    """Reads one text as the arguments of one command."""

    def __init__(self, command: Command, shell: "ShellLike", text: str) -> None:
        self._command, self._shell, self._text = command, shell, text
        self._values: list[Any] = []
        self._options: dict[str, Any] = {}

    def read(self) -> tuple[list[Any], dict[str, Any]]:
        rest = self._rest_parameter()
        words = self._words(rest is not None)
        waiting = self._command.arguments
        options_end = False
        while words:
            if len(self._values) < len(waiting) and waiting[len(self._values)] is rest and self._is_rest(words[0], options_end):
                self._values.append(self._text[words[0].start :].rstrip())
                break
            word = words.pop(0)
            if word.text == "--" and word.is_plain and not options_end:
                options_end = True
            elif word.text.startswith("-") and len(word.text) > 1 and not options_end and self._option(word.text, words):
                continue
            else:
                self._argument(word, waiting)
        self._check(waiting)
        return self._values, self._options

    def _rest_parameter(self) -> Parameter | None:
        return next((p for p in self._command.arguments if isinstance(p.type, Rest)), None)

    def _words(self, lenient: bool) -> list[Word]:
        """The words; those of a rest may be of another language, whose quotes are not ours."""
        try:
            return split(self._text)
        except ValueError:
            if not lenient:
                raise
            return [Word(found.group(), found.start(), found.end()) for found in re.finditer(r"\S+", self._text)]

    def _is_rest(self, word: Word, options_end: bool) -> bool:
        """Before the first argument, options are ours; after it they are the rest's."""
        return options_end or bool(self._values) or not word.text.startswith("-") or not self._matching(word.text)

    def _matching(self, word: str) -> tuple[Parameter, str | None] | None:
        """The option that a word is, with the value in it: --count=3, -c3, -9."""
        name, equals, value = word.partition("=")
        for option in self._command.options:
            if name == option.option:
                return option, value if equals else None
            if option.letter and word.startswith(f"-{option.letter}") and not word.startswith("--"):
                return option, word[2:] or None
            if getattr(option.type, "dashed", False) and re.fullmatch(r"-\w+", word):
                return option, word[1:]
        return None

    def _option(self, text: str, words: list[Word]) -> bool:
        """Takes a word as an option, with its value; false for a negative number, which is an argument."""
        found = self._matching(text)
        if found is None:
            if re.fullmatch(r"-\d+(\.\d+)?", text):
                return False
            raise ValueError(self._unknown_option(text))
        option, value = found
        if option.form == "flag":
            if value is not None:
                raise ValueError(f"{option.option} takes no value")
            self._options[option.name] = True
            return True
        if value is None:
            if not words:
                raise ValueError(f"{option.option} needs a value: {option.spelling}")
            value = words.pop(0).text
        self._options[option.name] = option.type.parse(value, self._shell)
        return True

    def _unknown_option(self, text: str) -> str:
        known = [option.option for option in self._command.options]
        return f"unknown option {text}; {near_or_all(text.partition('=')[0], known)}"

    def _argument(self, word: Word, waiting: list[Parameter]) -> None:
        position = len(self._values)
        if position >= len(waiting) and not (waiting and waiting[-1].many):
            raise ValueError(f"one word too many: {word.text!r}")
        parameter = waiting[min(position, len(waiting) - 1)]
        self._values.append(parameter.type.parse(word.text, self._shell))

    def _check(self, waiting: list[Parameter]) -> None:
        missing = [p for p in waiting[len(self._values) :] if p.is_needed]
        if missing:
            raise ValueError(f"it needs {' and '.join(p.spelling for p in missing)}")


@overload
def command(function: Callable[..., Any], /) -> Command: ...
@overload
def command(*other_names: str, name: str = "", topic: str = "") -> Callable[[Callable[..., Any]], Command]: ...
def command(*arguments: Any, name: str = "", topic: str = "") -> Any:
    """Makes a function a command of the shell: `@command`, or `@command("q", name="exit")` with other names.

    Its name is the function's, with `-` for `_`. `topic` is where help lists it (the module's name). Raises TypeError for a
    parameter whose type the shell cannot read.
    """

    def make(function: Callable[..., Any], other_names: Sequence[str] = ()) -> Command:
        own_name = name or function.__name__.strip("_").replace("_", "-")
        return Command(function, own_name, topic or _topic(function), other_names)

    if len(arguments) == 1 and callable(arguments[0]):
        return make(arguments[0])
    return lambda function: make(function, arguments)


def _topic(function: Callable[..., Any]) -> str:
    module = function.__module__.rpartition(".")[2]
    return os.path.basename(function.__code__.co_filename) if module == USERS_FILE else module


def _parameters(function: Callable[..., Any], text: str) -> Iterator[Parameter]:
    signature = inspect.signature(function)
    _, *parameters = signature.parameters.values()
    told = dict(_told(text))
    for parameter in parameters:
        yield _parameter(function, parameter, told)
    returned = _evaluated(function, signature.return_annotation)
    if isinstance(returned, type) and returned is not int and issubclass(returned, Answer):
        yield Parameter("json", "flag", _NO_TYPE, False, about="as data")
        yield Parameter("all", "flag", _NO_TYPE, False, about="show everything, however long")


def _parameter(function: Callable[..., Any], parameter: inspect.Parameter, told: dict[str, tuple[str, str]]) -> Parameter:
    letter, about = told.get(parameter.name.strip("_").replace("_", "-"), ("", ""))
    annotation = _evaluated(function, parameter.annotation)
    is_option = parameter.kind is inspect.Parameter.KEYWORD_ONLY
    if annotation is bool and is_option:
        return Parameter(parameter.name, "flag", _NO_TYPE, False, letter=letter, about=about)
    many = parameter.kind is inspect.Parameter.VAR_POSITIONAL
    try:
        argument_type = argument_type_of(annotation)
    except TypeError as error:
        raise TypeError(f"{function.__name__}({parameter.name}): {error}") from None
    form: Form = "option" if is_option else "argument"
    return Parameter(parameter.name, form, argument_type, parameter.default, many, letter, about)


def _evaluated(function: Callable[..., Any], annotation: Any) -> Any:
    if isinstance(annotation, str):  # of a module with `from __future__ import annotations`
        return eval(annotation, getattr(function, "__globals__", {}))
    return annotation


_TOLD = re.compile(r"(?:-(\w), )?(?:--)?([a-z][\w-]*(?:, [a-z][\w-]*)*) {2,}(\S.*)")
_NO_TYPE = Choice(())


def _told(text: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """What a docstring says about arguments: ("count", ("c", "how many echo requests to each"))."""
    for line in text.splitlines()[1:]:
        if found := _TOLD.fullmatch(line.strip()):
            for name in found[2].split(", "):
                yield name, (found[1] or "", found[3])
