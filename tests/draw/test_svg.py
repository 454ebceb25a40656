"""SVG files: well-formed, alone, nothing on top of each other, every node and link there."""

import re
import sys
from collections import Counter
from functools import cache
from itertools import combinations, pairwise
from random import Random
from xml.etree import ElementTree

import pytest

from pynetemu import Host, Link, Router, Switch, Topology, Vxlan
from pynetemu.draw.box_contents import Scene, scene_of
from pynetemu.draw.geometry import Box
from pynetemu.draw.graph import Graph, read
from pynetemu.draw.svg import as_svg
from pynetemu.errors import DrawError
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.load import load
from pynetemu.plan.operations import AddNode, AddVeth, Plan
from tests.support.pynetemu import CLONE
from tests.support.shapes import HUNDREDS, SHAPES, plan_of, random_edges
from tests.support.svg_texts import overprinted, places

ALL = {**SHAPES, **{f"{name} of a hundred": edges for name, edges in HUNDREDS.items()}}
SVG = "{http://www.w3.org/2000/svg}"

shapes = pytest.mark.parametrize("shape", ALL)


@cache
def scene(name: str) -> Scene:
    return scene_of(read(plan_of(ALL[name])))


@shapes
def test_no_box_touches_another_or_leaves_the_page(shape: str) -> None:
    layout = scene(shape).layout
    for box in layout.boxes.values():
        assert box.x >= 0 and box.x + box.width <= layout.width + 0.01
        assert box.y >= 0 and box.y + box.height <= layout.height + 0.01
    touching = [(a, b) for (a, one), (b, two) in combinations(layout.boxes.items(), 2) if _touch(one, two)]
    assert not touching


@shapes
def test_members_of_a_group_lie_inside_it_beside_each_other(shape: str) -> None:
    for name, content in scene(shape).contents.items():
        box = scene(shape).layout.boxes[name]
        assert all(place.x + place.width < box.width and place.y + place.height < box.height for place in content.places)
        assert not any(_touch(one, two) for one, two in combinations(content.places, 2))


@shapes
def test_no_line_runs_through_the_box_of_a_third_node(shape: str) -> None:
    layout = scene(shape).layout
    hit = {
        (route.link.a.node, route.link.b.node, name)
        for route in layout.routes
        for name, box in layout.boxes.items()
        if name not in (route.link.a.node, route.link.b.node)
        if any(_crosses(start, end, box) for start, end in zip(route.points, route.points[1:], strict=False))
    }
    assert not hit


@shapes
def test_every_node_is_there_once_and_every_link_has_a_line(shape: str) -> None:
    graph = read(plan_of(ALL[shape]))
    drawing = ElementTree.fromstring(as_svg(graph))
    names = [str(element.text) for element in drawing.iter(f"{SVG}text") if element.get("class") == "name"]
    assert sorted(name for name in names if " hosts" not in name) == sorted(node.name for node in graph.nodes)
    lines = [element for element in drawing.iter(f"{SVG}path") if element.get("class") == "link"]
    assert len(lines) == len(scene(shape).graph.links)


def test_without_the_layout_library_it_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "graphlay", None)
    with pytest.raises(DrawError, match="pip install graphlay"):
        as_svg(read(plan_of(SHAPES["single"])))


def test_it_needs_no_other_file() -> None:
    drawing = as_svg(read(plan_of(SHAPES["torus"])))
    assert re.findall(r"https?://[^\"]+|url\([^)]*\)|<script|<image|@import", drawing) == ["http://www.w3.org/2000/svg"]


def test_it_follows_the_readers_preference_unless_told() -> None:
    graph = read(plan_of(SHAPES["single"]))
    assert "prefers-color-scheme:dark" in as_svg(graph)
    assert "prefers-color-scheme" not in as_svg(graph, "dark") + as_svg(graph, "light")
    assert "#0d1117" in as_svg(graph, "dark") and "#0d1117" not in as_svg(graph, "light")


def test_parts_that_do_not_hang_together_stand_side_by_side() -> None:
    plan = plan_of([("s1", "h1"), ("s1", "h2"), ("s2", "h3"), ("s2", "h4")])
    lone = Plan("Lone", (*plan.operations, AddNode("h9", "host")))
    boxes = scene_of(read(lone)).layout.boxes
    assert boxes.keys() == {"s1", "s2", "h1", "h2", "h3", "h4", "h9"}
    assert not any(_touch(one, two) for one, two in combinations(boxes.values(), 2))


def test_two_links_between_the_same_nodes_are_two_lines() -> None:
    nodes = AddNode("r1", "host"), AddNode("r2", "host")
    links = AddVeth("r1", "eth0", "", "r2", "eth0", ""), AddVeth("r1", "eth1", "", "r2", "eth1", "")
    routes = scene_of(read(Plan("Two", (*nodes, *links)))).layout.routes
    assert len({route.points for route in routes}) == 2
    assert as_svg(read(Plan("Two", (*nodes, *links)))).count(">eth1<") == 4  # in the boxes and where the lines end


@pytest.mark.parametrize("seed", range(25))
def test_in_any_network_no_box_touches_another(seed: int) -> None:
    layout = scene_of(read(plan_of(random_edges(Random(seed))))).layout
    assert not any(_touch(one, two) for one, two in combinations(layout.boxes.values(), 2))


class _Lab(Topology):
    """Several links between two nodes, many at one, tunnels, and something said of most."""

    def build(self, case: str) -> None:
        r = self.r = [Router() for _ in range(6)]
        s = self.s = [Switch(stp=True), Switch(stp=True)]
        if case == "parallel":
            pairs = (
                [(r[0], r[1])] * 3 + [(r[1], s[0])] + [(s[0], s[1])] * 2 + [(r[2], r[3])] * 2 + [(r[3], r[4]), (r[4], r[2])] * 2
            )
        elif case == "mesh":
            pairs = [(a, b) for i, a in enumerate(r) for b in r[:i]]
        else:
            pairs = [*((a, s[0]) for a in r), *pairwise(r), *((a, s[1]) for a in r[:4])]
        for number, pair in enumerate(pairs):
            self.add(Link(*pair, mtu=1400 if number % 2 and case != "crowd" else None))
        if case != "mesh":
            self.add(Vxlan(r[0], r[1], id=7))

    allow = "mtu", "loops"


_OVERPRINTED = [
    *(read(plan_of(edges)) for edges in ALL.values()),
    *(read(plan_of(random_edges(Random(seed)))) for seed in range(8)),
    *(read(compile_plan(load(str(file)))) for file in sorted((CLONE / "topologies").glob("*.py"))),
    *(read(compile_plan(_Lab(case=case))) for case in ("parallel", "mesh", "crowd")),
]


@pytest.mark.parametrize("graph", _OVERPRINTED, ids=lambda graph: graph.name)
def test_no_text_stands_on_another_or_on_a_box(graph: Graph) -> None:
    """Measured in the file alone, with the fonts' own widths."""
    drawing = as_svg(graph)
    assert overprinted(drawing) == []
    assert sum(place.kind == "box" for place in places(drawing)) >= min(len(graph.nodes), 2)


@pytest.mark.parametrize("case", ["parallel", "mesh", "crowd"])
def test_each_line_has_the_names_of_both_ends(case: str) -> None:
    graph = read(compile_plan(_Lab(case=case)))
    shown = Counter(place.text for place in places(as_svg(graph)) if place.kind == "end")
    scene = scene_of(graph)
    assert shown == Counter(
        said for link in graph.links for end in (link.a, link.b) if (said := scene.said_at_end(end, link.other(end.node)))
    )
    assert shown["eth0"] > 4


@pytest.mark.parametrize("shape", ["ring", "full_mesh", "linear", "torus"])
def test_parallel_links_are_lines_beside_each_other(shape: str) -> None:
    edges = [edge for edge in SHAPES[shape] for _ in range(2)]
    layout = scene_of(read(plan_of(edges))).layout
    between = [
        tuple(point for point in route.points if not any(_within(box, point) for box in layout.boxes.values()))
        or tuple(sorted(((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in [(route.points[0], route.points[-1])]))
        for route in layout.routes
    ]
    assert len(set(between)) == len(edges)


def _within(box: Box, point: tuple[float, float]) -> bool:
    return box.x - 0.1 <= point[0] <= box.x + box.width + 0.1 and box.y - 0.1 <= point[1] <= box.y + box.height + 0.1


def _touch(one: Box, two: Box) -> bool:
    beside = one.x + one.width < two.x or two.x + two.width < one.x
    return not (beside or one.y + one.height < two.y or two.y + two.height < one.y)


def _crosses(start: tuple[float, float], end: tuple[float, float], box: Box) -> bool:
    """Whether a straight line comes into a box (Liang and Barsky's clipping)."""
    (x, y), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
    first, last = 0.0, 1.0
    for step, low, high in ((dx, box.x - x, box.x + box.width - x), (dy, box.y - y, box.y + box.height - y)):
        if step == 0:
            if low > 0 or high < 0:
                return False
            continue
        near, far = sorted((low / step, high / step))
        first, last = max(first, near), min(last, far)
    return first < last


@pytest.mark.parametrize("arms", [*range(5, 14), 24])
def test_arms_around_a_middle_with_a_host_each_stay_on_a_small_page(arms: int) -> None:
    """However far from the middle, a host of a slanting arm must not lie on its router."""

    class Star(Topology):
        middle = Router()

        def build(self) -> None:
            for number in range(1, arms + 1):
                router = self.add(f"r{number}", Router())
                self.add(Link(self.middle, router))
                self.add(Link(router, self.add(f"h{number}", Host())))

    drawing = as_svg(read(compile_plan(Star())))
    assert not overprinted(drawing)
    width, height = (float(ElementTree.fromstring(drawing).attrib[side]) for side in ("width", "height"))
    assert max(width, height) < 400 + 250 * arms
