"""Where the texts beside lines go: on no box, on no other text, and on no line where that can be helped."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import dist, floor

from pynetemu.draw.box_contents import Scene
from pynetemu.draw.geometry import Box, Layout, Point, Route

_ADVANCE, _UP, _DOWN = 6.1, 8.0, 3.0  # pixels of the small font: per character, above and below the base line
_CELL = 48  # pixels; what is in other cells of this size is not looked at
_STEP = 5
_FARTHEST = 220  # pixels from the end of a line to its text
_NEAR, _AIR = 4, 1  # pixels between a text and its line, and around it
_CROSSING, _ON_ITSELF = 60, 30  # how many pixels further away a text may stand to be on no other line, on no line


@dataclass(frozen=True)
class Label:
    """A text and where it begins: `y` is that of the base line."""

    text: str
    style: str
    x: float
    y: float


@dataclass(frozen=True)
class _Rectangle:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "_Rectangle") -> bool:
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom


class _Index:
    """Rectangles by the cells that they lie in."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[tuple[_Rectangle, object]]] = {}

    def add(self, rectangle: _Rectangle, owner: object = None) -> None:
        for cell in _cells(rectangle):
            self._cells.setdefault(cell, []).append((rectangle, owner))

    def meeting(self, rectangle: _Rectangle) -> Iterator[object]:
        for cell in _cells(rectangle):
            yield from (owner for other, owner in self._cells.get(cell, ()) if rectangle.meets(other))


def _cells(rectangle: _Rectangle) -> Iterator[tuple[int, int]]:
    for column in range(floor(rectangle.left / _CELL), floor(rectangle.right / _CELL) + 1):
        for row in range(floor(rectangle.top / _CELL), floor(rectangle.bottom / _CELL) + 1):
            yield column, row


class _Sheet:
    """What is drawn already."""

    def __init__(self, layout: Layout, margin: float) -> None:
        self._taken, self._lines = _Index(), _Index()
        self._page = _Rectangle(-margin, -margin, layout.width + margin, layout.height + margin)
        for box in layout.boxes.values():
            self._taken.add(_Rectangle(box.x, box.y, box.x + box.width, box.y + box.height))
        for number, route in enumerate(layout.routes):
            for piece in _pieces(route.points):
                self._lines.add(piece, number)

    def place(self, text: str, style: str, candidates: Iterable[tuple[float, float, float]], line: int) -> Label | None:
        """The best of some places, each with what speaks against it, the middle of its left side and the base line there."""
        best: tuple[float, _Rectangle, float, float] | None = None
        for cost, x, y in candidates:
            if best and cost >= best[0]:
                continue
            width = _ADVANCE * len(text)
            area = _Rectangle(x - _AIR, y - _UP - _AIR, x + width + _AIR, y + _DOWN + _AIR)
            if not self._is_free(area):
                continue
            crossed = set(self._lines.meeting(area))
            cost += _CROSSING * bool(crossed - {line}) + _ON_ITSELF * (style == "end" and line in crossed)
            if best is None or cost < best[0]:
                best = cost, area, x, y
        if best is None:
            return None
        self._taken.add(best[1])
        return Label(text, style, best[2], best[3])

    def _is_free(self, area: _Rectangle) -> bool:
        page = self._page
        inside = page.left < area.left and area.right < page.right and page.top < area.top and area.bottom < page.bottom
        return inside and next(self._taken.meeting(area), self) is self


def place_labels(scene: Scene, margin: float) -> tuple[list[Label], int]:
    """The labels of all lines, and how many there is no room for: names at their ends, and what is said of them."""
    sheet = _Sheet(scene.layout, margin)
    wanted = []
    for number, route in enumerate(scene.layout.routes):
        for end, points in ((route.link.a, route.points), (route.link.b, route.points[::-1])):
            if text := scene.said_at_end(end, route.link.other(end.node)):
                outside = list(_from_box(scene.layout.boxes[end.node], points))
                wanted.append((text, "end", list(_beside(text, outside)), number))
    for number, route in enumerate(scene.layout.routes):
        if route.link.labels:
            text = " ".join(route.link.labels)
            wanted.append((text, "note", list(_on(text, route)), number))
    found = [sheet.place(*one) for one in wanted]
    return [label for label in found if label], found.count(None)


def _from_box(box: Box, points: tuple[Point, ...]) -> Iterator[tuple[float, Point, Point]]:
    """Places along a line from where it has left its box: how far that is, where, and the line's direction there."""
    walked = 0.0
    for point, direction, step in _along(points):
        if box.x <= point[0] <= box.x + box.width and box.y <= point[1] <= box.y + box.height:
            continue
        walked += step
        if walked > _FARTHEST:
            return
        yield walked, point, direction


def _beside(text: str, places: list[tuple[float, Point, Point]]) -> Iterator[tuple[float, float, float]]:
    """Places for a text beside a line, as near to its end as can be; not in its further half, which is the other end's."""
    width = _ADVANCE * len(text)
    for walked, (x, y), (right, down) in places[: max(len(places) * 3 // 5, 3)]:
        if abs(down) > abs(right) * 0.5:  # upright enough: left or right of it
            away = _NEAR + abs(right / down) * _UP
            yield walked, x + away, y + _DOWN
            yield walked + 2, x - away - width, y + _DOWN
        else:  # above or below it
            start = x if right > 0 else x - width
            lean = abs(down / right) * width
            yield walked, start, y - _NEAR - lean * (down < 0)
            yield walked + 2, start, y + _UP + _NEAR + lean * (down > 0)


def _on(text: str, route: Route) -> Iterator[tuple[float, float, float]]:
    """Places for a text on a line, from its middle outwards."""
    places = [point for point, _, _ in _along(route.points)]
    middle = len(places) / 2
    for number, (x, y) in enumerate(places):
        for aside in (0.0, _ADVANCE * len(text) / 2 + _NEAR, -_ADVANCE * len(text) / 2 - _NEAR):
            yield abs(number - middle) * _STEP + abs(aside) / 2, x + aside - _ADVANCE * len(text) / 2, y + 3


def _along(points: tuple[Point, ...]) -> Iterator[tuple[Point, Point, float]]:
    """Points on a line, a few pixels apart, with the direction there and the distance from the one before."""
    for (x, y), (to_x, to_y) in pairwise(points):
        length = dist((x, y), (to_x, to_y))
        for step in range(max(int(length // _STEP), 1) if length else 0):
            part = step * _STEP / length
            yield (x + part * (to_x - x), y + part * (to_y - y)), ((to_x - x) / length, (to_y - y) / length), _STEP


def _pieces(points: tuple[Point, ...]) -> Iterator[_Rectangle]:
    for (x, y), (right, down), _ in _along(points):
        to_x, to_y = x + right * _STEP, y + down * _STEP
        yield _Rectangle(min(x, to_x) - 0.5, min(y, to_y) - 0.5, max(x, to_x) + 0.5, max(y, to_y) + 0.5)
