"""Addresses that are assigned automatically: each broadcast domain gets a network, and each interface in it an address.

Numbers in names give them, so that they can be read, and stay what they are when another node is added:

    switch s3                   10.0.3.0/24, fd00:0:0:3::/64      h7 is 10.0.3.7 and fd00:0:0:3::7 there
    routers on it               r1 is 10.0.3.254, r2 is 10.0.3.253
    link from r1 to r2          10.1.2.0/31, fd00:0:1:2::/127     r1 has the even address (RFC 3021, RFC 6164)
    link from h7 to a router    10.200.7.0/24, fd00:0:200:7::/64

IPv6 has the decimal digits of IPv4 as its hexadecimal ones. Names without a number, and numbers that are taken, are
replaced by a hash of the name. A domain of more than 200 interfaces has a /16.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from ipaddress import IPv4Interface, IPv6Interface
from zlib import crc32

from pynetemu.frozen import frozen
from pynetemu.plan.operations import Address, InterfaceAddress, IPNetwork
from pynetemu.plan.problems import Problems
from pynetemu.plan.resolve.domains import Domain
from pynetemu.plan.resolve.network import ResolvedInterface, ResolvedNetwork
from pynetemu.plan.resolve.pools import Place, Pool, address_in
from pynetemu.plan.standing import Standing
from pynetemu.plan.values import on_network

_USUAL_MOST = 200  # interfaces in a /24
_LARGEST = 255  # number that fits into a byte of an address
_OTHERS = {4: "172.16.0.0/12", 6: "2001:db8::/32"}  # pools to be used where the usual one is taken
_ENDING_NUMBER = re.compile(r"[0-9]+$")


@frozen
class AddressSettings:
    """What the topology says: the IP versions that interfaces get, and from where; `all` for those with addresses too.

    `allowed` are mistakes that are meant; `arp` says which neighbors are known beforehand.
    """

    versions: tuple[int, ...]
    pools: dict[int, IPNetwork]
    all: bool
    allowed: set[str]
    arp: str = "auto"


def give_addresses(
    network: ResolvedNetwork, domains: list[Domain], settings: AddressSettings, problems: Problems, standing: Standing
) -> None:
    given = [address for node in network.nodes for address in _addresses(node.interfaces.values(), node.loopback)]
    given += [node.own_address for node in network.nodes if node.own_address]
    networks = set({id(address.network): address.network for address in given}.values())  # most are shared
    pools = {
        version: Pool(whole, (network for network in networks if network.version == version))
        for version, whole in settings.pools.items()
    }
    giver = _Giver(pools, settings, given, problems, standing)
    giver.keep(
        domains, {id(end): peer.node.name for link in network.links for end, peer in ((link.a, link.b), (link.b, link.a))}
    )
    for domain in domains:
        giver.give(domain)


def _addresses(interfaces: Iterable[ResolvedInterface], loopback: list[InterfaceAddress]) -> list[InterfaceAddress]:
    return [*loopback, *(address for interface in interfaces for address in interface.addresses)]


class _Giver:
    def __init__(
        self,
        pools: dict[int, Pool],
        settings: AddressSettings,
        given: list[InterfaceAddress],
        problems: Problems,
        standing: Standing,
    ) -> None:
        self._pools = pools
        self._standing = standing
        self._kept: dict[tuple[int, int], IPNetwork] = {}  # of a domain, by its id, and an IP version
        self._wanting: set[int] = set()  # the ids of domains in which somebody lacks an address
        self._settings = settings
        self._given = given
        self._problems = problems

    @cached_property
    def _taken(self) -> set[Address]:
        return {address.ip for address in self._given}

    def _is_taken(self, address: Address) -> bool:
        return address in self._taken or self._standing.others.has_address(address)

    def keep(self, domains: list[Domain], peers: dict[int, str]) -> None:
        """Takes the networks of interfaces that are there already, each for where most of them are."""
        found: list[tuple[int, int, Domain, IPNetwork]] = []
        for place, domain in enumerate(domains):
            hand = _hand_given(domain)
            wanting = {end: versions for end in domain.interfaces if (versions := self._lacking(end, hand))}
            if not wanting:
                continue
            self._wanting.add(id(domain))
            for version, pool in self._pools.items():
                lacking = [end for end, versions in wanting.items() if version in versions]
                ends = [(_place(end), peers.get(id(end), ""), end.node.weight) for end in lacking]
                votes = self._standing.votes(ends, pool.whole) if version not in hand else {}
                found += [(-count, place, domain, network) for network, count in votes.items() if _has_room(network, domain)]
        for _, _, domain, network in sorted(found, key=lambda one: one[:2]):
            key = id(domain), network.version
            if key not in self._kept and self._pools[network.version].keep(network):
                self._kept[key] = network

    def give(self, domain: Domain) -> None:
        """Gives all interfaces of a domain the addresses that they lack."""
        if id(domain) not in self._wanting:
            return
        hand = _hand_given(domain)
        wanting = {interface: self._lacking(interface, hand) for interface in domain.interfaces}
        networks: dict[int, IPNetwork] = {}
        for version in sorted({version for lacking in wanting.values() for version in lacking}):
            network = hand.get(version) or self._kept.get((id(domain), version)) or self._new_network(domain, version)
            if network is not None:
                networks[version] = network
        left: list[tuple[ResolvedInterface, list[IPNetwork]]] = []
        for interface in sorted(domain.interfaces, key=_precedence):
            chosen = [networks[version] for version in wanting[interface] if version in networks]
            left.append((interface, [network for network in chosen if not self._keep_address(interface, network)]))
        for interface, lacking in left:
            if lacking:
                self._give(interface, lacking, domain)

    def _keep_address(self, interface: ResolvedInterface, network: IPNetwork) -> bool:
        """Whether an interface has an address in the network already, which nobody else has been given."""
        kept = self._standing.address(_place(interface), network)
        if kept is None or kept.ip in self._taken:
            return False
        self._taken.add(kept.ip)
        interface.addresses.append(kept)
        return True

    def _lacking(self, interface: ResolvedInterface, hand: dict[int, IPNetwork]) -> tuple[int, ...]:
        """The IP versions of which an interface gets an address."""
        has = {address.version for address in interface.addresses}
        if not interface.auto or interface.node.incomplete or (has and not self._settings.all):
            return ()
        versions = self._settings.versions if self._settings.all or not hand else tuple(sorted(hand))
        return tuple(version for version in versions if version not in has) if self._settings.versions else ()

    def _new_network(self, domain: Domain, version: int) -> IPNetwork | None:
        count = domain.size
        pool = self._pools[version]
        if _is_between_routers(domain):
            usual = 31 if version == 4 else 127
        else:
            usual = 64 if version == 6 else 24 if count <= _USUAL_MOST else 16
        found = pool.take(_places(domain), pool.length(usual, count), crc32(_key(domain).encode()))
        if found is None:
            text = f"the pool {pool.whole} has no room left for the network of {_key(domain)}"
            hint = "give the topology a larger one: pools = '10.0.0.0/8'"
            if pool.covered_by is not None:
                text += f": {pool.covered_by}, which an address given by hand has, takes it all"
                hint = f"a smaller network there, or a pool elsewhere: pools = '{_OTHERS[version]}'"
            self._problems.add(domain.interfaces[0].declared, text, hint)
        return found

    def _give(self, interface: ResolvedInterface, networks: list[IPNetwork], domain: Domain) -> None:
        """The first number whose address is free in all of the networks."""
        for number in _numbers(interface, networks, domain):
            addresses = [address_in(network, number) for network in networks]
            if any(address is None or self._is_taken(address) for address in addresses):
                continue
            for address, network in zip(addresses, networks, strict=True):
                assert address is not None
                self._taken.add(address)
                kind = IPv4Interface if network.version == 4 else IPv6Interface
                interface.addresses.append(on_network(kind((int(address), network.prefixlen)), network))
            return
        text = f"{' and '.join(map(str, networks))} has no address left for {interface.node.name} {interface.name}"
        self._problems.add(interface.declared, text, "give a larger network by hand, or auto_addresses=False")


def _place(interface: ResolvedInterface) -> tuple[str, str]:
    return interface.node.name, interface.name


def _has_room(network: IPNetwork, domain: Domain) -> bool:
    """Whether all interfaces of a domain find an address there."""
    return network.num_addresses >= domain.size + (0 if network.num_addresses == 2 else 2)


def _hand_given(domain: Domain) -> dict[int, IPNetwork]:
    """The first network of each IP version in which the user gave an address of this domain."""
    found: dict[int, IPNetwork] = {}
    for interface in domain.interfaces:
        for address in interface.addresses:
            if address.version not in found and (address.version == 4 or not address.is_link_local):
                found[address.version] = address.network
    return found


def _places(domain: Domain) -> Iterator[Place]:
    """Where the network would be by the numbers in names, and then by a hash."""
    hashed = crc32(_key(domain).encode())
    if _is_between_routers(domain):
        a, b = sorted(ending_number(interface.node.name) for interface in domain.interfaces)
        if 1 <= a <= 199 and b <= _LARGEST:
            yield from ((a, b, c) for c in range(0, 100, 2))
        yield from ((255, hashed + i & 255, 2 * ((hashed >> 8) % 50)) for i in range(256))
    elif domain.size > _USUAL_MOST:
        if 0 <= (number := _leading_number(domain)) <= 40:
            yield 208 + number, 0, 0
        yield from ((208 + (hashed + i) % 41, 0, 0) for i in range(41))
    else:
        if 0 <= (number := _leading_number(domain)) <= _LARGEST:
            yield (0 if domain.switches else 200), number, 0
        yield from ((201 + (hashed >> 8) % 7, hashed + i & 255, 0) for i in range(256))


def _leading_number(domain: Domain) -> int:
    """The number of what gives a network its place: the VLAN, the first switch, else the first host."""
    if domain.vlan is not None:
        return domain.vlan
    if domain.switches:
        return ending_number(domain.switches[0].name)
    if domain.devices:
        return -1
    hosts = [interface for interface in domain.interfaces if not _leads_on(interface)]
    return ending_number((hosts or domain.interfaces)[0].node.name)


def _key(domain: Domain) -> str:
    """What a domain is called, whatever else there is: by its first switch, else by its two ends."""
    if domain.switches:
        return domain.switches[0].name + ("" if domain.vlan is None else f" VLAN {domain.vlan}")
    if domain.devices:
        return f"{domain.devices[0].node.name} {domain.devices[0].name}"
    return " ".join(sorted(end.node.name for end in domain.interfaces))


def _is_between_routers(domain: Domain) -> bool:
    ends = domain.interfaces
    return not domain.switches and not domain.devices and len(ends) == 2 and all(end.node.forwards for end in ends)


def _leads_on(interface: ResolvedInterface) -> bool:
    return interface.node.forwards or interface.node.kind == "root"


def _precedence(interface: ResolvedInterface) -> int:
    """Who chooses first: routers, then those with a number, so that what has a name only takes nobody's place."""
    return 0 if _leads_on(interface) else 1 if ending_number(interface.node.name) >= 0 else 2


def _numbers(interface: ResolvedInterface, networks: list[IPNetwork], domain: Domain) -> Iterator[int]:
    """The numbers that an interface would have in its network, best first."""
    most = 256 if domain.size <= _USUAL_MOST else 1 << 16
    size = min(most, *(network.num_addresses for network in networks))
    number = ending_number(interface.node.name)
    if size == 2:
        first = min(domain.interfaces, key=lambda end: ending_number(end.node.name))
        yield from (0, 1) if interface is first else (1, 0)
    elif _leads_on(interface):
        yield from range(size - 1 - max(number, 1), 0, -1)
        yield from range(size - 2, 0, -1)
    else:
        if 1 <= number <= size - 2:
            yield number
        hashed = crc32(f"{interface.node.name} {interface.name}".encode())
        yield from (1 + (hashed + i) % (size - 2) for i in range(size - 2))


def ending_number(name: str) -> int:
    """The number at the end of a name, -1 where there is none: ending_number("h7") == 7."""
    found = _ENDING_NUMBER.search(name)
    return int(found.group()) if found else -1
