"""What changed about a packet on its way: TTL, translated addresses, tags, rewritten MAC addresses."""

from collections.abc import Callable

from pynetemu.packets.dissect import Packet, dissect
from pynetemu.trace.journeys.journey import Journey, Sighting

Name = Callable[[str], str]


def changes(before: Packet, after: Packet, name: Name = str) -> list[str]:
    """From one sighting to the next: ["ttl 64→63", "src blue → 10.0.2.1"]; addresses by `name`."""
    if (before.inner is None) != (after.inner is None):
        outer = after if after.inner is not None else before
        return [f"{'into' if after.inner else 'out of'} {outer.text.partition(' [')[0]}"]
    found = []
    if before.ttl is not None and after.ttl is not None and before.ttl != after.ttl:
        found.append(f"ttl {before.ttl}→{after.ttl}")
    if before.protocol not in ("ARP", "ND") and before.ttl is not None:
        found += _translated("src", before.source, after.source, before.ports[0], after.ports[0], name)
        found += _translated("dst", before.destination, after.destination, before.ports[1], after.ports[1], name)
    if before.vlan != after.vlan:
        found.append(f"vlan {before.vlan or 'none'}→{after.vlan or 'none'}")
    return found


def _translated(what: str, before: str, after: str, port_before: int, port_after: int, name: Name) -> list[str]:
    if before == after:
        return []
    ports = (f":{port_before}", f":{port_after}") if port_before != port_after else ("", "")
    return [f"{what} {name(before)}{ports[0]}→{name(after)}{ports[1]}"]


def on_the_way(journey: Journey, name: Name) -> list[str]:
    """All of a journey: the TTL at its ends, and each translation with its node."""
    seen = [sighting for sighting in journey.sightings if sighting.event.kind != "drop"]  # where it died it went nowhere
    packets = {id(sighting): dissect(sighting.event.data) for sighting in seen}
    ends = [packet.ttl for packet in packets.values() if packet.ttl is not None and packet.inner is None]
    found = [f"ttl {ends[0]}→{ends[-1]}"] if ends and ends[0] != ends[-1] else []
    for sighting in seen:
        if sighting.before is not None and id(sighting.before) in packets:
            here = changes(packets[id(sighting.before)], packets[id(sighting)], name)
            found += [f"{sighting.event.node}: {one}" for one in here if not one.startswith("ttl ")]
    return list(dict.fromkeys(found))


def macs_rewritten(before: Sighting, after: Sighting) -> bool:
    return before.event.data[:12] != after.event.data[:12]
