"""What a lab that runs has already, and a new description of it leaves open: that stays as it is.

Names of interfaces and addresses come from names and numbers in a description, and from its order. In a lab that runs they must
not move because of a node that is new: a kept link keeps its interfaces' names, a kept interface its MAC address and the
addresses that were assigned automatically, and who was told others' MAC addresses is told them still.
"""

from collections import Counter
from collections.abc import Iterable
from functools import cached_property

from pynetemu.plan.inventory import Inventory, Place, ends
from pynetemu.plan.operations import AddNeighbors, AddVeth, InterfaceAddress, IPNetwork, Plan


class Standing:
    """The plan of the lab that runs, asked by place; that of no lab has nothing."""

    def __init__(self, plan: Plan | None) -> None:
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

    def votes(self, places: Iterable[tuple[Place, str]], pool: IPNetwork) -> Counter[IPNetwork]:
        """In which networks of a pool how many of these interfaces are, each with the node at its other end.

        One that is plugged in elsewhere now does not count: it comes to those who are there.
        """
        return Counter(
            own.network
            for place, peer in places
            if self._inventory.peers.get(place, ("", ""))[0] == peer
            for own in self._inventory.addresses.get(place, ())
            if own.version == pool.version and _is_within(own.network, pool)
        )

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
