"""Places of boxes and lines, in pixels or in characters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pynetemu.draw.graph import Link

Point = tuple[float, float]
Size = tuple[float, float]
Sizes = Mapping[str, Size]


@dataclass(frozen=True)
class Spacing:
    """The room between boxes beside each other and between layers, in the unit of the sizes."""

    beside: float
    between: float
    orthogonal: bool = True


@dataclass(frozen=True)
class Box:
    """A node's place: the upper left corner and the size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def center(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Route:
    """A link's line, by its corners from its `a` to its `b`."""

    link: Link
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Layout:
    """All places, from (0, 0) to (width, height)."""

    boxes: dict[str, Box]
    routes: tuple[Route, ...]
    width: float
    height: float


def as_layout(boxes: Mapping[str, Box], routes: Sequence[Route]) -> Layout:
    """Moves everything so that it begins at (0, 0)."""
    xs = [x for box in boxes.values() for x in (box.x, box.x + box.width)] + [x for r in routes for x, _ in r.points]
    ys = [y for box in boxes.values() for y in (box.y, box.y + box.height)] + [y for r in routes for _, y in r.points]
    layout = Layout(dict(boxes), tuple(routes), max(xs), max(ys))
    return moved(layout, -min(xs), -min(ys))


def any_overlap(boxes: Iterable[Box], gap: float = 0) -> bool:
    """Whether two boxes touch or are nearer than `gap`."""
    ordered = sorted(boxes, key=lambda box: box.x)
    for index, left in enumerate(ordered):
        for right in ordered[index + 1 :]:
            if right.x >= left.x + left.width + gap:
                break
            if left.y < right.y + right.height + gap and right.y < left.y + left.height + gap:
                return True
    return False


def crosses(start: Point, end: Point, box: Box) -> bool:
    """Whether a straight line comes into a box (Liang and Barsky's clipping)."""
    first, last = 0.0, 1.0
    sides = (start[0], end[0] - start[0], box.x, box.width), (start[1], end[1] - start[1], box.y, box.height)
    for place, step, low, length in sides:
        if step == 0:
            if not low < place < low + length:
                return False
            continue
        near, far = sorted(((low - place) / step, (low + length - place) / step))
        first, last = max(first, near), min(last, far)
    return first < last


def moved(layout: Layout, x: float, y: float) -> Layout:
    return Layout(
        {name: Box(box.x + x, box.y + y, box.width, box.height) for name, box in layout.boxes.items()},
        tuple(Route(route.link, tuple((px + x, py + y) for px, py in route.points)) for route in layout.routes),
        layout.width + x,
        layout.height + y,
    )


def scaled(layout: Layout, factor: float) -> Layout:
    return Layout(
        {
            name: Box(box.x * factor, box.y * factor, box.width * factor, box.height * factor)
            for name, box in layout.boxes.items()
        },
        tuple(Route(one.link, tuple((x * factor, y * factor) for x, y in one.points)) for one in layout.routes),
        layout.width * factor,
        layout.height * factor,
    )


def enlarged(sizes: Sizes, factor: float) -> Sizes:
    return {name: (width * factor, height * factor) for name, (width, height) in sizes.items()}


def side_by_side(layouts: Sequence[Layout], gap: float) -> Layout:
    """In rows, about as wide as they are high together."""
    limit = max([sum(layout.width * layout.height for layout in layouts) ** 0.5 * 1.5, *(one.width for one in layouts)])
    x = y = row = 0.0
    placed = []
    for layout in layouts:
        if x and x + layout.width > limit:
            x, y, row = 0.0, y + row + gap, 0.0
        placed.append(moved(layout, x, y))
        x, row = x + layout.width + gap, max(row, layout.height)
    boxes = {name: box for layout in placed for name, box in layout.boxes.items()}
    routes = tuple(route for layout in placed for route in layout.routes)
    return Layout(boxes, routes, max(one.width for one in placed), max(one.height for one in placed))
