"""Pictures in files, as other programs read them, and what is refused."""

import re
import struct
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pynetemu.draw.dot import as_dot
from pynetemu.draw.graph import read
from pynetemu.draw.mermaid import as_mermaid
from tests.support.pynetemu import BLUE, BRIDGE, CLONE, STAR, pynetemu
from tests.support.shapes import HUNDREDS, SHAPES, plan_of

ALL = [*SHAPES.values(), *HUNDREDS.values()]


@pytest.mark.parametrize("edges", ALL)
def test_graphviz_reads_dot_and_finds_each_node_and_link(edges: list[tuple[str, str]]) -> None:
    dot = as_dot(read(plan_of(edges)))
    counts = "BEG { } N { nodes++ } E { edges++ } END_G { }".replace("BEG { }", "BEGIN { int nodes = 0; int edges = 0 }")
    program = counts.replace("END_G { }", 'END { printf("%d %d", nodes, edges) }')
    done = subprocess.run(["gvpr", program], input=dot, capture_output=True, text=True, check=True, timeout=20)
    assert done.stdout == f"{len({name for edge in edges for name in edge})} {len(edges)}"


def test_names_and_addresses_are_in_dot() -> None:
    dot = as_dot(read(plan_of(SHAPES["single"])))
    assert '"s1" -- "h1" [headlabel="eth0\\n10.0.0.1/16"]' in dot


@pytest.mark.parametrize("edges", ALL)
def test_mermaid_says_each_node_once_and_links_only_known_nodes(edges: list[tuple[str, str]]) -> None:
    head, *lines = as_mermaid(read(plan_of(edges))).splitlines()
    assert head == "graph TD"
    nodes = {match[1] for line in lines if (match := re.fullmatch(r'    (n\d+)[\[({]+"[^"]+"[\])}]+:::kind\d', line))}
    links = [match.groups() for line in lines if (match := re.fullmatch(r"    (n\d+) --- (n\d+)", line))]
    styles = [line for line in lines if re.fullmatch(r"    classDef kind\d [\w:,#]+", line)]
    assert len(nodes) + len(links) + len(styles) == len(lines)
    assert (len(nodes), len(links)) == (len({name for edge in edges for name in edge}), len(edges))
    assert {node for link in links for node in link} == nodes


@pytest.mark.parametrize("suffix", ["svg", "dot", "mmd"])
def test_a_file_is_written(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"star.{suffix}"
    done = pynetemu("draw", STAR, "-p", "n=4", "-o", file)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "h4" in file.read_text()
    assert [*tmp_path.iterdir()] == [file]


def test_options_leave_things_out(tmp_path: Path) -> None:
    file = tmp_path / "blue.dot"
    assert pynetemu("draw", BLUE, "--no-addresses", "--no-interfaces", "-o", file).returncode == 0
    assert "10.0.0" not in file.read_text() and "veth" not in file.read_text()


def test_a_png_is_a_picture_twice_as_large_as_the_svg(tmp_path: Path) -> None:
    for suffix in ("svg", "png"):
        assert pynetemu("draw", STAR, "--dark", "-o", tmp_path / f"star.{suffix}").returncode == 0
    header = (tmp_path / "star.png").read_bytes()[:24]
    drawing = ElementTree.parse(tmp_path / "star.svg").getroot()
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", header[16:]) == (2 * int(drawing.attrib["width"]), 2 * int(drawing.attrib["height"]))


def test_without_its_program_a_png_is_refused_with_the_package_that_has_it(tmp_path: Path) -> None:
    done = pynetemu("draw", BLUE, "-o", tmp_path / "blue.png", env={"PATH": str(tmp_path)})
    assert done.returncode == 2
    assert "librsvg2-bin" in done.stderr
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("x.jpg", "ends in one of"), ("x", "ends in one of"), ("none/x.svg", "no folder"), ("folder.svg", "a folder")],
)
def test_what_cannot_be_written_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder.svg").mkdir()
    done = pynetemu("draw", BLUE, "-o", f"{tmp_path}/{name}")
    assert done.returncode == 2
    assert reason in done.stderr
    assert [file.name for file in tmp_path.rglob("*")] == ["folder.svg"]


@pytest.mark.ordinary_user
def test_a_folder_of_others_is_refused() -> None:
    done = pynetemu("draw", BLUE, "-o", "/etc/blue.svg")
    assert (done.returncode, "may not write" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--dark"], "add -o blue.svg"),
        (["--light", "-o", "x.dot"], "background"),
        (["--ascii", "-o", "x.svg"], "--ascii is for the terminal"),
        (["--width", "80", "-o", "x.svg"], "--width is for the terminal"),
        (["--width", "3"], "at least 20"),
        (["--dark", "--light", "-o", "x.svg"], "not allowed with"),
    ],
)
def test_options_that_would_say_nothing_are_refused(tmp_path: Path, options: list[str], reason: str) -> None:
    done = pynetemu("draw", BLUE, *options, cwd=tmp_path)
    assert done.returncode == 2
    assert reason in done.stderr
    assert not [*tmp_path.iterdir()]


def test_a_wrong_description_leaves_the_old_picture(tmp_path: Path) -> None:
    wrong, file = tmp_path / "wrong.py", tmp_path / "old.svg"
    wrong.write_text("nonsense")
    file.write_text("old")
    assert pynetemu("draw", wrong, "-o", file).returncode == 2
    assert file.read_text() == "old"


def test_an_old_picture_keeps_its_rights_and_a_link_to_it(tmp_path: Path) -> None:
    file, link = tmp_path / "real.svg", tmp_path / "link.svg"
    file.touch(0o600)
    link.symlink_to(file)
    assert pynetemu("draw", BLUE, "-o", link).returncode == 0
    assert link.is_symlink()
    assert "<svg" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("name", "arguments"), [("bridge", [BRIDGE]), ("star", [STAR, "-p", "n=30"]), ("vlan", [BRIDGE.with_name("vlan.py")])]
)
def test_the_documentation_shows_what_is_drawn_today(tmp_path: Path, name: str, arguments: list[str | Path]) -> None:
    file = f"{name}.svg"
    assert pynetemu("draw", *arguments, "-o", tmp_path / file).returncode == 0
    assert (tmp_path / file).read_text() == (CLONE / "docs" / "pictures" / file).read_text()
