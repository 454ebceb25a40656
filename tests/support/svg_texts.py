"""Where texts and boxes of an SVG drawing stand, read from the file alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from xml.etree import ElementTree

_SVG = "{http://www.w3.org/2000/svg}"
# Advance per character and size of the fonts, in pixels: of DejaVu Sans Mono, and of DejaVu Sans Bold and Sans on average.
_FONTS = {"": (6.62, 11), "name": (8.6, 13), "more": (6.6, 12), "end": (6.02, 10), "note": (6.02, 10)}


@dataclass(frozen=True)
class Place:
    """A text or a box, and the rectangle that it takes; `within` are the numbers of the boxes that it is in."""

    kind: str
    text: str
    left: float
    top: float
    right: float
    bottom: float
    within: tuple[int, ...]

    def overlaps(self, other: "Place") -> bool:
        return (
            self.left < other.right - 0.5
            and other.left < self.right - 0.5
            and self.top < other.bottom - 0.5
            and other.top < self.bottom - 0.5
        )


def places(drawing: str) -> list[Place]:
    return list(_places(ElementTree.fromstring(drawing), (0.0, 0.0), ()))


def overprinted(drawing: str) -> list[tuple[str, str]]:
    """Pairs of texts that stand on each other, and of a text and a box that it is neither in nor clear of."""
    found = places(drawing)
    texts = [place for place in found if place.kind != "box"]
    boxes = dict(enumerate(place for place in found if place.kind == "box"))
    pairs = [(a.text, b.text) for a, b in combinations(texts, 2) if a.overlaps(b)]
    pairs += [(text.text, "a box") for text in texts for n, box in boxes.items() if n not in text.within and text.overlaps(box)]
    for text in texts:
        if text.within:
            own = boxes[text.within[-1]]
            if text.left < own.left or text.right > own.right + 0.5 or text.top < own.top or text.bottom > own.bottom + 0.5:
                pairs.append((text.text, "its own box's border"))
    return pairs


def _places(element: ElementTree.Element, at: tuple[float, float], within: tuple[int, ...]) -> Iterator[Place]:
    counter = [0]
    yield from _below(element, at, within, counter)


def _below(
    element: ElementTree.Element, at: tuple[float, float], within: tuple[int, ...], counter: list[int]
) -> Iterator[Place]:
    x, y = at
    for child in element:
        if child.tag == f"{_SVG}g":
            moved = re.fullmatch(r"translate\(([-\d.]+),([-\d.]+)\)", child.get("transform", ""))
            assert moved
            yield from _below(child, (x + float(moved[1]), y + float(moved[2])), within, counter)
        elif child.tag == f"{_SVG}rect" and child.get("class") == "box":
            width, height = float(child.get("width", 0)), float(child.get("height", 0))
            within = (*within, counter[0])
            counter[0] += 1
            yield Place("box", "", x, y, x + width, y + height, within)
        elif child.tag == f"{_SVG}text" and child.text:
            advance, size = _FONTS[child.get("class", "")]
            width, base = advance * len(child.text), y + float(child.get("y", 0))
            left = x + float(child.get("x", 0)) - width * {"end": 1.0, "middle": 0.5}.get(child.get("text-anchor", ""), 0.0)
            yield Place(child.get("class", ""), child.text, left, base - 0.78 * size, left + width, base + 0.22 * size, within)
