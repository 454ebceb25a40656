"""What to say about a file that has no topology to load, and which file or class was meant perhaps."""

import os
from collections.abc import Iterable, Iterator
from inspect import signature
from pathlib import Path

from pynetemu.errors import Problem
from pynetemu.topology.shapes import SHAPES
from pynetemu.topology.topology import Topology
from pynetemu.wording import near_or_all, nearest, shortened, suggested

_PACKAGE = Path(__file__).resolve().parent.parent


def collection() -> dict[str, Path]:
    """The topologies that come with pynetemu, by name, those that are broken on purpose last; in a clone its `topologies`."""
    folder = next((folder for folder in (_PACKAGE / "examples", _PACKAGE.parent / "topologies") if folder.is_dir()), None)
    if folder is None:
        return {}
    files = [*sorted(folder.glob("*.py")), *sorted(folder.glob("broken/*.py"))]
    return {str(file.relative_to(folder).with_suffix("")): file for file in files if not file.name.startswith("_")}


def explain_unreadable(file: str, error: OSError) -> Problem:
    if isinstance(error, IsADirectoryError):
        files = sorted(_python_files(file))
        hint = f"name a file in it: {shortened(files)}" if files else "it has no Python files"
        return Problem(f"{file} is a folder", hint=hint)
    if not isinstance(error, FileNotFoundError):
        return Problem(f"{file} cannot be read: {error.strerror}")
    folder, name = os.path.split(file)
    stem = name.removesuffix(".py")  # which alone tells names apart
    known = {Path(path).stem: path for place in ("topologies", folder) for path in _python_files(place)}
    if not any(map(str.isalnum, name)):
        return Problem(f"there is no file {file}", hint="name a Python file with a Topology, or a shape such as single")
    near = nearest(stem, known)
    if near is None and stem in collection():
        return Problem(f"there is no file {file}", hint=f"it comes with pynetemu: pynetemu examples {stem} --copy .")
    shape = None if name.endswith(".py") else nearest(name.partition(":")[0], SHAPES)
    if shape and (near is None or shape in name):
        return Problem(f"there is no file {file}", hint=suggested(shape, "the shape"))
    hint = suggested(known[near]) if near else "`pynetemu --help` lists the verbs" if name.isalpha() and not folder else ""
    return Problem(f"there is no file {file}", hint=hint)


def explain_shape(spec: str, wrong: str, name: str, kind: type[Topology]) -> Problem:
    parameters = ",".join(
        str(p).partition(":")[0] + "=..." for p in signature(kind.build).parameters.values() if p.name != "self"
    )
    return Problem(f"{spec}: {wrong!r} gives no parameter a value", hint=f"it is used as {name}:{parameters}")


def explain_choice(file: str, name: str, found: Iterable[str], leaves: Iterable[str]) -> Problem:
    """Why no class was chosen: `found` are the classes of the file, `leaves` those which no other derives from."""
    names = list(found)
    if not names:
        hint = "a network is a class: from pynetemu import Host, Topology; class Lab(Topology): h1 = Host()"
        return Problem(f"{file} has no Topology class of its own", hint=hint)
    if name:
        return Problem(f"{file} has no Topology class {name!r}", hint=near_or_all(name, names))
    choices = ", ".join(f"{file}:{leaf}" for leaf in list(leaves) or names)
    return Problem(f"{file} has several Topology classes", hint=f"choose one: {choices}")


def _python_files(folder: str) -> Iterator[str]:
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return
    for name in names:
        if name.endswith(".py") and not name.startswith("_"):
            yield os.path.join(folder, name)
