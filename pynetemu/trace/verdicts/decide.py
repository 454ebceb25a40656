"""Decides what became of each packet: by where it was seen last, and by what that node would do with it."""

from collections.abc import Sequence
from dataclasses import replace

from pynetemu.packets.background import is_background
from pynetemu.packets.dissect import Packet, dissect, is_to_many
from pynetemu.trace.evidence.evidence import Evidence, Question
from pynetemu.trace.evidence.traced_line import TracedLine
from pynetemu.trace.journeys.flows import flow_of
from pynetemu.trace.journeys.journey import Journey, Sighting
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event
from pynetemu.trace.sources.expected_drops import is_expected_drop
from pynetemu.trace.verdicts import bridge_causes, causes, tunnels
from pynetemu.trace.verdicts.addressed import for_all_by_mistake, is_for_client, is_for_one
from pynetemu.trace.verdicts.case import KERNEL, Case
from pynetemu.trace.verdicts.conversations import Conversations
from pynetemu.trace.verdicts.destination import at_destination, has_right_checksum
from pynetemu.trace.verdicts.drop_reasons import proof_of, reason_of_kernel
from pynetemu.trace.verdicts.emulated import named, on_arrival
from pynetemu.trace.verdicts.firewall import by_rule
from pynetemu.trace.verdicts.for_a_while import looked_at_again
from pynetemu.trace.verdicts.fragments import Fragments
from pynetemu.trace.verdicts.groups import is_for_programs, is_group_ping, not_accepted, takes
from pynetemu.trace.verdicts.node_problems import node_problems
from pynetemu.trace.verdicts.not_taken import not_taken
from pynetemu.trace.verdicts.unanswered import Requests, no_connection
from pynetemu.trace.verdicts.verdict import Ending, Reason


class Verdicts:
    """Knows the plan and all packets; what else it needs it asks the nodes."""

    def __init__(
        self, journeys: Sequence[Journey], wiring: Wiring, evidence: Evidence, lines: Sequence[TracedLine] = ()
    ) -> None:
        self._journeys, self._wiring, self._evidence, self._lines = journeys, wiring, evidence, lines
        self._nodes = tuple(node for node in wiring.kinds if not wiring.is_bridge(node))
        self.conversations = Conversations(journeys)
        self._fragments = Fragments(journeys)
        self._requests = Requests(self.conversations, wiring, evidence, self._because, self._lost)

    @property
    def asked(self) -> list[Question]:
        """What the nodes have been asked until now, the latest last."""
        return self._evidence.asked

    def node_problems(self) -> list[Reason]:
        """What went wrong besides: packets that were never made, addresses that two nodes have."""
        return node_problems(self._journeys, self.conversations, self._wiring, self._evidence, self._lines)

    def endings(self, journey: Journey) -> list[Ending]:
        """How a journey ended, at each place where it did."""
        endings = [ending for leaf in journey.leaves if (ending := self._ending(journey, leaf)) is not None]
        packet = dissect(journey.first.data)
        if _not_accepted(endings):
            last = max(reversed(endings), key=lambda ending: len(list(ending.sighting.back())))
            reason = self._rule_on_the_way(last.sighting) or not_taken(journey, last.sighting, self._wiring, self._evidence)
            endings[endings.index(last)] = Ending(last.sighting, "dropped", reason)
        if all(ending.fate == "ignored" for ending in endings):
            endings = self._for_one(endings)
        is_for_group = is_for_programs(packet) or is_group_ping(packet)
        if endings and _is_for_many(journey) and is_for_group and not is_background(journey.first.data):
            endings = self._of_group(journey, packet, endings)
        judged = self._requests.judged(journey, packet, endings)
        return [named(ending, self._wiring, self._evidence) for ending in judged]

    def _for_one(self, endings: list[Ending]) -> list[Ending]:
        """The endings of a frame for all that nobody wanted; of one whose packet was for one node, with that."""
        last = max(endings, key=lambda ending: len(list(ending.sighting.back())), default=None)
        packet = dissect(last.sighting.event.data) if last else None
        if last is None or packet is None or packet.protocol == "UDP":
            return endings
        reason = for_all_by_mistake(last.sighting, packet, self._wiring, self._evidence)
        return [Ending(last.sighting, "dropped", reason)] if reason else endings

    def _of_group(self, journey: Journey, packet: Packet, endings: list[Ending]) -> list[Ending]:
        """The endings of a datagram for many; where no node accepted it, with why."""
        if any(ending.fate != "ignored" for ending in endings) or self.conversations.has_answer(journey):
            return endings
        if packet.kind == "echo request" and self.conversations.has_echo(packet.ports[1]):
            return endings
        reason = not_accepted(journey, packet, self._nodes, self._wiring, self._evidence)
        last = max(endings, key=lambda ending: ending.sighting.event.time)
        return [*(ending for ending in endings if ending is not last), Ending(last.sighting, "unanswered", reason)]

    def _ending(self, journey: Journey, leaf: Sighting) -> Ending | None:
        event = leaf.event
        packet = dissect(event.data)
        case = Case(leaf, packet, self._evidence, self._wiring, self.conversations, event.reason, leaf.before is not None)
        if (came := _before_loopback(leaf)) is not None:  # nobody sends to itself what came from others
            strayed = Case(came, dissect(came.event.data), self._evidence, self._wiring, self.conversations)
            return Ending(leaf, "dropped", causes.find(strayed))
        if event.interface == "lo" and (stays := by_rule(case) or causes.by_loopback(case)):
            return Ending(leaf, "dropped", stays)
        if event.kind == "drop":
            return self._dropped(journey, case)
        if event.kind == "out" and any(_is_end_of_link(other.event, event) for other in journey.sightings):
            return None  # told of by the drop
        if event.kind == "out":
            return None if self._went_on(journey, event) else self._sent(case)
        if any(other.event.kind == "drop" and other.event.node == event.node for other in journey.sightings):
            return None  # a copy of it is told of by the drop
        return self._arrived(journey, case)

    def _in_bridge(self, journey: Journey, case: Case) -> bool:
        """Whether a bridge was seen to have a frame that is no matter of its node's, or that its node has sent on."""
        place, event = (case.node, case.interface), case.leaf.event
        if place not in self._wiring.bridges:
            return False
        bridge = self._evidence.link(*place)
        if self._wiring.is_bridge(case.node) or bridge is None or bridge.mac != case.packet.macs[1]:
            return True
        outs = (sighting.event for sighting in journey.sightings if sighting.event.kind == "out")
        return any(out.node == event.node and out.time >= event.time for out in outs)

    def _kept(self, journey: Journey, case: Case) -> Ending | None:
        """What a bridge took in for itself alone, though it was for another; of what it passes on it only listens to."""
        event = case.leaf.event
        sent = any(one.event.node == event.node and one.event.kind == "out" for one in journey.sightings)
        if sent or is_to_many(event.data) or self._wiring.is_own_mac(case.node, case.packet.macs[1]):
            return None
        reason = bridge_causes.kept(case)
        return Ending(case.leaf, "dropped", reason) if reason else None

    def _dropped(self, journey: Journey, case: Case) -> Ending | None:
        peer = self._wiring.peers.get((case.node, case.interface))
        if peer is not None and _is_by_link(case.leaf.event):
            reason = replace(bridge_causes.on_link(case, peer), source=KERNEL, proof=proof_of(case.leaf.event))
            return Ending(case.leaf, "dropped", looked_at_again(case, reason))
        # An unnamed drop where the packet was to go is that of a handler which has read it, or could not answer.
        is_tunnels = case.packet.protocol in tunnels.TUNNELS and tunnels.end_of_tunnel(case) is not None
        is_read = not is_tunnels and case.leaf.event.reason == "NOT_SPECIFIED" and self._is_mine(case)
        sent = (one.event for one in journey.sightings if one.event.kind == "out" and one.event.node == case.node)
        looped = next((event.data for event in sent if is_to_many(event.data)), b"") if journey.first.node == case.node else b""
        event = case.leaf.event
        if is_for_client(case.packet) and self._has_mac((case.node, case.interface), case.packet.macs[1]):
            return Ending(case.leaf, "delivered")
        is_copy = looped and event.reason != "NETFILTER_DROP" and "dev_hard_start_xmit" not in event.place
        if is_copy and tunnels.not_sent(case) is None:
            return Ending(case.leaf, "ignored")  # a copy for the sender itself
        if is_expected_drop(case.leaf.event, looped) or has_right_checksum(case) or (is_read and by_rule(case) is None):
            arrived = next((s for s in reversed(journey.sightings) if s.event.kind == "in" and s.event.node == case.node), None)
            if arrived is None:
                return Ending(case.leaf, "ignored")
            fate = self._arrived(journey, Case(arrived, case.packet, self._evidence, self._wiring, self.conversations))
            place = (case.node, arrived.event.interface)
            is_told = fate is None or fate.fate != "dropped" or self._is_port(place) or place in self._wiring.bridges
            return fate if is_told else Ending(arrived, "ignored")
        if case.leaf.event.reason == "NO_SOCKET" and case.packet.protocol in ("TCP", "UDP") and case.packet.kind != "SYN":
            if self.conversations.has_sent(case.node, flow_of(case.leaf.event.data)[::-1], case.leaf.came):
                return Ending(case.leaf, "delivered")  # to a socket of another kind: it has asked for it
            if case.packet.protocol == "TCP":
                return self._without_connection(case)
        reason = looked_at_again(case, reason_of_kernel(case))
        if reason.kind == "port":
            reason = self._requests.with_refusal(reason, case.node, case.packet, 0)
        return Ending(case.leaf, "dropped", self._with_arp(reason, case))

    def _without_connection(self, case: Case) -> Ending:
        """A segment for a connection that its receiver does not have."""
        return Ending(case.leaf, "dropped", no_connection(case.node, case.packet, case.who(case.packet.source), KERNEL))

    def _with_arp(self, reason: Reason, case: Case) -> Reason:
        """The reason; where it is that nobody answered ARP, with why that was."""
        hops = causes.next_hops(case) if reason.kind == "arp" else []
        asked = next((found for hop in hops if (found := self.conversations.asked(case.node, hop))), None)
        if asked is None:
            return reason
        because = self._because(asked)
        return replace(reason, details=(because.text, *reason.details), hint=because.hint)

    def _because(self, asked: Journey) -> Reason:
        """Why a question for a MAC address was in vain: what became of it itself comes first."""
        own = (ending.reason for ending in self.endings(asked) if ending.fate in ("dropped", "unanswered") and ending.reason)
        return next(own, None) or self._requests.unanswered_arp(asked, dissect(asked.first.data))

    def _lost(self, journey: Journey) -> Reason | None:
        """Why a packet was lost, where that is known."""
        return next((ending.reason for ending in self.endings(journey) if ending.fate == "dropped" and ending.reason), None)

    def _went_on(self, journey: Journey, event: Event) -> bool:
        """Whether a device without a link of its own (a bridge in a host, a bond) sent it on by one of its ports."""
        outs = (one.event for one in journey.sightings if one.event.kind == "out" and one.event.node == event.node)
        is_device = (event.node, event.interface) not in self._wiring.peers
        return is_device and any(out.time >= event.time and (out.node, out.interface) in self._wiring.peers for out in outs)

    def _sent(self, case: Case) -> Ending:
        event = case.leaf.event
        peer = self._wiring.peers.get((event.node, event.interface))
        if peer is None and (lost := tunnels.not_sent(case)):
            return Ending(case.leaf, "dropped", lost)
        if peer is None or self._wiring.kinds.get(peer[0]) == "outside":
            return Ending(case.leaf, "delivered")
        return Ending(case.leaf, "dropped", looked_at_again(case, bridge_causes.on_link(case, peer)))

    def _arrived(self, journey: Journey, case: Case) -> Ending | None:
        if self._in_bridge(journey, case):
            return self._kept(journey, case)
        leaf, packet = case.leaf, case.packet
        place = (case.node, case.interface)
        if self._is_port(place):
            return self._in_switch(case)
        is_for_all = is_to_many(leaf.event.data)
        if not is_for_all and not self._has_mac(place, packet.macs[1]):
            return Ending(leaf, "ignored")
        untaken = causes.unknown_vlan(*place, leaf.event.data, self._evidence)
        if reason := causes.malformed(case) or (None if is_for_all else untaken):
            return Ending(leaf, "dropped", reason)
        if packet.protocol in ("ARP", "ND") and packet.kind:
            mine = not is_for_all or self._is_mine(case)
            return Ending(leaf, "delivered" if mine else "ignored")
        if is_for_client(packet):
            return Ending(leaf, "delivered")
        if self._is_mine(case):
            return self._at_destination(case)
        if is_for_all:
            return Ending(leaf, "delivered" if self._is_taken(case) else "ignored")
        if packet.ttl is None:  # no IP: who else could know
            return Ending(leaf, "delivered")
        if self._went_on_in_pieces(case):
            return None
        decision = case.decide()
        if decision is not None and decision.kind == "local":  # by a route of its own: it has no such address
            return self._at_destination(case)
        reason = looked_at_again(case, self._with_arp(causes.find(case), case))
        if reason.kind == "vanished" and self._has_answered(case):
            return self._at_destination(case)  # redirected to the node itself
        return Ending(leaf, "waiting" if reason.kind == "queued" else "dropped", reason)

    def _went_on_in_pieces(self, case: Case) -> bool:
        event = case.leaf.event
        place = (case.node, event.data, event.time)
        return self._fragments.continue_(*place) or self._fragments.go_on_as_segments(*place)

    def _has_answered(self, case: Case) -> bool:
        """Whether the node itself answers packets of this flow, whoever they are addressed to."""
        event = case.leaf.event
        if self.conversations.answer(case.node, case.packet, event.time) is not None:
            return True
        back = flow_of(event.data)[::-1]
        return bool(back) and self.conversations.has_sent(case.node, back)

    def _rule_on_the_way(self, leaf: Sighting) -> Reason | None:
        """The rule of a bridge that sent a frame to some of its ports only."""
        for sighting in leaf.back():
            event = sighting.event
            if event.kind == "in" and self._is_port((event.node, event.interface)):
                case = Case(sighting, dissect(event.data), self._evidence, self._wiring, self.conversations)
                if reason := by_rule(case):
                    return reason
        return None

    def _is_taken(self, case: Case) -> bool:
        """Whether what is for many is taken by this node; of datagrams its programs are asked."""
        if is_for_programs(case.packet):
            return takes(case.node, case.packet, self._evidence, case.interface)
        return case.leaf.event.data[:6] == b"\xff" * 6 and not is_for_one(case.packet, self._wiring)

    def _at_destination(self, case: Case) -> Ending:
        reason = at_destination(case)
        if reason is None and case.packet.protocol == "TCP":
            reason = for_all_by_mistake(case.leaf, case.packet, self._wiring, self._evidence)
        return Ending(case.leaf, "dropped" if reason else "delivered", reason)

    def _in_switch(self, case: Case) -> Ending | None:
        tables = self._evidence.tables(case.node)
        port = tables.links.get(case.interface) if tables else None
        closed = bridge_causes.port_closed(case.node, port, tables, self._wiring, self._evidence) if tables and port else None
        if is_to_many(case.leaf.event.data):
            if port and tables and closed is None:
                frame = case.leaf.event.data
                closed = bridge_causes.not_admitted(case.node, port, frame, tables)
                closed = closed or bridge_causes.reserved(case.node, port, frame, tables)
                closed = closed or on_arrival(case.node, case.interface, self._wiring, self._evidence)
            return Ending(case.leaf, "dropped" if closed else "ignored", closed)
        if self._wiring.is_own_mac(case.node, case.packet.macs[1]):
            reason = by_rule(case) or closed
            return Ending(case.leaf, "dropped" if reason else "delivered", reason)
        if self._went_on_in_pieces(case):
            return None
        return Ending(case.leaf, "dropped", bridge_causes.in_switch(case))

    def _is_port(self, place: tuple[str, str]) -> bool:
        """Whether an interface belongs to a bridge: of a switch, or of one in a host."""
        return self._wiring.is_bridge(place[0]) or bool((link := self._evidence.link(*place)) and link.port)

    def _is_mine(self, case: Case) -> bool:
        """Whether it is addressed to the node, as that was then."""
        node, address = case.node, case.packet.destination
        if (had := self._evidence.had_address(node, address, case.leaf.event.time)) is not None:
            return had
        if node in self._wiring.owners.get(address, ()):
            return True
        tables = self._evidence.tables(node)
        return tables is not None and address in tables.addresses

    def _has_mac(self, place: tuple[str, str], mac: str) -> bool:
        if self._wiring.macs.get(place) == mac or place not in self._wiring.peers:
            return True
        link = self._evidence.link(*place)
        return link is not None and link.mac == mac


def _is_for_many(journey: Journey) -> bool:
    """Whether it was sent to all or to a group; a copy for its sender may be seen first, without such an address."""
    return any(is_to_many(sighting.event.data) for sighting in journey.sightings)


def _is_by_link(event: Event) -> bool:
    """Whether a drop is one of a frame that was sent, and that the far end of its link did not take (veth(4))."""
    return event.kind == "drop" and "veth_xmit" in event.place and event.reason in ("", "NOT_SPECIFIED", "DEV_READY")


def _is_end_of_link(drop: Event, sent: Event) -> bool:
    return _is_by_link(drop) and (drop.node, drop.interface) == (sent.node, sent.interface) and drop.time >= sent.time


def _before_loopback(leaf: Sighting) -> Sighting | None:
    """Where a packet that ended at a node's loopback had come to the node; None for those that the node has made."""
    if leaf.event.interface != "lo":
        return None
    stay = [sighting for sighting in leaf.back() if sighting.event.node == leaf.event.node]
    return next((one for one in stay if one.event.kind == "in" and one.event.interface != "lo"), None)


def _not_accepted(endings: Sequence[Ending]) -> bool:
    """Whether it came to interfaces with other MAC addresses only; what is for many is for nobody in particular."""
    return bool(endings) and all(ending.fate == "ignored" and not is_to_many(ending.sighting.event.data) for ending in endings)
