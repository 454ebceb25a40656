"""What a topology says about the addresses that are assigned automatically."""

from collections.abc import Iterable

from pynetemu.plan.operations import IPNetwork
from pynetemu.plan.problems import Problems, Wrong
from pynetemu.plan.resolve.addresses import AddressSettings
from pynetemu.plan.values import not_one_of, read_destination, read_several
from pynetemu.topology.description import Description
from pynetemu.topology.part import Part
from pynetemu.topology.topology import Topology

_VERSIONS = {"ipv4": (4,), "ipv6": (6,), "dual": (4, 6), "none": ()}


_ALLOWED = "gateways", "loops", "mtu", "overlaps"
_ARP = "auto", "dynamic", "permanent"
_DEFAULT_POOLS = "10.0.0.0/8", "fd00::/32"


def read_address_settings(description: Description, problems: Problems) -> AddressSettings:
    declaration = description.kind_declaration
    if any(isinstance(value, Part) for value in (description.addresses, description.pools, description.allow, description.arp)):
        return AddressSettings((), {}, all=False, allowed=set())  # a node of that name, which is told where names are read
    versions = problems.check(declaration, _read_versions, description.addresses)
    pools: dict[int, IPNetwork] = {}
    for text in (*read_several(description.pools), *_DEFAULT_POOLS):
        if pool := problems.check(declaration, _read_pool, text):
            pools.setdefault(pool.version, pool)
    allowed = {word for text in read_several(description.allow) if (word := problems.check(declaration, _read_allow, text))}
    _warn_of_unused(description, description.inner, problems)
    arp = problems.check(declaration, _read_arp, description.arp) or "auto"
    return AddressSettings(versions or (), pools, description.addresses == "dual", allowed, arp)


def _read_arp(word: object) -> str:
    if word not in _ARP or not isinstance(word, str):
        raise not_one_of("arp", word, _ARP)
    return word


def _read_allow(word: object) -> str:
    if not isinstance(word, str) or word not in _ALLOWED:
        raise not_one_of("allow", word, _ALLOWED)
    return word


def _warn_of_unused(outer: Description, inner: Iterable[Description], problems: Problems) -> None:
    """What topologies in this one say for themselves, and is not asked for."""
    for one in inner:
        for option in "addresses", "pools", "arp":
            said = getattr(one, option)
            if said not in (getattr(outer, option), getattr(Topology, option)):
                text = f"{option} = {said!r} of {one.name} is not used: it is part of {outer.name}"
                problems.warn(
                    one.kind_declaration, text, f"the outermost topology says it: {option} = {getattr(outer, option)!r}"
                )
        _warn_of_unused(outer, one.inner, problems)


def _read_versions(word: object) -> tuple[int, ...]:
    if not isinstance(word, str) or word not in _VERSIONS:
        raise not_one_of("addresses", word, _VERSIONS)
    return _VERSIONS[word]


def _read_pool(text: object) -> IPNetwork:
    try:
        return read_destination(text)
    except Wrong:
        hint = "it is a network such as '10.0.0.0/8', or one of IPv4 and one of IPv6"
        raise Wrong(f"pools = {text!r} is not a network", hint) from None
