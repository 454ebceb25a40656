"""What a lab that runs has already, and a new description of it leaves open: that stays as it is.

Names of interfaces and addresses come from names and numbers in a description, and from its order. In a lab that runs they must
not move because of a node that is new: a kept link keeps its interfaces' names, a kept interface its MAC address and the
addresses that were assigned automatically, and who was told others' MAC addresses is told them still.
"""

from collections.abc import Container, Iterable, Mapping
from functools import cached_property

from pynetemu.plan.inventory import Inventory, Place, ends
from pynetemu.plan.operations import AddNeighbors, Address, AddVeth, InterfaceAddress, IPNetwork, Plan
from pynetemu.topology.nodes import Node


class LeftOutError(Exception):
    """What is wanted depends on nodes that were left out, for which others stand: the whole has to be compiled."""


class Others:
    """Nodes that are not compiled, since those that are stand for them: what they have is nobody else's. By default none.

    `weights` are of nodes that stand for others, by the ids of their parts; `names` are in small letters; `interfaces` are
    both ends of their links.
    """

    def __init__(
        self,
        weights: Mapping[int, int] = {},
        names: Container[object] = (),
        interfaces: Container[object] = (),
        addresses: Container[object] = (),
        macs: Container[object] = (),
    ) -> None:
        self._weights, self._names, self._interfaces, self._addresses, self._macs = weights, names, interfaces, addresses, macs

    def weight(self, part: Node) -> int:
        """How many nodes one stands for, itself too."""
        return self._weights.get(id(part), 1)

    def interfaces(self, node: str) -> Container[object]:
        """The names of a node's interfaces that lead to them."""
        return _AtNode(node, self._interfaces) if self._interfaces else ()

    def has_address(self, address: Address) -> bool:
        """Whether one of them has it."""
        return address in self._addresses

    def has_mac(self, mac: str) -> bool:
        """Whether one of their links has it, at either end."""
        return mac in self._macs

    def refuse_name(self, name: str) -> None:
        """Raises LeftOutError for the name of one of them."""
        if name.lower() in self._names:
            raise LeftOutError

    def refuse_address(self, address: Address) -> None:
        """Raises LeftOutError for an address of one of them."""
        if address in self._addresses:
            raise LeftOutError

    def refuse_mac(self, mac: str) -> None:
        """Raises LeftOutError for a MAC address of one of their links."""
        if mac in self._macs:
            raise LeftOutError


class _AtNode(Container[object]):
    def __init__(self, node: str, interfaces: Container[object]) -> None:
        self._node, self._interfaces = node, interfaces

    def __contains__(self, name: object) -> bool:
        return (self._node, name) in self._interfaces


class Standing:
    """The plan of the lab that runs, asked by place; that of no lab has nothing."""

    def __init__(self, plan: Plan | None, others: Others | None = None) -> None:
        self.others = others or Others()
        self._inventory = Inventory(plan or Plan("", ()))
        self._free: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for link in self._inventory.of_type(AddVeth):
            (near, interface), (far, other) = ends(link)
            self._free.setdefault((near, far), []).append((interface, other))
            if near != far:
                self._free.setdefault((far, near), []).append((other, interface))

    @property
    def macs(self) -> dict[Place, str]:
        """The MAC address of each interface."""
        return self._inventory.macs

    def link_names(self, a: str, b: str, given_a: str, given_b: str) -> tuple[str, str] | None:
        """The names of both ends of a link between two nodes, each link once; those that are given must be the same."""
        for names in self._free.get((a, b), ()):
            if given_a in ("", names[0]) and given_b in ("", names[1]):
                self._free[a, b].remove(names)
                if a != b:
                    self._free[b, a].remove(names[::-1])
                return names
        return None

    def address(self, place: Place, network: IPNetwork) -> InterfaceAddress | None:
        """The address of an interface in a network."""
        return next((own for own in self._inventory.addresses.get(place, ()) if own.network == network), None)

    def votes(self, places: Iterable[tuple[Place, str, int]], pool: IPNetwork) -> dict[IPNetwork, int]:
        """In which networks of a pool how many of these interfaces are, each with the node at its other end, and its weight.

        One that is plugged in elsewhere now does not count: it comes to those who are there.
        """
        found: dict[IPNetwork, int] = {}
        for place, peer, weight in places:
            if self._inventory.peers.get(place, ("", ""))[0] == peer:
                for own in self._inventory.addresses.get(place, ()):
                    if own.version == pool.version and _is_within(own.network, pool):
                        found[own.network] = found.get(own.network, 0) + weight
        return found

    def arp(self, places: Iterable[Place], version: int) -> str:
        """Whether these interfaces know each other's MAC addresses: "permanent", "dynamic", or "" when all are new."""
        addresses = self._inventory.addresses
        here = (place for place in places if any(own.version == version for own in addresses.get(place, ())))
        if not self._told:
            return "dynamic" if any(here) else ""
        found = list(here)
        return "" if not found else "permanent" if any((*place, version) in self._told for place in found) else "dynamic"

    @cached_property
    def _told(self) -> set[tuple[str, str, int]]:
        return {
            (node, interface, address.version)
            for group in self._inventory.of_type(AddNeighbors)
            for node, interface, address in zip(group.nodes, group.interfaces, group.addresses, strict=True)
        }


def _is_within(network: IPNetwork, pool: IPNetwork) -> bool:
    return network.subnet_of(pool)  # type: ignore[arg-type]
