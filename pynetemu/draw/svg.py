"""The picture as an SVG file that stands alone: `as_svg(graph)`."""

from collections.abc import Iterable, Iterator
from html import escape
from itertools import pairwise
from math import dist, inf

from pynetemu.draw.box_contents import BoxContents, Scene, scene_of
from pynetemu.draw.geometry import Box, Point, Route
from pynetemu.draw.graph import Graph
from pynetemu.draw.looks import look
from pynetemu.safe_text import printable

_MARGIN = 24
_ICON = 16
_ROUND = 8  # of a line's corner
_ROUNDEST = 22  # of a box's corner
_MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_SANS = "system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif"
_STYLE = f"""
text{{font:11px {_MONO}}}
.name{{font:600 13px {_SANS}}}
.more{{font:12px {_SANS}}}
.end,.note{{font-size:10px;paint-order:stroke;stroke-width:3px;stroke-linejoin:round}}
.link{{fill:none;stroke-width:1.5;stroke-linejoin:round}}
.box{{stroke-width:1.5}}
.icon{{fill:none;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round}}
"""
_COLORS = {
    "light": {"page": "#ffffff", "ink": "#1f2328", "faint": "#59636e", "line": "#818b98"},
    "dark": {"page": "#0d1117", "ink": "#f0f6fc", "faint": "#9da7b3", "line": "#768390"},
}


def as_svg(graph: Graph, background: str = "") -> str:
    """A drawing for `background` "light" or "dark"; for "" it follows what the reader's browser prefers."""
    scene = scene_of(graph)
    width, height = (round(length + 2 * _MARGIN) for length in (scene.layout.width, scene.layout.height))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-_MARGIN} {-_MARGIN} {width} {height}"'
            f' width="{width}" height="{height}" role="img">',
            f"<title>{_escaped(graph.name)}</title>",
            f"<style>{_STYLE}{_theme(scene, background)}</style>",
            f'<rect class="page" x="{-_MARGIN}" y="{-_MARGIN}" width="{width}" height="{height}"/>',
            *(_line(route) for route in scene.layout.routes),
            *(part for name, content in scene.contents.items() for part in _box(content, scene.layout.boxes[name])),
            *(part for route in scene.layout.routes for part in _labels(scene, route)),
            "</svg>\n",
        ]
    )


def _theme(scene: Scene, background: str) -> str:
    kinds = dict.fromkeys(content.kind for top in scene.contents.values() for content in (top, *top.inner))
    if background:
        return _colors(background, kinds)
    return f"{_colors('light', kinds)}@media(prefers-color-scheme:dark){{\n{_colors('dark', kinds)}}}\n"


def _colors(background: str, kinds: Iterable[str]) -> str:
    color = _COLORS[background]
    lines = [
        f".page{{fill:{color['page']}}}",
        f"text{{fill:{color['ink']}}}",
        f".more,.end,.note{{fill:{color['faint']}}}",
        f".end,.note{{stroke:{color['page']}}}",
        f".link{{stroke:{color['line']}}}",
    ]
    for kind in kinds:
        inside, border = look(kind).dark if background == "dark" else look(kind).light
        lines += [f".{_class(kind)}>.box{{fill:{inside};stroke:{border}}}", f".{_class(kind)}>.icon{{stroke:{border}}}"]
    return "".join(f"{line}\n" for line in lines)


def _class(kind: str) -> str:
    return f"kind-{_escaped(kind)}"


def _line(route: Route) -> str:
    """Corners are rounded, but for the first and the last: there a line comes out of its box."""
    first, *corners, last = route.points
    path = [f"M{first[0]:.1f} {first[1]:.1f}"]
    for before, corner, after in zip(route.points, corners, route.points[2:], strict=False):
        inner = corner not in (corners[0], corners[-1])
        path.append(_rounded(before, corner, after) if inner else f"L{corner[0]:.1f} {corner[1]:.1f}")
    dashes = ' stroke-dasharray="6 4"' if route.link.is_tunnel else ""
    return f'<path class="link"{dashes} d="{"".join(path)}L{last[0]:.1f} {last[1]:.1f}"/>'


def _rounded(before: Point, corner: Point, after: Point) -> str:
    radius = min(_ROUND, dist(before, corner) / 2, dist(corner, after) / 2)
    if not radius:
        return ""
    (x, y), (to_x, to_y) = _toward(corner, before, radius), _toward(corner, after, radius)
    return f"L{x:.1f} {y:.1f}Q{corner[0]:.1f} {corner[1]:.1f} {to_x:.1f} {to_y:.1f}"


def _toward(start: Point, end: Point, distance: float) -> Point:
    part = distance / dist(start, end)
    return start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])


def _box(content: BoxContents, box: Box) -> Iterator[str]:
    seen, at = look(content.kind), content.indent
    corner = seen.round * min(box.height / 2, _ROUNDEST)
    yield f'<g class="{_class(content.kind)}" transform="translate({box.x:.1f},{box.y:.1f})">'
    yield f'<rect class="box" width="{box.width:.0f}" height="{box.height:.0f}" rx="{corner:.0f}"/>'
    yield f'<path class="icon" transform="translate({at:.0f},7)" d="{seen.icon}"/>'
    yield f'<text class="name" x="{at + _ICON + 6:.0f}" y="20">{_escaped(content.name)}</text>'
    for row, (text, style) in enumerate(content.rows):
        yield _text(text, style, at, 37 + 14 * row)
    yield from (part for inner, place in zip(content.inner, content.places, strict=True) for part in _box(inner, place))
    yield "</g>"


def _text(text: str, style: str, x: float, y: float, anchor: str = "start") -> str:
    kind = f' class="{style}"' if style else ""
    where = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text{kind}{where} x="{x:.1f}" y="{y:.1f}">{_escaped(text)}</text>'


def _labels(scene: Scene, route: Route) -> Iterator[str]:
    for end, points in ((route.link.a, route.points), (route.link.b, route.points[::-1])):
        if said := scene.said_at_end(end, route.link.other(end.node)):
            yield _end(said, scene.layout.boxes[end.node], points)
    if route.link.labels:
        x, y = _middle(route.points)
        yield _text(" ".join(route.link.labels), "note", x, y + 3, "middle")


def _end(text: str, box: Box, points: tuple[Point, ...]) -> str:
    """Beside the line, where it leaves the box; what comes from the right stands below it, since a line may be short."""
    x, y, right, down = _leaving(box, points)
    if abs(y - box.y) < 1 or abs(y - box.y - box.height) < 1:
        to_left = right > 0.1
        return _text(text, "end", x - 4 if to_left else x + 4, y + (12 if down > 0 else -5), "end" if to_left else "start")
    return _text(text, "end", x + 5, y - 4) if right > 0 else _text(text, "end", x - 5, y + 11, "end")


def _leaving(box: Box, points: tuple[Point, ...]) -> tuple[float, float, float, float]:
    """Where a line leaves a box, and its direction there."""
    for (x, y), (to_x, to_y) in pairwise(points):
        if not (box.x <= to_x <= box.x + box.width and box.y <= to_y <= box.y + box.height):
            length = dist((x, y), (to_x, to_y))
            right, down = (to_x - x) / length, (to_y - y) / length
            across = (box.x + box.width - x if right > 0 else x - box.x) / abs(right) if right else inf
            along = (box.y + box.height - y if down > 0 else y - box.y) / abs(down) if down else inf
            step = max(min(across, along), 0)
            return x + right * step, y + down * step, right, down
    return *box.center, 1, 0


def _escaped(text: str) -> str:
    """Text in XML, which has no control characters."""
    return escape(printable(text))


def _middle(points: tuple[Point, ...]) -> Point:
    """The middle of the longest straight part."""
    (x, y), (to_x, to_y) = max(pairwise(points), key=lambda part: dist(*part))
    return (x + to_x) / 2, (y + to_y) / 2
