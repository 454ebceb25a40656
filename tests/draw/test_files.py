"""Pictures in files, as other programs read them, and what is refused."""

import re
import subprocess
from pathlib import Path

import pytest

from pynetemu.draw.dot import as_dot
from pynetemu.draw.graph import read
from pynetemu.draw.mermaid import as_mermaid
from tests.support.pynetemu import BLUE, STAR, pynetemu
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
    done = pynetemu("draw", BLUE, "-o", "/dev/stdout")
    assert done.returncode == 2
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


@pytest.mark.parametrize("suffix", ["dot", "mmd"])
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


@pytest.mark.parametrize(
    ("name", "reason"), [("x.jpg", "ends in one of"), ("x", "ends in one of"), ("none/x.dot", "no folder"), (".", "ends in")]
)
def test_what_cannot_be_written_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    done = pynetemu("draw", BLUE, "-o", f"{tmp_path}/{name}")
    assert done.returncode == 2
    assert reason in done.stderr
    assert not [*tmp_path.iterdir()]
