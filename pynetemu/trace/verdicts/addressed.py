"""Frames whose MAC address and whose IP address do not agree on whom they are for."""

from pynetemu.packets.dissect import Packet, is_to_many
from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.journeys.journey import Sighting
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts.case import TABLES
from pynetemu.trace.verdicts.verdict import Reason

_DHCP = (67, 68)  # the ports of a server's answer, which finds a client that has no address yet (RFC 2131, 4.1)


def is_for_client(packet: Packet) -> bool:
    """Whether it is a DHCP server's answer: its client takes it by its MAC address, whatever the IP address."""
    return packet.protocol == "UDP" and packet.ports == _DHCP


def is_for_one(packet: Packet, wiring: Wiring) -> bool:
    """Whether it is an IP packet for a single node that is known; a question for an address goes to many."""
    is_question = packet.protocol in ("ARP", "ND")
    return packet.ttl is not None and not is_question and bool(wiring.owners.get(packet.destination))


def for_all_by_mistake(leaf: Sighting, packet: Packet, wiring: Wiring, evidence: Evidence) -> Reason | None:
    """A packet for one node in a frame for many: routers do not pass it on, and TCP does not take it (RFC 1122, 3.3.6)."""
    if not is_to_many(leaf.event.data) or not is_for_one(packet, wiring):
        return None
    mac = packet.macs[1]
    text = f"no node accepted the frame: it is addressed to {mac}, and what it carries is for {packet.destination} alone"
    return Reason("mac", text, (), hint_for(leaf, evidence), TABLES)


def sender_of(leaf: Sighting) -> Sighting:
    """Where a frame was sent that is addressed so: the first place at which it had this MAC address."""
    sender = leaf
    for sighting in leaf.back():
        if sighting.event.data[:6] != leaf.event.data[:6]:
            break
        sender = sighting
    return sender


def hint_for(leaf: Sighting, evidence: Evidence) -> str:
    """What takes away the sender's entry that a frame was wrongly addressed by; where it has none such, what shows all."""
    event = sender_of(leaf).event
    tables = evidence.tables(event.node)
    index = tables.links[event.interface].index if tables and event.interface in tables.links else 0
    mac = leaf.event.data[:6].hex(":")
    having = {node for node, _ in evidence.macs.get(mac, ())}
    for entry in tables.neighbors if tables else ():
        is_it = entry.mac == mac and entry.interface == index and entry.address
        if is_it and not having & evidence.owners.get(entry.address, set()):
            return f"{event.node} ip neigh del {entry.address} dev {event.interface}"
    return f"{event.node} ip neigh"
