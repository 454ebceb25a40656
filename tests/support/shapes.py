"""Networks of every shape that people know, as plans."""

from ipaddress import ip_interface
from random import Random

from pynetemu.plan.operations import AddAddress, AddNode, AddVeth, NodeKind, Operation, Plan

Edges = list[tuple[str, str]]


def single(hosts: int = 3) -> Edges:
    return [("s1", f"h{i}") for i in range(1, hosts + 1)]


def linear(switches: int = 4) -> Edges:
    return _chain(switches) + _one_host_each(switches)


def ring(switches: int = 5) -> Edges:
    return [*_chain(switches), (f"s{switches}", "s1"), *_one_host_each(switches)]


def star(arms: int = 4) -> Edges:
    return [("s0", f"s{i}") for i in range(1, arms + 1)] + _one_host_each(arms)


def full_mesh(switches: int = 4) -> Edges:
    pairs = [(f"s{i}", f"s{j}") for i in range(1, switches + 1) for j in range(i + 1, switches + 1)]
    return pairs + _one_host_each(switches)


def tree(depth: int = 3, fanout: int = 2) -> Edges:
    edges: Edges = []
    above, switches = ["s1"], 1
    for level in range(depth):
        below: list[str] = []
        for node in above:
            for _ in range(fanout):
                last = level == depth - 1
                name = f"h{len(below) + 1}" if last else f"s{switches + len(below) + 1}"
                below.append(name)
                edges.append((node, name))
        switches, above = switches + len(below), below
    return edges


def torus(rows: int = 3, columns: int = 3) -> Edges:
    edges: Edges = []
    for r in range(rows):
        for c in range(columns):
            edges.append((f"s{r}x{c}", f"s{r}x{(c + 1) % columns}"))
            edges.append((f"s{r}x{c}", f"s{(r + 1) % rows}x{c}"))
            edges.append((f"s{r}x{c}", f"h{r}x{c}"))
    return edges


def fat_tree(k: int = 4) -> Edges:
    half = k // 2
    ups = [(f"c{a * half + c}", f"a{pod}x{a}") for pod in range(k) for a in range(half) for c in range(half)]
    middles = [(f"a{pod}x{a}", f"e{pod}x{e}") for pod in range(k) for a in range(half) for e in range(half)]
    downs = [(f"e{pod}x{e}", f"h{pod}x{e}x{i}") for pod in range(k) for e in range(half) for i in range(half)]
    return ups + middles + downs


def dumbbell(pairs: int = 3) -> Edges:
    left, right = ([(f"s{side}", f"{side}{i}") for i in range(1, pairs + 1)] for side in "lr")
    return [("sl", "sr"), *left, *right]


def _chain(switches: int) -> Edges:
    return [(f"s{i}", f"s{i + 1}") for i in range(1, switches)]


def _one_host_each(switches: int) -> Edges:
    return [(f"s{i}", f"h{i}") for i in range(1, switches + 1)]


SHAPES = {
    "single": single(),
    "linear": linear(),
    "ring": ring(),
    "star": star(),
    "full_mesh": full_mesh(),
    "tree": tree(),
    "torus": torus(),
    "fat_tree": fat_tree(),
    "dumbbell": dumbbell(),
}
HUNDREDS = {
    "single": single(99),
    "linear": linear(50),
    "ring": ring(50),
    "star": star(50),
    "full_mesh": full_mesh(12),
    "tree": tree(3, 4),
    "torus": torus(7, 7),
    "fat_tree": fat_tree(6),
    "dumbbell": dumbbell(49),
}


def random_edges(random: Random) -> Edges:
    """A connected network of switches with more or fewer links than a tree, and some hosts."""
    switches = [f"s{i}" for i in range(1, random.randint(2, 8))] + ["s0"]
    edges = [(random.choice(switches[:i]), name) for i, name in enumerate(switches) if i]
    pairs = [(a, b) for a in switches for b in switches if a < b]
    edges += random.sample(pairs, min(random.randint(0, 4), len(pairs)))
    edges += [(random.choice(switches), f"h{i}") for i in range(random.randint(1, 8))]
    unique = {frozenset(edge): edge for edge in edges}
    return list(unique.values())


def plan_of(edges: Edges, name: str = "Net") -> Plan:
    """Nodes named h..., l... and r... are hosts, with an address each; others are switches."""
    nodes = dict.fromkeys(node for edge in edges for node in edge)
    operations: list[Operation] = [AddNode(node, _kind(node)) for node in nodes]
    operations += [AddVeth(a, _interface(a, b), "", b, _interface(b, a), "") for a, b in edges]
    hosts = [node for node in nodes if _kind(node) == "host"]
    operations += [
        AddAddress(host, "eth0", ip_interface(f"10.0.{i // 256}.{i % 256}/16")) for i, host in enumerate(hosts, start=1)
    ]
    return Plan(name, tuple(operations))


def _kind(name: str) -> NodeKind:
    return "host" if name[0] in "hlr" else "switch"


def _interface(node: str, neighbor: str) -> str:
    return "eth0" if _kind(node) == "host" else neighbor
