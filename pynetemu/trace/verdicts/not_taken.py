"""Why a frame did not come to the interface that it is addressed to, or that would have answered it."""

from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.journeys.journey import Hop, Journey, Sighting
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts.bridge_causes import both_isolated, port_closed
from pynetemu.trace.verdicts.case import TABLES
from pynetemu.trace.verdicts.verdict import Reason


def not_taken(journey: Journey, leaf: Sighting, wiring: Wiring, evidence: Evidence) -> Reason:
    """For a frame that came to interfaces with other MAC addresses only; `leaf` is the end of its way."""
    mac = leaf.event.data[:6].hex(":")
    places = evidence.macs.get(mac, [])
    for node, interface in places:
        port = port_without_flood(mac, node, journey, wiring, evidence)
        reason = port or link_down(node, interface, evidence) or kept_from(node, journey, wiring, evidence)
        if reason is not None:
            return reason
    where = f"it is that of {' and of '.join(map(' '.join, places))}" if places else "no interface of the lab has it"
    text = f"nobody took it: it is addressed to {mac}; {where}"
    return Reason("mac", text, (), f"{_sender(leaf)} ip neigh", TABLES)


def _sender(leaf: Sighting) -> str:
    """The node that has addressed a frame so: the first that sent it with this MAC address."""
    sender = leaf
    for sighting in leaf.back():
        if sighting.event.data[:6] != leaf.event.data[:6]:
            break
        sender = sighting
    return sender.event.node


def kept_from(owner: str, journey: Journey, wiring: Wiring, evidence: Evidence) -> Reason | None:
    """The closed port that kept a frame from a node, among the switches that it came to."""
    for hop in _switched(journey, evidence):
        tables = evidence.tables(hop.node)
        came = tables.links.get(hop.arrived.event.interface) if tables and hop.arrived else None
        for name in _ports_not_taken(hop, owner, wiring):
            link = tables.links.get(name) if tables else None
            if tables is None or came is None or link is None:
                continue
            reason = port_closed(hop.node, link, tables) or both_isolated(hop.node, came, link)
            if reason is not None:
                return reason
    return None


def port_without_flood(mac: str, owner: str, journey: Journey, wiring: Wiring, evidence: Evidence) -> Reason | None:
    """A port that is not flooded, of a switch that has not learned that the frame's MAC address is behind it."""
    for hop in _switched(journey, evidence):
        tables = evidence.tables(hop.node)
        for name in _ports_not_taken(hop, owner, wiring):
            link = tables.links.get(name) if tables else None
            if tables is None or link is None or link.floods or mac in tables.forwarding:
                continue
            text = f"{hop.node} has not learned that {mac} is behind port {name}, and does not flood that port"
            return Reason("flood", text, (), f"{hop.node} bridge link set dev {name} flood on", TABLES)
    return None


def _switched(journey: Journey, evidence: Evidence) -> list[Hop]:
    """The stays in switches and in other nodes with a bridge, where it came by one of its ports."""
    arrivals = ((hop, hop.arrived.event) for hop in journey.hops if hop.arrived is not None)
    return [hop for hop, event in arrivals if (link := evidence.link(event.node, event.interface)) is not None and link.port]


def _ports_not_taken(hop: Hop, owner: str, wiring: Wiring) -> list[str]:
    left = {sighting.event.interface for sighting in hop.left}
    return [name for name in wiring.ports_towards(hop.node, owner) if name not in left]


def link_down(node: str, interface: str, evidence: Evidence) -> Reason | None:
    """That an interface is down."""
    link = evidence.link(node, interface)
    if link is None or link.up:
        return None
    return Reason("link", f"{node} {interface} is down", (), f"{node} ip link set {interface} up", TABLES)
