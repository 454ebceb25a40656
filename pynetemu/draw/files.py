"""Writes a picture to a file: `save(graph, "lab.svg")`. Its suffix says which kind of picture."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from pynetemu.draw.graph import Graph, read
from pynetemu.errors import DrawError
from pynetemu.plan.operations import Plan

SUFFIXES = ".svg", ".png", ".dot", ".mmd"
_WITH_BACKGROUND = ".svg", ".png"
_CONVERTER, _PACKAGE = "rsvg-convert", "librsvg2-bin"
_ZOOM = "2"  # so that a PNG is sharp on fine screens and in print


def check(path: str, background: str = "") -> None:
    """Refuses, before any work, what cannot be written: the suffix, the folder, the rights, a missing program."""
    file = Path(path)
    if file.suffix not in SUFFIXES:
        raise DrawError(f"{path}: a picture's name ends in one of {', '.join(SUFFIXES)}")
    if background and file.suffix not in _WITH_BACKGROUND:
        raise DrawError(f"{path}: only {' and '.join(_WITH_BACKGROUND)} have a background; --{background} has no effect here")
    if file.suffix == ".png" and shutil.which(_CONVERTER) is None:
        raise DrawError(
            f"{path}: a PNG needs {_CONVERTER}, Debian's package {_PACKAGE}\n    hint: an SVG needs nothing: {file.stem}.svg"
        )
    if file.is_dir():
        raise DrawError(f"{path}: this is a folder")
    if not file.parent.is_dir():
        raise DrawError(f"{path}: there is no folder {file.parent}")
    if not os.access(file.parent, os.W_OK) or (file.exists() and not os.access(file, os.W_OK)):
        raise DrawError(f"{path}: you may not write there")


def save_picture(plan: Plan, path: str, background: str = "") -> None:
    """Draws a plan into a file, as `pynetemu draw -o` does; its suffix says how: .svg, .png, .dot (Graphviz), .mmd (Mermaid).

        save_picture(compile_plan(Blue), "blue.svg")

    `background` is "light" or "dark"; by default a picture follows the page it is on. Raises DrawError for what cannot be
    written, before any work.
    """
    check(path, background)
    save(read(plan), path, background)


def save(graph: Graph, path: str, background: str = "") -> None:
    """The file is there as a whole or, when anything goes wrong, as it was; `background` is "light", "dark" or ""."""
    check(path, background)
    content = _content(graph, path, background)
    try:
        _replace(path, content)
    except OSError as error:
        raise DrawError(f"{path}: {error.strerror}") from None


def _content(graph: Graph, path: str, background: str) -> bytes:
    match Path(path).suffix:
        case ".dot":
            from pynetemu.draw.dot import as_dot

            return as_dot(graph).encode()
        case ".mmd":
            from pynetemu.draw.mermaid import as_mermaid

            return as_mermaid(graph).encode()
        case suffix:
            from pynetemu.draw.svg import as_svg

            png = suffix == ".png"
            drawing = as_svg(graph, background or ("light" if png else "")).encode()
            return _as_png(drawing, path) if png else drawing


def _as_png(drawing: bytes, path: str) -> bytes:
    done = subprocess.run([_CONVERTER, "--zoom", _ZOOM, "--format", "png"], input=drawing, capture_output=True, check=False)
    if done.returncode:
        raise DrawError(f"{path}: {_CONVERTER} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _replace(path: str, content: bytes) -> None:
    """A new file takes the old one's place in one step."""
    target = os.path.realpath(path)  # a link goes on to lead to the picture
    mode = os.stat(target).st_mode & 0o777 if os.path.exists(target) else 0o644
    descriptor, new = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".pynetemu-")
    try:
        with open(descriptor, "wb") as stream:
            stream.write(content)
        os.chmod(new, mode)
        os.replace(new, target)
    except BaseException:
        os.unlink(new)
        raise
