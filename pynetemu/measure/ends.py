"""The addresses of nodes as pings use them: with the interface, its MAC address, and what that is plugged into."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from pynetemu.lab.addresses import best

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.plan.operations import InterfaceAddress

_Kind = tuple[frozenset[int], frozenset[int]]  # the networks and the IP versions of a node


class End(NamedTuple):
    """An address of a node, on an interface, as the kernel has them now.

    `network` is a number for the address's network; `place` is the node that the interface is plugged into, a switch mostly,
    or its own node when it has no link.
    """

    node: str
    ifindex: int
    mac: str
    address: str
    network: int
    link_local: str  # the interface's own, from which IPv6 asks neighbors; "" when there is none
    place: str


class Ends:
    """All usable addresses of some nodes, of one IP version or of both; `nodes` are those that have one."""

    def __init__(self, lab: "Lab", nodes: Sequence[str], version: int | None) -> None:
        self._addresses: dict[str, list[InterfaceAddress]] = {node: [] for node in nodes}
        self._ends: dict[str, list[End]] = {node: [] for node in nodes}
        self._numbers: dict[object, int] = {}  # of networks, which are slow to compare
        peers = lab.inventory.peers
        for interface in lab.interfaces(*nodes):
            link_local = next((str(a.ip) for a in interface.addresses if a.version == 6 and a.is_link_local), "")
            place, _ = peers.get((interface.node, interface.name), (interface.node, ""))
            for address in interface.addresses:
                if not address.is_link_local and not address.is_loopback and version in (None, address.version):
                    network = self._numbers.setdefault(address.network, len(self._numbers))
                    end = End(interface.node, interface.index, interface.mac, str(address.ip), network, link_local, place)
                    self._ends[interface.node].append(end)
                    self._addresses[interface.node].append(address)
        self.nodes = tuple(node for node in nodes if self._ends[node])
        self._near = {(end.node, end.network): end for node in self.nodes for end in reversed(self._ends[node])}
        self._kinds: dict[_Kind, int] = {}
        self._kind_of = {node: self._kind(node) for node in self.nodes}
        self._chosen: dict[tuple[int, str], End | None] = {}  # for a kind of source, and a target

    def _kind(self, node: str) -> int:
        """A number for what an address is chosen by: most nodes of a lab are of few kinds."""
        versions = frozenset(address.version for address in self._addresses[node])
        return self._kinds.setdefault((frozenset(end.network for end in self._ends[node]), versions), len(self._kinds))

    def far(self, source: str, target: str) -> End | None:
        """The target's address that the source would use; None when they have no IP version in common."""
        key = self._kind_of[source], target
        if key not in self._chosen:
            networks = {address.network for address in self._addresses[source]}
            address = best(self._addresses[target], networks, {address.version for address in self._addresses[source]})
            theirs = zip(self._addresses[target], self._ends[target], strict=True)
            self._chosen[key] = next((end for own, end in theirs if own is address), None)
        return self._chosen[key]

    def near(self, source: str, far: End | None) -> End | None:
        """The source's address on the link of that end; None when it is on none of the source's."""
        return None if far is None else self._near.get((source, far.network))
