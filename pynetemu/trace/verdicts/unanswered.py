"""Packets that want an answer: pings, connections, ARP. What it means when the answer is a refusal, or does not come."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_interface

from pynetemu.packets.dissect import Packet, dissect
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts.causes import TABLES
from pynetemu.trace.verdicts.conversations import Conversations
from pynetemu.trace.verdicts.evidence import Evidence
from pynetemu.trace.verdicts.not_taken import kept_from, link_down
from pynetemu.trace.verdicts.verdict import Ending, Reason, died


class Requests:
    def __init__(self, conversations: Conversations, wiring: Wiring, evidence: Evidence) -> None:
        self._conversations, self._wiring, self._evidence = conversations, wiring, evidence

    def judged(self, journey: Journey, packet: Packet, endings: list[Ending]) -> list[Ending]:
        """The endings, with what the answers say about them."""
        if packet.kind == "who-has" and packet.protocol in ("ARP", "ND"):
            return self._arp(journey, packet, endings)
        return [self._answered(ending) if ending.fate == "delivered" else ending for ending in endings]

    def _answered(self, ending: Ending) -> Ending:
        """A delivered packet whose receiver refused it, or cannot answer."""
        event = ending.sighting.event
        packet = dissect(event.data)
        if packet.kind == "echo request" or packet.kind == "SYN":
            answer = self._conversations.answer(ending.node, packet, event.time)
            if answer is None:
                reason = self._no_answer(ending.node, packet)
                return Ending(ending.sighting, "unanswered", reason)
        refusal = self._refusal(ending.node, packet, event.time)
        return Ending(ending.sighting, "dropped", self._closed(ending.node, packet, refusal)) if refusal else ending

    def with_refusal(self, reason: Reason, node: str, packet: Packet, time: int) -> Reason:
        """The kernel's word that nobody listens, with what was answered."""
        found = self._closed(node, packet, self._refusal(node, packet, time))
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
        port = packet.ports[1]
        text = f"nothing listens on {packet.protocol} port {port} of {node}" + (
            f": it refused, see {refusal}" if refusal else ""
        )
        others = self._evidence.listening(node, packet.protocol, port)
        details = [f"a program listens on port {port} of {address} only" for address in others if address != packet.destination]
        return Reason("port", text, tuple(details), f"{node} ss -ln{packet.protocol.lower()[0]}p", TABLES)

    def _no_answer(self, node: str, packet: Packet) -> Reason | None:
        """Why a node that has got a request sent nothing back; None when nothing speaks against it: it may still come."""
        tables = self._evidence.tables(node)
        if tables is None:
            return None
        back, who = tables.decide(packet.source), self._named(packet.source)
        if back.kind in ("no route", "unreachable", "prohibit", "blackhole"):
            hint = f"{node} ip route add {self._wiring.route_to(node, packet.source)}"
            return Reason("route", f"{node} got it, but cannot answer: no route in {node} back to {who}", (), hint, TABLES)
        hop = back.gateway or packet.source
        if asked := self._conversations.asked(node, hop):
            because = self.unanswered_arp(asked, dissect(asked.first.data))
            text = f"{node} got it, but cannot answer: nobody answers its ARP for {self._named(hop)}"
            return Reason("arp", text, (because.text,), because.hint, TABLES)
        if packet.kind == "echo request" and self._evidence.setting(node, "net/ipv4/icmp_echo_ignore_all") == "1":
            hint = f"{node} sysctl -w net.ipv4.icmp_echo_ignore_all=0"
            return Reason("ignored", f"{node} got it, and ignores pings", (), hint, TABLES)
        what = "the ping" if packet.kind == "echo request" else "the connection"
        return Reason("unanswered", f"{node} got it, and did not answer {what} in time", (), "", TABLES)

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
        owners = self._wiring.owners.get(address) or self._evidence.owners.get(address, set())
        if not owners:
            text = f"nobody answers for {address}: no interface of the lab has this address"
            return Reason("arp", text, (), "nodes", TABLES)
        owner = next(iter(sorted(owners)))
        if owner in journey.path:
            return Reason("arp", f"{owner} got it, and did not answer", (), f"{owner} sysctl -a -r arp_", TABLES)
        interface = self._wiring.interface_of(address)
        blocked = kept_from(owner, journey, self._wiring, self._evidence) or link_down(owner, interface, self._evidence)
        if blocked is not None:
            return blocked
        text = f"nobody answers for {address}: {owner} has it, and is not on this network"
        return Reason("arp", text, self._prefixes(asking, address), f"{asking} ip addr", TABLES)

    def _prefixes(self, node: str, address: str) -> tuple[str, ...]:
        """The node's own prefixes that make it believe that the address is near."""
        return tuple(
            f"{node} has {own}, so it takes {address} for a neighbor"
            for own in self._wiring.prefixes.get(node, ())
            if ":" not in address and ip_interface(address).ip in own.network
        )

    def _named(self, address: str) -> str:
        name = self._wiring.name(address)
        return address if name == address else f"{address} ({name})"


def ends_badly(endings: Sequence[Ending]) -> bool:
    """Whether there is something to tell: a packet lost, refused, or without the answer that it wanted."""
    return any(ending.fate in ("dropped", "waiting", "unanswered") and ending.reason for ending in endings)
