"""Where a plan's links lead, and whose addresses are whose: what turns sightings into ways and addresses into names."""

from collections import deque
from functools import cached_property
from ipaddress import IPv6Address, ip_address

from pynetemu.plan.inventory import Inventory, Place
from pynetemu.plan.operations import Plan


class Wiring:
    """The links and addresses of a plan.

    wiring.peers["blue", "eth0"] == ("s1", "blue")
    wiring.name("10.0.0.2") == "blue"
    """

    def __init__(self, plan: Plan) -> None:
        inventory = Inventory(plan)
        self.kinds = inventory.kinds
        self.is_bridge = inventory.is_bridge
        self.bridges = inventory.bridges
        self.peers = inventory.wired_peers
        self.macs = inventory.macs
        self.prefixes = inventory.addresses_of_nodes
        self.owners = {str(address): {node for node, _ in places} for address, places in inventory.owners.items()}
        self._interfaces = {str(address): places[-1][1] for address, places in inventory.owners.items()}

    def name(self, address: str) -> str:
        """The node that has an address; the address itself when none has it, or more than one."""
        owners = self.owners.get(address, set()) or self._link_locals.get(address, set())
        return next(iter(owners)) if len(owners) == 1 else address

    def interface_of(self, address: str) -> str:
        """The interface that was given an address, "" when none was."""
        return self._interfaces.get(address, "")

    @cached_property
    def _link_locals(self) -> dict[str, set[str]]:
        """The nodes of the addresses that IPv6 makes of MAC addresses for each link (RFC 4291, appendix A)."""
        found: dict[str, set[str]] = {}
        for (node, _), mac in self.macs.items():
            octets = bytes.fromhex(mac.replace(":", ""))
            interface = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
            address = str(IPv6Address(b"\xfe\x80" + bytes(6) + interface))
            found.setdefault(address, set()).add(node)
        return found

    def network_of(self, address: str) -> str:
        """The network of an address as some node of the plan has it, 10.0.2.0/24; the address itself when none has."""
        wanted = ip_address(address)
        for addresses in self.prefixes.values():
            for own in addresses:
                if own.version == wanted.version and wanted == own.ip:
                    return str(own.network)
        return address

    def route_to(self, node: str, address: str) -> str:
        """The route that a node probably lacks, as `ip route add` takes it: "10.0.2.0/24 via 10.0.1.1"."""
        network = self.network_of(address)
        for own in self.prefixes.get(node, ()):
            if str(own.network) == network:
                return f"{network} dev {self._interfaces[str(own.ip)]}"
        return f"{network} via {self.gateway_of(node, ':' if ':' in address else '.')}"

    def gateway_of(self, node: str, mark: str) -> str:
        """The address, with "." or ":", of a router next to a node: what a missing route probably leads to.

        "GATEWAY" when there is none.
        """
        own = [address.network for address in self.prefixes.get(node, ()) if mark in str(address)]
        for neighbor, addresses in self.prefixes.items():
            family = [address for address in addresses if mark in str(address)]
            leads_on = len({address.network for address in family}) > 1
            for address in family if leads_on and neighbor != node else ():
                if address.network in own:
                    return str(address.ip)
        return "GATEWAY"

    def is_own_mac(self, node: str, mac: str) -> bool:
        """Whether one of a node's interfaces has a MAC address."""
        return any(place[0] == node and own == mac for place, own in self.macs.items())

    @cached_property
    def _neighbors(self) -> dict[str, list[Place]]:
        """For each node, its interfaces with the node behind each: [("blue", "s1")] of a switch s1 with a port blue."""
        found: dict[str, list[Place]] = {}
        for (node, interface), (peer, _) in self.peers.items():
            found.setdefault(node, []).append((interface, peer))
        return found

    def ports_towards(self, node: str, target: str) -> list[str]:
        """The interfaces of a node behind which another can be reached through switches only."""
        return [interface for interface, peer in self._neighbors.get(node, ()) if self._leads(node, peer, target)]

    def _leads(self, start: str, peer: str, target: str) -> bool:
        seen, waiting = {start}, deque([peer])
        while waiting:
            node = waiting.popleft()
            if node == target:
                return True
            if node not in seen and self.is_bridge(node):
                waiting += (further for _, further in self._neighbors.get(node, ()))
            seen.add(node)
        return False
