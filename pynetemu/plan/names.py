"""The names by which nodes know each other: each node's /etc/hosts.

    hosts = HostsFiles.of_plan(inventory)
    hosts.text("blue")                                      "127.0.0.1 localhost\\n...10.0.0.2 blue blue.eth0\\n..."
    hosts.update("blue", [("eth0", ip_interface("10.0.0.7/24"))])

A text has a line for each address of a lab, and each node has its own. What most nodes see of another is made once: the text of
one node in a lab of a thousand takes 20 µs.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from ipaddress import IPv4Interface, ip_address

from pynetemu.plan.inventory import Inventory
from pynetemu.plan.operations import AddAddress, Address, InterfaceAddress, IPNetwork, parts_of

_HOST = "host"  # the root's own address

Addresses = Sequence[tuple[str, InterfaceAddress]]  # of a node, each with the name of its interface


class HostsFiles:
    """The texts of all nodes' /etc/hosts.

    Each name has, for IPv4 and for IPv6, the address that the node would use: one on a network that they share, else the
    first. The node's own name has its own first address; `r1.eth1` is the address of one interface. `host` is the root's own
    address: the machine's where that is the root, else the `preferred` one of root's, else its first.
    """

    def __init__(
        self,
        nodes: Sequence[str],
        addresses: Mapping[str, Addresses],
        root: str = "",
        machine: Address | None = None,
        preferred: Address | None = None,
    ) -> None:
        self._root, self._machine, self._preferred = root, machine, preferred
        self._addresses: dict[str, Addresses] = {}
        self._networks: dict[IPNetwork, set[str]] = {}  # with those of their nodes that have a choice of addresses
        self._chosen = dict.fromkeys(nodes, "")  # each node's lines with its name, as most others have them
        self._others = dict.fromkeys(nodes, "")  # and those of its other addresses
        for node in nodes:
            self.update(node, addresses.get(node, []))

    @classmethod
    def of_plan(cls, inventory: Inventory, machine: Address | None = None) -> "HostsFiles":
        """Those of a lab in which nothing has been changed yet; `machine` is its address where it is the lab's root."""
        addresses: dict[str, list[tuple[str, InterfaceAddress]]] = {}
        for (node, interface), own in inventory.addresses.items():
            addresses.setdefault(node, []).extend((interface, address) for address in own)
        plan = inventory.plan
        return cls(plan.nodes, addresses, inventory.root, machine, plan.host_address)

    def becoming(self, inventory: Inventory, touched: Collection[str]) -> "HostsFiles":
        """Those of another plan, which says the same of all nodes but those touched."""
        plan = inventory.plan
        if (self._root, self._preferred) != (inventory.root, plan.host_address):
            return self.of_plan(inventory, self._machine)
        found = HostsFiles((), {}, self._root, self._machine, self._preferred)
        found._addresses = {node: self._addresses[node] for node in plan.nodes if node not in touched}
        found._chosen = {node: "" if node in touched else self._chosen[node] for node in plan.nodes}
        found._others = {node: "" if node in touched else self._others[node] for node in plan.nodes}
        gone = self._addresses.keys() - found._addresses.keys()
        found._networks = {network: nodes - gone for network, nodes in self._networks.items()}
        addresses: dict[str, dict[str, list[InterfaceAddress]]] = {node: {} for node in plan.nodes if node in touched}
        for op in parts_of(plan):
            if type(op) is AddAddress and op.node in addresses:
                addresses[op.node].setdefault(op.interface, []).append(op.address)
        for node, by_interface in addresses.items():
            found.update(node, [(interface, address) for interface, own in by_interface.items() for address in own])
        return found

    def update(self, node: str, addresses: Addresses) -> bool:
        """Takes the addresses that a node has now; link-local ones of IPv6 do not count: they need an interface too (RFC 4007).

        Gives back whether that changes any text.
        """
        usable = [(where, own) for where, own in addresses if isinstance(own, IPv4Interface) or not own.is_link_local]
        if self._addresses.get(node) == usable:
            return False
        for _, own in self._addresses.get(node, ()):
            self._networks.get(own.network, set()).discard(node)
        self._addresses[node] = usable
        if len(usable) > 1 and any(sum(own.version == version for _, own in usable) > 1 for version in (4, 6)):
            for _, own in usable:
                self._networks.setdefault(own.network, set()).add(node)
        self._chosen[node], self._others[node] = self._lines(node, frozenset())
        return True

    @property
    def nodes(self) -> dict[str, Addresses]:
        """The addresses of each node, as far as they have names."""
        return self._addresses.copy()

    def addresses(self, node: str) -> Addresses:
        """Those that a node has, as far as they have names."""
        return self._addresses[node]

    def text(self, node: str) -> str:
        """The text of one node's file."""
        own = self._addresses[node]
        networks = frozenset(address.network for _, address in own)
        chosen, others = self._chosen.copy(), self._others.copy()
        for other in set().union(*(self._networks.get(network, ()) for network in networks)) - {node}:
            chosen[other], others[other] = self._lines(other, networks)
        first, chosen[node] = chosen[node], ""
        alone = "" if own else f" {node}"
        host = [f"{self._machine} {_HOST}\n"] if self._machine is not None and not self._has_machines_address else []
        local = f"127.0.0.1 localhost{alone}\n::1 localhost ip6-localhost ip6-loopback\n"
        return "".join([local, first, *chosen.values(), *host, *others.values()])

    @property
    def _has_machines_address(self) -> bool:
        return any(address.ip == self._machine for _, address in self._addresses.get(self._root, ()))

    def _lines(self, node: str, networks: frozenset[IPNetwork]) -> tuple[str, str]:
        """For somebody on these networks: the lines of the addresses that a node's name stands for, and of its others."""
        addresses = self._addresses[node]
        used = _used((address for _, address in addresses), networks)
        names: dict[Address, list[str]] = {address: [node] for address in used}
        if node == self._root and (host := self._host_of(addresses)) is not None:
            names.setdefault(host, []).append(_HOST)
        by_interface: dict[str, list[InterfaceAddress]] = {}
        for interface, address in addresses:
            by_interface.setdefault(interface, []).append(address)
        for interface, own in by_interface.items():
            for ip in _used(own, frozenset()):
                names.setdefault(ip, []).append(f"{node}.{interface}")
        lines = {ip: f"{ip} {' '.join(found)}\n" for ip, found in names.items()}
        return "".join(lines[ip] for ip in used), "".join(line for ip, line in lines.items() if ip not in used)

    def _host_of(self, addresses: Addresses) -> Address | None:
        """Which of the root's addresses is that of `host`, None when that is elsewhere."""
        own = [address.ip for _, address in addresses]
        if self._machine is not None:
            return self._machine if self._machine in own else None
        return self._preferred if self._preferred in own else next(iter(own), None)


def hosts_file(inventory: Inventory, node: str, machine: Address | None = None) -> str:
    """The text of one node's /etc/hosts, as the plan has it."""
    return HostsFiles.of_plan(inventory, machine).text(node)


def addresses_by_name(text: str) -> dict[str, list[str]]:
    """A text of /etc/hosts by name: {"root": ["10.0.0.1"], "blue": ["10.0.0.2"], ...}."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        for name in names:
            found.setdefault(name, []).append(address)
    return found


def address_of(text: str, name: str, version: int = 0) -> Address | None:
    """The address of a name (a node, NODE.INTERFACE, host) in a text of /etc/hosts.

    `version` is 4 or 6, or 0 for IPv4 where there is one. None for a name that has none.
    """
    found = map(ip_address, addresses_by_name(text).get(name, ()))
    return min((address for address in found if version in (0, address.version)), key=lambda a: a.version, default=None)


def _used(addresses: Iterable[InterfaceAddress], networks: frozenset[IPNetwork]) -> list[Address]:
    """The address of each version that somebody on these networks would use."""
    best: dict[int, InterfaceAddress] = {}
    for address in addresses:
        present = best.get(address.version)
        if present is None or (address.network in networks and present.network not in networks):
            best[address.version] = address
    return [best[version].ip for version in sorted(best)]
