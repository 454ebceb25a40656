"""What is allowed but was hardly meant: warnings of plans."""

import warnings
from pathlib import Path

import pytest

from pynetemu import DescriptionWarning, Host, Link, Network, Router, Switch, Topology
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


def test_interfaces_for_a_vlan_in_which_nobody_else_is() -> None:
    class Direct(Topology):
        h1, h2 = Host(), Host()
        a, b = h1.interface("eth0"), h2.interface("eth0")
        wire = Link(a, b)
        a10, b20 = a.vlan(10), b.vlan(20)

    class Switched(Topology):
        h1, h2, h3, s1, s2 = Host(), Host(), Host(), Switch(), Switch()
        a, b, c = h1.interface("eth0"), h2.interface("eth0"), h3.interface("eth0")
        a10, a30, b10, c20 = a.vlan(10), a.vlan(30), b.vlan(10), c.vlan(20)
        wires = [Link(a, s1), Link(b, s2), Link(c, s2), Link(s1, s2)]

    class Filtered(Topology):
        r1, h1, s1 = Router(), Host(), Switch()
        up = r1.interface("eth0")
        ten, twenty = up.vlan(10), up.vlan(20)
        wires = [Link(up, s1.port(trunk=[10, 20])), Link(h1, s1.port(vlan=10))]

    lone = "nobody but {} is in VLAN {} there: eth0.{} reaches nobody"
    assert _warnings(Direct) == [lone.format("h1", 10, 10), lone.format("h2", 20, 20)]
    assert _warnings(Switched) == [lone.format("h1", 30, 30), lone.format("h3", 20, 20)]
    assert _warnings(Filtered) == [lone.format("r1", 20, 20)]


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


def test_what_allows_mistakes_in_an_inner_topology_is_told_to_have_no_effect() -> None:
    class Site(Topology):
        allow = "loops"
        h1, h2 = Host(), Host()
        a = Link(h1, h2)

    class Lab(Topology):
        site = Site()

    assert _warnings(Lab) == ["allow = 'loops' of Site is not used: it is part of Lab"]


def test_a_setting_of_another_kind_of_node_has_no_effect() -> None:
    class Lab(Topology):
        h1, h2, s1 = Host(), Host(), Switch()
        h1.forward = True
        h1.owner = "ann"
        s1.default_via = "10.0.0.1"
        h2.mtu = 9000
        h2.name = "desk"
        h2.port = 80
        a = Link(h1, s1), Link(h2, s1)
        a[0].addresses = "ipv6"

    found = compile_plan(Lab).warnings
    assert [line for line in "\n".join(found).splitlines() if "    " not in line[:4]] == [
        f"{_here()}:{_line('h1.forward')}: the Host h1 has no setting 'forward'",
        f"{_here()}:{_line('h2.mtu')}: the Host h2 has no setting 'mtu'",
        f"{_here()}:{_line('h2.name')}: the Host h2 has no setting 'name'",
        f"{_here()}:{_line('s1.default_via')}: the Switch s1 has no setting 'default_via'",
        f"{_here()}:{_line('a[0].addresses')}: the Link a1 has no setting 'addresses'",
    ]


def _here() -> str:
    return str(Path(__file__).relative_to(Path.cwd())) if Path(__file__).is_relative_to(Path.cwd()) else __file__


def _line(text: str) -> int:
    return next(n for n, line in enumerate(Path(__file__).read_text().splitlines(), 1) if line.strip().startswith(text))


def test_python_is_warned_at_the_users_line() -> None:
    class Lab(Topology):
        h1, h2, h3 = Host(), Host(), Host()
        a = Link(h1, h2)

    with pytest.warns(DescriptionWarning, match="h3 is in no link") as told:
        Network(Lab).plan  # noqa: B018
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", DescriptionWarning)
        with pytest.raises(DescriptionWarning):
            Network(Lab()).plan  # noqa: B018
