"""Draws docs/pictures/links.svg: what a link was asked for over time, and what is measured.

python -m tests.support.links_picture docs/pictures/links.svg
"""

import re
import sys
import time
from pathlib import Path

from pynetemu import Host, Link, Network, Topology

_SECONDS = 9.0
_DELAYS = ((0.0, 20), (3.0, 60), (6.0, 10))  # ms, one way
_RATES = ((0.0, 10), (3.0, 4), (6.0, 16))  # mbit
_LEFT, _WIDTH, _HEIGHT, _GAP = 60, 560, 120, 50


class Lab(Topology):
    h1, h2, h3 = Host(), Host(), Host()
    delayed = Link(h1, h2, delay="20ms", seed=1)
    rated = Link(h1, h3, rate="10mbit", delay="5ms", seed=1)


def round_trips(net: Network) -> list[tuple[float, float]]:
    """Seconds since the begin, and milliseconds of each answer."""
    net.link("delayed").schedule(*((at, {"delay": f"{delay}ms"}) for at, delay in _DELAYS))
    told = str(net["h1"].run("ping", "-D", "-i0.05", f"-w{_SECONDS:.0f}", "h2").stdout)
    found = [(float(a), float(b)) for a, b in re.findall(r"\[([\d.]+)\].*time=([\d.]+)", told)]
    return [(at - found[0][0], took) for at, took in found]


def rates(net: Network) -> list[tuple[float, float]]:
    """Seconds since the begin, and Mbit/s of each measurement of a third of a second."""
    net.link("rated").schedule(*((at, {"delay": "5ms", "rate": f"{rate}mbit"}) for at, rate in _RATES))
    begin, found = time.monotonic(), []
    while (now := time.monotonic() - begin) < _SECONDS:
        rate = net.throughput("h1", "h3", seconds=0.4).rate / 1e6
        found.append(((now + time.monotonic() - begin) / 2, rate))
    return found


def picture(trips: list[tuple[float, float]], rates: list[tuple[float, float]]) -> str:
    """Both as one SVG: dots are measured, the line is what was asked."""
    asked: list[list[tuple[float, float]]] = [[(at, 2 * delay) for at, delay in _DELAYS], list(_RATES)]
    titles = "round trip in ms: asked (line), measured (dots)", "TCP in Mbit/s: asked (line), measured (dots)"
    height = 2 * (_HEIGHT + _GAP) + 10
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 20} {height}" role="img">',
        "<style>text{font:12px sans-serif;fill:#444}.asked{fill:none;stroke:#c60}.axis{stroke:#999}circle{fill:#06c}</style>",
        '<rect width="100%" height="100%" style="fill:#fff"/>',
    ]
    for place, (title, points, wanted) in enumerate(zip(titles, (trips, rates), asked, strict=True)):
        lines += _panel(30 + place * (_HEIGHT + _GAP), title, points, wanted)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _panel(top: int, title: str, points: list[tuple[float, float]], wanted: list[tuple[float, float]]) -> list[str]:
    most = 1.25 * max(value for _, value in wanted)

    def at(seconds: float, value: float) -> tuple[float, float]:
        return _LEFT + _WIDTH * min(seconds / _SECONDS, 1), top + _HEIGHT * (1 - min(value / most, 1))

    steps = []
    for (begin, value), end in zip(wanted, [*(begin for begin, _ in wanted[1:]), _SECONDS], strict=True):
        steps += [at(begin, value), at(end, value)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in steps)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.6"/>' for x, y in (at(*point) for point in points)]
    labels = [f'<text x="{_LEFT - 8}" y="{at(0, v)[1] + 4:.1f}" text-anchor="end">{v:g}</text>' for _, v in wanted]
    axis = f'<line class="axis" x1="{_LEFT}" y1="{top + _HEIGHT}" x2="{_LEFT + _WIDTH}" y2="{top + _HEIGHT}"/>'
    return [
        f'<text x="{_LEFT}" y="{top - 8}">{title}</text>',
        axis,
        *labels,
        f'<polyline class="asked" points="{path}"/>',
        *dots,
    ]


if __name__ == "__main__":
    with Network(Lab(), name="links-picture") as network:
        Path(sys.argv[1]).write_text(picture(round_trips(network), rates(network)))
