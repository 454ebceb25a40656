"""What of a lab is captured: nodes, interfaces, links, or all of it.

select(network, ["blue", "s1.root"])    {"blue": set(), "s1": {"root"}}     no set of interfaces means all of them
select(network, ["blue-s1"])            {"blue": {"eth0"}, "s1": {"blue"}}  both ends of a link
select(network, [])                     every node
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pynetemu.errors import LabError
from pynetemu.lab.links import is_of_lab
from pynetemu.wording import near_or_all

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab

Selection = dict[str, set[str]]  # nodes, each with the interfaces wanted: none stands for all


def select(lab: "Lab", words: Sequence[str]) -> Selection:
    """Raises LabError for a word that names nothing of the lab."""
    selection: Selection = {}
    for word in words or lab.nodes:
        found = find(lab, word) if isinstance(word, str) else None
        if found is None:
            raise LabError(_unknown(lab, word))
        for node, wanted in found.items():
            known = selection.setdefault(node, wanted)
            selection[node] = known | wanted if known and wanted else set()
    return selection


def find(lab: "Lab", word: str) -> Selection | None:
    """What a word names: `blue` a node, `blue.eth0` or `blue:eth0` an interface, `blue-s1` the links between two nodes.

    None when it does not look like any of them; raises LabError for an interface that a node does not have.
    """
    if word in lab:
        return {word: of_the_lab(lab, word)}
    for mark in ":", ".":
        node, separator, interface = word.partition(mark)
        if separator and node in lab:
            _check_interface(lab, node, interface)
            return {node: {interface}}
    for at, letter in enumerate(word):
        if letter == "-" and (ends := _links(lab, word[:at], word[at + 1 :])):
            return ends
    return None


def names_of(lab: "Lab") -> dict[str, str]:
    """The node of each address that the lab has now, {"10.0.0.2": "blue"}; loopback's are everybody's, and so left out."""
    found = lab.interfaces()
    return {str(address.ip): state.node for state in found if state.name != "lo" for address in state.addresses}


def by_node(names: dict[str, str]) -> dict[str, list[str]]:
    """The addresses of each node, as filters want them."""
    found: dict[str, list[str]] = {}
    for address, node in names.items():
        found.setdefault(node, []).append(address)
    return found


def of_the_lab(lab: "Lab", node: str) -> set[str]:
    """All interfaces of a node; of a machine that is a lab's root only the lab's, since the others are not its affair."""
    if not (lab.host and node == lab.inventory.root):
        return set()
    return {interface for _, interface in peers_of(lab, node)}


def indexes_of_the_lab(lab: "Lab", node: str) -> list[int]:
    """The indexes of those interfaces; none where all are the lab's."""
    names = of_the_lab(lab, node)
    return [found.index for found in lab.interfaces(node) if found.name in names] if names else []


def peers_of(lab: "Lab", *nodes: str) -> dict[tuple[str, str], tuple[str, str]]:
    """The other ends of links, those of tunnels too, of some nodes or of all: as they are now, of a closed lab as planned."""
    planned = {place: peer for place, peer in lab.inventory.peers.items() if place[0] in (nodes or lab.nodes)}
    if lab.ended:
        return planned
    found = lab.state(*nodes, tables=("links",)).interfaces
    tunnels = {place: peer for place, peer in planned.items() if place not in lab.inventory.wired_peers}
    pairs = {(i.node, i.name): i.peer for i in found if i.peer is not None and all(i.peer) and is_of_lab(lab, i)}
    return tunnels | pairs


def _links(lab: "Lab", a: str, b: str) -> Selection:
    selection: Selection = {}
    if a in lab or b in lab:
        for (node, interface), (peer, _) in peers_of(lab, *{a, b} & set(lab.nodes)).items():
            if (node, peer) in ((a, b), (b, a)):
                selection.setdefault(node, set()).add(interface)
    return selection


def _check_interface(lab: "Lab", node: str, interface: str) -> None:
    has = [found.name for found in lab.interfaces(node)]
    if interface not in has:
        raise LabError(f"{node} has no interface {interface!r}; {near_or_all(interface, has)}")


def _unknown(lab: "Lab", word: str) -> str:
    hint = near_or_all(word, lab.nodes, "the nodes are")
    return f"no node, interface (blue.eth0) or link (blue-root) is called {word!r}; {hint}"
