"""What the kernel's own drop reasons mean to people (enum skb_drop_reason, include/net/dropreason-core.h)."""

from dataclasses import replace

from pynetemu.packets.dissect import is_to_many
from pynetemu.trace.evidence.lookups import Link, NodeTables
from pynetemu.trace.sources.events import Event
from pynetemu.trace.verdicts import bridge_causes, causes
from pynetemu.trace.verdicts.case import KERNEL, Case
from pynetemu.trace.verdicts.causes import Cause
from pynetemu.trace.verdicts.filters import by_filter, queue_full
from pynetemu.trace.verdicts.firewall import by_rule
from pynetemu.trace.verdicts.interfaces import far_end_down, link_down
from pynetemu.trace.verdicts.tunnels import IN_UDP, TUNNELS, end_of_tunnel, not_sent
from pynetemu.trace.verdicts.verdict import Reason


def _by_queue(case: Case) -> Reason | None:
    """A queue drops what it has no room for, and that of an interface without a carrier all."""
    down = causes.link_down(case)
    if down is None and (not case.arrived or case.interface == "lo"):
        down = link_down(case.node, case.interface, case.evidence)
    if down is None and not case.arrived:
        down = far_end_down(case.node, case.interface, case.wiring, case.evidence)
    return down or queue_full(case)


def _by_firewall(case: Case) -> Reason | None:
    """A rule; or routing, which a chain of the type route asks again about what a node sends, once it has been marked."""
    return by_rule(case) or (None if case.arrived else causes.no_route(case))


_CAUSES: dict[str, Cause] = {
    "NETFILTER_DROP": _by_firewall,
    "IP_INNOROUTES": causes.no_route,
    "IP_OUTNOROUTES": causes.no_route,
    "IP_RPFILTER": causes.filtered_by_source,
    "IP_INADDRERRORS": causes.not_a_router,
    "PKT_TOO_BIG": causes.too_big,
    "NEIGH_FAILED": causes.no_neighbor,
    "NEIGH_QUEUEFULL": causes.no_neighbor,
    "NEIGH_DEAD": causes.no_neighbor,
    "QDISC_DROP": _by_queue,
    "QDISC_OVERLIMIT": _by_queue,
    "QDISC_CONGESTED": _by_queue,
    "VXLAN_VNI_NOT_FOUND": end_of_tunnel,
    "TC_INGRESS": by_filter,
    "TC_EGRESS": by_filter,
}
# (kind, text, what to try); {node}, {interface} and {port} are filled in.
_TEXTS: dict[str, tuple[str, str, str]] = {
    "NO_SOCKET": ("port", "nothing listens on {port} of {node}", "{node} ss -lntup"),
    "NETFILTER_DROP": ("nft", "dropped by the firewall of {node}", "{node} nft list ruleset"),
    "PKT_TOO_BIG": ("mtu", "too big for the next link of {node}, and it must not be fragmented", "{node} ip link"),
    "NEIGH_FAILED": ("arp", "nobody answered the ARP of {node} for its next hop", "{node} ip neigh"),
    "NEIGH_CREATEFAIL": ("arp", "the machine's neighbor table is full (gc_thresh3 is shared by all namespaces)", ""),
    "QDISC_DROP": ("queue", "a queue of {node} {interface} was full", "{node} tc -s qdisc"),
    "TC_INGRESS": (
        "tc",
        "dropped by a tc filter as it entered {node} {interface}",
        "{node} tc filter show dev {interface} ingress",
    ),
    "TC_EGRESS": ("tc", "dropped by a tc filter as it left {node} {interface}", "{node} tc filter show dev {interface} egress"),
    "XDP": ("xdp", "dropped by an XDP program on {node} {interface}", "{node} ip link show {interface}"),
    "BRIDGE_INGRESS_STP_STATE": (
        "stp",
        "port {interface} of {node} is not forwarding (spanning tree)",
        "{node} bridge link set dev {interface} state 3",
    ),
    "NO_TX_TARGET": ("bridge", "{node} has no other port to send it to", "{node} bridge link"),
    "DEV_READY": ("link", "{node} {interface} is down", "{node} ip link set {interface} up"),
    "SOCKET_RCVBUFF": ("socket", "the receive buffer of a socket in {node} was full", "{node} ss -nmu"),
    "SOCKET_BACKLOG": ("socket", "the backlog of a socket in {node} was full", "{node} ss -nmt"),
    "FULL_RING": ("queue", "the queue of the link's other end was full", "{node} ip -s link"),
    "UNHANDLED_PROTO": ("protocol", "{node} does not speak this protocol", ""),
    "IP_CSUM": ("checksum", "{node} discards it: its IP checksum is wrong", ""),
    "TCP_CSUM": ("checksum", "{node} discards it: its TCP checksum is wrong", ""),
    "UDP_CSUM": ("checksum", "{node} discards it: its UDP checksum is wrong", ""),
    "ICMP_CSUM": ("checksum", "{node} discards it: its ICMP checksum is wrong", ""),
    "IP_LOCAL_SOURCE": (
        "martian",
        "{node} does not believe the source {source}: it is an address of its own",
        "{node} ip addr",
    ),
    "IP_INVALID_SOURCE": ("martian", "{node} does not believe the source {source}", "{node} ip addr"),
    "IP_LOCALNET": (
        "martian",
        "{node} takes no {source} → {destination} from outside: one is a loopback address",
        "{node} ip addr",
    ),
    "VXLAN_VNI_NOT_FOUND": ("vxlan", "{node} has no VXLAN interface of this id (VNI)", "{node} ip -d link show type vxlan"),
    "IP_NOPROTO": ("protocol", "{node} has nothing for this IP protocol", ""),
    "CPU_BACKLOG": ("queue", "a CPU of this machine was too slow: its queue of packets was full in {node}", ""),
    "XFRM_POLICY": ("ipsec", "blocked by an IPsec policy (XFRM) of {node}", "{node} ip xfrm policy"),
    "TCP_MD5NOTFOUND": ("socket", "{node} wants signed segments (TCP-MD5) on {port}, and this one has no signature", ""),
    "TCP_MD5UNEXPECTED": ("socket", "{node} knows no key for the signature (TCP-MD5) of this segment to {port}", ""),
    "TCP_MD5FAILURE": ("socket", "{node} has another key for the signature (TCP-MD5) of this segment to {port}", ""),
    "VLAN_FILTER": ("vlan", "port {interface} of {node} does not take this VLAN", "{node} bridge vlan show"),
}


_AT_TUNNELS = ("NO_SOCKET", "DEV_READY", "NOT_SPECIFIED", "TUNNEL_TXINFO", "")


def reason_of_kernel(case: Case) -> Reason:
    """The reason of a drop that the kernel has named, with what the node's tables add to it."""
    event = case.leaf.event
    found = _named(case)
    if not event.reason:
        return found
    return replace(found, source=KERNEL, proof=proof_of(event))


def proof_of(event: Event) -> str:
    """What the kernel says of a drop: its reason, and the functions that led to it."""
    return f"{event.reason} in {event.place}" if event.place else event.reason


def _named(case: Case) -> Reason:
    event = case.leaf.event
    where = event.place.partition(" ")[0]
    if event.reason in ("", "IP_INHDR", "NOT_SPECIFIED") and (wrong := causes.malformed(case)):
        return wrong
    at_tunnel = case.packet.protocol in TUNNELS and event.reason in _AT_TUNNELS and _is_here(case)
    if at_tunnel and (end := end_of_tunnel(case)):
        return end
    if ("dev_hard_start_xmit" in event.place or not event.place) and (lost := not_sent(case)):
        return lost
    if event.reason in ("", "IP_INHDR", "NOT_SPECIFIED"):
        known = by_rule(case) or causes.too_old(case)
        if known:
            return known
    in_bridge = event.reason == "BRIDGE_INGRESS_STP_STATE" or where.startswith("br_")  # unnamed before Linux 6.12
    if in_bridge and (tables := case.evidence.tables(case.node)) and (port := tables.links.get(case.interface)):
        closed = bridge_causes.port_closed(case.node, port, tables, case.wiring, case.evidence)
        return closed or _to_port(case, tables, port) or _in_host(case) or _from_text(case)
    if case.wiring.is_bridge(case.node) and event.reason in ("", "NOT_SPECIFIED"):
        return by_rule(case) or bridge_causes.in_switch(case)
    if event.reason in ("", "NOT_SPECIFIED") and (found := _in_host(case)):
        return found
    if where == "ip_error" or where == "ip6_pkt_drop":
        return causes.not_a_router(case) or causes.no_route(case) or _from_text(case)
    if where == "veth_xdp_rcv_skb":
        text = f"dropped by an XDP program on {case.node} {case.interface}"
        return Reason("xdp", text, (), f"{case.node} ip link set dev {case.interface} xdp off")
    if case.arrived and not is_to_many(event.data) and (to_all := causes.directed_broadcast(case)):
        return to_all
    cause = _CAUSES.get(event.reason)
    found = cause(case) if cause else None
    if found is None and event.reason in ("", "NOT_SPECIFIED") and not is_to_many(event.data):
        found = next((reason for one in causes.IN_ROUTER if (reason := one(case)) is not None), None)
    return found or _from_text(case)


def _in_host(case: Case) -> Reason | None:
    """Why a bridge in a host sent a frame by none of its ports, where that is known."""
    link = case.evidence.link(case.node, case.interface)
    if link is None or not link.port or not case.arrived:
        return None
    found = bridge_causes.in_switch(case)
    return None if found.kind == "vanished" else found


def _to_port(case: Case, tables: NodeTables, out: Link) -> Reason | None:
    """Why a bridge dropped a frame when it was to leave by a port; there it was seen last."""
    came = next((one.event for one in case.leaf.back() if one.event.node == case.node and one.event.kind == "in"), None)
    link = tables.links.get(came.interface) if came else None
    if came is None or link is None or link.index == out.index:
        return None
    return bridge_causes.between(case.node, link, out, came.data, came.length - 14, tables, case.wiring, case.evidence)


def _is_here(case: Case) -> bool:
    decision = case.decide()
    return decision is not None and decision.kind == "local"


def _from_text(case: Case) -> Reason:
    event, packet = case.leaf.event, case.packet
    kind, text, hint = _TEXTS.get(event.reason) or ("kernel", f"dropped in {{node}}{_word(event.reason)}", "")
    port = f"{'UDP' if packet.protocol in IN_UDP else packet.protocol} port {packet.ports[1]}"
    names = {"node": event.node, "interface": event.interface, "port": port}
    names |= {"source": case.who(packet.source), "destination": case.who(packet.destination)}
    return Reason(kind, text.format(**names), (), hint.format(**names))


def _word(reason: str) -> str:
    """The kernel's own name of a reason that has no text of ours."""
    return "" if reason in ("", "NOT_SPECIFIED") else f": the kernel says {reason}"
