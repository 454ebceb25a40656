"""Broadcast domains: which interfaces hear each other's broadcasts, through switches or over one link."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from pynetemu.plan.resolve.network import ResolvedInterface, ResolvedLink, ResolvedNetwork, ResolvedNode


@dataclass(eq=False, slots=True)
class Domain:
    """`interfaces` are those of hosts and routers, `switches` what is between them, in the order of the description."""

    interfaces: list[ResolvedInterface] = field(default_factory=list)
    switches: list[ResolvedNode] = field(default_factory=list)


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
    groups = Groups()
    for link in network.links:
        groups.join(_place(link, link.a), _place(link, link.b))
    domains: dict[Hashable, Domain] = {}
    for link in network.links:
        domain = domains.setdefault(groups.of(_place(link, link.a)), Domain())
        for end in (link.a, link.b):
            if not end.node.bridges:
                domain.interfaces.append(end)
            elif end.node not in domain.switches:
                domain.switches.append(end.node)
    return list(domains.values())


def _place(link: ResolvedLink, end: ResolvedInterface) -> Hashable:
    """Where a frame is that this end has sent: in its switch, or else on the link."""
    return id(end.node) if end.node.bridges else id(link)
