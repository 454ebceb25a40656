"""Parameters from the command line, `-p n=5`, as the values that a topology's `build` takes."""

import inspect
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pynetemu.errors import DescriptionError, Problem
from pynetemu.plan.signatures import explain_parameters
from pynetemu.topology.topology import Topology

_BOOLEANS: dict[str, object] = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def convert(kind: type[Topology], given: Mapping[str, str]) -> dict[str, object]:
    """What the annotations of `build` make of the strings; raises DescriptionError with all that is wrong."""
    problems = [Problem(text, hint=hint) for text, hint in explain_parameters(kind.__name__, kind.build, given)]
    types_ = _types(kind)
    values: dict[str, object] = {}
    for name, text in given.items():
        try:
            values[name] = _read(text, types_.get(name, str))
        except ValueError:
            hint = f"it takes {_describe(types_[name])}"
            problems.append(Problem(f"parameter {name}={text}: {text!r} does not fit", hint=hint))
    if problems:
        raise DescriptionError(problems)
    return values


def _types(kind: type[Topology]) -> dict[str, Any]:
    """For each parameter its annotation, else the type of its default, else str."""
    try:
        parameters = inspect.signature(kind.build, eval_str=True).parameters.values()
    except NameError as error:
        problem = Problem(f"the annotations of {kind.__name__}.build cannot be read: {error}")
        raise DescriptionError([problem]) from error
    return {parameter.name: _type(parameter) for parameter in parameters}


def _type(parameter: inspect.Parameter) -> Any:
    if parameter.annotation is not parameter.empty:
        return parameter.annotation
    return str if parameter.default in (parameter.empty, None) else type(parameter.default)


def _read(text: str, wanted: Any) -> object:
    """Raises ValueError when the text does not fit."""
    if wanted in (str, Any, object):
        return text
    if wanted in (int, float, Path):
        return wanted(text)
    words = _words(wanted)
    if text.lower() in words:
        return words[text.lower()]
    for choice in get_args(wanted) if get_origin(wanted) in (Union, UnionType) else ():
        with suppress(ValueError):
            return _read(text, choice)
    raise ValueError


def _words(wanted: Any) -> dict[str, object]:
    """The words that stand for a value of a type."""
    if wanted is bool:
        return _BOOLEANS
    if wanted is NoneType:
        return {"none": None}
    return {str(value).lower(): value for value in get_args(wanted)} if get_origin(wanted) is Literal else {}


def _describe(wanted: Any) -> str:
    if wanted is int:
        return "a whole number"
    if wanted is float:
        return "a number"
    if get_origin(wanted) in (Union, UnionType):
        return " or ".join(_describe(choice) for choice in get_args(wanted))
    if words := _words(wanted):
        return " or ".join(words)
    return {Path: "a path", str: "a string"}.get(wanted) or f"no value from the command line: it is {wanted}"
