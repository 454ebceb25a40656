"""Which address of a node another one would use, as the kernel has them now."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pynetemu.errors import LabError

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.plan.operations import Address, InterfaceAddress, IPNetwork


def usable(lab: "Lab", nodes: Sequence[str], version: int | None = None) -> "dict[str, list[InterfaceAddress]]":
    """The addresses of nodes that others can use, of one IP version or of both."""
    found: dict[str, list[InterfaceAddress]] = {node: [] for node in nodes}
    for interface in lab.interfaces(*nodes):
        found[interface.node] += [
            address
            for address in interface.addresses
            if not address.is_link_local and not address.is_loopback and version in (None, address.version)
        ]
    return found


def best(addresses: "Sequence[InterfaceAddress]", networks: "set[IPNetwork]", versions: set[int]) -> "InterfaceAddress | None":
    """The one that a node with these networks would use: IPv4 first, a shared network first; None when none fits."""
    fitting = [address for address in addresses if address.version in versions]
    return min(fitting, key=lambda address: (address.version, address.network not in networks), default=None)


def towards(lab: "Lab", source: str, target: str, version: int | None = None) -> "Address":
    """The address with which the source reaches the target; raises LabError when they have none in common."""
    addresses = usable(lab, (source, target), version)
    found = best(addresses[target], {a.network for a in addresses[source]}, {a.version for a in addresses[source]})
    if found is None:
        kind = f"IPv{version}" if version else "the same IP version"
        raise LabError(f"{source} and {target} have no addresses of {kind}")
    return found.ip
