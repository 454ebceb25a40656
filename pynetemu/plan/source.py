"""Where in the user's file an attribute is set."""

import linecache
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from pynetemu.topology.part import Declaration

if TYPE_CHECKING:
    import ast


def place_of_setting(name: str, declared: Declaration) -> Declaration:
    """Where an attribute of a class, or of what was declared somewhere, is set: the first place from there on, else any."""
    places = _lines("".join(linecache.getlines(declared.file))).get(name, [])
    line = next((line for line in places if line >= declared.line), places[0] if places else declared.line)
    return Declaration(declared.file, line, declared.order)


@lru_cache(maxsize=2)
def _lines(text: str) -> dict[str, list[int]]:
    """The lines with `name = ...`, `x.name = ...` and `def name` of a source text, by the name."""
    import ast

    try:
        tree = ast.parse(text)
    except SyntaxError:  # the file has changed since
        return {}
    found: dict[str, list[int]] = {}
    for name, line in sorted(_settings(tree), key=lambda setting: setting[1]):
        found.setdefault(name, []).append(line)
    return found


def _settings(tree: "ast.AST") -> Iterator[tuple[str, int]]:
    import ast

    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
