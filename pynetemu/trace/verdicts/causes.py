"""Why a packet ended in a router: each cause looks for its proof, and says what it is, what proves it, and what to try.

They are asked in the order in which the kernel itself would come to them. Where the kernel has named the reason (`code`), the
one it stands for is told, and the tables only add to it.
"""

from collections.abc import Callable, Sequence
from ipaddress import ip_address

from pynetemu.engine.messages.tables import Hop
from pynetemu.packets.dissect import dissect, is_to_many
from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.evidence.lookups import Decision, NodeTables
from pynetemu.trace.evidence.rules import Keys
from pynetemu.trace.journeys.journey import Sighting
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts import interfaces
from pynetemu.trace.verdicts.addressed import sender_of
from pynetemu.trace.verdicts.case import BYTES, COUNTERS, KERNEL, TABLES, Case
from pynetemu.trace.verdicts.filters import by_filter, by_program, redirected_to
from pynetemu.trace.verdicts.filters import queue_full as queue_full
from pynetemu.trace.verdicts.firewall import by_rule
from pynetemu.trace.verdicts.icmp_errors import told_by_error
from pynetemu.trace.verdicts.verdict import Reason

_TAGGED = (b"\x81\x00", b"\x88\xa8")  # IEEE 802.1Q, 802.1ad
_BROADCAST, _KERNEL = 3, 2  # RTN_BROADCAST; RTPROT_KERNEL: of a network that an address is in
Cause = Callable[[Case], Reason | None]


def malformed(case: Case) -> Reason | None:
    """A header that no kernel takes (RFC 1122, 3.2.1.1); of a packet that was seen in part nothing is said."""
    event, packet = case.leaf.event, case.packet
    if packet.kind != "malformed" or packet.protocol not in ("IPv4", "IPv6") or len(event.data) < event.length:
        return None
    return Reason("malformed", f"{case.node} discards it: {packet.text}", (), f"{case.node} cat /proc/net/snmp", BYTES)


def too_old(case: Case) -> Reason | None:
    ttl = case.packet.ttl
    decision = case.decide()
    if ttl is None or ttl > 1 or is_to_many(case.leaf.event.data) or (decision and decision.kind == "local"):
        return None
    what = "hop limit" if ":" in case.packet.destination else "TTL"
    text, circles = f"{what} expired in {case.node}: it came with {ttl}, and each router takes 1", _circles(case)
    details, hint = (circles, "") if circles else _sent_with_few(case)
    return Reason("ttl", text, details, hint or f"{case.node} ip route get {case.packet.destination}", TABLES)


def _sent_with_few(case: Case) -> tuple[tuple[str, ...], str]:
    """The setting of its sender by which a packet had so few hops."""
    *_, sent = case.leaf.back()
    event, packet = sent.event, dissect(sent.event.data)
    if event.kind != "out" or packet.inner is not None:
        return (), ""
    is_ipv6 = ":" in packet.destination
    knob = f"net.ipv6.conf.{event.interface}.hop_limit" if is_ipv6 else "net.ipv4.ip_default_ttl"
    value = case.evidence.setting(event.node, knob.replace(".", "/"))
    if not value or value != str(packet.ttl):
        return (), ""
    return (f"{event.node} sends with {value}: {knob}",), f"{event.node} sysctl -w {knob}=64"


def unknown_vlan(node: str, interface: str, frame: bytes, evidence: Evidence) -> Reason | None:
    """A frame with a VLAN's tag at an interface that has none for this VLAN: no program of the node gets to see it."""
    tables, number = evidence.tables(node), int.from_bytes(frame[14:16]) & 0xFFF
    link = tables.links.get(interface) if tables else None
    if frame[12:14] not in _TAGGED or not number or tables is None or link is None:
        return None
    here = [other.vlan for other in tables.links.values() if other.lower == link.index and other.vlan is not None]
    if number in here:
        return None
    known = f"it has {', '.join(map(str, here))}" if here else "it has none"
    text = f"{node} {interface} takes nothing of VLAN {number}: {known}"
    return Reason("vlan", text, (), f"{node} ip -d link show type vlan", TABLES)


def _circles(case: Case) -> tuple[str, ...]:
    """That it went round, if it was in a router more than once."""
    visits: dict[str, int] = {}
    sighting: Sighting | None = case.leaf
    while sighting is not None:
        if sighting.event.kind == "in" and not case.wiring.is_bridge(sighting.event.node):
            visits[sighting.event.node] = visits.get(sighting.event.node, 0) + 1
        sighting = sighting.before
    twice = [node for node, number in reversed(visits.items()) if number > 1]
    return (f"it went in circles through {' and '.join(twice)}",) if twice else ()


def by_loopback(case: Case) -> Reason | None:
    """What a node has sent by its loopback, though it is for another: bound to that interface, nothing leaves the node."""
    decision = case.decide() if case.interface == "lo" else None
    if decision is None or decision.kind == "local" or case.packet.destination in case.wiring.addresses_of(case.node):
        return None
    if ip_address(case.packet.destination).is_loopback:  # every node's own
        return None
    if (redirected := redirected_to(case.node, "lo", case.evidence)) is not None:
        return redirected
    text = f"{case.node} sent it by lo, from where nothing leaves {case.node}: it is for {case.who(case.packet.destination)}"
    return Reason("route", text, (), f"{case.node} ip route get {case.packet.destination}", TABLES)


def not_a_router(case: Case) -> Reason | None:
    family = "ipv6" if ":" in case.packet.destination else "ipv4"
    decision = case.decide()
    if not case.arrived or (decision and decision.kind in ("local", "filtered")):
        return None
    # IPv4 refuses when it looks for the route, IPv6 when it has found one.
    if decision and decision.kind == "forwarded" and family == "ipv4":
        return None
    if decision and decision.kind == "broadcast":
        return directed_broadcast(case)
    if gone := lost_address(case.node, case.packet.destination, case.wiring):
        return gone
    path = f"net/{family}/conf/{case.interface if family == 'ipv4' else 'all'}/forwarding"
    if case.evidence.setting(case.node, path) != "0" and case.code != "IP_INADDRERRORS":
        return None
    knob = "net.ipv4.ip_forward" if family == "ipv4" else "net.ipv6.conf.all.forwarding"
    if family == "ipv4" and case.evidence.setting(case.node, "net/ipv4/ip_forward") == "1":
        knob = f"net.ipv4.conf.{case.interface}.forwarding"
        text = f"{case.node} does not route what comes by {case.interface}: {knob} is 0"
        return Reason("forwarding", text, (), f"{case.node} sysctl -w {knob}=1", TABLES)
    text = f"{case.node} is no router: it is not {case.who(case.packet.destination)}, and {knob} is 0"
    if misled := _by_wrong_neighbor(case):
        details, hint = misled
        return Reason("forwarding", text, details, hint, TABLES)
    return Reason("forwarding", text, (), f"{case.node} sysctl -w {knob}=1", TABLES)


def _by_wrong_neighbor(case: Case) -> tuple[tuple[str, ...], str] | None:
    """That a frame came to a node since its sender has the node's MAC address for an IP address of another."""
    event, mac = sender_of(case.leaf).event, case.leaf.event.data[:6].hex(":")
    tables = case.evidence.tables(event.node)
    for entry in tables.neighbors if tables else ():
        owners = case.wiring.owners.get(entry.address, set())
        if entry.mac == mac and owners and case.node not in owners:
            what = f"{event.node} has the MAC address of {case.node} for {case.who(entry.address)}"
            return (what,), f"{event.node} ip neigh del {entry.address} dev {event.interface}"
    return None


def directed_broadcast(case: Case) -> Reason | None:
    """What is for all of a network behind a router, which takes it for itself alone (RFC 2644)."""
    decision = case.decide()
    if decision is None or decision.kind != "broadcast":
        return None
    tables = case.evidence.tables(case.node)
    route = tables.routing.walk(case.keys).route if tables is not None else None
    if route is not None and route.kind == _BROADCAST and route.message is not None and route.message.protocol != _KERNEL:
        text = f"the routing table of {case.node} says broadcast for {case.who(case.packet.destination)}: {route.text}"
        return Reason("route", text, (), f"{case.node} ip route del {route.named}", TABLES)
    names = [f"net.ipv4.conf.{place}.bc_forwarding" for place in ("all", case.interface)]
    text = f"{case.packet.destination} is for all of a network of {case.node}, which passes on no such packets: {names[0]} is 0"
    hint = f"{case.node} sysctl -w {' '.join(f'{name}=1' for name in names)}"
    return Reason("forwarding", text, (), hint, TABLES)


def lost_address(node: str, address: str, wiring: Wiring) -> Reason | None:
    """An address that the node was given, and has no more."""
    found = next((own for own in wiring.planned.get(node, ()) if str(own.ip) == address), None)
    if found is None:
        return None
    name = wiring.interface_of(address)
    hint = f"{node} ip addr add {found} dev {name}"
    return Reason("address", f"{node} has no address {address} any more", (), hint, TABLES)


def filtered_by_source(case: Case) -> Reason | None:
    """A source that the node does not believe: one that no packet from outside may have, or one that lies elsewhere."""
    decision = case.decide()
    told = case.code == "IP_RPFILTER" or (decision is not None and decision.kind == "filtered")
    if not told or not case.arrived:
        return None
    source = case.packet.source
    if _is_martian(case):
        text = f"{case.node} does not believe the source {case.who(source)}: it cannot come by {case.interface}"
        return Reason("martian", text, (), f"{case.node} ip addr", TABLES)
    text = f"dropped by the reverse-path filter of {case.node}: {case.who(source)} is not reachable back by {case.interface}"
    knob = f"net.ipv4.conf.{case.interface}.rp_filter"
    value = case.evidence.setting(case.node, f"net/ipv4/conf/{case.interface}/rp_filter")
    both = case.evidence.setting(case.node, "net/ipv4/conf/all/rp_filter")
    details = (f"net.ipv4.conf.all.rp_filter = {both}, {knob} = {value}",) if both else ()
    hint = f"{case.node} sysctl -w net.ipv4.conf.all.rp_filter=0 {knob}=0"
    return Reason("rp_filter", text, details, hint, TABLES)


def _is_martian(case: Case) -> bool:
    """Whether no packet from outside may have this source: the node's own address, a loopback, no single interface's."""
    source, tables = ip_address(case.packet.source), case.evidence.tables(case.node)
    is_own = tables is not None and case.packet.source in tables.addresses
    return is_own or source.is_loopback or source.is_multicast or case.packet.source == "255.255.255.255"


def no_route(case: Case) -> Reason | None:
    decision, destination = case.decide(), case.packet.destination
    told = ("no route", "unreachable", "prohibit", "blackhole")
    if decision is None or decision.kind not in told:
        if case.code in ("IP_INNOROUTES", "IP_OUTNOROUTES"):
            return Reason("route", f"no route in {case.node} to {case.who(destination)}", (), "", KERNEL)
        return None
    return refused_by_routing(case.node, decision, case.keys, case.wiring, case.evidence)


def refused_by_routing(node: str, decision: Decision, keys: Keys, wiring: Wiring, evidence: Evidence) -> Reason:
    """The rule or the route of a node that refuses a packet, or that it has none."""
    destination, version = keys.destination, "-6 " if ":" in keys.destination else ""
    who = destination if wiring.name(destination) == destination else f"{destination} ({wiring.name(destination)})"
    rule, route = decision.rule, decision.route
    chosen = (f"rule {rule.priority}: {rule.text}",) if rule is not None and rule.priority not in (0, 32766, 32767) else ()
    if rule is not None and rule.action != "lookup":
        text = f"a routing rule of {node} says {rule.action} for {who}: {rule.text}"
        return Reason("route", text, (), f"{node} ip {version}rule del pref {rule.priority}", TABLES)
    if route is not None and rule is not None and rule.is_of_vrf and route.network.prefixlen == 0:  # where VRFs end
        text = f"no route in {node} to {who} in table {route.table}, that of the VRF by which it came"
        return Reason("route", text, (), f"{node} ip {version}route show table {route.table}", TABLES)
    if route is not None:
        text = f"the routing table of {node} says {decision.kind} for {who}: {route.text}"
        return Reason("route", text, chosen, f"{node} ip {version}route del {route.named}", TABLES)
    if decision.kind == "no route":
        for name in wiring.interfaces_towards(node, destination):
            if down := interfaces.link_down(node, name, evidence) or interfaces.far_end_down(node, name, wiring, evidence):
                return Reason("link", f"{down.text}, so there is no route in {node} to {who}", (), down.hint, TABLES)
        details, hint = _instead_of_a_route(node, keys, wiring, evidence)
        return Reason("route", f"no route in {node} to {who}", details, hint, TABLES)
    text = f"the routing table of {node} says {decision.kind} for {who}"
    return Reason("route", text, (), f"{node} ip {version}route get {destination}", TABLES)


def _instead_of_a_route(node: str, keys: Keys, wiring: Wiring, evidence: Evidence) -> tuple[tuple[str, ...], str]:
    """Why a node that has a route finds none, and what mends that; for one that has none, the route that it lacks."""
    version, tables = "-6 " if ":" in keys.destination else "", evidence.tables(node)
    thrown = tables.routing.thrown(keys) if tables is not None else None
    if thrown is not None:
        return (f"its route {thrown.text} hands it on to the next rule",), f"{node} ip {version}route del {thrown.named}"
    unused = tables.routing.unused(keys) if tables is not None else None
    if unused is not None:
        details = (f"its main table has {unused.named}, and none of its rules leads there",)
        return details, f"{node} ip {version}rule add pref 32766 lookup main"
    return (), f"{node} ip {version}route add {wiring.route_to(node, keys.destination)}"


def too_big(case: Case) -> Reason | None:
    found = case.way_out()
    if found is None or not case.packet.dont_fragment:
        return None
    decision, link = found
    limit, size = decision.mtu or (link.mtu if link else 0), _largest_on_wire(case)
    if not limit or size <= limit:
        return None
    is_told = case.code == "PKT_TOO_BIG" or any(case.counted(name) for name in ("IpFragFails", "Ip6InTooBigErrors"))
    if size < case.packet.size and not is_told:  # its segments may be smaller than they could be
        return None
    if decision.mtu and link and decision.mtu != link.mtu:
        who = case.who(case.packet.destination)
        text = f"too big for the route of {case.node} to {who}: {size} bytes, and the route's mtu is {limit}"
        return Reason("mtu", text, (), _without_mtu(case), TABLES)
    name = link.name if link else "the next link"
    text = f"too big for {case.node} {name}: {size} bytes, its MTU is {limit}, and it must not be fragmented"
    hint = f"send at most {limit} bytes, or: {case.node} ip link set {name} mtu {size}"
    return Reason("mtu", text, (), hint, TABLES)


def _without_mtu(case: Case) -> str:
    """How the route of a packet is given no mtu of its own; where that is not known, how one sees it."""
    destination, tables = case.packet.destination, case.evidence.tables(case.node)
    version = "-6 " if ":" in destination else ""
    route = tables.routing.walk(case.keys).route if tables is not None else None
    if tables is None or route is None or len(route.hops) != 1 or not route.message or route.message.next_hop_object:
        return f"{case.node} ip {version}route get {destination}"
    (hop,) = route.hops
    via = f" via {hop.gateway}" if hop.gateway else ""
    return f"{case.node} ip {version}route change {route.named}{via} dev {tables.names.get(hop.index, '')}"


def _largest_on_wire(case: Case) -> int:
    """How big a packet is at most on a wire: one that no link before could carry stands for several segments (GSO)."""
    seen = [sighting.event for sighting in case.leaf.back() if sighting.event.kind != "drop"]  # which may be where it was to go
    passed = [case.evidence.link(event.node, event.interface) for event in seen]
    return min(case.packet.size, *(link.mtu for link in passed if link), 1 << 16)


def link_down(case: Case) -> Reason | None:
    found = case.way_out()
    link = found[1] if found else None
    if link is None:
        return None
    down = interfaces.link_down(case.node, link.name, case.evidence)
    return down or interfaces.far_end_down(case.node, link.name, case.wiring, case.evidence)


def no_neighbor(case: Case) -> Reason | None:
    """A next hop that has not answered; where there are several of equal cost, any that was asked."""
    way, tables = case.way_out(), case.evidence.tables(case.node)
    if way is None or tables is None:
        return None
    hop = way[0].gateway or case.packet.destination
    if (reason := _silent_hop(case, tables, hop, way[0].interface)) is not None:
        return reason
    asked = (hop for hop in _other_hops(case, way[0], tables) if case.conversations.asked(case.node, hop.gateway))
    return next((reason for hop in asked if (reason := _silent_hop(case, tables, hop.gateway, hop.index))), None)


def next_hops(case: Case) -> list[str]:
    """To whom a packet may be passed on: whom the kernel names now, and others of equal cost."""
    way, tables = case.way_out(), case.evidence.tables(case.node)
    if way is None or tables is None:
        return []
    return [way[0].gateway or case.packet.destination, *(hop.gateway for hop in _other_hops(case, way[0], tables))]


def _other_hops(case: Case, decision: Decision, tables: NodeTables) -> Sequence[Hop]:
    """The next hops of equal cost with the one that was decided for."""
    route = tables.routing.walk(case.keys).route if decision.gateway else None
    return [hop for hop in route.hops if hop.gateway not in ("", decision.gateway)] if route else ()


def _silent_hop(case: Case, tables: NodeTables, hop: str, interface: int) -> Reason | None:
    known = [entry for entry in tables.neighbors if entry.address == hop and entry.interface == interface]
    if any(entry.answered for entry in known):
        return None
    if (
        not known
        and case.code not in ("NEIGH_FAILED", "NEIGH_QUEUEFULL", "NEIGH_DEAD")
        and not case.conversations.asked(case.node, hop)
    ):
        return None
    was_seen = case.conversations.asked(case.node, hop) is not None
    if not was_seen and (lost := by_filter(case) or queue_full(case)) and lost.kind != "queued":
        return lost  # the question itself did not get out
    asked = "neighbor discovery" if ":" in hop else "ARP"
    text = f"nobody answered the {asked} of {case.node} for {case.who(hop)} on {tables.names.get(interface, 'its link')}"
    return Reason("arp", text, (), f"{case.node} ip neigh", TABLES)


def by_ipsec(case: Case) -> Reason | None:
    return blocked_by_ipsec(case.node, case.evidence)


def blocked_by_ipsec(node: str, evidence: Evidence) -> Reason | None:
    """A policy that has blocked packets of the node meanwhile (/proc/net/xfrm_stat): no rule and no route tells of it."""
    moved = evidence.moved.get(node, {})
    counted = [f"{name} +{moved[name]}" for name in ("XfrmInPolBlock", "XfrmOutPolBlock", "XfrmInNoPols") if moved.get(name)]
    if not counted:
        return None
    text = f"blocked by an IPsec policy (XFRM) of {node}"
    return Reason("ipsec", text, (f"counters of {node} meanwhile: {', '.join(counted)}",), f"{node} ip xfrm policy", COUNTERS)


def unknown(case: Case) -> Reason:
    moved = case.evidence.moved.get(case.node, {})
    told = ", ".join(f"{name} +{value}" for name, value in moved.items())
    details = (f"counters of {case.node} meanwhile: {told}",) if told else ()
    found = case.way_out()
    if found and found[0].perhaps is not None:
        details = (f"perhaps by the rule {found[0].perhaps.text}: nobody has seen the packet's mark", *details)
    if (refused := told_by_error(case)) is not None:
        return refused
    return Reason("vanished", f"vanished in {case.node}", details, f"{case.node} nstat", COUNTERS)


IN_ROUTER: tuple[Cause, ...] = (
    by_rule,
    by_filter,
    too_old,
    filtered_by_source,
    not_a_router,
    no_route,
    link_down,
    too_big,
    no_neighbor,
    by_ipsec,
    queue_full,
    by_program,
)


def find(case: Case, causes: tuple[Cause, ...] = IN_ROUTER) -> Reason:
    """The first cause that has proof."""
    return next((reason for cause in causes if (reason := cause(case)) is not None), None) or unknown(case)
