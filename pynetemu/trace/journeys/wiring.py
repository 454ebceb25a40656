"""Where the links lead, and whose addresses are whose: what turns sightings into paths and addresses into names."""

from collections import deque
from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Self

from pynetemu.plan.inventory import Inventory, Place
from pynetemu.plan.operations import AddMacvlan, InterfaceAddress, Plan
from pynetemu.trace.sources.events import Event

if TYPE_CHECKING:
    from pynetemu.lab.reading import LabState
    from pynetemu.lab.state import InterfaceState
    from pynetemu.plan.operations.values import NodeKind

WIRING = ("links", "addresses")  # the tables that `Wiring.learn` needs


class Wiring:
    """The links and addresses of a plan, and of the lab as it is once it has been told: `learn`.

    wiring.peers["blue", "eth0"] == ("s1", "blue")
    wiring.name("10.0.0.2") == "blue"

    Addresses that were planned and that no node has now keep their owners: packets for them still come.
    """

    def __init__(self, plan: Plan) -> None:
        inventory = Inventory(plan)
        self._names: dict[tuple[str, int, str], str] = {}  # of interfaces, by node, index and MAC address
        self._renamed: dict[Place, str] = {}
        self.kinds = inventory.kinds
        self.is_bridge = inventory.is_bridge
        self.bridges = inventory.bridges
        self.peers = inventory.wired_peers
        self.under = {
            (op.node, op.interface): (op.parent_node, op.parent) for op in inventory.of_type(AddMacvlan)
        }  # the interface that each macvlan is on
        self.parents = frozenset(self.under.values())
        self.macs = inventory.macs
        self.prefixes = self.planned = inventory.addresses_of_nodes
        self.owners = {str(address): {node for node, _ in places} for address, places in inventory.owners.items()}
        self._interfaces = {str(address): places[-1][1] for address, places in inventory.owners.items()}
        self._link_locals = _made_of_macs(self.macs)
        self._neighbors = _neighbors(self.peers)

    @classmethod
    def known(cls, kinds: "dict[str, NodeKind]", peers: dict[Place, Place], addresses: dict[str, set[str]]) -> Self:
        """That of a lab which is no more: its nodes and links, and whose addresses were whose."""
        wiring = cls(Plan("", ()))
        wiring.kinds, wiring.peers, wiring.owners = kinds, peers, addresses
        wiring.is_bridge = lambda node: kinds.get(node) in ("switch", "hub")
        wiring._neighbors = _neighbors(peers)
        return wiring

    @property
    def named_addresses(self) -> dict[str, set[str]]:
        """The nodes of every address, those that IPv6 gives to links too."""
        return self._link_locals | self.owners

    def learn(self, state: "LabState") -> None:
        """Takes the links and addresses from the kernel ("links", "addresses").

        When it is told again, places that have gone meanwhile are kept, and those that were renamed are known by both names.
        """
        found = state.interfaces
        names = {(interface.node, interface.index, interface.mac): interface.name for interface in found}
        here = {(interface.node, interface.name) for interface in found}
        for key, old in self._names.items():
            if names.get(key, old) != old and (key[0], old) not in here:
                self._renamed[key[0], old] = names[key]
        gone = self.peers if self._names else {}
        self._names |= names
        self.peers = {place: self._now(peer) for place, peer in gone.items() if place not in here}
        self.peers |= dict(_pairs(found))
        self.macs = {(i.node, i.name): i.mac for i in found if i.name != "lo" and i.mac}
        self.bridges = {(i.node, i.name) for i in found if i.kind == "bridge"}
        self._learn_addresses(found)
        self._neighbors = _neighbors(self.peers)

    def _learn_addresses(self, found: "list[InterfaceState]") -> None:
        prefixes: dict[str, list[InterfaceAddress]] = {}
        owners: dict[str, set[str]] = {}
        link_locals: dict[str, set[str]] = {}
        for interface in found:
            for address in interface.addresses:
                if address.version == 6 and address.is_link_local:
                    link_locals.setdefault(str(address.ip), set()).add(interface.node)
                elif not address.is_loopback:
                    prefixes.setdefault(interface.node, []).append(address)
                    owners.setdefault(str(address.ip), set()).add(interface.node)
                    self._interfaces[str(address.ip)] = interface.name
        self.prefixes, self.owners = prefixes, self.owners | owners
        self._link_locals = link_locals

    def _now(self, place: Place) -> Place:
        return place[0], self._renamed.get(place, place[1])

    def with_names_of_now(self, events: Sequence[Event]) -> list[Event]:
        """What was seen under an interface's old name, under its new one."""
        if not self._renamed:
            return list(events)
        return [event._replace(interface=self._now((event.node, event.interface))[1]) for event in events]

    def name(self, address: str) -> str:
        """The node that has an address; the address itself when none has it, or more than one."""
        owners = self.owners.get(address, set()) or self._link_locals.get(address, set())
        return next(iter(owners)) if len(owners) == 1 else address

    def addresses_of(self, node: str) -> list[str]:
        """The addresses of a node without their prefixes, none for a word that is not a node's name."""
        return [str(own.ip) for own in self.prefixes.get(node, ())]

    def interface_of(self, address: str) -> str:
        """The interface that was given an address, "" when none was."""
        return self._interfaces.get(address, "")

    def interfaces_towards(self, node: str, address: str) -> list[str]:
        """The interfaces of a node that the plan gives an address in the network of another address."""
        wanted = ip_address(address)
        own = (one for one in self.prefixes.get(node, ()) if one.version == wanted.version and wanted in one.network)
        return [self._interfaces[str(one.ip)] for one in own]

    def network_of(self, address: str) -> str:
        """The network of an address as some node of the plan has it, 10.0.2.0/24; the address itself when none has."""
        wanted = ip_address(address)
        for addresses in self.prefixes.values():
            for own in addresses:
                if own.version == wanted.version and wanted == own.ip:
                    return str(own.network)
        return address

    def route_to(self, node: str, address: str, without: str = "") -> str:
        """The route that a node probably lacks, as `ip route add` takes it: "10.0.2.0/24 via 10.0.1.1".

        It does not lead out of the interface `without`.
        """
        network = self.network_of(address)
        for own in self.prefixes.get(node, ()):
            if str(own.network) == network:
                return f"{network} dev {self._interfaces[str(own.ip)]}"
        return f"{network} via {self.gateway_of(node, ':' if ':' in address else '.', without)}"

    def gateway_of(self, node: str, mark: str, without: str = "") -> str:
        """The address, with "." or ":", of a router next to a node: what a missing route probably leads to.

        "GATEWAY" when there is none. What lies behind the interface `without` is left out.
        """
        for known in (self.prefixes, self.planned):  # a node whose own address has changed had a gateway before
            own = [
                address.network
                for address in known.get(node, ())
                if mark in str(address) and (not without or self._interfaces.get(str(address.ip)) != without)
            ]
            for neighbor, addresses in known.items():
                family = [address for address in addresses if mark in str(address)]
                leads_on = len({address.network for address in family}) > 1
                for address in family if leads_on and neighbor != node else ():
                    if address.network in own:
                        return str(address.ip)
        return "GATEWAY"

    def is_own_mac(self, node: str, mac: str) -> bool:
        """Whether one of a node's interfaces has a MAC address."""
        return any(place[0] == node and own == mac for place, own in self.macs.items())

    def once_had(self, mac: str) -> list[Place]:
        """The interfaces that had a MAC address when the lab was looked at first, and have it no more."""
        return [(node, name) for (node, _, own), name in self._names.items() if own == mac and mac not in self.macs.values()]

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


def _pairs(found: "list[InterfaceState]") -> Iterator[tuple[Place, Place]]:
    """The ends of veth pairs, both ways: the far ends may be in hidden nodes, which are not among those found."""
    for interface in found:
        if interface.peer is not None and all(interface.peer):
            yield (interface.node, interface.name), interface.peer
            yield interface.peer, (interface.node, interface.name)


def _made_of_macs(macs: dict[Place, str]) -> dict[str, set[str]]:
    """The nodes of the addresses that IPv6 makes of MAC addresses for each link (RFC 4291, appendix A)."""
    found: dict[str, set[str]] = {}
    for (node, _), mac in macs.items():
        octets = bytes.fromhex(mac.replace(":", ""))
        interface = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
        address = str(IPv6Address(b"\xfe\x80" + bytes(6) + interface))
        found.setdefault(address, set()).add(node)
    return found


def _neighbors(peers: dict[Place, Place]) -> dict[str, list[Place]]:
    """For each node, its interfaces with the node behind each: [("blue", "s1")] of a switch s1 with a port blue."""
    found: dict[str, list[Place]] = {}
    for (node, interface), (peer, _) in peers.items():
        found.setdefault(node, []).append((interface, peer))
    return found
