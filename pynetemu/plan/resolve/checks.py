"""What is wrong with a network as a whole, or was hardly meant so."""

from collections import Counter
from collections.abc import Hashable, Iterator

from pynetemu.frozen import frozen
from pynetemu.plan.operations import IPNetwork
from pynetemu.plan.problems import Problems
from pynetemu.plan.resolve.domains import Domain, Groups, Vlans, tags_in_use, vlans_by_tag
from pynetemu.plan.resolve.network import (
    ROOT_INTERFACE,
    UNTAGGED,
    ResolvedInterface,
    ResolvedNetwork,
    ResolvedNode,
)
from pynetemu.plan.standing import LeftOutError
from pynetemu.wording import shortened

_USUAL_MTU = 1500
_LEAST_MTU_OF_IPV6 = 1280


def check_network(network: ResolvedNetwork, domains: list[Domain], allowed: set[str], problems: Problems) -> None:
    """`allowed` are the words of `Topology.allow`."""
    if "overlaps" not in allowed:
        _check_overlaps(network, domains, problems)
    if "mtu" not in allowed:
        _check_mtus(domains, problems)
    _check_mtus_of_ipv6(network, problems)
    _check_vlans(network, problems)
    _warn_of_islands(network, problems)
    _warn_of_strangers(domains, problems)
    _warn_of_lone_vlans(network, domains, problems)


@frozen
class _Use:
    """A network in a domain, by its first interface there; `first` and `last` are its ends as numbers."""

    first: int
    last: int
    network: IPNetwork
    interface: ResolvedInterface
    domain: Domain


def _check_overlaps(network: ResolvedNetwork, domains: list[Domain], problems: Problems) -> None:
    """Networks that a router or host cannot tell apart: in two domains, or of different sizes in one."""
    domains = [*domains, *_of_root(network)]
    regions = _regions(domains)
    uses: dict[tuple[Hashable, int], list[_Use]] = {}
    for domain in domains:
        found: dict[IPNetwork, ResolvedInterface] = {}
        known: set[int] = set()  # the ids of networks, which addresses mostly share: their hashes take longer
        for interface in domain.interfaces:
            for address in interface.addresses:
                if id(address.network) not in known and (address.version == 4 or not address.is_link_local):
                    known.add(id(address.network))
                    found.setdefault(address.network, interface)
        for subnet, interface in found.items():
            ends = int(subnet.network_address), int(subnet.broadcast_address)
            uses.setdefault((regions.of(id(domain)), subnet.version), []).append(_Use(*ends, subnet, interface, domain))
    for comparable in uses.values():
        _compare(sorted(comparable, key=lambda use: (use.first, -use.last)), problems)


def _of_root(network: ResolvedNetwork) -> Iterator[Domain]:
    """What is beyond the root's own interface."""
    for node in network.nodes:
        if node.own_address:
            yield Domain([ResolvedInterface(node, ROOT_INTERFACE, node.declared, [node.own_address])])


def _compare(uses: list[_Use], problems: Problems) -> None:
    """In the order of their first addresses a network overlaps one before it if it begins before that ends."""
    longest: _Use | None = None
    for use in uses:
        if longest and use.first <= longest.last:
            earlier, later = sorted((longest, use), key=lambda use: use.interface.declared.order)
            where = "on the same link" if earlier.domain is later.domain else "elsewhere"
            text = f"the network {later.network} of {later.interface.node.name} overlaps {earlier.network} of "
            text += f"{earlier.interface.node.name}, which is {where}"
            hint = f"the other is at {earlier.interface.source}; if it is meant so, say: allow = 'overlaps'"
            problems.add(later.interface.declared, text, hint)
        if longest is None or use.last > longest.last:
            longest = use


def _regions(domains: list[Domain]) -> Groups:
    """Domains between which packets go with the addresses that they have: all but through address translation."""
    joined = Groups()
    places: dict[tuple[ResolvedNode, bool], Domain] = {}
    for domain in domains:
        for interface in domain.interfaces:
            first = places.setdefault((interface.node, interface.hides), domain)
            if first is not domain:
                joined.join(id(domain), id(first))
    return joined


def _check_mtus(domains: list[Domain], problems: Problems) -> None:
    """A switch drops what is too large for the next link, and tells nobody."""
    for domain in domains:
        sizes = {link.mtu or _USUAL_MTU: link for link in reversed(domain.links)}
        if len(sizes) > 1:
            first, bridge = domain.links[0], (domain.switches or [domain.devices[0].node])[0]
            other = next(link for link in domain.links if (link.mtu or _USUAL_MTU) != (first.mtu or _USUAL_MTU))
            text = f"this link of {bridge.name} has an MTU of {other.mtu or _USUAL_MTU}, and another has "
            hint = f"the other is at {first.source}; give all the same, or if it is meant so, say: allow = 'mtu'"
            problems.add(other.declared, f"{text}{first.mtu or _USUAL_MTU}: larger frames get lost unseen", hint)


def _check_mtus_of_ipv6(network: ResolvedNetwork, problems: Problems) -> None:
    """The kernel takes IPv6 off an interface whose MTU is less than what each link must carry (RFC 8200, section 5)."""
    above: dict[ResolvedInterface, list[ResolvedInterface]] = {}
    for device in network.devices:
        if device.device and device.device.parent:
            above.setdefault(device.device.parent, []).append(device)
    for link in network.links:
        if not 0 < link.mtu < _LEAST_MTU_OF_IPV6:
            continue
        ends = [link.a, link.b]
        ends += [end.master for end in ends if end.master]
        ends += [one for end in ends for one in (*end.vlans.values(), *above.get(end, ()))]
        if first := next((end for end in ends for address in end.addresses if address.version == 6), None):
            size = f"mtu={link.mtu}" if not link.tunnel else f"the MTU of this tunnel, {link.mtu},"
            text = f"{size} is too small for IPv6, which {first.node.name} {first.name} has"
            hint = f"{_LEAST_MTU_OF_IPV6} at least, or addresses of IPv4 only"
            if link.tunnel:
                hint += "; a tunnel has the MTU of the links below it, less its headers"
            problems.add(link.declared, text, hint)


def _check_vlans(network: ResolvedNetwork, problems: Problems) -> None:
    """VLANs that end at the other end of a link."""
    if not any(node.bridge.filters_vlans for node in network.nodes):
        return
    tags = tags_in_use(network)
    for link in network.links:
        a, b = link.a, link.b
        if not (a.node.bridge.filters_vlans or b.node.bridge.filters_vlans):
            continue
        found = dict([*_lost_vlans(a, b, tags), *_lost_vlans(b, a, tags), *_changed_vlans(a, b, tags)])
        problems.add_all(link.declared, found.items())


def _lost_vlans(near: ResolvedInterface, far: ResolvedInterface, tags: Vlans) -> Iterator[tuple[str, str]]:
    if not far.node.bridge.filters_vlans:
        return
    here, there = vlans_by_tag(near, tags), vlans_by_tag(far, tags)
    port = f"{far.node.name}.port"
    for tag, vlan in here.items():
        if tag != UNTAGGED and tag not in there and (near.node.bridge.filters_vlans or tag in near.vlans):
            text = f"VLAN {tag} of {near.node.name} ends here: the port of {far.node.name} does not carry it"
            yield text, f"{port}(trunk={sorted({*far.port.trunk, tag})})"
        elif tag == UNTAGGED and tag not in there and near.node.bridge.filters_vlans:
            text = f"VLAN {vlan} of {near.node.name} comes without a tag, which the port of {far.node.name} takes none of"
            yield text, f"{port}(vlan={vlan}, trunk={list(far.port.trunk)})"


def _changed_vlans(a: ResolvedInterface, b: ResolvedInterface, tags: Vlans) -> Iterator[tuple[str, str]]:
    if a.node.bridge.filters_vlans and b.node.bridge.filters_vlans:
        vlan, other = (vlans_by_tag(end, tags).get(UNTAGGED) for end in (a, b))
        if vlan and other and vlan != other:
            text = f"VLAN {vlan} of {a.node.name} becomes VLAN {other} of {b.node.name} on this link"
            yield text, "both ends have the same vlan="


def _warn_of_islands(network: ResolvedNetwork, problems: Problems) -> None:
    """Nodes that no link leads to from the others."""
    joined = Groups()
    for link in network.links:
        joined.join(link.a.node.whole, link.b.node.whole)
    for device in network.devices:
        if device.device and device.device.parent:
            joined.join(device.node.whole, device.device.parent.node.whole)
    islands: dict[Hashable, list[ResolvedNode]] = {}
    for node in network.nodes:
        islands.setdefault(joined.of(node), []).append(node)
    if len(islands) > 1 and any(node.weight > 1 for node in network.nodes):
        raise LeftOutError  # their names are told
    mainland = max(islands.values(), key=len, default=[])
    if len(mainland) > 1:
        lone = [node for island in islands.values() if len(island) == 1 for node in island]
        if lone:
            problems.warn(lone[0].declared, f"{_listed(lone)} in no link")
        for island in islands.values():
            if len(island) > 1 and island is not mainland:
                problems.warn(island[0].declared, f"{_listed(island)} not linked to {mainland[0].name} and the others")


def _listed(nodes: list[ResolvedNode]) -> str:
    names = [node.name for node in nodes]
    return f"{shortened(names)} {'is' if len(names) == 1 else 'are'}"


def _warn_of_strangers(domains: list[Domain], problems: Problems) -> None:
    """Interfaces that have addresses, as others on their link have, but none in the same network."""
    for domain in domains:
        if len({address.network for end in domain.interfaces for address in end.addresses}) < 2:
            continue  # as nearly everywhere
        for version in 4, 6:
            networks = {end: [a.network for a in end.addresses if a.version == version] for end in domain.interfaces}
            if len({id(network): network for own in networks.values() for network in own}) < 2:
                continue
            present: Counter[IPNetwork] = Counter()
            for end, own in networks.items():
                present.update(dict.fromkeys(own, end.node.weight))
            for end, own in networks.items():
                if own and len(present) > 1 and not any(_is_shared(network, present) for network in own):
                    shown = ", ".join(map(str, own))
                    problems.warn(end.declared, f"{end.node.name} shares no network with others on its link: {shown}")


def _warn_of_lone_vlans(network: ResolvedNetwork, domains: list[Domain], problems: Problems) -> None:
    """Interfaces for one VLAN, of which nobody else has one that its frames get to: eth0.10 against eth0.20."""
    alone = {domain.interfaces[0] for domain in domains if domain.size == 1}
    for end in (end for link in network.links for end in (link.a, link.b) if end.vlans):
        for tag, interface in end.vlans.items():
            if interface in alone:
                text = f"nobody but {end.node.name} is in VLAN {tag} there: {interface.name} reaches nobody"
                problems.warn(interface.declared, text, "another interface for that VLAN, at a trunk, or at a port with it")


def _is_shared(network: IPNetwork, present: "Counter[IPNetwork]") -> bool:
    return present[network] > 1 or sum(network.overlaps(other) for other in present) > 1
