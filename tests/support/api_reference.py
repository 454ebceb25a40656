"""The reference of the Python API, out of its signatures and docstrings.

python -m tests.support.api_reference > docs/reference/api.md

It reads syntax trees rather than objects, so that it is the same with every release of Python.
"""

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pynetemu

_HEAD = """\
# All of the Python API

Everything that can be imported from `pynetemu`, by its signature and its docstring.
`python -m tests.support.api_reference` writes this page.
[The Python API](python.md) is the short form by what one wants to do, [descriptions](topology.md) have their tables,
[traces](trace.md) their examples.
"""
# What a group has is told by the module that a name comes from.
_GROUPS = {
    "Descriptions": ("pynetemu.topology",),
    "Running networks": ("pynetemu.network", "pynetemu.lab", "pynetemu.results", "pynetemu.plan"),
    "Measurements": ("pynetemu.measure",),
    "Captures and traces": ("pynetemu.capture", "pynetemu.trace"),
    "Pictures": ("pynetemu.draw",),
    "The shell": ("pynetemu.shell",),
    "Errors": ("pynetemu.errors",),
}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def reference() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for title, packages in _GROUPS.items():
        names = [name for name in pynetemu.__all__ if _home(name).startswith(packages)]
        parts += [f"## {title}\n", *(text for name in names for text in _entry(name))]
    return "\n".join(parts)


def _home(name: str) -> str:
    return str(getattr(pynetemu, name).__module__)


def _entry(name: str) -> Iterator[str]:
    public = getattr(pynetemu, name)
    definition = _definition(public)
    if isinstance(definition, _Function):
        yield f"### {name}{_signature(definition)}\n"
        yield f"{_about(definition)}\n"
        return
    yield f"### {name}{_constructor(public)}\n"
    yield f"{_about(definition)}\n"
    fields = list(_fields(definition))
    if fields:
        yield (
            "\n".join(["| | |", "|---|---|", *(f"| `{field}` | {_cell(annotation)} |" for field, annotation in fields)]) + "\n"
        )
    for member in _members(public):
        yield _member(member)


def _constructor(public: type[Any]) -> str:
    """Its parameters; none for errors and for values that only we make, which say what they are by their fields."""
    init = next((node for kind in _ours(public) for node in _definition(kind).body if _is_init(node)), None)
    return _signature(init) if isinstance(init, _Function) and not issubclass(public, Exception) else ""


def _is_init(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "__init__"


def _fields(definition: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """The fields of a value."""
    made_by = " ".join(map(ast.unparse, definition.decorator_list))
    if any(maker in made_by for maker in ("dataclass", "frozen", "operation")):
        for node in definition.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not node.target.id.startswith("_"):
                yield node.target.id, _type(node.annotation)


def _members(public: type[Any]) -> list[_Function]:
    """Public methods and properties, of its bases of ours too, each as the nearest has it."""
    members: dict[str, _Function] = {}
    for kind in _ours(public):
        for node in _definition(kind).body:
            if isinstance(node, _Function) and not node.name.startswith("_") and ast.get_docstring(node):
                members.setdefault(node.name, node)
    return list(members.values())


def _member(function: _Function) -> str:
    is_property = any("property" in ast.unparse(decorator) for decorator in function.decorator_list)
    returned = f" → {_type(function.returns)}" if function.returns and ast.unparse(function.returns) != "None" else ""
    head = f"`{function.name}{'' if is_property else _signature(function)}`{returned.replace('|', chr(92) + '|')}"
    return f"- {head}\n\n{_indented(_about(function))}\n"


def _signature(function: _Function) -> str:
    """With defaults, without annotations: `(*argv, check=False)`."""
    bare = ast.parse((ast.unparse(function.args) and f"def f({ast.unparse(function.args)}): pass") or "def f(): pass").body[0]
    assert isinstance(bare, ast.FunctionDef)
    arguments = bare.args
    for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]:
        if argument is not None:
            argument.annotation = None
    arguments.args = [argument for argument in arguments.args if argument.arg not in ("self", "cls")]
    return f"({ast.unparse(arguments)})"


def _type(annotation: ast.expr | None) -> str:
    text = ast.unparse(annotation) if annotation is not None else ""
    return text.replace('"', "").replace("'", "")


def _about(node: ast.ClassDef | _Function) -> str:
    return ast.get_docstring(node) or ""


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())


def _cell(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _ours(public: type[Any]) -> Iterator[type[Any]]:
    return (kind for kind in inspect.getmro(public) if kind.__module__.startswith("pynetemu."))


def _definition(public: Any) -> Any:
    tree = _parsed(Path(inspect.getfile(public) if inspect.isclass(public) else public.__code__.co_filename))
    return next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef | _Function) and node.name == public.__name__)


@cache
def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


if __name__ == "__main__":
    print(reference(), end="")
