"""Neighbors that need not be asked for: where so many would ask that the kernel's table overflows.

The table of dynamic entries is one for all network namespaces together, of 1024 entries for each of IPv4 and IPv6
(gc_thresh3, arp(7)); those asked for in the last 5 s stay, so that more than 32 hosts that all talk do not find each
other. Permanent entries are exempt (neigh_alloc in net/core/neighbour.c), and a plan knows all of them beforehand.
"""

from ipaddress import IPv4Interface, IPv6Interface

from pynetemu.plan.operations import InterfaceAddress
from pynetemu.plan.problems import Problems
from pynetemu.plan.resolve.domains import Domain
from pynetemu.plan.resolve.network import ResolvedInterface, ResolvedNeighbors
from pynetemu.plan.standing import Standing

_Member = tuple[ResolvedInterface, InterfaceAddress]
_TABLE = 1000  # entries, with some to spare
_MOST_TO_KNOW_ALL = 256  # interfaces of a domain: 65,000 entries, which take 34 MB of the kernel's memory


def find_neighbors(domains: list[Domain], arp: str, problems: Problems, standing: Standing) -> list[ResolvedNeighbors]:
    """`arp` is "auto", "dynamic" or "permanent"."""
    found: list[ResolvedNeighbors] = []
    for version in (4, 6) if arp != "dynamic" else ():
        sized = [(_size(group), group) for domain in domains if (group := _members(domain, version))]
        groups = [(size, group) for size, group in sized if size > 1]
        asked = sum(size * (size - 1) for size, _ in groups)
        for size, group in sorted(groups, key=lambda found: found[0], reverse=True):
            said = standing.arp(((end.node.name, end.name) for end, _ in group), version) if arp == "auto" else arp
            if said == "dynamic" or (not said and asked <= _TABLE):
                continue
            if arp == "auto" and size > _MOST_TO_KNOW_ALL:
                _warn(group, size, problems)
            centers = [] if arp == "permanent" or size <= _MOST_TO_KNOW_ALL else _centers(group)
            if centers or arp == "permanent" or size <= _MOST_TO_KNOW_ALL:
                found.append(ResolvedNeighbors([(end, address.ip) for end, address in group], centers))
            asked -= size * (size - 1)
    return found


def _members(domain: Domain, version: int) -> list[_Member]:
    """Each interface's first address of a version. GRE and WireGuard have no MAC addresses to be asked for."""
    if any(link.tunnel and link.tunnel.kind != "vxlan" for link in domain.links):
        return []
    kind = IPv4Interface if version == 4 else IPv6Interface
    ends = domain.interfaces
    return [(end, own[0]) for end in ends if (own := [one for one in end.addresses if isinstance(one, kind)])]


def _size(group: list[_Member]) -> int:
    return sum(end.node.weight for end, _ in group)


def _centers(group: list[_Member]) -> list[int]:
    return [place for place, (end, _) in enumerate(group) if end.node.forwards or end.node.kind == "root"]


def _warn(group: list[_Member], size: int, problems: Problems) -> None:
    if all(address.version == 4 for _, address in group):
        text = f"{size} interfaces are on one link, and the kernel's table has room for 1024 neighbors in all"
        entries = size * (size - 1)
        hint = f"routers are known to all; arp = 'permanent' tells everybody of everybody, {entries:,} entries"
        problems.warn(group[0][0].declared, text, hint)
