"""Pictures in the terminal, compared with the files in `pictures/`; `PYNETEMU_WRITE_GOLDEN=1` writes them anew."""

import os
import re
from pathlib import Path

import pytest

from pynetemu.draw.text import as_picture
from tests.support.shapes import HUNDREDS, SHAPES, plan_of

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
