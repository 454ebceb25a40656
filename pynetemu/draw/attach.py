"""Where lines reach boxes: each at a place of its own, those of one pair of nodes beside each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import dist, inf

from pynetemu.draw.geometry import Box, Layout, Point, Route, crosses

_APART = 40  # pixels between lines of the same pair, and wanted between others, room for a name between
_LEAST = 12
_TRACK = 9  # between levels
_LEVEL = "top", "bottom"
_CORNER = 16  # pixels of a side that are its round corners


def spread(layout: Layout) -> Layout:
    """The same picture, in which no two lines are one, and none begin at the same point."""
    routes = list(layout.routes)
    for group in _alike(routes):
        for place, number in enumerate(group):
            shift = (place - (len(group) - 1) / 2) * _apart(len(group), layout.boxes, routes[number])
            routes[number] = _shifted(routes[number], shift)
    for name, box in layout.boxes.items():
        _spread_at(name, box, routes)
    chosen = (new if _is_clear(new, layout.boxes) else old for new, old in zip(routes, layout.routes, strict=True))
    return replace(layout, routes=tuple(chosen))


def _is_clear(route: Route, boxes: Mapping[str, Box]) -> bool:
    """Whether a line runs through no third box."""
    ends = route.link.a.node, route.link.b.node
    others = [box for name, box in boxes.items() if name not in ends]
    return not any(crosses(start, end, box) for start, end in pairwise(route.points) for box in others)


def _alike(routes: list[Route]) -> Iterator[list[int]]:
    """The lines that are the same, one way or the other."""
    found: dict[object, list[int]] = {}
    for number, route in enumerate(routes):
        points = tuple((round(x), round(y)) for x, y in route.points)
        found.setdefault(min(points, points[::-1]), []).append(number)
    return (numbers for numbers in found.values() if len(numbers) > 1)


def _apart(count: int, boxes: Mapping[str, Box], route: Route) -> float:
    """As far as the smaller box allows."""
    ends = [boxes[end.node] for end in (route.link.a, route.link.b)]
    (x, y), (to_x, to_y) = route.points[0], route.points[-1]
    is_level = abs(to_x - x) > abs(to_y - y)
    room = min(box.height if is_level else box.width for box in ends) - _CORNER
    return max(min(_APART, room / count), _LEAST / 2)


def _shifted(route: Route, shift: float) -> Route:
    """A line beside itself; each of its straight parts is moved across its direction."""
    first, last = route.points[0], route.points[-1]
    length = dist(first, last)
    if not length:
        return route
    if min(first, last) != first:
        shift = -shift  # so that lines that run to and fro are shifted to one side by the same sign
    across = -(last[1] - first[1]) / length * shift, (last[0] - first[0]) / length * shift
    return replace(route, points=tuple((x + across[0], y + across[1]) for x, y in route.points))


@dataclass(frozen=True)
class _End:
    """A line's end at a box: where it leaves along the side, by its corners from there on, and where it goes."""

    along: float
    target: float
    number: int
    is_last: bool
    points: tuple[Point, ...]


def _spread_at(name: str, box: Box, routes: list[Route]) -> None:
    """Moves the ends of lines along the sides of a box until there is room between them."""
    sides: dict[str, list[_End]] = {}
    for number, route in enumerate(routes):
        if route.link.a.node == route.link.b.node:
            continue
        for is_last, node in ((False, route.link.a.node), (True, route.link.b.node)):
            points = route.points[::-1] if is_last else route.points
            if node == name and (found := _leaves(box, points)):
                side, along, rest = found
                target = rest[-1][0] - box.x if side in _LEVEL else rest[-1][1] - box.y
                sides.setdefault(side, []).append(_End(along, target, number, is_last, rest))
    for side, ends in sides.items():
        if len(ends) > 1:
            ends.sort(key=lambda end: (round(end.along), end.target, end.number))
            places = _placed([end.along for end in ends], box.width if side in _LEVEL else box.height)
            tracks = _tracks(ends, places, box, side)
            for end, place in zip(ends, places, strict=True):
                if abs(end.along - place) > 0.5 or end.number in tracks:
                    points = _reached(end, box, side, place, tracks.get(end.number))
                    routes[end.number] = replace(routes[end.number], points=points[::-1] if end.is_last else points)


def _tracks(ends: list[_End], places: list[float], box: Box, side: str) -> dict[int, float]:
    """Levels of their own for lines that turn off at one, by number: the outer ones turn first, so that none cross."""
    if side not in _LEVEL:
        return {}
    edge = box.y if side == "top" else box.y + box.height
    turning = [
        (end, place)
        for end, place in zip(ends, places, strict=True)
        if len(end.points) > 2 and _turns_off(end.points, box, end.along)
    ]
    lefts = [end for end, place in turning if end.points[1][0] < box.x + place - 1]
    rights = [end for end, place in reversed(turning) if end.points[1][0] > box.x + place + 1]
    found = {}
    for side_of in (lefts, rights):
        for index, end in enumerate(side_of):
            level = end.points[0][1]
            step = min(_TRACK, abs(level - edge) / (len(side_of) + 1))
            found[end.number] = level - (len(side_of) - 1 - index) * step * (1 if level > edge else -1)
    return found


def _turns_off(points: tuple[Point, ...], box: Box, along: float) -> bool:
    """Whether a line goes straight away from its box first, and then level."""
    (x, y), (_, to_y) = points[0], points[1]
    return abs(x - box.x - along) < 1 and abs(y - to_y) < 1


def _leaves(box: Box, points: tuple[Point, ...]) -> tuple[str, float, tuple[Point, ...]] | None:
    """The side of its box by which a line leaves, where along it, and its corners from there on."""
    for number, (start, end) in enumerate(pairwise(points), 1):
        if box.x <= end[0] <= box.x + box.width and box.y <= end[1] <= box.y + box.height:
            continue
        right, down = end[0] - start[0], end[1] - start[1]
        crossings = {
            "top": (box.y - start[1]) / down if down < 0 else inf,
            "bottom": (box.y + box.height - start[1]) / down if down > 0 else inf,
            "left": (box.x - start[0]) / right if right < 0 else inf,
            "right": (box.x + box.width - start[0]) / right if right > 0 else inf,
        }
        side = min(crossings, key=lambda side: crossings[side])
        part = max(crossings[side], 0.0)
        along = start[0] + part * right - box.x if side in _LEVEL else start[1] + part * down - box.y
        return side, along, points[number:]
    return None


def _placed(wanted: list[float], length: float) -> list[float]:
    """Places in this order, apart from each other, as near as can be to those wanted: those in one place around it."""
    low, high = min(_CORNER, length / 4), length - min(_CORNER, length / 4)
    apart = min(_APART, (high - low) / (len(wanted) - 1))
    pools: list[tuple[float, int]] = []  # how far each is shifted, of neighbors that are too near to each other their mean
    for number, place in enumerate(wanted):
        pool = place - number * apart, 1
        while pools and pools[-1][0] > pool[0]:
            mean, count = pools.pop()
            pool = (mean * count + pool[0] * pool[1]) / (count + pool[1]), count + pool[1]
        pools.append(pool)
    shifts = (min(max(mean, low), high - (len(wanted) - 1) * apart) for mean, count in pools for _ in range(count))
    return [shift + number * apart for number, shift in enumerate(shifts)]


def _reached(end: _End, box: Box, side: str, place: float, track: float | None) -> tuple[Point, ...]:
    """The corners of a line that reaches its box at another place; what turned off straight below that does so again."""
    rest = list(end.points)
    if side in _LEVEL:
        x, y = box.x + place, box.y if side == "top" else box.y + box.height
        if track is not None:
            rest[:2] = [(x, track), (rest[1][0], track)]
        return (x, box.center[1]), (x, y), *rest
    x, y = box.x if side == "left" else box.x + box.width, box.y + place
    return (box.center[0], y), (x, y), *rest
