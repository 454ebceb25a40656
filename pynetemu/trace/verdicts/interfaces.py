"""Interfaces that carry nothing: they are down, or what they are joined to is."""

from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts.case import TABLES
from pynetemu.trace.verdicts.verdict import Reason

_DADFAILED, _TENTATIVE = 0x08, 0x40  # IFA_F_*


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


def unusable(node: str, address: str, wiring: Wiring, evidence: Evidence) -> Reason | None:
    """An address of a node that it cannot use, or not yet: another has it, or it is not known whether another has it."""
    tables = evidence.tables(node)
    flags = tables.address_flags.get(address, 0) if tables else 0
    if flags & _DADFAILED:
        others = sorted(wiring.owners.get(address, set()) - {node})
        taken = f"{others[0]} has it" if others else "another node has it"
        text = f"{node} cannot use {address}: duplicate address detection found that {taken}"
        return Reason("duplicate", text, (), f"{node} ip -6 addr show", TABLES)
    if flags & _TENTATIVE:
        text = f"{node} cannot use {address} yet: duplicate address detection is under way"
        return Reason("duplicate", text, (), f"{node} ip -6 addr show", TABLES)
    return None


def same_mac(mac: str, evidence: Evidence) -> Reason | None:
    """That several nodes have a MAC address."""
    owners = sorted({node for node, _ in evidence.macs.get(mac, ())})
    if len(owners) < 2:
        return None
    text = f"{' and '.join(owners)} have the same MAC address, {mac}: a switch sends to whom it heard last"
    return Reason("duplicate", text, (), f"{owners[-1]} ip link", TABLES)
