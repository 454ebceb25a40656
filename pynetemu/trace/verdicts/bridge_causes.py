"""Why a frame ended in a switch, and why a link did not carry it."""

from dataclasses import replace
from ipaddress import ip_address

from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.evidence.lookups import Link, NodeTables
from pynetemu.trace.journeys.journey import Sighting
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts.addressed import hint_for
from pynetemu.trace.verdicts.case import TABLES, Case
from pynetemu.trace.verdicts.causes import unknown
from pynetemu.trace.verdicts.filters import by_filter
from pynetemu.trace.verdicts.firewall import by_rule
from pynetemu.trace.verdicts.interfaces import far_end_down, link_down
from pynetemu.trace.verdicts.verdict import Reason

_ETHERNET, _TAG = 14, 4  # bytes of a header, and of a VLAN tag, for which every link has room
_RESERVED = bytes.fromhex("0180c20000")  # of groups that bridges keep to one link (IEEE 802.1Q, 8.6.3)
_OF_BRIDGES = (0, 1, 2, 0x0E)  # those of the spanning tree, pauses, aggregation, LLDP: for the next neighbor by their nature


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
        hint = f"{node} bridge link set dev {port.name} state 3"
        if bridge is not None and bridge.stp:  # it decides itself, and refuses to be told
            running = f"the spanning tree of {bridge.name} runs: it lets ports forward when it is sure that there is no loop"
            return Reason("stp", text, (running,), f"{node} bridge -d link show dev {port.name}", TABLES)
        return Reason("stp", text, (), hint, TABLES)
    return None


def kept(case: Case) -> Reason | None:
    """Why a bridge took a frame in for itself that was for another: it has the MAC address among its own."""
    tables, mac = case.evidence.tables(case.node), case.packet.macs[1]
    port = tables.names.get(tables.kept_macs.get(mac, 0), "") if tables else ""
    if not port:
        return None
    text = f"{case.node} takes frames to {mac} for its own: its forwarding database has a permanent entry, of port {port}"
    return Reason("fdb", text, (), f"{case.node} bridge fdb del {mac} dev {port} master", TABLES)


def reserved(node: str, port: Link, frame: bytes, tables: NodeTables) -> Reason | None:
    """A group that bridges keep to one link, of which this one was not told to pass it on."""
    number, bridge = frame[5:6], tables.links.get(tables.names.get(port.master, ""))
    if frame[:5] != _RESERVED or not number or number[0] > 0x0F or number[0] in _OF_BRIDGES or bridge is None:
        return None
    bit = 1 << number[0]
    if bridge.passes & bit:
        return None
    text = f"{node} passes nothing on that is addressed to {frame[:6].hex(':')}: the group is reserved for one link"
    details = (f"group_fwd_mask of {bridge.name} is {bridge.passes:#x}",)
    hint = f"{node} ip link set {bridge.name} type bridge group_fwd_mask {bridge.passes | bit:#x}"
    return Reason("bridge", text, details, hint, TABLES)


def between(
    node: str, came: Link, out: Link, frame: bytes, size: int, tables: NodeTables, wiring: Wiring, evidence: Evidence
) -> Reason | None:
    """Why a frame that came by one port of a bridge does not leave it by another; `size` is that of its packet."""
    closed = port_closed(node, came, tables, wiring, evidence) or not_admitted(node, came, frame, tables)
    closed = closed or port_closed(node, out, tables, wiring, evidence) or both_isolated(node, came, out)
    return closed or _not_flooded(node, out, frame, tables) or _too_big_for(node, came, out, size)


def not_admitted(node: str, port: Link, frame: bytes, tables: NodeTables) -> Reason | None:
    """A port that takes only what comes from MAC addresses that its bridge knows to be behind it (802.1X)."""
    mac = frame[6:12].hex(":")
    if not port.locked or tables.forwarding.get(mac) == port.index:
        return None
    text = f"port {port.name} of {node} is locked, and {mac} is not known to be behind it"
    return Reason("bridge", text, (), f"{node} bridge link set dev {port.name} locked off", TABLES)


def _not_flooded(node: str, port: Link, frame: bytes, tables: NodeTables) -> Reason | None:
    """A port that gets no broadcasts, or no multicast, or of that what its bridge has heard to be wanted there."""
    is_for_all = frame[:6] == b"\xff" * 6
    if not frame[:1] or not frame[0] & 1:
        return None
    if port.floods_broadcasts if is_for_all else port.floods_groups:
        return None if is_for_all else _not_a_member(node, port, frame, tables)
    what, knob = ("broadcasts", "bcast_flood") if is_for_all else ("multicast", "mcast_flood")
    text = f"{node} does not flood its port {port.name} with {what}"
    return Reason("flood", text, (), f"{node} bridge link set dev {port.name} {knob} on", TABLES)


def _not_a_member(node: str, port: Link, frame: bytes, tables: NodeTables) -> Reason | None:
    """A port behind which the bridge has heard of no member of a group (RFC 4541)."""
    bridge = tables.links.get(tables.names.get(port.master, ""))
    group = group_of(frame)
    if bridge is None or not bridge.snoops or not group:
        return None
    text = f"{node} has heard of no member of {group} behind its port {port.name} (multicast snooping), and sends it nothing"
    return Reason("multicast", text, (), f"{node} ip link set {bridge.name} type bridge mcast_snooping 0", TABLES)


def group_of(frame: bytes) -> str:
    """The group that a frame is for, of those whose members bridges listen for; "" of others."""
    if frame[12:14] == b"\x08\x00" and len(frame) >= 34 and frame[30] >> 4 == 14 and frame[30:33] != b"\xe0\0\0":
        return str(ip_address(frame[30:34]))
    is_group = frame[12:14] == b"\x86\xdd" and len(frame) >= 54 and frame[38] == 0xFF
    return str(ip_address(frame[38:54])) if is_group and frame[38:54] != bytes.fromhex("ff02" + "00" * 13 + "01") else ""


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
    if addressed := to_its_sender(case.leaf, case.evidence):
        return addressed
    if out is not None and out.name == port.name and (hairpin := without_hairpin(case, port)):
        return hairpin
    if out is not None and out.name == port.name:
        text = f"{case.node} has learned that {mac} is behind port {port.name}, from where this frame came"
        return Reason("fdb", text, (), f"{case.node} bridge fdb del {mac} dev {port.name} master", TABLES)
    others = [out] if out else [link for link in tables.links.values() if link.port and link.name != port.name]
    frame, size = case.leaf.event.data, case.leaf.event.length - _ETHERNET
    reasons = (between(case.node, port, link, frame, size, tables, case.wiring, case.evidence) for link in others)
    closed = [reason for reason in reasons if reason is not None]
    if len(closed) != len(others) or not closed:
        return None
    if all(reason.kind == "multicast" for reason in closed):
        text = f"{case.node} has heard of no member of {group_of(frame)}, and sends it to no port (multicast snooping)"
        return replace(closed[0], text=text)
    return closed[0]


def to_its_sender(leaf: Sighting, evidence: Evidence) -> Reason | None:
    """A frame that is addressed to the MAC address of the interface that sent it."""
    frame = leaf.event.data
    outs = (one.event for one in leaf.back() if one.event.kind == "out" and one.event.data[:12] == frame[:12])
    *_, sent = [None, *outs]  # the first of them
    if sent is None or frame[:6] != frame[6:12] or not any(frame[:6]):
        return None
    mac, link = frame[:6].hex(":"), evidence.link(sent.node, sent.interface)
    if link is not None and not link.does_arp:
        text = f"{sent.node} {link.name} neither asks nor answers: ARP is off there"
        return Reason("arp", text, (), f"{sent.node} ip link set {link.name} arp on", TABLES)
    text = f"no node accepted the frame: it is addressed to {mac}; that of {sent.node} {sent.interface}, which has sent it"
    return Reason("mac", text, (), hint_for(leaf, evidence), TABLES)


def without_hairpin(case: Case, port: Link) -> Reason | None:
    """Two macvlans of mode vepa on one link, which wants their frames back from the switch."""
    ends = [case.evidence.macs.get(case.leaf.event.data[at : at + 6].hex(":"), []) for at in (0, 6)]
    pairs = [case.wiring.under.get(place) for places in ends for place in places[:1]]
    if len(pairs) != 2 or pairs[0] is None or pairs[0] != pairs[1] or port.hairpin:
        return None
    return hairpin_off(case.node, port.name)


def hairpin_off(node: str, port: str) -> Reason:
    text = f"{node} sends nothing back by port {port}, by which it came: hairpin is off there, which macvlans of mode vepa need"
    return Reason("bridge", text, (), f"{node} bridge link set dev {port} hairpin on", TABLES)


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
