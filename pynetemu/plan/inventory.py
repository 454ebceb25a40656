"""What a plan says, by node and by interface.

inventory = Inventory(plan)
inventory.is_bridge("s1")                  a switch or a hub
inventory.peers["blue", "eth0"]            ("s1", "blue"), over links of every sort
inventory.addresses["blue", "eth0"]        [IPv4Interface("10.0.0.2/24")]

The operations are read once, when something is first asked for; each index is made when it is first used.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, TypeVar

from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddDevice,
    AddMacvlan,
    AddNode,
    Address,
    AddTunnel,
    AddVeth,
    AddWireGuard,
    InterfaceAddress,
    ManyRoutes,
    NodeKind,
    Plan,
    parts_of,
)

_T = TypeVar("_T")

Place = tuple[str, str]  # a node and one of its interfaces
LinkOperation = AddVeth | AddTunnel | AddWireGuard


class Inventory:
    """The nodes, links and addresses of a plan, as the description has them: a lab that runs may have changed."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def of_type(self, kind: type[_T]) -> list[_T]:
        """All operations of a kind, in the plan's order: inventory.of_type(AddVeth)."""
        found: list[Any] = self._by_type.get(kind, [])
        many = [route for routes in self._by_type.get(ManyRoutes, ()) if routes.kind is kind for route in routes]
        return [*found, *many] if many else found

    @cached_property
    def _by_type(self) -> dict[type, list[Any]]:
        found: dict[type, list[Any]] = {}
        for part in parts_of(self.plan):
            found.setdefault(type(part), []).append(part)
        return found

    @cached_property
    def kinds(self) -> dict[str, NodeKind]:
        """What each node is, the hidden one too: {"root": "root", "outside": "outside", "blue": "host"}."""
        return {op.node: op.kind for op in self.of_type(AddNode)}

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """The names that people use, in the order of the description."""
        return self.plan.nodes

    def nodes_of(self, *kinds: NodeKind) -> list[str]:
        """The nodes of these kinds, in the order of the description."""
        return [node for node, kind in self.kinds.items() if kind in kinds]

    def is_bridge(self, node: str) -> bool:
        """Whether a node is a switch or a hub, whose interfaces are the ports of a bridge."""
        return self.kinds.get(node) in ("switch", "hub")

    @cached_property
    def root(self) -> str:
        """The lab's machine, "" where it has none."""
        return next(iter(self.nodes_of("root")), "")

    @cached_property
    def outside(self) -> str:
        """The hidden node that the root's own interface is plugged into, "" where there is none."""
        return next(iter(self.nodes_of("outside")), "")

    @cached_property
    def bridges(self) -> set[Place]:
        """All bridges: those of switches and hubs, and those inside hosts."""
        return {(op.node, op.interface) for op in self.of_type(AddBridge)}

    @cached_property
    def links(self) -> list[LinkOperation]:
        """Veth pairs and tunnels between the nodes, each once (a tunnel by its first end), in the plan's order."""
        return [op for op in self._every_link if self.outside not in (op.node, op.peer_node)]

    @cached_property
    def _every_link(self) -> list[LinkOperation]:
        tunnels: dict[frozenset[Place], LinkOperation] = {}
        both: list[LinkOperation] = [*self.of_type(AddTunnel), *self.of_type(AddWireGuard)]
        for op in both:  # each end of a tunnel is an operation of its own
            tunnels.setdefault(frozenset(ends(op)), op)
        return [*self.of_type(AddVeth), *tunnels.values()]

    @cached_property
    def peers(self) -> dict[Place, Place]:
        """The other end of each link of every sort, both ways, the hidden one to outside too."""
        return dict(_both_ways(self._every_link))

    @cached_property
    def wired_peers(self) -> dict[Place, Place]:
        """The same for veth pairs only: what an interface sends arrives at its peer as it is."""
        return dict(_both_ways(self.of_type(AddVeth)))

    @cached_property
    def macs(self) -> dict[Place, str]:
        """The MAC addresses that the plan gives; the kernel chooses the others."""
        found: dict[Place, str] = {}
        for veth in self.of_type(AddVeth):
            near, far = ends(veth)
            found |= {near: veth.mac, far: veth.peer_mac}
        for kind in AddTunnel, AddDevice, AddMacvlan, AddBridge:
            found |= {(op.node, op.interface): op.mac for op in self._by_type.get(kind, ()) if op.mac}
        return found

    @cached_property
    def addresses(self) -> dict[Place, list[InterfaceAddress]]:
        """The addresses of each interface, in the plan's order."""
        found: dict[Place, list[InterfaceAddress]] = {}
        for op in self.of_type(AddAddress):
            found.setdefault((op.node, op.interface), []).append(op.address)
        return found

    @cached_property
    def addresses_of_nodes(self) -> dict[str, list[InterfaceAddress]]:
        """The addresses of each node that has some, over all of its interfaces, in the plan's order."""
        found: dict[str, list[InterfaceAddress]] = {}
        for op in self.of_type(AddAddress):
            found.setdefault(op.node, []).append(op.address)
        return found

    @cached_property
    def owners(self) -> dict[Address, list[Place]]:
        """Where each address is: more than one place for one that is given twice."""
        found: dict[Address, list[Place]] = {}
        for op in self.of_type(AddAddress):
            found.setdefault(op.address.ip, []).append((op.node, op.interface))
        return found


def ends(link: LinkOperation) -> tuple[Place, Place]:
    """Both ends of a link: (("blue", "eth0"), ("s1", "blue"))."""
    return (link.node, link.interface), (link.peer_node, link.peer_interface)


def _both_ways(links: list[LinkOperation] | list[AddVeth]) -> Iterator[tuple[Place, Place]]:
    for link in links:
        near, far = ends(link)
        yield near, far
        yield far, near
