"""Pictures in the terminal, compared with the files in `pictures/`; `PYNETEMU_WRITE_GOLDEN=1` writes them anew."""

import os
import re
import sys
from pathlib import Path
from random import Random

import pytest

from pynetemu.draw.text import as_picture
from tests.support.boxes import wires_between_boxes
from tests.support.shapes import HUNDREDS, SHAPES, plan_of, random_edges

PICTURES = Path(__file__).parent / "pictures"


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_its_picture(shape: str) -> None:
    _same(f"{shape}.txt", as_picture(plan_of(SHAPES[shape]), 100))


@pytest.mark.parametrize("shape", HUNDREDS)
def test_every_shape_has_its_picture_with_a_hundred_nodes(shape: str) -> None:
    _same(f"{shape}_100.txt", as_picture(plan_of(HUNDREDS[shape]), 100))


@pytest.mark.parametrize("width", [20, 40, 80])
@pytest.mark.parametrize("edges", [*SHAPES.values(), *HUNDREDS.values()])
def test_no_picture_is_wider_than_asked(edges: list[tuple[str, str]], width: int) -> None:
    assert max(map(len, as_picture(plan_of(edges), width).splitlines())) <= width


@pytest.mark.parametrize("seed", range(25))
def test_any_network_has_its_picture(seed: int) -> None:
    edges = random_edges(Random(seed))
    for width in (40, 100, 200):
        picture = as_picture(plan_of(edges), width)
        assert max(map(len, picture.splitlines())) <= width
        names = re.findall(r"[●○] (\w+)", picture.partition("\n")[2])
        assert sorted(names) == sorted({name for edge in edges for name in edge})


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


def test_without_the_layout_library_there_is_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "graphlay", None)
    assert "├─○ h1" in as_picture(plan_of(SHAPES["single"]), 100)


@pytest.mark.parametrize("shape", SHAPES)
def test_ascii_is_nothing_but_ascii(shape: str) -> None:
    picture = as_picture(plan_of(SHAPES[shape]), 100, ascii=True)
    assert picture.isascii()
    assert "s1" in picture or "h0" in picture or "sl" in picture


@pytest.mark.parametrize("shape", SHAPES)
def test_colour_changes_nothing_else(shape: str) -> None:
    plan = plan_of(SHAPES[shape])
    coloured = as_picture(plan, 100, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == as_picture(plan, 100)


def _same(name: str, picture: str) -> None:
    file = PICTURES / name
    if os.environ.get("PYNETEMU_WRITE_GOLDEN"):
        file.write_text(picture)
    assert picture == file.read_text()
