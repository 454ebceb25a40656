"""Broadcast domains: which interfaces hear each other's broadcasts, through switches or over one link.

A switch that filters VLANs is one place for each of its VLANs, any other one place for each tag that frames may have;
a link joins the places at its ends between which a frame with the same tag goes both ways.
"""

from collections.abc import Hashable, Mapping

from pynetemu.frozen import fresh, record
from pynetemu.plan.resolve.network import UNTAGGED, ResolvedInterface, ResolvedLink, ResolvedNetwork, ResolvedNode

Vlans = Mapping[int, int]  # by the tags of frames
_DEFAULT_VLAN = 1  # of a port of which nothing is said: vlan_default_pvid, ip-link(8)


@record
class Domain:
    """`interfaces` are those of hosts and routers, `switches` what is between them, in the order of the description.

    `devices` are those of the interfaces that are no ends of links, such as bridges inside hosts.

    `vlan` is its number in the first switch that filters VLANs, None without such a switch.
    """

    interfaces: list[ResolvedInterface] = fresh(factory=list)
    switches: list[ResolvedNode] = fresh(factory=list)
    devices: list[ResolvedInterface] = fresh(factory=list)
    links: list[ResolvedLink] = fresh(factory=list)
    vlan: int | None = None
    counted: tuple[int, int] = 0, 0  # of how many interfaces the size is known, and it

    @property
    def size(self) -> int:
        """How many interfaces it has, those too for whose nodes others stand; each of them asks for it."""
        if self.counted[0] != len(self.interfaces):
            self.counted = len(self.interfaces), sum(interface.node.weight for interface in self.interfaces)
        return self.counted[1]


class Groups:
    """Things that are joined in pairs, and in which group each is (union-find)."""

    def __init__(self) -> None:
        self._up: dict[Hashable, Hashable] = {}

    def of(self, thing: Hashable) -> Hashable:
        """The one that stands for a thing's group."""
        while (up := self._up.get(thing, thing)) != thing:
            self._up[thing] = self._up.get(up, up)  # halves the way of the next look-up
            thing = up
        return thing

    def join(self, a: Hashable, b: Hashable) -> bool:
        """False when the two are in one group already."""
        group_a, group_b = self.of(a), self.of(b)
        self._up[group_a] = group_b
        return group_a != group_b


def find_domains(network: ResolvedNetwork) -> list[Domain]:
    """The network's domains, in the order of their first link."""
    tags = tags_in_use(network)
    groups = Groups()
    reached = [(link, [(end, vlans_by_tag(end, tags)) for end in (link.a, link.b)]) for link in network.links]
    for link, (near, far) in reached:
        for a, b in _joined(link, *near, *far):
            groups.join(a, b)
    domains: dict[Hashable, Domain] = {}
    for link, ends in reached:
        for end, vlans in ends:
            for tag, vlan in vlans.items():
                group = groups.of(_place(link, end, vlan))
                domain = domains.get(group) or domains.setdefault(group, Domain())
                _add(domain, link, end, tag, vlan)
    _add_devices(network, groups, domains)
    return [domain for domain in domains.values() if domain.interfaces]


def _add_devices(network: ResolvedNetwork, groups: Groups, domains: dict[Hashable, Domain]) -> None:
    """Macvlans last: they are where the interface is that they are on."""
    for device in network.devices:
        parent = device.device.parent if device.device else None
        if parent is None:
            for tag, interface in {UNTAGGED: device, **device.vlans}.items():
                domain = domains.setdefault(groups.of((id(device), tag)), Domain())
                domain.interfaces.append(interface)
                domain.devices.append(device)
    by_interface = {interface: domain for domain in domains.values() for interface in domain.interfaces}
    for device in network.devices:
        parent = device.device.parent if device.device else None
        if parent and parent in by_interface:
            by_interface[parent].interfaces.append(device)


def _add(domain: Domain, link: ResolvedLink, end: ResolvedInterface, tag: int, vlan: int) -> None:
    if not domain.links or domain.links[-1] is not link:
        domain.links.append(link)
    if end.master:
        return
    if not end.node.bridges:
        domain.interfaces.append(end.vlans[tag] if tag else end)
    elif end.node not in domain.switches:
        domain.switches.append(end.node)
        if domain.vlan is None and end.node.bridge.filters_vlans:
            domain.vlan = vlan


_ONLY_UNTAGGED: Vlans = {UNTAGGED: UNTAGGED}  # as nearly all interfaces have it


def tags_in_use(network: ResolvedNetwork) -> Vlans:
    """Those of all VLANs that ports and interfaces mention, and none at all; each by itself, as without filters."""
    ends = [*(end for link in network.links for end in (link.a, link.b)), *network.devices]
    tags = {tag for end in ends if end.vlans or end.port.trunk for tag in (*end.port.trunk, *end.vlans)}
    return {tag: tag for tag in (UNTAGGED, *sorted(tags))}


def vlans_by_tag(end: ResolvedInterface, tags: Vlans) -> Vlans:
    """For each tag that frames may have at this end of a link, the number of their place in the node behind."""
    if end.master:
        return tags
    if not end.node.bridges:
        return {**_ONLY_UNTAGGED, **{tag: tag for tag in end.vlans}} if end.vlans else _ONLY_UNTAGGED
    if not end.node.bridge.filters_vlans:
        return tags
    untagged = _DEFAULT_VLAN if end.port.vlan is None and not end.port.trunk else end.port.vlan
    return {**({} if untagged is None else {UNTAGGED: untagged}), **{tag: tag for tag in end.port.trunk}}


def joined_places(link: ResolvedLink, tags: Vlans) -> list[tuple[Hashable, Hashable]]:
    """The places at a link's two ends that it joins."""
    return _joined(link, link.a, vlans_by_tag(link.a, tags), link.b, vlans_by_tag(link.b, tags))


def _joined(
    link: ResolvedLink, a: ResolvedInterface, near: Vlans, b: ResolvedInterface, far: Vlans
) -> list[tuple[Hashable, Hashable]]:
    return [(_place(link, a, near[tag]), _place(link, b, far[tag])) for tag in near if tag in far]


def _place(link: ResolvedLink, end: ResolvedInterface, vlan: int) -> Hashable:
    """Where a frame is that this end has sent: in its switch, its bridge or bond, or else on the link."""
    return id(end.master) if end.master else id(end.node) if end.node.bridges else id(link), vlan
