"""Packets that want an answer: pings, connections, ARP. What it means when the answer is a refusal, or does not come."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_interface

from pynetemu.packets.dissect import Packet, dissect, is_to_many
from pynetemu.plan.inventory import Place
from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.evidence.lookups import NodeTables
from pynetemu.trace.evidence.rules import Keys
from pynetemu.trace.journeys.flows import flow_of
from pynetemu.trace.journeys.journey import Journey, Sighting
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts.bridge_causes import hairpin_off
from pynetemu.trace.verdicts.case import COUNTERS, PACKETS, TABLES, Case
from pynetemu.trace.verdicts.causes import blocked_by_ipsec, lost_address, refused_by_routing, unknown_vlan
from pynetemu.trace.verdicts.conversations import Conversations
from pynetemu.trace.verdicts.firewall import by_rule, reason_of_rule
from pynetemu.trace.verdicts.icmp_errors import told_by_error
from pynetemu.trace.verdicts.interfaces import link_down, unusable
from pynetemu.trace.verdicts.not_taken import kept_from, on_network
from pynetemu.trace.verdicts.tunnels import IN_UDP, end_of_tunnel
from pynetemu.trace.verdicts.verdict import Ending, Reason, died
from pynetemu.wording import counted


class Requests:
    """`because` tells why a question for a MAC address, that a node has sent, was in vain; `lost` why a packet was lost."""

    def __init__(
        self,
        conversations: Conversations,
        wiring: Wiring,
        evidence: Evidence,
        because: Callable[[Journey], Reason],
        lost: Callable[[Journey], Reason | None],
    ) -> None:
        self._conversations, self._wiring, self._evidence = conversations, wiring, evidence
        self._because, self._lost = because, lost

    def judged(self, journey: Journey, packet: Packet, endings: list[Ending]) -> list[Ending]:
        """The endings, with what the answers say about them."""
        if packet.kind == "who-has" and packet.protocol in ("ARP", "ND"):
            return self._arp(journey, packet, endings)
        return [self._answered(ending) if ending.fate == "delivered" else ending for ending in endings]

    def _answered(self, ending: Ending) -> Ending:
        """A delivered packet whose receiver refused it, or cannot answer."""
        event = ending.sighting.event
        if event.kind == "out" and event.interface != "lo":
            return ending  # it went where nothing is seen: into a tunnel, out of the lab
        packet = dissect(event.data)
        if packet.inner is None and packet.kind in ("echo request", "SYN"):
            answer = self._conversations.answer(ending.node, packet, event.time)
            if answer is None and is_to_many(event.data) and self._conversations.has_echo(packet.ports[1]):
                return Ending(ending.sighting, "ignored")  # others have answered
            if answer is None:
                reason = self._no_answer(ending.node, packet)
                return Ending(ending.sighting, "unanswered", reason)
        if packet.kind == "SYN+ACK" and (stranger := self._without_connection(ending.sighting, packet)):
            return Ending(ending.sighting, "dropped", stranger)
        if packet.protocol == "UDP" and self._conversations.has_sent(ending.node, flow_of(event.data)[::-1], event.time):
            return ending  # an answer, to a socket of another kind: that its port is closed means nothing
        refusal = self._refusal(ending.node, packet, event.time)
        if refusal and (strayed := self._from_elsewhere(ending.node, packet, refusal)):
            return Ending(ending.sighting, "dropped", strayed)
        if refusal:
            return Ending(ending.sighting, "dropped", self._closed(ending.node, packet, refusal))
        error = told_by_error(Case(ending.sighting, packet, self._evidence, self._wiring, self._conversations))
        return Ending(ending.sighting, "dropped", error) if error else ending

    def _without_connection(self, sighting: Sighting, packet: Packet) -> Reason | None:
        """An answer that a node refused because it had not asked: translated on the way, and not on the way back."""
        node, came = sighting.event.node, sighting.came
        if self._conversations.has_sent(node, flow_of(sighting.event.data)[::-1], came):
            return None
        answer = self._conversations.answer(node, packet, came)
        if answer is None or "RST" not in dissect(answer.first.data).kind:
            return None
        return no_connection(node, packet, self._named(packet.source), PACKETS)

    def _from_elsewhere(self, node: str, packet: Packet, refusal: str) -> Reason | None:
        """An answer that came from another address or port than was asked: a connected socket takes it for a stranger's."""
        asked = self._conversations.asked_from(node, packet.ports[1]) if packet.protocol == "UDP" else None
        if asked is None or asked == (packet.source, packet.ports[0]) or not self._is_one_node(asked[0], packet.source):
            return None
        who, (address, port) = self._named(packet.source), asked
        text = f"{who} answered from UDP port {packet.ports[0]}, and {node} had asked port {port} of {address}"
        hint = f"{self._wiring.name(packet.source)} ss -nup"
        return Reason("port", f"{text}: it refused, see {refusal}", (), hint, PACKETS)

    def _is_one_node(self, *addresses: str) -> bool:
        return len({self._wiring.name(address) for address in addresses}) == 1

    def with_refusal(self, reason: Reason, node: str, packet: Packet, time: int) -> Reason:
        """The kernel's word that nobody listens, with what was answered."""
        refusal = self._refusal(node, packet, time)
        found = (self._from_elsewhere(node, packet, refusal) if refusal else None) or self._closed(node, packet, refusal)
        return replace(found, source=reason.source, proof=reason.proof)

    def _refusal(self, node: str, packet: Packet, time: int) -> str:
        """Which packet says that a port is closed, as words; "" when none does."""
        if packet.kind == "SYN":
            answer = self._conversations.answer(node, packet, time)
            return f"packet {answer.number} (RST)" if answer and "RST" in dissect(answer.first.data).kind else ""
        error = self._conversations.error_about(packet, time) if packet.protocol == "UDP" else None
        if error and error[0].first.node == node and "(port)" in error[1].kind:
            return f"packet {error[0].number} (ICMP)"
        return ""

    def _closed(self, node: str, packet: Packet, refusal: str) -> Reason:
        packet = replace(packet, protocol="UDP") if packet.protocol in IN_UDP else packet
        port = packet.ports[1]
        text = f"nothing listens on {packet.protocol} port {port} of {node}" + (
            f": it refused, see {refusal}" if refusal else ""
        )
        tables = self._evidence.tables(node)
        own = tables.addresses if tables else {}
        if tables is not None and tables.decide(Keys(packet.source, packet.destination)).kind != "local" and refusal:
            text = (
                f"{node} took it for itself, though it is not {self._named(packet.destination)}, and refused it: see {refusal}"
            )
            return Reason("refused", text, ("a rule of its firewall may redirect it",), f"{node} nft list ruleset", PACKETS)
        if {packet.source, packet.destination} <= own.keys() and not ip_address(packet.destination).is_loopback:
            text += f"; {node} itself has {packet.destination}"
        having = sorted(self._wiring.owners.get(packet.destination, set()) - {node})
        if having and not ip_address(packet.destination).is_loopback:
            text += f"; {having[0]} has {packet.destination}" + (f", as {node}" if packet.destination in own else "")
        others = self._evidence.listening(node, packet.protocol, port)
        details = [f"a program listens on port {port} of {address} only" for address in others if address != packet.destination]
        return Reason("port", text, tuple(details), f"{node} ss -ln{packet.protocol.lower()[0]}p", TABLES)

    def _no_answer(self, node: str, packet: Packet) -> Reason | None:
        """Why a node that has got a request sent nothing back; None when nothing speaks against it: it may still come."""
        tables = self._evidence.tables(node)
        if tables is None:
            return None
        if known := self._in_vain(node, packet, tables):
            return known
        keys = _back(packet)
        back, who = tables.decide(keys), self._named(packet.source)
        if back.kind in ("no route", "unreachable", "prohibit", "blackhole"):
            why = refused_by_routing(node, back, keys, self._wiring, self._evidence)
            text = f"no route in {node} back to {who}" if why.text.startswith("no route") else why.text
            return replace(why, text=f"{node} got it, but cannot answer: {text}")
        hop = back.gateway or packet.source
        if asked := self._conversations.asked(node, hop):
            because = self._because(asked)
            text = f"{node} got it, but cannot answer: nobody answers its ARP for {self._named(hop)}"
            return Reason("arp", text, (because.text,), because.hint, TABLES)
        if packet.kind == "echo request" and (ignored := self._ignored(node, packet)):
            return ignored
        if packet.kind == "SYN" and not self._evidence.listening(node, "TCP", packet.ports[1]):
            return self._closed(node, packet, "")  # a rule may have redirected it
        what = "the ping" if packet.kind == "echo request" else "the connection"
        return Reason("unanswered", f"{node} got it, and did not answer {what} in time", (), "", TABLES)

    def _in_vain(self, node: str, packet: Packet, tables: NodeTables) -> Reason | None:
        """Why a node that got a request has nothing to answer: it is not its own any more, or did not come in whole."""
        moved, address = self._evidence.moved.get(node, {}), ip_address(packet.destination)
        if blocked := blocked_by_ipsec(node, self._evidence):
            return blocked
        is_its_own = address.is_multicast or packet.destination in tables.addresses
        if not is_its_own and (gone := lost_address(node, packet.destination, self._wiring)):
            return gone
        if "fragment" in packet.text and (failed := moved.get("IpReasmFails", 0) + moved.get("Ip6ReasmFails", 0)):
            text = f"{node} could not put the fragments together again: it gave up {counted(failed, 'time')}"
            knob = "net.ipv6.ip6frag_high_thresh" if ":" in packet.destination else "net.ipv4.ipfrag_high_thresh"
            return Reason("fragments", text, (), f"{node} sysctl {knob}", COUNTERS)
        if packet.kind == "SYN" and moved.get("TcpExtTCPMinTTLDrop"):
            what = "hop limit" if ":" in packet.destination else "TTL"
            text = (
                f"{node} wants a higher {what} on TCP port {packet.ports[1]} than {packet.ttl}, with which it came (IP_MINTTL)"
            )
            return Reason("ttl", text, (), f"{node} nstat -az TcpExtTCPMinTTLDrop", COUNTERS)
        if packet.kind == "SYN" and any(moved.get(f"TcpExtTCPMD5{name}") for name in ("NotFound", "Unexpected", "Failure")):
            text = f"{node} wants signed segments (TCP-MD5) on port {packet.ports[1]}, and takes none without the signature"
            return Reason("socket", text, (), f"{node} ss -lnt", COUNTERS)
        return None

    def _ignored(self, node: str, packet: Packet) -> Reason | None:
        """The setting by which a node answers no pings, or none to a broadcast address."""
        knob, what = ("net.ipv6.icmp.echo_ignore_all" if ":" in packet.source else "net.ipv4.icmp_echo_ignore_all"), "pings"
        if packet.macs[1] == "ff:ff:ff:ff:ff:ff":
            knob, what = "net.ipv4.icmp_echo_ignore_broadcasts", "pings to a broadcast address"
        if self._evidence.setting(node, knob.replace(".", "/")) != "1":
            return None
        return Reason("ignored", f"{node} got it, and ignores {what}", (), f"{node} sysctl -w {knob}=0", TABLES)

    def _arp(self, journey: Journey, packet: Packet, endings: list[Ending]) -> list[Ending]:
        address = packet.destination
        if self._conversations.answer_to_arp(journey, address) is not None or packet.source in ("0.0.0.0", "::"):
            return endings
        if died(endings) and any(ending.reason for ending in endings):
            return endings
        reason = self.unanswered_arp(journey, packet)
        return [*endings, Ending(journey.sightings[0], "unanswered", reason)]

    def unanswered_arp(self, journey: Journey, packet: Packet) -> Reason:
        """Why a question for a MAC address was in vain."""
        asking, address = journey.first.node, packet.destination
        owners = self._owners_now(address)
        if not owners:
            return self._nobody_has(address)
        owner = sorted(owners)[0]
        if rule := self._by_rule(journey, owner):
            return rule
        interface = self._wiring.interface_of(address)
        if any(one.event.node == owner and one.event.kind != "out" for one in journey.sightings):
            answer = self._conversations.answer_of(owner, address, journey.time)
            return (self._lost(answer) if answer else None) or self._silent_owner(journey, owner, address)
        blocked = kept_from(owner, journey, self._wiring, self._evidence) or link_down(owner, interface, self._evidence)
        if blocked is None and (parent := self._wiring.under.get((owner, interface))) is not None:
            blocked = link_down(*parent, self._evidence)
        if blocked is not None:
            return blocked
        if apart := self._kept_apart((asking, journey.first.interface), owner, address):
            return apart
        if on_network(owner, journey, self._wiring, self._evidence):
            text = f"nobody answers for {address}: the question did not come to {owner}, which has it"
            return Reason("lost", text, (), f"{journey.path[-1]} bridge -d link", TABLES)
        text = f"nobody answers for {address}: {owner} has it, and is not on this network"
        return Reason("arp", text, self._prefixes(asking, address), f"{asking} ip addr", TABLES)

    def _kept_apart(self, place: Place, owner: str, address: str) -> Reason | None:
        """Macvlans do not reach the interface that they are on, and each other only in mode bridge."""
        parent, near = self._wiring.under.get(place), self._evidence.link(*place)
        if parent is None or near is None or near.kind != "macvlan":
            return None
        nobody = f"nobody answers for {address}: it did not come to {owner}, which has it; {place[0]} {near.name}"
        if parent[0] == owner and self._wiring.interface_of(address) == parent[1]:
            apart = "is a macvlan, which the kernel keeps apart from the interface that it lies on"
            return Reason("arp", f"{nobody} {apart}", (), "", TABLES)
        for other in (one for one, on in self._wiring.under.items() if on == parent and one[0] == owner):
            far, port = self._evidence.link(*other), self._wiring.peers.get(parent)
            if "private" in (near.macvlan, far.macvlan if far else ""):
                apart = f"and {owner} {other[1]} are macvlans of mode private, which the kernel keeps apart"
                return Reason("arp", f"{nobody} {apart}", (), f"{owner} ip -d link show {other[1]}", TABLES)
            link = self._evidence.link(*port) if port else None
            if port is not None and link is not None and link.port and not link.hairpin:
                return hairpin_off(*port)
        return None

    def _silent_owner(self, journey: Journey, owner: str, address: str) -> Reason:
        """Why a node that has an address, and got the question for it, did not answer."""
        came = next(sighting for sighting in reversed(journey.sightings) if sighting.event.node == owner)
        case = Case(came, dissect(came.event.data), self._evidence, self._wiring, self._conversations)
        down = link_down(owner, self._wiring.interface_of(address), self._evidence)
        untaken = unknown_vlan(owner, came.event.interface, came.event.data, self._evidence)
        if reason := end_of_tunnel(case) or down or untaken or unusable(owner, address, self._wiring, self._evidence):
            return reason
        if dropped := self._answer_dropped(owner, address):
            return dropped
        if foreign := self._not_local(owner, address, came.event.interface, dissect(came.event.data).source):
            return foreign
        link = self._evidence.link(owner, came.event.interface)
        if link is not None and not link.does_arp:
            text = f"{owner} {link.name} neither asks nor answers: ARP is off there"
            return Reason("arp", text, (), f"{owner} ip link set {link.name} arp on", TABLES)
        ignore = [self._evidence.setting(owner, f"net/ipv4/conf/{place}/arp_ignore") for place in ("all", came.event.interface)]
        if ":" not in address and any(value not in ("", "0") for value in ignore):
            text = f"{owner} got it, and answers for no address of another interface: arp_ignore is {max(ignore)}"
            hint = f"{owner} sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.{came.event.interface}.arp_ignore=0"
            return Reason("arp", text, (), hint, TABLES)
        hint = f"{owner} nft list ruleset" if ":" in address else f"{owner} sysctl -a -r arp_"
        return Reason("arp", f"{owner} got it, and did not answer", (), hint, TABLES)

    def _answer_dropped(self, owner: str, address: str) -> Reason | None:
        """The rule by which a node has dropped its own answer about an address."""
        packed = ip_address(address).packed
        for drop in self._evidence.firewall.drops:
            if drop.node != owner:
                continue
            is_arp = drop.network[:2] == b"\0\1" and drop.network[6:8] == b"\0\2" and drop.network[14:18] == packed
            is_nd = drop.transport[:1] == b"\x88" and drop.network[8:24] == packed  # of the target the trace has a part
            if (is_arp or is_nd) and (reason := reason_of_rule(drop, self._evidence)):
                return reason
        return None

    def _not_local(self, owner: str, address: str, interface: str, asking: str) -> Reason | None:
        """Routing that does not take an address of the node for its own, or does not believe who asks: ARP goes by it."""
        tables = self._evidence.tables(owner)
        if tables is None or ":" in address or address not in tables.addresses:
            return None
        decision = tables.decide(Keys(asking, address, interface))
        self._evidence.note(owner, f"route for {asking} → {address} iif {interface}", decision.text(tables.names))
        if decision.kind == "filtered":
            text = f"{owner} does not answer {self._named(asking)}: its way back does not lead through {interface} (rp_filter)"
            return Reason("rp_filter", text, (), f"{owner} sysctl -w net.ipv4.conf.all.rp_filter=0", TABLES)
        if decision.kind in ("local", "refused"):
            return None
        text = f"{owner} has {address}, and its routing does not take it for its own: {decision.text(tables.names)}"
        return Reason("route", text, (), f"{owner} ip rule add pref 0 lookup local", TABLES)

    def _owners_now(self, address: str) -> set[str]:
        """The nodes that have an address; those of the plan are asked first, and believed when they can no longer be asked."""
        planned = self._wiring.owners.get(address, set())
        tables = {node: self._evidence.tables(node) for node in planned}
        having = {node for node, known in tables.items() if known is None or address in known.addresses}
        return having or self._evidence.owners.get(address, set())

    def _nobody_has(self, address: str) -> Reason:
        """An address that no node has, and what became of it where one of the plan had it."""
        nobody = f"nobody answers for {address}"
        planned, interface = sorted(self._wiring.owners.get(address, ())), self._wiring.interface_of(address)
        if not planned:
            return Reason("arp", f"{nobody}: no interface of the lab has this address", (), "nodes", TABLES)
        node = planned[0]
        if ":" in address and self._evidence.setting(node, f"net/ipv6/conf/{interface}/disable_ipv6") == "1":
            hint = f"{node} sysctl -w net.ipv6.conf.{interface}.disable_ipv6=0"
            return Reason("arp", f"{nobody}: IPv6 is off on {node} {interface}", (), hint, TABLES)
        if down := link_down(node, interface, self._evidence):
            return down
        gone = lost_address(node, address, self._wiring)
        hint = gone.hint if gone else f"{node} ip addr"
        return Reason("arp", f"{nobody}: {node} has no such address any more", (), hint, TABLES)

    def _by_rule(self, journey: Journey, owner: str) -> Reason | None:
        """The rule of the owner that dropped a question; or of a bridge on its way, of which it did not come to the owner."""
        for sighting in journey.sightings:
            event = sighting.event
            port = self._evidence.link(event.node, event.interface)
            is_on_the_way = event.node == owner or (owner not in journey.path and port is not None and port.port)
            case = Case(sighting, dissect(event.data), self._evidence, self._wiring, self._conversations)
            if event.kind == "in" and is_on_the_way and (reason := by_rule(case)):
                return reason
        return None

    def _prefixes(self, node: str, address: str) -> tuple[str, ...]:
        """The node's own prefixes that make it believe that the address is near; or that none does."""
        own = [own for own in self._wiring.prefixes.get(node, ()) if ip_interface(address).ip in own.network]
        if own:
            return tuple(f"{node} has {one}, so it takes {address} for a neighbor" for one in own if ":" not in address)
        tables = self._evidence.tables(node)
        refusing = tables.decide(Keys("", address)).perhaps if tables else None
        if refusing is None or not refusing.output:
            return ()
        what = f"what is bound to {refusing.output} has no route"
        return (f"{what} by the rule {refusing.text} of {node}, so the kernel takes {address} for a neighbor",)

    def _named(self, address: str) -> str:
        name = self._wiring.name(address)
        return address if name == address else f"{address} ({name})"


def no_connection(node: str, packet: Packet, who: str, source: str) -> Reason:
    """A segment for a connection that its receiver does not have; `who` is the sender's address with its name."""
    near, far = packet.ports
    text = f"{node} knows no connection of its port {far} with port {near} of {who}"
    return Reason("connection", text, (), f"{node} ss -tan", source)


def _back(packet: Packet) -> Keys:
    """What an answer to a packet is looked up by."""
    protocol = {"TCP": 6, "UDP": 17, "ICMP": 58 if ":" in packet.source else 1}.get(packet.protocol, 0)
    return Keys(packet.destination, packet.source, "", protocol, packet.ports[::-1] if protocol in (6, 17) else None, mark=0)


def ends_badly(endings: Sequence[Ending]) -> bool:
    """Whether there is something to tell: a packet lost, refused, or without the answer that it wanted."""
    return any(ending.fate in ("dropped", "waiting", "unanswered") and ending.reason for ending in endings)
