"""The picture as an SVG file that stands alone: `as_svg(graph)`."""

from collections.abc import Iterable, Iterator
from html import escape
from math import dist

from pynetemu.draw.box_contents import BoxContents, Scene, scene_of
from pynetemu.draw.geometry import Box, Point, Route
from pynetemu.draw.graph import Graph
from pynetemu.draw.labels import Label, place_labels
from pynetemu.draw.looks import look
from pynetemu.safe_text import printable

_MARGIN = 24
_WIDER = 1.0, 1.5, 2.2, 3.3, 5.0  # times the usual distances
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
    scene, labels = _labelled(graph)
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
            *(_text(label.text, label.style, label.x, label.y) for label in labels),
            "</svg>\n",
        ]
    )


def _labelled(graph: Graph) -> tuple[Scene, list[Label]]:
    """The drawing, with as much room between boxes as the labels of lines need."""
    drawings: list[tuple[int, int, Scene, list[Label]]] = []
    for wider in _WIDER:
        scene = scene_of(graph, wider)
        labels, lacking = place_labels(scene, _MARGIN)
        drawings.append((lacking, len(drawings), scene, labels))
        if not lacking:
            break
    _, _, scene, labels = min(drawings, key=lambda drawing: drawing[:2])
    return scene, labels


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


def _text(text: str, style: str, x: float, y: float) -> str:
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}">{_escaped(text)}</text>'


def _escaped(text: str) -> str:
    """Text in XML, which has no control characters."""
    return escape(printable(text))
