"""Prints what labs of growing size take, as a table, and draws it: `./dev bench --curve docs/pictures/curve.svg`."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from tests.benchmarks.measure import wait_until_freed
from tests.support.pynetemu import CLONE

_PROGRAM = str(Path(__file__).with_name("one.py"))
_SIZES = {
    "star": (2, 10, 100, 500, 1000, 2000, 5000, 9500),
    "linear": (2, 10, 50, 100, 200),
    "tree": (4, 16, 100, 900),
    "torus": (9, 25, 64, 100, 225),
    "fat-tree": (4, 6, 8),
}
_MOST_RUNS, _MOST_NODES_OF_ALL = 3, 20_000  # so that small labs run several times, and large ones once
_COLORS = {"star": "#4269d0", "linear": "#efb118", "tree": "#ff725c", "torus": "#6cc5b0", "fat-tree": "#a463f2"}
_LABELS = {"star": "star", "linear": "linear", "tree": "tree", "torus": "torus, routed", "fat-tree": "fat tree, routed"}
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _RIGHT, _TOP = 720, 420, 60, 40, 130, 20
_NODES, _SECONDS = (1, 20_000), (0.02, 100)  # the ranges of the axes

Figures = dict[str, float]
Curves = dict[str, list[Figures]]


def measure(shapes: Iterable[str]) -> Curves:
    curves: Curves = {}
    print("| | nodes | plan | open | stop | processor | kernel | shell and engine |\n|---|---|---|---|---|---|---|---|")
    for shape in shapes:
        for size in _SIZES[shape]:
            figures = _medians(shape, size)
            curves.setdefault(shape, []).append(figures)
            print(_row(shape, size, figures), flush=True)
    return curves


def _medians(shape: str, size: int) -> Figures:
    argv = [sys.executable, _PROGRAM, shape, str(size)]
    env = {**os.environ, "PYTHONPATH": str(CLONE), "PYTHONWARNINGS": "ignore"}
    runs: list[Figures] = []
    for _ in range(max(1, min(_MOST_RUNS, _MOST_NODES_OF_ALL // 10 // size))):
        wait_until_freed()
        done = subprocess.run(argv, cwd=CLONE, env=env, check=True, stdout=subprocess.PIPE, text=True)
        runs.append(json.loads(done.stdout))
    return {name: median(run[name] for run in runs) for name in runs[0]}


def _row(shape: str, size: int, figures: Figures) -> str:
    times = [_seconds(figures[name]) for name in ("plan", "open", "stop", "processor")]
    memory = [f"{figures[name] / 1000:.0f} MB" for name in ("kernel", "own")]
    return f"| {_LABELS[shape]} of {size} | {figures['nodes']:.0f} | {' | '.join(times + memory)} |"


def _seconds(value: float) -> str:
    return f"{value * 1e3:.0f} ms" if value < 1 else f"{value:.3g} s"


def drawn(curves: Curves) -> str:
    """The processor time until a lab is ready, by nodes, both on logarithmic scales; the clock depends on what else runs."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        *_grid(),
    ]
    for shape, points in curves.items():
        places = [_place(point["nodes"], point["processor"]) for point in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        color = _COLORS[shape]
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in places]
    for number, shape in enumerate(curves):
        y = _TOP + 16 + 20 * number
        parts.append(f'<rect x="{_WIDTH - _RIGHT + 14}" y="{y - 9}" width="12" height="12" fill="{_COLORS[shape]}"/>')
        parts.append(f'<text x="{_WIDTH - _RIGHT + 32}" y="{y + 2}">{_LABELS[shape]}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _grid() -> Iterable[str]:
    for nodes in (1, 10, 100, 1000, 10_000):
        x, _ = _place(nodes, _SECONDS[0])
        yield f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_HEIGHT - _BOTTOM}" stroke="#ddd"/>'
        yield f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{nodes:,}</text>'
    for seconds in (0.1, 1, 10):
        _, y = _place(_NODES[0], seconds)
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{seconds:g} s</text>'
    yield f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 6}" text-anchor="middle">nodes</text>'
    place = f'x="14" y="{_HEIGHT / 2}" transform="rotate(-90 14 {_HEIGHT / 2})"'
    yield f'<text {place} text-anchor="middle">seconds of the processor</text>'


def _place(nodes: float, seconds: float) -> tuple[float, float]:
    return (
        _LEFT + _part(nodes, _NODES) * (_WIDTH - _LEFT - _RIGHT),
        _HEIGHT - _BOTTOM - _part(seconds, _SECONDS) * (_HEIGHT - _TOP - _BOTTOM),
    )


def _part(value: float, ends: tuple[float, float]) -> float:
    return math.log(max(value, ends[0]) / ends[0]) / math.log(ends[1] / ends[0])


def main(arguments: Sequence[str]) -> None:
    file, *shapes = arguments
    Path(file).write_text(drawn(measure(shapes or _SIZES)))


if __name__ == "__main__":
    main(sys.argv[1:])
