"""The paths that packets take, hop by hop, by the addresses and routes that all nodes have."""

from dataclasses import dataclass, field

from pynetemu.plan.operations import Address, InterfaceAddress
from pynetemu.plan.resolve.domains import Domain
from pynetemu.plan.resolve.network import ResolvedInterface, ResolvedNetwork, ResolvedNode

_Hop = tuple[ResolvedInterface | None, Address | None]  # by which interface, for a network that it is on; or by which gateway


@dataclass(eq=False)
class _Table:
    """A node's routes: for each prefix length its networks by their number, the longest first."""

    hops: dict[tuple[int, int], dict[int, _Hop]] = field(default_factory=dict)

    def add(self, version: int, length: int, network: int, hop: _Hop) -> None:
        self.hops.setdefault((version, -length), {}).setdefault(network, hop)

    def find(self, address: Address) -> _Hop | None:
        number, bits = int(address), address.max_prefixlen
        for version, minus_length in sorted(self.hops):
            shift = bits + minus_length
            if version == address.version and (hop := self.hops[version, minus_length].get(number >> shift << shift)):
                return hop
        return None


class PacketPaths:
    """paths.find(r1, address) == [the interface of r1, the interface of r2] by which packets leave the nodes on their way."""

    def __init__(self, network: ResolvedNetwork, domains: list[Domain]) -> None:
        self._domain = {interface: domain for domain in domains for interface in domain.interfaces}
        self._owners: dict[Address, tuple[ResolvedNode, ResolvedInterface | None]] = {}
        self._tables: dict[ResolvedNode, _Table] = {}
        for node in (*network.nodes, *network.parts):
            table = self._tables[node] = _Table()
            for interface in (one for one in node.interfaces.values() if one.node is node):
                for address in interface.addresses:
                    self._own(node, interface, address)
                    subnet = address.network
                    table.add(address.version, subnet.prefixlen, int(subnet.network_address), (interface, None))
            for address in (*node.loopback, *([node.own_address] if node.own_address else [])):
                self._own(node, None, address)
            for route in node.routes:
                where = route.destination
                table.add(where.version, where.prefixlen, int(where.network_address), (None, route.vias[0]))

    def domain(self, interface: ResolvedInterface) -> Domain | None:
        return self._domain.get(interface)

    def find(self, start: ResolvedNode, target: Address) -> list[ResolvedInterface] | None:
        """None where there is no way."""
        node, way = start, list[ResolvedInterface]()
        while len(way) <= len(self._tables):
            if self._owners.get(target, (None,))[0] is node:
                return way
            if node is not start and not node.forwards:
                return None
            hop = self._tables[node].find(target)
            exit, via = self._exit(node, hop, target) if hop else (None, None)
            if exit is None or via is None:
                return None
            owner, entrance = self._owners.get(via, (None, None))
            if owner is None or entrance is None or self.domain(entrance) is not self.domain(exit):
                return None
            node = owner
            way.append(exit)
        return None

    def _exit(self, node: ResolvedNode, hop: _Hop, target: Address) -> tuple[ResolvedInterface | None, Address]:
        interface, via = hop
        if via is None:
            return interface, target
        neighbor = self._tables[node].find(via)
        return (neighbor[0] if neighbor else None), via

    def _own(self, node: ResolvedNode, interface: ResolvedInterface | None, address: InterfaceAddress) -> None:
        self._owners.setdefault(address.ip, (node, interface))
