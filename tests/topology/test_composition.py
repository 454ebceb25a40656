"""Topologies in topologies, lists and tables of parts: names, copies, parameters."""

import pytest

from pynetemu import Host, Link, Router, Switch, Topology
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.operations import AddVeth


class Site(Topology):
    gw, s1 = Router(), Switch()
    up = Link(gw, s1)

    def build(self, n: int = 2) -> None:
        self.h = [Host() for _ in range(n)]
        for host in self.h:
            self.add(Link(host, self.s1))


class Two(Topology):
    site1, site2 = Site(), Site(n=1)
    wan = Link(site1.gw, site2.gw)


def test_inner_nodes_are_named_by_their_topology_and_stay_together() -> None:
    plan = compile_plan(Two)
    assert plan.nodes == ("site1.gw", "site1.s1", "site1.h1", "site1.h2", "site2.gw", "site2.s1", "site2.h1")
    ends = {(op.node, op.interface, op.peer_node) for op in plan.operations if isinstance(op, AddVeth)}
    assert ("site1.gw", "eth1", "site2.gw") in ends
    assert ("site1.h1", "eth0", "site1.s1") in ends


def test_instances_are_independent_and_equal() -> None:
    one, other = Two(), Two()
    assert one.site1.gw is not other.site1.gw
    assert one.site1.gw is one.site1._parts[0]
    one.add(Link(one.site1.s1, one.add("extra", Host())))
    assert len(compile_plan(one).nodes) == len(compile_plan(other).nodes) + 1
    assert compile_plan(Two) == compile_plan(other)


def test_three_deep_and_added_later() -> None:
    class Three(Topology):
        pair = Two()
        x = Host()
        a = Link(x, pair.site2.s1)

        def build(self) -> None:
            self.more = Site(n=0)
            late = self.add("late", Site(n=1))
            self.add(Link(self.more.gw, self.pair.site1.gw))
            self.add(Link(late.gw, self.more.gw))

    nodes = compile_plan(Three).nodes
    assert nodes[0] == "pair.site1.gw"
    assert nodes[-5:] == ("more.gw", "more.s1", "late.gw", "late.s1", "late.h1")
    assert compile_plan(Three()).nodes == nodes


def test_a_replaced_topology_takes_the_place_of_the_first() -> None:
    class Larger(Two):
        site1 = Site(n=3)

    assert [name for name in compile_plan(Larger).nodes if name.startswith("site1.h")] == ["site1.h1", "site1.h2", "site1.h3"]


def test_lists_and_tables_give_names() -> None:
    class Named(Topology):
        h = [Host(), Host()]
        s1 = (Switch(), Switch())
        desk = {"ann": Host(), 7: Host()}
        a = [Link(h[0], s1[0]), Link(h[1], s1[1]), Link(*s1), Link(desk["ann"], s1[0]), Link(desk[7], s1[0])]

    lab = Named()
    assert compile_plan(lab).nodes == ("h1", "h2", "s1-1", "s1-2", "desk-ann", "desk-7")
    assert lab.h[0].declaration.name == "h1"
    assert lab.h[0] is not Named.h[0]


def test_lists_within_lists_and_tables_give_names() -> None:
    class Grid(Topology):
        grid = [[Host(), Host()], (Host(),)]
        ann = Host()
        desk = {"ann": [ann], 7: {"pc": Host()}}
        a = [[Link(grid[0][0], grid[0][1])], [[Link(grid[1][0], ann)]]]

    assert compile_plan(Grid).nodes == ("grid1-1", "grid1-2", "grid2-1", "ann", "desk-7-pc")
    assert Grid().grid[0][0] is not Grid.grid[0][0]


def test_what_build_appends_to_a_list_is_seen() -> None:
    class Lab(Topology):
        h = [Host()]
        s1 = Switch()

        def build(self) -> None:
            self.h.append(Host())
            self.h += [Host()]
            self.others = []
            for _ in range(2):
                self.others.append(Host())
            for host in (*self.h, *self.others):
                Link(host, self.s1)

    plan = compile_plan(Lab)
    assert plan.nodes == ("h1", "s1", "h2", "h3", "others1", "others2")
    assert not plan.warnings


def test_the_same_topology_cannot_be_in_two() -> None:
    class Greedy(Topology):
        def build(self) -> None:
            self.site = Site()
            self.add("again", self.site)

    with pytest.raises(Exception, match="is part of a topology already"):
        compile_plan(Greedy)
