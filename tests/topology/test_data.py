"""Descriptions as data: what comes back makes the same plan, with the user's files and lines."""

import json
from pathlib import Path

import pytest

from pynetemu import Host, Link, Switch, Topology
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.load import load
from pynetemu.topology.data import NoDataError, from_data, to_data

pytestmark = pytest.mark.pure

_FILES = sorted(Path(__file__).parents[2].joinpath("topologies").glob("*.py"))


def _again(topology: Topology) -> Topology:
    return from_data(json.loads(json.dumps(to_data(topology))))


@pytest.mark.parametrize("file", [*map(str, _FILES), "fat-tree:k=4", "tree:depth=2,fanout=2"], ids=lambda file: Path(file).name)
def test_what_comes_back_makes_the_same_plan(file: str) -> None:
    topology = load(file)
    again = _again(topology)
    plan, other = compile_plan(topology), compile_plan(again)
    assert other == plan
    assert [op.source for op in other.operations] == [op.source for op in plan.operations]
    assert again._loaded == topology._loaded


class Web(Host):
    """A kind of the user's own."""

    loopback = "10.255.0.1/32"

    def __init__(self, remark: object) -> None:
        super().__init__()
        self.remark = remark


class Own(Topology):
    s1 = Switch()
    web = Web(object())
    wire = Link(web, s1)


def test_parts_of_the_users_own_kinds_come_back_as_what_they_are() -> None:
    again = _again(Own())
    assert compile_plan(again) == compile_plan(Own)
    assert {type(part).__name__ for part in again._parts} == {"Switch", "Host", "Link"}


def test_parts_that_come_back_belong_to_that_topology() -> None:
    again = _again(Own())
    with pytest.raises(ValueError, match="is part of a topology already"):
        Topology().add("again", again._parts[0])


def test_values_that_are_the_users_alone_are_told() -> None:
    class Odd(str):
        """A text of a kind that nobody else has."""

    class Lab(Topology):
        h1 = Host(default_via=Odd("10.0.0.1"))

    with pytest.raises(NoDataError, match=r"10\.0\.0\.1"):
        to_data(Lab())
