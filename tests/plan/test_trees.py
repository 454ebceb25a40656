"""The spanning tree as it is planned: which ports are shut, by the rules of IEEE 802.1D."""

import pytest

from pynetemu import Host, Hub, Link, Switch, Topology
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.operations import SetUp, StartSpanningTree


def _late(topology: type[Topology]) -> set[str]:
    """The ends of links that come up after the spanning trees were started."""
    operations = compile_plan(topology).operations
    last = max(place for place, op in enumerate(operations) if isinstance(op, StartSpanningTree))
    return {f"{op.node} {op.interface}" for op in operations[last:] if isinstance(op, SetUp)}


class Ring(Topology):
    s1, s2, s3, s4 = (Switch(stp=True) for _ in range(4))
    a, b, c, d = Link(s1, s2), Link(s2, s3), Link(s3, s4), Link(s4, s1)


def test_the_farthest_bridge_shuts_its_second_port() -> None:
    assert _late(Ring) == {"s3 s4", "s4 s3"}


def test_priority_moves_the_root_and_cost_the_way() -> None:
    class Moved(Ring):
        s3 = Switch(stp=True, priority=0)

    class Dearer(Ring):
        a = Link(Ring.s1, Ring.s2.port(cost=100))

    class DearLink(Ring):
        a = Link(Ring.s1, Ring.s2, cost=100)

    assert _late(Moved) == {"s1 s4", "s4 s1"}
    assert _late(Dearer) == _late(DearLink) == {"s1 s2", "s2 s1"}


def test_two_links_and_port_priority() -> None:
    class Twice(Topology):
        s1, s2 = Switch(stp=True), Switch(stp=True)
        a = Link(s1, s2)
        b = Link(s1.port(priority=1), s2)

    assert _late(Twice) == {"s1 s2", "s2 s1"}


def test_a_tree_has_no_spare_links_and_hubs_are_segments() -> None:
    class Tree(Topology):
        s1, s2, s3 = Switch(stp=True), Switch(stp=True), Switch(stp=True)
        hub = Hub()
        h1 = Host()
        a, b, c, d = Link(s1, hub), Link(s2, hub), Link(s3, hub), Link(h1, hub)

    class Doubled(Tree):
        e = Link(Tree.s3, Tree.s1)

    assert _late(Tree) == set()
    assert _late(Doubled) == {"s3 s1", "s1 s3"}


@pytest.mark.parametrize("size", [3, 6])
def test_a_mesh_keeps_one_tree(size: int) -> None:
    class Mesh(Topology):
        def build(self) -> None:
            self.s = [Switch(stp=True) for _ in range(size)]
            for i in range(size):
                for j in range(i):
                    self.add(Link(self.s[i], self.s[j]))

    spare = size * (size - 1) // 2 - (size - 1)
    assert len(_late(Mesh)) == 2 * spare
