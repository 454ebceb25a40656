"""The names by which nodes know each other: each node's /etc/hosts."""

from collections.abc import Iterable
from ipaddress import ip_address

from pynetemu.plan.inventory import Inventory
from pynetemu.plan.operations import Address, InterfaceAddress, IPNetwork

_HOST = "host"  # the root's own address


def hosts_file(inventory: Inventory, node: str, host_address: Address | None = None) -> str:
    """The text of a node's /etc/hosts.

    Each name has, for IPv4 and for IPv6, the address that this node would use: one on a network that they share, else
    the first. The node's own name has its own first address; `r1.eth1` is the address of one interface. `host` is the root's
    own address: `host_address`, else the plan's, else the root's first.
    """
    plan = inventory.plan
    addresses = {name: _usable(theirs) for name, theirs in inventory.addresses_of_nodes.items()}
    own_networks = {address.network for address in addresses.get(node, ())}
    lines: dict[str, list[str]] = {"127.0.0.1": ["localhost"], "::1": ["localhost", "ip6-localhost", "ip6-loopback"]}
    for name in (node, *(name for name in plan.nodes if name != node)):
        for address in _used(addresses.get(name, ()), set() if name == node else own_networks):
            lines.setdefault(str(address), []).append(name)
    if not addresses.get(node):
        lines["127.0.0.1"].append(node)
    host = host_address or plan.host_address or next((address.ip for address in addresses.get(inventory.root, ())), None)
    if host is not None:
        lines.setdefault(str(host), []).append(_HOST)
    for name, address in _of_interfaces(inventory):
        lines.setdefault(str(address), []).append(name)
    return "".join(f"{address} {' '.join(names)}\n" for address, names in lines.items())


def addresses_by_name(inventory: Inventory, node: str) -> dict[str, list[str]]:
    """The same by name: {"root": ["10.0.0.1"], "blue": ["10.0.0.2"], ...}."""
    found: dict[str, list[str]] = {}
    for line in hosts_file(inventory, node).splitlines():
        address, *names = line.split()
        for name in names:
            found.setdefault(name, []).append(address)
    return found


def address_of(inventory: Inventory, node: str, name: str, version: int = 0) -> Address | None:
    """The address that a node would use for a name (a node, NODE.INTERFACE, host), as its /etc/hosts has it.

    `version` is 4 or 6, or 0 for IPv4 where there is one. None for a name that is none.
    """
    if name not in inventory.kinds and name != _HOST and "." not in name:
        return None
    found = map(ip_address, addresses_by_name(inventory, node).get(name, ()))
    return min((address for address in found if version in (0, address.version)), key=lambda a: a.version, default=None)


def _of_interfaces(inventory: Inventory) -> Iterable[tuple[str, Address]]:
    """The first address of each version of each interface, under its full name."""
    for (node, interface), addresses in inventory.addresses.items():
        yield from ((f"{node}.{interface}", address) for address in _used(_usable(addresses), set()))


def _usable(addresses: Iterable[InterfaceAddress]) -> list[InterfaceAddress]:
    """All but IPv6's link-local ones, which need the name of an interface besides (RFC 4007)."""
    return [address for address in addresses if address.version == 4 or not address.is_link_local]


def _used(addresses: Iterable[InterfaceAddress], networks: set[IPNetwork]) -> Iterable[Address]:
    """The address of each version that somebody on these networks would use."""
    best: dict[int, InterfaceAddress] = {}
    for address in addresses:
        present = best.get(address.version)
        if present is None or (address.network in networks and present.network not in networks):
            best[address.version] = address
    return (best[version].ip for version in sorted(best))
