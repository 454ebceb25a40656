"""Reading the user's file: which class, with which parameters, and what that leaves alone."""

import sys
from pathlib import Path
from typing import Any

import pytest

from pynetemu.errors import DescriptionError
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.load import load

_HEAD = "from pathlib import Path\nfrom typing import Any, Literal\nfrom pynetemu import Host, Topology\n"


def _write(folder: Path, text: str, name: str = "lab.py") -> str:
    (folder / name).write_text(_HEAD + text)
    return str(folder / name)


def test_the_only_class_from_which_no_other_derives_is_meant(tmp_path: Path) -> None:
    file = _write(tmp_path, "class Base(Topology):\n    a = Host()\nclass Lab(Base):\n    b = Host()\n")
    assert compile_plan(load(file)).nodes == ("a", "b")
    assert compile_plan(load(f"{file}:Base")).nodes == ("a",)


def test_classes_of_other_files_do_not_count(tmp_path: Path) -> None:
    _write(tmp_path, "class Common(Topology):\n    a = Host()\n", "common_parts.py")
    file = _write(tmp_path, "from common_parts import Common\nclass Lab(Topology):\n    b = Host()\n")
    try:
        assert compile_plan(load(file)).nodes == ("b",)
    finally:
        sys.modules.pop("common_parts", None)
    assert not (tmp_path / "__pycache__").exists()
    assert str(tmp_path) not in sys.path


def test_a_file_with_a_colon_in_its_name_is_a_file(tmp_path: Path) -> None:
    file = _write(tmp_path, "class Lab(Topology):\n    a = Host()\n", "odd:name")
    assert compile_plan(load(file)).nodes == compile_plan(load(f"{file}:Lab")).nodes == ("a",)


def test_a_null_byte_is_told_with_the_file(tmp_path: Path) -> None:
    file = _write(tmp_path, "x = '\0'\n")
    with pytest.raises(DescriptionError, match="null bytes") as error:
        load(file)
    assert str(error.value).startswith(file)


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match="is a folder"):
        load(str(tmp_path))
    (tmp_path / "loop.py").symlink_to("loop.py")
    with pytest.raises(DescriptionError, match=r"loop\.py cannot be read: Too many levels of symbolic links"):
        load(str(tmp_path / "loop.py"))


def test_a_description_runs_as_a_script(tmp_path: Path) -> None:
    file = _write(tmp_path, "import sys\nargv = sys.argv\nclass Lab(Topology):\n    a = Host()\n    argv = sys.argv\n")
    before = list(sys.argv)
    topology: Any = load(file)
    assert (topology.argv, sys.argv) == ([file], before)


def test_a_link_to_a_description_finds_modules_beside_both(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    (here / "beside_the_link.py").write_text("a = 'a'\n")
    (there / "beside_its_target.py").write_text("b = 'b'\n")
    imports = "from beside_the_link import a\nfrom beside_its_target import b\n"
    _write(there, f"{imports}class Lab(Topology):\n    desk = {{a: Host(), b: Host()}}\n")
    (here / "lab.py").symlink_to(there / "lab.py")
    path = list(sys.path)
    try:
        assert compile_plan(load(str(here / "lab.py"))).nodes == ("desk-a", "desk-b")
    finally:
        sys.modules.pop("beside_the_link", None)
        sys.modules.pop("beside_its_target", None)
    assert sys.path == path


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("class Lab(Topology):\n    def build(self):\n        self.build()\n", 6, "RecursionError"),
        ("class Lab(Topology):\n    def build(self):\n        self.add('x', Lab())\n", 6, "RecursionError"),
        (
            "from abc import *\nclass Lab(Topology, ABC):\n    @abstractmethod\n    def draw(self): ...\n",
            5,
            "abstract class Lab",
        ),
    ],
)
def test_what_python_says_in_other_words_each_year(text: str, line: int, what: str, tmp_path: Path) -> None:
    file = _write(tmp_path, text)
    with pytest.raises(DescriptionError, match=what) as error:
        compile_plan(load(file))
    assert error.value.problems[0].where == f"{file}:{line}"
    assert "pynetemu/" not in str(error.value)


def test_what_is_no_description_is_not_read_to_its_end() -> None:
    with pytest.raises(DescriptionError, match="too large for a description"):
        load("/dev/zero")


@pytest.mark.parametrize(
    "body",
    [
        "    def __init__(self):\n        self.a = Host()\n",
        "    def __init__(self):\n        super().__init__()\n    def build(self):\n        self.a = Host()\n",
        "    @staticmethod\n    def build():\n        pass\n    a = Host()\n",
    ],
)
def test_other_ways_to_write_a_class(body: str, tmp_path: Path) -> None:
    assert compile_plan(load(_write(tmp_path, f"class Lab(Topology):\n{body}"))).nodes == ("a",)


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        ("n: int", "5", 5),
        ("n: int", "-5", -5),
        ("n: float", "2.5", 2.5),
        ("n: str", "5", "5"),
        ("n", "5", "5"),
        ("n: Any", "5", "5"),
        ("n=3", "5", 5),
        ("n=None", "5", "5"),
        ("n: bool", "Yes", True),
        ("n=True", "0", False),
        ("n: int | None", "none", None),
        ("n: int | None", "7", 7),
        ("n: int | str", "x", "x"),
        ("n: Literal['ring', 'star']", "star", "star"),
        ("n: Literal[1, 2]", "2", 2),
        ("n: Path", "/tmp", Path("/tmp")),
        ("n: 'int'", "5", 5),
        ("**others: int", "5", "5"),
    ],
)
def test_parameters_become_what_build_takes(parameter: str, text: str, value: Any, tmp_path: Path) -> None:
    given = "others['n']" if "others" in parameter else "n"
    body = f"    a = Host()\n    def build(self, {parameter}):\n        self.given = {given}\n"
    topology: Any = load(_write(tmp_path, f"class Lab(Topology):\n{body}"), {"n": text})
    assert topology._failure is None
    assert (topology.given, type(topology.given)) == (value, type(value))


def test_what_goes_wrong_in_build_is_no_wrong_parameter(tmp_path: Path) -> None:
    file = _write(tmp_path, "class Lab(Topology):\n    def build(self, n: int = 1):\n        self.nosuch(n)\n")
    with pytest.raises(DescriptionError, match="AttributeError"):
        compile_plan(load(file, {"n": "5"}))


def test_a_comprehension_that_cannot_see_the_class_gets_a_hint(tmp_path: Path) -> None:
    file = tmp_path / "lab.py"
    file.write_text(
        "from pynetemu import Host, Link, Switch, Topology\n"
        "class Lab(Topology):\n"
        "    s1 = Switch()\n"
        "    links = [Link(host, s1) for host in [Host()]]\n"
    )
    with pytest.raises(DescriptionError, match=r"hint: Python lets no comprehension see .*: do it in build\(self\)"):
        load(str(file))
