"""Interfaces that carry nothing: they are down, or what they are joined to is."""

from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts.case import TABLES
from pynetemu.trace.verdicts.verdict import Reason


def link_down(node: str, interface: str, evidence: Evidence) -> Reason | None:
    """That an interface is down."""
    link = evidence.link(node, interface)
    if link is None or link.up:
        return None
    return Reason("link", f"{node} {interface} is down", (), f"{node} ip link set {interface} up", TABLES)


def far_end_down(node: str, interface: str, wiring: Wiring, evidence: Evidence) -> Reason | None:
    """That an interface has no carrier; where it is known what it is joined to, that this is down."""
    link = evidence.link(node, interface)
    if link is None or link.carrier:
        return None
    peer = wiring.peers.get((node, interface))
    text = f"{node} {interface} has no carrier"
    if peer is not None and (down := link_down(*peer, evidence)) is not None:
        return Reason("link", f"{down.text}: {text}", (), down.hint, TABLES)
    return Reason("link", f"{text}: its other end is down", (), f"{node} ip -d link show {interface}", TABLES)


def same_mac(mac: str, evidence: Evidence) -> Reason | None:
    """That several nodes have a MAC address."""
    owners = sorted({node for node, _ in evidence.macs.get(mac, ())})
    if len(owners) < 2:
        return None
    text = f"{' and '.join(owners)} have the same MAC address, {mac}: a switch sends to whom it heard last"
    return Reason("duplicate", text, (), f"{owners[-1]} ip link", TABLES)
