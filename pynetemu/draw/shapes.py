"""What shape a network has: its core (the nodes that are no leaves), and whether that is a tree, a ring, a mesh, a grid."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property

from pynetemu.draw.graph import Graph, natural
from pynetemu.draw.groups import is_leaf

Cell = tuple[int, int]
_STAR = 5  # arms; fewer are drawn as a tree
_ROW = 10  # nodes of a chain side by side


@dataclass(frozen=True)
class Core:
    """The nodes of a connected network that are no leaves, and the leaves of each."""

    graph: Graph
    names: tuple[str, ...]
    leaves: Mapping[str, tuple[str, ...]]

    @cached_property
    def neighbors(self) -> dict[str, list[str]]:
        """Of each node those of its neighbors that are in the core too."""
        inside = set(self.names)
        return {name: [other for other in self.graph.neighbors[name] if other in inside] for name in self.names}

    @property
    def is_tree(self) -> bool:
        return len(self.graph.links) == len(self.graph.nodes) - 1

    @cached_property
    def is_path(self) -> bool:
        """Nodes in a row, none of which stands for a group."""
        grouped = any(self.graph.node[name].members for name in self.names)
        in_row = self.is_tree and len(self.names) > 1 and max(map(len, self.neighbors.values())) <= 2
        return in_row and not grouped

    @property
    def across(self) -> tuple[str, ...]:
        """The nodes of a path from left to right if only its ends have leaves, as in a dumbbell; else none.

        One of three nodes that fans out at both ends is a tree with a root and two branches.
        """
        if not self.is_path:
            return ()
        row = tuple(_walk(self, next(name for name in self.names if len(self.neighbors[name]) == 1)))
        ends = [len(self.leaves[name]) for name in (row[0], row[-1])]
        fans_out = len(row) == 3 and min(ends) > 1
        return row if min(ends) and not any(self.leaves[name] for name in row[1:-1]) and not fans_out else ()

    @property
    def is_chain(self) -> bool:
        """A path whose nodes all have leaves, or none of which has more than one."""
        leaves = [len(leaves) for leaves in self.leaves.values()]
        return self.is_path and (all(leaves) or max(leaves) <= 1)

    @property
    def root(self) -> str:
        """The middle of a tree: what is left when its leaves are taken off again and again."""
        left = {name: set(others) for name, others in self.graph.neighbors.items()}
        while len(left) > 2:
            ends = [name for name, others in left.items() if len(others) <= 1]
            for name in ends:
                for other in left.pop(name):
                    left[other].discard(name)
        return next(node.name for node in self.graph.nodes if node.name in left)

    @cached_property
    def height(self) -> dict[str, int]:
        """How far each node is from the nearest leaf, whose own height is 0."""
        height = {leaf: 0 for leaves in self.leaves.values() for leaf in leaves}
        level = list(height)
        while level:
            above = [other for name in level for other in self.graph.neighbors[name] if other not in height]
            height |= dict.fromkeys(above, height[level[0]] + 1)
            level = list(dict.fromkeys(above))
        return {node.name: height.get(node.name, 0) for node in self.graph.nodes}

    @cached_property
    def pods(self) -> dict[str, int]:
        """What a network without its highest nodes falls into, such as the pods of a fat tree: a number for each node."""
        top = max(self.height.values())
        below = {name for name, height in self.height.items() if height < top}
        return _parts(self.graph, below)


@dataclass(frozen=True)
class Circle:
    """Nodes in their order around a middle, which may be empty; `crossed` when lines run across it."""

    names: tuple[str, ...]
    middle: str | None = None
    crossed: bool = False


def components(graph: Graph) -> Iterator[Graph]:
    """The parts of a network that hang together, each as a network of its own."""
    part = _parts(graph, graph.neighbors.keys())
    for number in dict.fromkeys(part.values()):
        yield Graph(
            graph.name,
            tuple(node for node in graph.nodes if part[node.name] == number),
            tuple(link for link in graph.links if part[link.a.node] == number),
        )


def _parts(graph: Graph, names: Set[str]) -> dict[str, int]:
    """A number for each of these nodes, the same for those that hang together without the others."""
    part: dict[str, int] = {}
    for number, node in enumerate(graph.nodes):
        waiting = [node.name] if node.name in names else []
        while waiting:
            name = waiting.pop()
            if name not in part:
                part[name] = number
                waiting += [other for other in graph.neighbors[name] if other in names]
    return part


def runs_across(graph: Graph) -> bool:
    """Whether a network is best drawn from left to right."""
    return all(core_of(part).across for part in components(graph))


def core_of(graph: Graph) -> Core:
    leaves = [node.name for node in graph.nodes if is_leaf(graph, node)]
    names = [node.name for node in graph.nodes if node.name not in set(leaves)]
    of: dict[str, list[str]] = {name: [] for name in names}
    for leaf in leaves:
        of[graph.neighbors[leaf][0]].append(leaf)
    return Core(graph, tuple(names), {name: tuple(found) for name, found in of.items()})


def circle(core: Core) -> Circle | None:
    """The circle of a ring, of a full mesh, or of a star's arms around their middle."""
    degrees = {name: len(others) for name, others in core.neighbors.items()}
    count = len(core.names)
    if count >= 3 and set(degrees.values()) == {2}:
        return Circle(tuple(_walk(core, core.names[0])))
    if count >= 4 and set(degrees.values()) == {count - 1}:
        return Circle(core.names, crossed=count > 3)
    middle = max(core.names, key=lambda name: degrees[name])
    arms = [name for name in core.names if name != middle]
    if len(arms) >= _STAR and not core.leaves[middle] and all(core.neighbors[arm] == [middle] for arm in arms):
        return Circle(tuple(arms), middle)
    return None


def loop(core: Core) -> dict[str, Cell] | None:
    """The nodes of a ring in two rows, there and back."""
    if len(core.names) < 3 or any(len(others) != 2 for others in core.neighbors.values()):
        return None
    names = list(_walk(core, core.names[0]))
    half = (len(names) + 1) // 2
    return {name: (0, index) if index < half else (1, 2 * half - 1 - index) for index, name in enumerate(names)}


def grid(core: Core) -> dict[str, Cell] | None:
    """Row and column of each node of a chain, a grid or a torus whose nodes are in the order of their rows."""
    if core.is_tree:
        return _chain(core) if core.is_chain else None
    links = {frozenset((name, other)) for name, others in core.neighbors.items() for other in others}
    for names in (core.names, tuple(sorted(core.names, key=natural))):
        for rows in range(2, len(names) // 2 + 1):
            if len(names) % rows == 0:
                places = {name: divmod(index, len(names) // rows) for index, name in enumerate(names)}
                if links in (_links(places, around=True), _links(places, around=False)):
                    return places
    return None


def _chain(core: Core) -> dict[str, Cell]:
    """From left to right, and back in the next row."""
    start = next(name for name in core.names if len(core.neighbors[name]) == 1)
    places = {}
    for index, name in enumerate(_walk(core, start)):
        row, column = divmod(index, _ROW)
        places[name] = row, column if row % 2 == 0 else _ROW - 1 - column
    return places


def _walk(core: Core, start: str) -> Iterator[str]:
    """The nodes of a chain or a ring one after the other."""
    seen: set[str] = set()
    name: str | None = start
    while name is not None:
        yield name
        seen.add(name)
        name = next((other for other in core.neighbors[name] if other not in seen), None)


def _links(places: Mapping[str, Cell], around: bool) -> set[frozenset[str]]:
    """The links between neighbors in a grid; with `around`, from its edges to the opposite ones too."""
    at = {cell: name for name, cell in places.items()}
    rows, columns = (1 + max(cell[axis] for cell in at) for axis in (0, 1))
    found = set()
    for (row, column), name in at.items():
        for r, c in ((row, column + 1), (row + 1, column)):
            other = at.get((r % rows, c % columns) if around else (r, c))
            if other is not None and other != name:
                found.add(frozenset((name, other)))
    return found
