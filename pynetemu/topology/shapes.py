"""Networks of well-known shapes, to run as they are (`pynetemu tree:depth=2,fanout=3`) or to build on:

    class Lab(Topology):
        campus = Tree(depth=2, fanout=3)
        server = Host()
        uplink = Link(server, campus.switches[0])

Hosts are h1, h2…, switches s1, s2…, in `hosts` and `switches`. With `routed=True` the switches are routers, r1, r2…, which
share the flows among paths of equal cost.
"""

from collections.abc import Iterable
from itertools import pairwise

from pynetemu.topology.links import Link
from pynetemu.topology.nodes import Host, Node, Router
from pynetemu.topology.part import WrongSettingError, quoted
from pynetemu.topology.switches import Switch
from pynetemu.topology.topology import Topology

_MOST_NODES = 20_000
_MOST_LINKS = 30_000
_DEEPEST = 100


class Shape(Topology):
    """What the shapes have in common: `hosts`, `switches` (or routers), and how these are made.

    `stp` gives the switches of a shape with loops a spanning tree.
    """

    stp = False

    hosts: list[Host]
    switches: list[Node]
    _routed = False
    _links = 0

    def begin(self, routed: bool) -> None:
        """To be called first in `build`."""
        if not isinstance(routed, bool):
            raise WrongSettingError(f"routed={quoted(routed)} is neither True nor False", "routed=True or routed=False")
        self.hosts, self.switches, self._routed, self._links = [], [], routed, 0

    def _check_size(self, nodes: int = 0, links: int = 0) -> None:
        """Ends a shape that grows too large while that costs neither much time nor memory."""
        self._links += links
        if len(self.hosts) + len(self.switches) + nodes > _MOST_NODES or self._links > _MOST_LINKS:
            self._parts.clear()  # nobody waits for what else would be wrong
            text = f"this {type(self).__name__} is too large"
            raise WrongSettingError(text, f"a shape has {_MOST_NODES} nodes and {_MOST_LINKS} links at most")

    def add_host(self) -> Host:
        """The next host: h1, h2…; not joined with anything yet."""
        self._check_size(nodes=1, links=1)
        host = self.add(f"h{len(self.hosts) + 1}", Host())
        self.hosts.append(host)
        return host

    def add_switch(self, hosts: int = 0) -> Node:
        """The next switch or router, with as many new hosts on it."""
        self._check_size(nodes=1 + hosts)
        number = len(self.switches) + 1
        kind, letter = (Router(multipath=True), "r") if self._routed else (Switch(stp=self.stp), "s")
        switch: Node = self.add(f"{letter}{number}", kind)
        self.switches.append(switch)
        for _ in range(hosts):
            self.add(Link(self.add_host(), switch))
        return switch

    def join(self, pairs: Iterable[tuple[Node, Node]]) -> None:
        """A link between the two of each pair."""
        for a, b in pairs:
            self._check_size(links=1)
            self.add(Link(a, b))


class Single(Shape):
    """`hosts` hosts on one switch."""

    def build(self, hosts: int = 2, routed: bool = False) -> None:
        """`Single(hosts=3)`: one host at least."""
        self.begin(routed)
        self.add_switch(_at_least(1, hosts=hosts))


class Linear(Shape):
    """A line of `switches` switches, each with `hosts` hosts."""

    def build(self, switches: int = 3, hosts: int = 1, routed: bool = False) -> None:
        """`Linear(switches=4, hosts=2)`: one switch at least."""
        self.begin(routed)
        line = [self.add_switch(_at_least(0, hosts=hosts)) for _ in range(_at_least(1, switches=switches))]
        self.join(pairwise(line))


class Star(Shape):
    """A switch in the middle, around it `arms` switches with `hosts` hosts each."""

    def build(self, arms: int = 3, hosts: int = 1, routed: bool = False) -> None:
        """`Star(arms=5)`: one arm at least; the middle is `center`."""
        self.begin(routed)
        self.center = self.add_switch()
        self.join((self.center, self.add_switch(_at_least(0, hosts=hosts))) for _ in range(_at_least(1, arms=arms)))


class Tree(Shape):
    """A tree of switches, `depth` levels high, each with `fanout` switches below it, the lowest with as many hosts."""

    def build(self, depth: int = 2, fanout: int = 2, routed: bool = False) -> None:
        """`Tree(depth=3, fanout=2)`: `switches[0]` is its top."""
        self.begin(routed)
        levels, below = _between(1, _DEEPEST, depth=depth), _at_least(1, fanout=fanout)
        self._check_size(nodes=sum(below**level for level in range(levels + 1)))
        self._grow(levels, below)

    def _grow(self, depth: int, fanout: int) -> Node:
        if depth == 1:
            return self.add_switch(fanout)
        top = self.add_switch()
        self.join((top, self._grow(depth - 1, fanout)) for _ in range(fanout))
        return top


class Ring(Shape):
    """A ring of `switches` switches with a spanning tree, each with `hosts` hosts."""

    stp = True

    def build(self, switches: int = 4, hosts: int = 1, routed: bool = False) -> None:
        """`Ring(switches=5)`: three switches at least."""
        self.begin(routed)
        ring = [self.add_switch(_at_least(0, hosts=hosts)) for _ in range(_at_least(3, switches=switches))]
        self.join(pairwise([*ring, ring[0]]))


class Mesh(Shape):
    """`switches` switches with a spanning tree, each joined with each other, and each with `hosts` hosts."""

    stp = True

    def build(self, switches: int = 4, hosts: int = 1, routed: bool = False) -> None:
        """`Mesh(switches=5)`: two switches at least."""
        self.begin(routed)
        mesh = [self.add_switch(_at_least(0, hosts=hosts)) for _ in range(_at_least(2, switches=switches))]
        self.join((a, b) for number, a in enumerate(mesh) for b in mesh[number + 1 :])


class Torus(Shape):
    """A grid of `rows` by `columns` switches with a spanning tree whose edges are joined, each with `hosts` hosts."""

    stp = True

    def build(self, rows: int = 3, columns: int = 3, hosts: int = 1, routed: bool = False) -> None:
        """`Torus(rows=4, columns=4)`: three of each at least."""
        self.begin(routed)
        _at_least(3, rows=rows)
        _at_least(3, columns=columns)
        grid = [[self.add_switch(_at_least(0, hosts=hosts)) for _ in range(columns)] for _ in range(rows)]
        self.join((row[at], row[(at + 1) % columns]) for row in grid for at in range(columns))
        self.join((grid[at][column], grid[(at + 1) % rows][column]) for at in range(rows) for column in range(columns))


class FatTree(Shape):
    """A fat tree of `k`-port switches (Al-Fares et al., SIGCOMM 2008): k pods, k³/4 hosts, 5k²/4 switches.

    `core`, `aggregation` and `edge` are its three layers. Its switches have a spanning tree; routed, all paths are used.
    """

    stp = True

    def build(self, k: int = 4, routed: bool = False) -> None:
        """`FatTree(k=6)`: `k` is even."""
        self.begin(routed)
        if _at_least(2, k=k) % 2:
            raise WrongSettingError(f"k={k} is not even", "a fat tree's switches have an even number of ports, 2 at least")
        half = k // 2
        self.core = [self.add_switch() for _ in range(half * half)]
        self.aggregation = [self.add_switch() for _ in range(k * half)]
        self.edge = [self.add_switch(half) for _ in range(k * half)]
        for number, switch in enumerate(self.aggregation):
            pod, place = divmod(number, half)
            self.join((switch, self.core[place * half + port]) for port in range(half))
            self.join((switch, edge) for edge in self.edge[pod * half : (pod + 1) * half])


class Dumbbell(Shape):
    """Two switches joined by one link, the `bottleneck`, with `hosts` hosts on either side (`left` and `right`)."""

    def build(self, hosts: int = 2, routed: bool = False) -> None:
        """`Dumbbell(hosts=3)`: one host on each side at least."""
        self.begin(routed)
        self.left_switch = self.add_switch(_at_least(1, hosts=hosts))
        self.right_switch = self.add_switch(hosts)
        self.left, self.right = self.hosts[:hosts], self.hosts[hosts:]
        self.bottleneck = self.add(Link(self.left_switch, self.right_switch))


def _at_least(least: int, **given: int) -> int:
    return _between(least, _MOST_NODES, **given)


def _between(least: int, most: int, **given: int) -> int:
    ((name, number),) = given.items()
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
        raise WrongSettingError(f"{name}={quoted(number)} cannot be", f"a whole number from {least} to {most}")
    return number


SHAPES: dict[str, type[Shape]] = {
    "single": Single,
    "linear": Linear,
    "star": Star,
    "tree": Tree,
    "ring": Ring,
    "mesh": Mesh,
    "torus": Torus,
    "fat-tree": FatTree,
    "dumbbell": Dumbbell,
}
