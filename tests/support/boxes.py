"""Reads a picture of boxes and lines back: which boxes a line joins."""

import re
from collections.abc import Iterator

_Cell = tuple[int, int]
_STEPS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
_BACK = {"left": "right", "right": "left", "up": "down", "down": "up"}
_SIDES = {
    "─": "left right",
    "│": "up down",
    "┌": "right down",
    "┐": "left down",
    "└": "right up",
    "┘": "left up",
    "├": "right up down",
    "┤": "left up down",
    "┬": "left right down",
    "┴": "left right up",
    "┼": "left right up down",
}


def wires_between_boxes(rows: list[str]) -> list[set[str]]:
    """For each connected run of lines outside of boxes, the names of the boxes that it touches."""
    cells = {(x, y): _SIDES[c].split() for y, row in enumerate(rows) for x, c in enumerate(row) if c in _SIDES}
    border = dict(_borders(rows))
    seen: set[_Cell] = set()
    wires = []
    for start in cells:
        if start not in border and start not in seen:
            run, touched = _run(start, cells, border)
            seen |= run
            wires.append(touched)
    directly = [{border[a], border[b]} for a in border for b in _next(a, cells) if b in border and border[a] != border[b]]
    return wires + directly


def _run(start: _Cell, cells: dict[_Cell, list[str]], border: dict[_Cell, str]) -> tuple[set[_Cell], set[str]]:
    run, touched, waiting = {start}, set(), [start]
    while waiting:
        for cell in _next(waiting.pop(), cells):
            if cell in border:
                touched.add(border[cell])
            elif cell not in run:
                run.add(cell)
                waiting.append(cell)
    return run, touched


def _next(cell: _Cell, cells: dict[_Cell, list[str]]) -> Iterator[_Cell]:
    """The neighbors of a cell to which its line goes on, and whose line comes to meet it."""
    for side in cells[cell]:
        other = cell[0] + _STEPS[side][0], cell[1] + _STEPS[side][1]
        if _BACK[side] in cells.get(other, []):
            yield other


def _borders(rows: list[str]) -> Iterator[tuple[_Cell, str]]:
    """The cells of each box's border, with the name in the box: a mark and a word after an upright line."""
    for y, row in enumerate(rows):
        for match in re.finditer(r"[│├┤┼] [^\w\s─│┌┐└┘├┤┬┴┼] ([\w.]+) +[│├┤┼]", row):
            left, right = match.start(), match.end() - 1
            bottom = next(low for low in range(y + 1, len(rows)) if rows[low][left] in "└┴┼├" and rows[low][left + 1] in "─┬")
            yield from (((x, edge), match[1]) for x in range(left, right + 1) for edge in (y - 1, bottom))
            yield from (((x, middle), match[1]) for x in (left, right) for middle in range(y - 1, bottom + 1))
