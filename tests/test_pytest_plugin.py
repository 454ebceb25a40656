"""What pytest shows of an error of ours: the line of the user's test, and the message."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pynetemu import LabError
from pynetemu.pytest_plugin import pytest_runtest_makereport
from tests.support.pynetemu import CLONE

_TESTS = """
import pytest
from pynetemu import Host, LabError, Link, Network, Topology

class Pair(Topology):
    h1, h2 = Host(), Host()
    wire = Link(h1, h2)

@pytest.fixture
def net():
    with Network(Pair(), name="shown-by-pytest") as net:
        yield net

def test_failed(net):
    net["h1"].run("sh", "-c", "echo why >&2; exit 3", check=True)

def test_no_node(net):
    net["h3"]

def test_ours_goes_wrong(monkeypatch):
    monkeypatch.setattr("pynetemu.network.network.RunningNode", None)
    with Network(Pair()) as net:
        net["h1"]
"""


def test_frames_of_ours_are_left_out_of_errors_of_ours(tmp_path: Path) -> None:
    (tmp_path / "test_lab.py").write_text(_TESTS)
    options = "-p", "no:pynetemu", "-p", "pynetemu.pytest_plugin", "-p", "no:cacheprovider", "-q"
    shown = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False
    ).stdout
    failed, no_node, ours = shown.partition("short test summary")[0].split("____ test_")[1:]
    assert "pynetemu/lab" not in failed + no_node and "pynetemu/network" not in failed + no_node
    assert '>       net["h1"].run("sh"' in failed and "ended with status 3\nE       why" in failed
    assert '>       net["h3"]' in no_node and "Pair has no node 'h3'; it has h1, h2" in no_node
    assert "pynetemu/network/network.py" in ours  # a fault of ours is shown whole


@pytest.mark.pure
@pytest.mark.parametrize(
    ("root", "module", "hides"),
    [("/", "pynetemu.lab.lab", True), ("/", "pynetemus", False), ("/", "mine", False), (CLONE, "pynetemu.lab.lab", False)],
)
def test_frames_of_ours_are_those_of_our_modules_and_shown_in_our_own_tests(root: Path, module: str, hides: bool) -> None:
    names: dict[str, Any] = {"__name__": module}
    item: Any = SimpleNamespace(config=SimpleNamespace(rootpath=Path(root)))
    call: Any = SimpleNamespace(excinfo=SimpleNamespace(traceback=[SimpleNamespace(frame=SimpleNamespace(f_globals=names))]))
    next(pytest_runtest_makereport(item, call))
    assert ("__tracebackhide__" in names) is hides
    if hides:
        assert names["__tracebackhide__"](SimpleNamespace(value=LabError("ours")))
        assert not names["__tracebackhide__"](SimpleNamespace(value=ValueError()))
