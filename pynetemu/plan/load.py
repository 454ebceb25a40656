"""Loads the user's file: `load("topologies/blue.py")` is an instance of the Topology class in it."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

from pynetemu.errors import DescriptionError, Problem
from pynetemu.topology.part import bounded, quoted
from pynetemu.topology.topology import MOST_PARTS, Topology, kinds_within, mistake_in_build

_LARGEST = 16 << 20  # bytes of a description
_MODULE = "pynetemu_file"  # a name that no other module has


def load(spec: str, parameters: Mapping[str, str] | None = None) -> Topology:
    """The topology of `FILE` or `FILE:CLASS`, with parameters as strings, which `build`'s annotations convert.

        load("topologies/star.py", {"n": "5"})
        load("tree:depth=2,fanout=3")

    Where there is no such file, it may be one of the shapes (`topology.shapes`), whose parameters can follow a colon.

    The file runs like a script: its own folder is importable. Raises DescriptionError, whatever goes wrong in it.
    """
    if shape := _shape(spec):
        kind, given = shape
        topology = _make(kind, {**given, **(parameters or {})})
        topology._declaration.file = ""  # it is in no file of the user's
        return _noted(topology, spec, parameters)
    file, name = _split(spec)
    source = _read(file)
    with _as_script(file):
        module = _run(file, source)
        topology = _make(_choose(file, name, module), parameters or {})
    return _noted(topology, os.path.abspath(file) + (f":{name}" if name else ""), parameters)


def _noted(topology: Topology, spec: str, parameters: Mapping[str, str] | None) -> Topology:
    """With where it is from, for who reads it again from another folder."""
    vars(topology)["_loaded"] = spec, dict(parameters or {})
    return topology


def _make(kind: type[Topology], parameters: Mapping[str, str]) -> Topology:
    if not parameters or mistake_in_build(kind):
        topology = _call(kind, {})
        if topology._declaration.refused is None:
            return topology
    from pynetemu.plan.parameters import convert

    return _call(kind, convert(kind, parameters))


def _call(kind: type[Topology], parameters: dict[str, object]) -> Topology:
    """An instance, where the class has an `__init__` of its own too, or is abstract."""
    try:
        topology = kind(**parameters)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        from pynetemu.plan.failures import explain_failure

        raise DescriptionError([explain_failure(error, f"{kind.__name__}() failed", kind._declaration.where)]) from error
    if not isinstance(topology, Topology):
        text = f"{kind.__name__}() gives back {quoted(topology)}, and not a {kind.__name__}"
        hint = "leave out its __new__, or what calls its metaclass does"
        raise DescriptionError([Problem(text, kind._declaration.where, kind._declaration.text, hint)])
    if topology._declaration is kind._declaration and kind.build is not Topology.build:
        hint = "write super().__init__() in it, or leave it out: build(self, n=3) takes parameters"
        text = f"the __init__ of {kind.__name__} does not call Topology's, so that its build does not run"
        raise DescriptionError([Problem(text, kind._declaration.where, kind._declaration.text, hint)])
    return topology


def _shape(spec: str) -> tuple[type[Topology], dict[str, str]] | None:
    """A shape by its name, with the parameters that follow it: tree:depth=2,fanout=3."""
    name, _, text = spec.partition(":")
    if os.path.exists(spec) or os.path.exists(name) or name.endswith(".py"):
        return None
    from pynetemu.topology.shapes import SHAPES

    if name not in SHAPES:
        return None
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    if wrong := next((word for word, equals, value in pairs if not (word and equals and value)), None):
        from pynetemu.plan.files import explain_shape

        raise DescriptionError([explain_shape(spec, wrong, name, SHAPES[name])])
    return SHAPES[name], {word: value for word, _, value in pairs}


def _split(spec: str) -> tuple[str, str]:
    """A file whose name has a colon of its own is taken as it is."""
    file, colon, name = spec.rpartition(":")
    return (file, name) if colon and name.isidentifier() and not os.path.exists(spec) else (spec, "")


def _read(file: str) -> bytes:
    try:
        with open(file, "rb") as stream:
            source = stream.read(_LARGEST + 1)
    except OSError as error:
        from pynetemu.plan.files import explain_unreadable

        raise DescriptionError([explain_unreadable(file, error)]) from None
    if len(source) > _LARGEST:
        raise DescriptionError([Problem(f"{file} is too large for a description: more than {_LARGEST >> 20} MiB")])
    return source


@contextmanager
def _as_script(file: str) -> Iterator[None]:
    """The file's folder comes first, and that of a link's target; `sys.argv` is the file; nothing is written beside it."""
    before, arguments = sys.dont_write_bytecode, sys.argv
    folders = list(dict.fromkeys(os.path.dirname(path) for path in (os.path.abspath(file), os.path.realpath(file))))
    sys.path[:0] = folders
    sys.dont_write_bytecode, sys.argv = True, [file]
    try:
        yield
    finally:
        sys.dont_write_bytecode, sys.argv = before, arguments
        for folder in folders:
            if folder in sys.path:
                sys.path.remove(folder)


def _run(file: str, source: bytes) -> ModuleType:
    module = ModuleType(_MODULE)
    module.__file__ = os.path.abspath(file)
    sys.modules[_MODULE] = module
    try:
        with bounded(MOST_PARTS):
            exec(compile(source, file, "exec", dont_inherit=True), vars(module))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        from pynetemu.plan.failures import explain_failure

        raise DescriptionError([explain_failure(error, "this file failed", file)]) from error
    return module


def _choose(file: str, name: str, module: ModuleType) -> type[Topology]:
    """The class that is named; else the only one made in this file from which no other of it derives, or is made."""
    found = {
        value.__name__: value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Topology) and value.__module__ == _MODULE
    }
    bases = {base for kind in found.values() for base in kind.__mro__[1:]}
    inner = {part for kind in found.values() for part in kinds_within(kind)}
    leaves = [kind for kind in found.values() if kind not in bases | inner]
    if name in found:
        return found[name]
    if not name and len(leaves) == 1:
        return leaves[0]
    from pynetemu.plan.files import explain_choice

    raise DescriptionError([explain_choice(file, name, found, [kind.__name__ for kind in leaves])])
