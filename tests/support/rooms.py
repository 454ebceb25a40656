"""Draws the packages and which imports which, from the syntax trees.

python -m tests.support.rooms > docs/pictures/rooms.svg

A package stands above all that it imports. An arrow that follows from others is left out: what `shell` may reach through
`network` needs none.
"""

import ast
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from html import escape
from pathlib import Path
from textwrap import wrap

from tests.support.pynetemu import CLONE

Imports = Mapping[str, set[str]]

_PACKAGE = CLONE / "pynetemu"
_WIDTH, _HEIGHT, _BESIDE, _BETWEEN, _MARGIN = 210, 76, 26, 44, 20
_LETTERS = 36  # of a line in a box
_STYLE = """
text{font:11px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2328}
.name{font:600 14px system-ui,'DejaVu Sans',sans-serif}
.about{font:10px system-ui,'DejaVu Sans',sans-serif;fill:#59636e}
rect{fill:#f6f8fa;stroke:#818b98;stroke-width:1.5}
path{fill:none;stroke:#818b98;stroke-width:1.5;marker-end:url(#tip)}
"""


def rooms() -> list[str]:
    """The packages, and modules of the top level, that have something in them."""
    folders = [folder.name for folder in _PACKAGE.iterdir() if any(folder.glob("*.py"))]
    return sorted([*folders, *(file.stem for file in _PACKAGE.glob("*.py") if not file.stem.startswith("__"))])


def imports() -> dict[str, set[str]]:
    """Which others each imports, inside functions and for type checkers too."""
    return {room: {name for file in _files(room) for name in _imported(file)} & set(rooms()) - {room} for room in rooms()}


def direct(all_imports: Imports) -> dict[str, set[str]]:
    """The same without what follows: of a to b, b to c and a to c the last is left out."""
    reached: dict[str, set[str]] = {}
    for room in TopologicalSorter(all_imports).static_order():
        reached[room] = all_imports[room].union(*(reached[below] for below in all_imports[room]))
    return {room: below - set().union(*(reached[other] for other in below)) for room, below in all_imports.items()}


def rows(arrows: Imports) -> list[list[str]]:
    """The rooms by height, each below all that import it; an arrow that passes a row has a place in it: "draw>plan>3"."""
    depth: dict[str, int] = {}
    for room in reversed([*TopologicalSorter(arrows).static_order()]):
        depth[room] = 1 + max((depth[above] for above, below in arrows.items() if room in below), default=-1)
    lowest = max(depth.values())
    depth |= {room: lowest for room in arrows if not any(room in below for below in arrows.values()) and not arrows[room]}
    levels: list[list[str]] = [[] for _ in range(lowest + 1)]
    for room, level in depth.items():
        levels[level].append(room)
        for below in arrows[room]:
            for passed in range(level + 1, depth[below]):
                levels[passed].append(f"{room}>{below}>{passed}")
    return [sorted(level, key=lambda name: (">" not in name, name)) for level in levels]


def picture() -> str:
    """The picture as SVG."""
    arrows = direct(imports())
    places = dict(_places(rows(arrows)))
    width = max(x for x, _ in places.values()) + _WIDTH + _MARGIN
    height = max(y for _, y in places.values()) + _HEIGHT + _MARGIN
    lines = [_arrow(room, below, places) for room in arrows for below in sorted(arrows[room])]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            ' role="img">',
            "<title>The packages of pynetemu, each above those that it imports</title>",
            f"<style>{_STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0 0L8 4L0 8z" style="fill:#818b98;stroke:none"/></marker></defs>',
            f'<rect width="{width}" height="{height}" style="fill:#fff;stroke:none"/>',
            *lines,
            *(line for room in arrows for line in _box(room, places[room])),
            "</svg>\n",
        ]
    )


def _files(room: str) -> Iterator[Path]:
    return (file for file in [_PACKAGE / f"{room}.py", *sorted((_PACKAGE / room).rglob("*.py"))] if file.exists())


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "pynetemu":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pynetemu."):
            yield (node.module or "").split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("pynetemu."))


def _places(levels: list[list[str]]) -> Iterator[tuple[str, tuple[int, int]]]:
    widths = [sum((_BESIDE if ">" in name else _WIDTH) + _BESIDE for name in level) for level in levels]
    for number, (level, width) in enumerate(zip(levels, widths, strict=True)):
        x = _MARGIN + (max(widths) - width) // 2
        for name in level:
            yield name, (x, _MARGIN + number * (_HEIGHT + _BETWEEN))
            x += (_BESIDE if ">" in name else _WIDTH) + _BESIDE


def _arrow(room: str, below: str, places: Mapping[str, tuple[int, int]]) -> str:
    """From a room's lower edge to another's upper one, by way of the places kept for it in the rows between."""
    passed = sorted(
        (place for name, place in places.items() if name.startswith(f"{room}>{below}>")), key=lambda place: place[1]
    )
    x, y = places[room][0] + _WIDTH // 2, places[room][1] + _HEIGHT
    path = f"M{x} {y}"
    for to_x, to_y in [*passed, (places[below][0] + _WIDTH // 2, places[below][1] - 1)]:
        bend = (to_y - y) // 2
        path += f"C{x} {y + bend} {to_x} {to_y - bend} {to_x} {to_y}"
        x, y = to_x, to_y
        if (to_x, to_y) in passed:
            y += _HEIGHT
            path += f"L{x} {y}"
    return f'<path d="{path}"/>'


def _box(room: str, place: tuple[int, int]) -> Iterator[str]:
    x, y = place
    yield f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
    yield f'<text class="name" x="{x + 10}" y="{y + 20}">{room}</text>'
    for number, line in enumerate(wrap(_about(room), _LETTERS, max_lines=3, placeholder=" …")):
        yield f'<text class="about" x="{x + 10}" y="{y + 37 + 14 * number}">{escape(line)}</text>'


def _about(room: str) -> str:
    """The first line of what it says about itself."""
    file = _PACKAGE / room / "__init__.py" if (_PACKAGE / room).is_dir() else _PACKAGE / f"{room}.py"
    return (ast.get_docstring(ast.parse(file.read_text())) or "").partition("\n")[0].replace("`", "").rstrip(".")


if __name__ == "__main__":
    print(picture(), end="")
