"""What a topology says about the addresses that are assigned automatically."""

from collections.abc import Callable, Iterable
from functools import cache, partial

from pynetemu.plan.operations import IPNetwork
from pynetemu.plan.problems import Problems, Wrong
from pynetemu.plan.resolve.addresses import AddressSettings
from pynetemu.plan.source import place_of_setting
from pynetemu.plan.values import not_one_of, read_destination, read_several
from pynetemu.topology.description import Description
from pynetemu.topology.part import Declaration, Part, quoted
from pynetemu.topology.topology import Topology

_VERSIONS = {"ipv4": (4,), "ipv6": (6,), "dual": (4, 6), "none": ()}


_ALLOWED = "gateways", "loops", "mtu", "overlaps"
IDS = "one", "range"
_ARP = "auto", "dynamic", "permanent"
_OPTIONS = "addresses", "pools", "allow", "arp"


def read_address_settings(description: Description, problems: Problems) -> AddressSettings:
    place = {name: partial(place_of_setting, name, description.kind_declaration) for name in _OPTIONS}
    if any(isinstance(value, Part) for value in (description.addresses, description.pools, description.allow, description.arp)):
        return AddressSettings((), {}, all=False, allowed=set())  # a node of that name, which is told where names are read
    versions = problems.check(place["addresses"], _read_versions, description.addresses)
    pools = _read_pools(description.pools, place["pools"], problems)
    words = problems.check(place["allow"], read_several, description.allow) or ()
    allowed = {word for text in words if (word := problems.check(place["allow"], _read_allow, text))}
    _warn_of_unused(description, description.inner, problems)
    arp = problems.check(place["arp"], _read_arp, description.arp) or "auto"
    return AddressSettings(versions or (), pools, description.addresses == "dual", allowed, arp)


def read_ids(description: Description, problems: Problems) -> str:
    """How many ids the lab of an ordinary user has: "one" or "range"."""
    if isinstance(description.ids, Part):
        return "one"  # it is a node of that name
    place = partial(place_of_setting, "ids", description.kind_declaration)
    return problems.check(place, _read_ids, description.ids) or "one"


def _read_ids(word: object) -> str:
    if word not in IDS or not isinstance(word, str):
        raise not_one_of("ids", word, IDS)
    return word


def _read_pools(given: object, place: Callable[[], Declaration], problems: Problems) -> dict[int, IPNetwork]:
    """One for each IP version: the user's, else the usual one."""
    if given is Topology.pools:
        return {**_usual_pools()}  # as most have it
    pools: dict[int, IPNetwork] = {}
    for text in problems.check(place, read_several, given) or ():
        pool = problems.check(place, _read_pool, text)
        if pool and (other := pools.get(pool.version)):
            what = f"pools has two networks of IPv{pool.version}, {other} and {pool}"
            problems.add(place(), what, "one of IPv4 and one of IPv6: for more addresses a larger one")
        elif pool:
            pools[pool.version] = pool
    return {**_usual_pools(), **pools}


@cache
def _usual_pools() -> dict[int, IPNetwork]:
    return {pool.version: pool for pool in map(_read_pool, Topology.pools)}


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
        for option in _OPTIONS:
            said = getattr(one, option)
            if said not in (getattr(outer, option), getattr(Topology, option)):
                text = f"{option} = {quoted(said)} of {one.name} is not used: it is part of {outer.name}"
                place = place_of_setting(option, one.kind_declaration)
                problems.warn(place, text, f"the outermost topology says it: {option} = {getattr(outer, option)!r}")
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
        raise Wrong(f"pools = {quoted(text)} is not a network", hint) from None
