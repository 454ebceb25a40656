"""Writes a picture to a file: `save(graph, "lab.svg")`. Its suffix says which kind."""

import os
import tempfile
from collections.abc import Callable

from pynetemu.draw.dot import as_dot
from pynetemu.draw.graph import Graph
from pynetemu.draw.mermaid import as_mermaid
from pynetemu.errors import DrawError

_KINDS: dict[str, Callable[[Graph], str]] = {".dot": as_dot, ".mmd": as_mermaid}


def check(path: str) -> None:
    """Refuses a suffix that is not known and a folder that cannot be written to."""
    suffix = os.path.splitext(path)[1]
    if suffix not in _KINDS:
        raise DrawError(f"-o {path}: a picture's file ends in one of {', '.join(_KINDS)}")
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        raise DrawError(f"-o {path}: this is a folder")
    if not os.path.isdir(folder):
        raise DrawError(f"-o {path}: there is no folder {folder}")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise DrawError(f"-o {path}: you may not write there")


def save(graph: Graph, path: str) -> None:
    """The file is there as a whole or, when anything goes wrong, as it was."""
    check(path)
    _write(path, _KINDS[os.path.splitext(path)[1]](graph).encode())


def _write(path: str, content: bytes) -> None:
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # a device or a pipe is written to as it is
            with open(path, "wb") as stream:
                stream.write(content)
            return
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(path) or ".", delete=False) as stream:
            try:
                stream.write(content)
                os.chmod(stream.name, 0o644)
                os.replace(stream.name, path)
            except BaseException:
                os.unlink(stream.name)
                raise
    except OSError as error:
        raise DrawError(f"-o {path}: {error.strerror}") from error
