"""Why a frame did not come to the interface that it is addressed to, or that would have answered it."""

from pynetemu.packets.dissect import dissect
from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.journeys.journey import Hop, Journey, Sighting
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event
from pynetemu.trace.verdicts.addressed import hint_for
from pynetemu.trace.verdicts.bridge_causes import between, to_its_sender
from pynetemu.trace.verdicts.case import TABLES, Case
from pynetemu.trace.verdicts.conversations import Conversations
from pynetemu.trace.verdicts.filters import by_filter, redirected_to
from pynetemu.trace.verdicts.firewall import by_rule
from pynetemu.trace.verdicts.for_a_while import link_for_a_while
from pynetemu.trace.verdicts.interfaces import link_down
from pynetemu.trace.verdicts.verdict import Reason


def not_taken(journey: Journey, leaf: Sighting, wiring: Wiring, evidence: Evidence) -> Reason:
    """For a frame that came to interfaces with other MAC addresses only; `leaf` is the end of its way."""
    places_seen = {(one.event.node, one.event.interface) for one in leaf.back()}
    for node, interface in places_seen:
        if (reason := redirected_to(node, interface, evidence)) is not None:
            return reason
    mac = leaf.event.data[:6].hex(":")
    if addressed := to_its_sender(leaf, evidence):
        return addressed
    places = evidence.macs.get(mac, [])
    for node, interface in places:
        came = next((one for one in leaf.back() if (one.event.node, one.event.interface) == (node, interface)), None)
        if came is not None and came is not leaf:
            return _sent_back(came, wiring, evidence)
        port = behind_another_port(mac, node, journey, wiring, evidence)
        port = port or port_without_flood(mac, node, journey, wiring, evidence)
        reason = port or link_down(node, interface, evidence) or kept_from(node, journey, wiring, evidence)
        reason = reason or link_for_a_while(node, interface, leaf.event.time, evidence)
        if reason is not None:
            return reason
    where = f"that of {' and of '.join(map(' '.join, places))}" if places else "no interface of the lab has this MAC address"
    if gone := wiring.once_had(mac):
        where = f"{where} any more, as {' and '.join(map(' '.join, gone))} had"
    text = f"no node accepted the frame: it is addressed to {mac}; {where}"
    return Reason("mac", text, (), hint_for(leaf, evidence), TABLES)


def _sent_back(came: Sighting, wiring: Wiring, evidence: Evidence) -> Reason:
    """For a frame that came to where it was to go, and that was sent on from there as it was."""
    event = came.event
    case = Case(came, dissect(event.data), evidence, wiring, Conversations(()))
    if reason := by_rule(case) or by_filter(case):
        return reason
    text = f"{event.node} took it in by {event.interface}, and sent it on unchanged: something in {event.node} redirects it"
    return Reason("vanished", text, (), f"{event.node} nft list ruleset", TABLES)


def on_network(owner: str, journey: Journey, wiring: Wiring, evidence: Evidence) -> bool:
    """Whether a frame could have come to a node by the switches that it came to."""
    if wiring.ports_towards(journey.first.node, owner):
        return True
    return any(wiring.ports_towards(hop.node, owner) for hop in _switched(journey, wiring, evidence))


def kept_from(owner: str, journey: Journey, wiring: Wiring, evidence: Evidence) -> Reason | None:
    """The closed port that kept a frame from a node, among the switches that it came to."""
    for hop in _switched(journey, wiring, evidence):
        tables = evidence.tables(hop.node)
        came = tables.links.get(hop.arrived.event.interface) if tables and hop.arrived else None
        for name in _ports_not_taken(hop, owner, wiring):
            link = tables.links.get(name) if tables else None
            if tables is None or came is None or link is None:
                continue
            event = hop.arrived.event if hop.arrived else journey.first
            reason = between(hop.node, came, link, event.data, event.length - 14, tables, wiring, evidence)
            reason = reason or link_for_a_while(hop.node, name, event.time, evidence)
            if reason is not None:
                return reason
    return None


def behind_another_port(mac: str, owner: str, journey: Journey, wiring: Wiring, evidence: Evidence) -> Reason | None:
    """A switch that believes a MAC address to be behind a port that does not lead to its owner."""
    for hop in _switched(journey, wiring, evidence):
        tables, ways = evidence.tables(hop.node), wiring.ports_towards(hop.node, owner)
        believed = tables.names.get(tables.forwarding.get(mac, 0), "") if tables else ""
        if believed and ways and believed not in ways:
            where = f"behind port {believed} in its forwarding database, and {owner} is behind port {ways[0]}"
            hint = f"{hop.node} bridge fdb del {mac} dev {believed} master"
            return Reason("fdb", f"{hop.node} has {mac} {where}", (), hint, TABLES)
    return None


def port_without_flood(mac: str, owner: str, journey: Journey, wiring: Wiring, evidence: Evidence) -> Reason | None:
    """A port that is not flooded, of a switch that has not learned that the frame's MAC address is behind it."""
    for hop in _switched(journey, wiring, evidence):
        tables = evidence.tables(hop.node)
        for name in _ports_not_taken(hop, owner, wiring):
            link = tables.links.get(name) if tables else None
            if tables is None or link is None or link.floods or mac in tables.forwarding:
                continue
            text = f"{hop.node} has not learned that {mac} is behind port {name}, and does not flood that port"
            return Reason("flood", text, (), f"{hop.node} bridge link set dev {name} flood on", TABLES)
    return None


def _switched(journey: Journey, wiring: Wiring, evidence: Evidence) -> list[Hop]:
    """The stays in switches and in other nodes with a bridge, where it came by one of its ports."""
    arrivals = ((hop, hop.arrived.event) for hop in journey.hops if hop.arrived is not None)
    return [hop for hop, event in arrivals if wiring.is_bridge(event.node) or _is_port(event, evidence)]


def _is_port(event: Event, evidence: Evidence) -> bool:
    link = evidence.link(event.node, event.interface)
    return link is not None and bool(link.port)


def _ports_not_taken(hop: Hop, owner: str, wiring: Wiring) -> list[str]:
    left = {sighting.event.interface for sighting in hop.left}
    return [name for name in wiring.ports_towards(hop.node, owner) if name not in left]
