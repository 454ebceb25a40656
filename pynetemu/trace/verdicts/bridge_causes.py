"""Why a frame ended in a switch, and why a link did not carry it."""

from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.evidence.lookups import Link, NodeTables
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts.case import TABLES, Case
from pynetemu.trace.verdicts.causes import unknown
from pynetemu.trace.verdicts.filters import by_filter
from pynetemu.trace.verdicts.firewall import by_rule
from pynetemu.trace.verdicts.interfaces import far_end_down, link_down
from pynetemu.trace.verdicts.verdict import Reason

_ETHERNET, _TAG = 14, 4  # bytes of a header, and of a VLAN tag, for which every link has room


def in_switch(case: Case) -> Reason:
    """For a frame that a switch has received and sent nowhere."""
    tables = case.evidence.tables(case.node)
    port = tables.links.get(case.interface) if tables else None
    if tables is None or port is None:
        return unknown(case)
    closed = port_closed(case.node, port, tables, case.wiring, case.evidence)
    closed = closed or not_admitted(case.node, port, case.leaf.event.data, tables)
    return by_rule(case) or closed or by_filter(case) or _way_out(case, tables, port) or unknown(case)


def port_closed(node: str, port: Link, tables: NodeTables, wiring: Wiring, evidence: Evidence) -> Reason | None:
    """A port that passes no frames: down, in no bridge or in one that is down, or closed by the spanning tree."""
    if not port.up:
        return Reason("link", f"port {port.name} of {node} is down", (), f"{node} ip link set {port.name} up", TABLES)
    if not port.carrier:
        return far_end_down(node, port.name, wiring, evidence)
    if not port.master:
        hint = f"{node} ip link set {port.name} master br0"
        return Reason("bridge", f"port {port.name} of {node} is plugged into no bridge", (), hint, TABLES)
    bridge = tables.links.get(tables.names.get(port.master, ""))
    if bridge is not None and not bridge.up:
        return Reason("link", f"{bridge.name} of {node} is down", (), f"{node} ip link set {bridge.name} up", TABLES)
    if port.port and port.port != "forwarding":
        text = f"port {port.name} of {node} is {port.port} (spanning tree), and passes nothing on"
        return Reason("stp", text, (), f"{node} bridge link set dev {port.name} state 3", TABLES)
    return None


def between(
    node: str, came: Link, out: Link, frame: bytes, size: int, tables: NodeTables, wiring: Wiring, evidence: Evidence
) -> Reason | None:
    """Why a frame that came by one port of a bridge does not leave it by another; `size` is that of its packet."""
    closed = port_closed(node, came, tables, wiring, evidence) or not_admitted(node, came, frame, tables)
    closed = closed or port_closed(node, out, tables, wiring, evidence) or both_isolated(node, came, out)
    return closed or _not_flooded(node, out, frame) or _too_big_for(node, came, out, size)


def not_admitted(node: str, port: Link, frame: bytes, tables: NodeTables) -> Reason | None:
    """A port that takes only what comes from MAC addresses that its bridge knows to be behind it (802.1X)."""
    mac = frame[6:12].hex(":")
    if not port.locked or tables.forwarding.get(mac) == port.index:
        return None
    text = f"port {port.name} of {node} is locked, and {mac} is not known to be behind it"
    return Reason("bridge", text, (), f"{node} bridge link set dev {port.name} locked off", TABLES)


def _not_flooded(node: str, port: Link, frame: bytes) -> Reason | None:
    """A port that gets no broadcasts, or no multicast."""
    is_for_all = frame[:6] == b"\xff" * 6
    if not frame[:1] or not frame[0] & 1 or (port.floods_broadcasts if is_for_all else port.floods_groups):
        return None
    what, knob = ("broadcasts", "bcast_flood") if is_for_all else ("multicast", "mcast_flood")
    text = f"{node} does not flood its port {port.name} with {what}"
    return Reason("flood", text, (), f"{node} bridge link set dev {port.name} {knob} on", TABLES)


def _too_big_for(node: str, came: Link, port: Link, size: int) -> Reason | None:
    """A bridge cuts nothing into fragments; what is larger than the port by which it came stands for several segments."""
    if not port.mtu + _TAG < size <= came.mtu:
        return None
    text = f"too big for port {port.name} of {node}: {size} bytes, its MTU is {port.mtu}"
    return Reason("mtu", text, (), f"{node} ip link set {port.name} mtu {came.mtu}", TABLES)


def _way_out(case: Case, tables: NodeTables, port: Link) -> Reason | None:
    mac = case.packet.macs[1]
    index = tables.forwarding.get(mac)
    out = tables.links.get(tables.names.get(index or 0, ""))
    if out is not None and out.name == port.name:
        text = f"{case.node} has learned that {mac} is behind port {port.name}, from where this frame came"
        return Reason("fdb", text, (), f"{case.node} bridge fdb del {mac} dev {port.name} master", TABLES)
    others = [out] if out else [link for link in tables.links.values() if link.port and link.name != port.name]
    frame, size = case.leaf.event.data, case.leaf.event.length - _ETHERNET
    reasons = (between(case.node, port, link, frame, size, tables, case.wiring, case.evidence) for link in others)
    closed = [reason for reason in reasons if reason is not None]
    return closed[0] if closed and len(closed) == len(others) else None


def both_isolated(node: str, one: Link, other: Link) -> Reason | None:
    if not (one.isolated and other.isolated):
        return None
    text = f"ports {one.name} and {other.name} of {node} are isolated from each other"
    return Reason("isolated", text, (), f"{node} bridge link set dev {one.name} isolated off", TABLES)


def on_link(case: Case, peer: tuple[str, str]) -> Reason:
    """For a frame that was sent into a link and not seen at its other end."""
    node, interface = peer
    far = case.evidence.link(node, interface)
    if down := link_down(node, interface, case.evidence):
        return down
    if far is not None and far.xdp:
        text = f"dropped by an XDP program on {node} {interface}"
        return Reason("xdp", text, (), f"{node} ip link set dev {interface} xdp off", TABLES)
    near, size = case.evidence.link(case.node, case.interface), case.leaf.event.length - _ETHERNET
    if near is not None and far is not None and far.mtu + _TAG < size <= near.mtu:
        other = f"that of {case.node} {near.name} is {near.mtu}"
        text = f"too big for {node} {interface}: {size} bytes, its MTU is {far.mtu}, and {other}"
        return Reason("mtu", text, (), f"{node} ip link set {interface} mtu {near.mtu}", TABLES)
    text = f"sent by {case.node} {case.interface}, but not seen at {node} {interface}"
    return Reason("lost", text, (), f"{node} ip -s link show {interface}", TABLES)
