"""Pictures in the terminal, compared with the files in `pictures/`; `PYNETEMU_WRITE_GOLDEN=1` writes them anew."""

import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from pynetemu.draw.graph import Graph, read
from pynetemu.draw.listing import draw, listing
from pynetemu.draw.text import as_picture, picture
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.load import load
from pynetemu.plan.operations import AddNode, AddVeth, Plan
from tests.support.boxes import wires_between_boxes
from tests.support.pynetemu import CLONE
from tests.support.shapes import HUNDREDS, SHAPES, plan_of, random_edges

PICTURES = Path(__file__).parent / "pictures"


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_its_picture(shape: str) -> None:
    _same(f"{shape}.txt", as_picture(plan_of(SHAPES[shape]), 100))


@pytest.mark.parametrize("shape", HUNDREDS)
def test_every_shape_has_its_picture_with_a_hundred_nodes(shape: str) -> None:
    _same(f"{shape}_100.txt", as_picture(plan_of(HUNDREDS[shape]), 100))


def test_ascii_has_a_picture_too() -> None:
    _same("ring_ascii.txt", as_picture(plan_of(SHAPES["ring"]), 100, ascii=True))


@pytest.mark.parametrize("width", [20, 40, 80])
@pytest.mark.parametrize("edges", [*SHAPES.values(), *HUNDREDS.values()])
def test_no_picture_is_wider_than_asked(edges: list[tuple[str, str]], width: int) -> None:
    assert max(map(len, as_picture(plan_of(edges), width).splitlines())) <= width


@pytest.mark.parametrize("seed", range(25))
def test_any_network_has_its_picture(seed: int) -> None:
    edges = random_edges(Random(seed))
    for width in (40, 100, 200):
        text = as_picture(plan_of(edges), width)
        assert max(map(len, text.splitlines())) <= width
        assert sorted(_names(text)) == sorted({name for edge in edges for name in edge})


@pytest.mark.parametrize("width", [80, 120, 160])
@pytest.mark.parametrize("file", sorted(CLONE.glob("topologies/*.py")), ids=lambda file: file.stem)
def test_boxes_never_join_several_links_to_one_but_at_a_switch(file: Path, width: int) -> None:
    """A line that forks is one LAN for those who look at it."""
    graph = read(compile_plan(load(str(file))))
    switches = {node.name for node in graph.nodes if node.kind in ("switch", "hub")}
    rows = picture(graph, width, ascii=False, color=False).splitlines()[2:]
    for wire in wires_between_boxes(rows) if any("┌" in row for row in rows) else ():
        assert len(wire) <= 2 or wire & switches, wire


@pytest.mark.parametrize("shape", ["single", "linear", "ring", "star", "dumbbell"])
def test_small_networks_are_boxes_whose_lines_join_what_is_linked(shape: str) -> None:
    edges = SHAPES[shape]
    rows = as_picture(plan_of(edges), 100).splitlines()
    assert any("┌" in row for row in rows)
    wires = wires_between_boxes(rows[2:])
    assert all(any({a, b} <= wire for wire in wires) for a, b in edges)
    for wire in wires:  # a node, and those that hang on it
        inside = [edge for edge in edges if {*edge} <= wire]
        assert len(inside) == len(wire) - 1 and set.intersection(*({*edge} for edge in inside))


@pytest.mark.parametrize("shape", ["single", "linear", "ring", "star", "dumbbell", "full_mesh"])
def test_what_is_said_of_links_stands_on_their_lines(shape: str) -> None:
    graph = read(plan_of(SHAPES[shape]))
    said = Graph(graph.name, graph.nodes, tuple(replace(link, labels=("10ms",)) for link in graph.links))
    text = picture(said, 110, ascii=False, color=False)
    assert text.count("10ms") == len(graph.links)
    assert [name for name in _names(text) if name not in graph.node] == []


def test_what_runs_across_is_drawn_across() -> None:
    path = [("h1", "s1"), ("h2", "s1"), ("s1", "s2"), ("s2", "s3"), ("s3", "s4"), ("s4", "h3")]
    rows = as_picture(plan_of(path), 120).splitlines()
    assert any(all(f"● s{i} " in row for i in (1, 2, 3, 4)) for row in rows)


def test_lines_leave_boxes_in_the_row_of_their_interface() -> None:
    rows = as_picture(compile_plan(load(str(CLONE / "topologies" / "nat.py"))), 140).splitlines()
    assert any(re.search(r"│ wan 198.51.100.2/30 ├──┘", row) for row in rows)
    assert any(re.search(r"┌─+┤ home 198.51.100.1/30 │", row) for row in rows)
    assert any(re.search(r"│ eth0 10.0.2.254/24 +├", row) for row in rows)


def test_a_list_tells_every_neighbor_of_each_node() -> None:
    """By a branch of a neighbor's line, or in words where its line ends in the node's mark."""
    graph = read(plan_of([("s1", "s2"), ("s2", "s3"), ("s3", "s4"), ("s4", "h1"), ("s1", "h2")]))
    rows = draw(listing(graph), 60).as_text().splitlines()
    assert [row.split()[:4] for row in rows if "● s" in row[:3]] == [
        ["●", "s1"],
        ["●", "s2", "to", "s1"],
        ["●", "s3", "to", "s2"],
        ["●", "s4", "to", "s3"],
    ]


def test_control_characters_of_a_plan_are_not_shown() -> None:
    nodes = AddNode("a\x1b[2Jb", "host"), AddNode("r2", "host")
    text = as_picture(Plan("Odd", (*nodes, AddVeth(nodes[0].node, "e", "", "r2", "e", ""))), 80)
    assert "\x1b" not in text and r"a\x1b[2Jb" in text


def test_narrow_boxes_have_addresses_in_lines_of_their_own() -> None:
    assert "│ eth0        │" in as_picture(plan_of(SHAPES["single"]), 60)


def test_two_links_between_the_same_nodes_are_told() -> None:
    nodes = AddNode("r1", "router"), AddNode("r2", "router")
    links = AddVeth("r1", "eth0", "", "r2", "eth0", ""), AddVeth("r1", "eth1", "", "r2", "eth1", "", mtu=9000)
    text = as_picture(Plan("Two", (*nodes, *links)), 30)
    assert "mtu 9000" in text
    assert text.count("eth1") == 2 or "2 links to r1" in text


def test_without_the_layout_library_there_is_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "graphlay", None)
    assert "├─○ h1" in as_picture(plan_of(SHAPES["single"]), 100)


@pytest.mark.parametrize("shape", SHAPES)
def test_ascii_is_nothing_but_ascii(shape: str) -> None:
    text = as_picture(plan_of(SHAPES[shape]), 100, ascii=True)
    assert text.isascii()
    assert "s1" in text or "h0" in text or "sl" in text


@pytest.mark.parametrize("shape", SHAPES)
def test_color_changes_nothing_else(shape: str) -> None:
    plan = plan_of(SHAPES[shape])
    colored = as_picture(plan, 100, color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == as_picture(plan, 100)


def _names(text: str) -> list[str]:
    return re.findall(r"[●○] (\w+)", text.partition("\n")[2])


def _same(name: str, text: str) -> None:
    file = PICTURES / name
    if os.environ.get("PYNETEMU_WRITE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()
