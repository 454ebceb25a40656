"""What is allowed but was hardly meant: warnings of plans."""

from pynetemu import Host, Link, Router, Switch, Topology
from pynetemu.plan.compile import compile_plan


def _warnings(topology: type[Topology]) -> list[str]:
    """Each warning's first line without its place."""
    return [warning.splitlines()[0].partition(": ")[2] for warning in compile_plan(topology).warnings]


def test_islands() -> None:
    class Lab(Topology):
        a, b, c, d, e = Host(), Host(), Host(), Host(), Host()
        f = [Host() for _ in range(8)]
        s1 = Switch()
        g, h = Link(a, b), Link(b, c)
        for host in f[:5]:
            Link(host, s1)

    assert _warnings(Lab) == [
        "a, b, c are not linked to f1 and the others",
        "d, e, f6, f7, f8 are in no link",
    ]


def test_a_lone_node_is_no_island() -> None:
    class Lab(Topology):
        h1 = Host()

    assert _warnings(Lab) == []


def test_addresses_that_nobody_on_the_link_shares() -> None:
    class Lab(Topology):
        h1, h2, r1 = Host(), Host(), Router()
        s1 = Switch()
        a = Link(h1.interface("eth0", "10.0.0.1/24"), s1)
        b = Link(h2.interface("eth0", "10.7.0.2/24"), s1)
        c = Link(r1.interface("eth0", "10.0.0.254/24"), s1)

    assert _warnings(Lab) == ["h2 shares no network with others on its link: 10.7.0.0/24"]


def test_a_crowd_that_the_table_of_neighbors_cannot_hold() -> None:
    class Lab(Topology):
        s1 = Switch()

        def build(self, n: int = 300) -> None:
            self.h = [Host() for _ in range(n)]
            for host in self.h:
                self.add(Link(host, self.s1))

    class Quiet(Lab):
        arp = "dynamic"

    assert _warnings(Lab) == ["300 interfaces are on one link, and the kernel's table has room for 1024 neighbors in all"]
    assert _warnings(Quiet) == []


def test_options_of_a_topology_that_is_part_of_another() -> None:
    class Site(Topology):
        addresses = "ipv6"
        h1, h2 = Host(), Host()
        a = Link(h1, h2)

    class Same(Topology):
        addresses = "ipv6"
        site = Site()

    class Other(Topology):
        site = Site()

    assert _warnings(Same) == []
    assert _warnings(Other) == ["addresses = 'ipv6' of Site is not used: it is part of Other"]
