"""What went wrong without a packet to show for it, or what no single packet shows: asked of the nodes' counters and tables."""

from collections.abc import Iterator, Sequence

from pynetemu.packets.dissect import dissect, is_to_many
from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.evidence.traced_line import TracedLine
from pynetemu.trace.journeys.flows import flow_of, segment_of
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts.case import COUNTERS, TABLES
from pynetemu.trace.verdicts.connections import came_to_nothing
from pynetemu.trace.verdicts.conversations import Conversations
from pynetemu.trace.verdicts.interfaces import same_mac
from pynetemu.trace.verdicts.unsent import unsent
from pynetemu.trace.verdicts.verdict import Reason

# Hop-by-hop options, ICMP, IGMP, IPIP, TCP, UDP, IPv6 and its extensions, GRE, ESP, AH, ICMPv6, none, destination options, SCTP
_OF_THE_KERNEL = (0, 1, 2, 4, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60, 132)


def node_problems(
    journeys: Sequence[Journey],
    conversations: Conversations,
    wiring: Wiring,
    evidence: Evidence,
    lines: Sequence[TracedLine] = (),
) -> list[Reason]:
    """The most telling first."""
    besides = [*_overflows(evidence), *_same_mac(journeys, evidence), *came_to_nothing(journeys)]
    besides += [*_without_answer(journeys, lines, evidence), *_raw_without_answer(journeys, lines, evidence)]
    return [*_two_owners(conversations), *unsent(journeys, wiring, evidence, lines), *besides]


def _two_owners(conversations: Conversations) -> Iterator[Reason]:
    """An address that two nodes answer for."""
    for address, claims in conversations.claims.items():
        if len(claims) > 1 and _on_one_link(*claims.values()):
            nodes = sorted(claims)
            numbers = " and ".join(str(journey.number) for journey in claims.values())
            text = f"{address} is taken twice: {' and '.join(nodes)} both answer for it, see packets {numbers}"
            yield Reason("duplicate", text, (), f"{nodes[-1]} ip addr", TABLES)


def _on_one_link(*claims: Journey) -> bool:
    """Whether two of these came to one place; what a router says in another's name (proxy ARP) stays on the asker's link."""
    seen: set[tuple[str, str]] = set()
    for claim in claims:
        places = {(one.event.node, one.event.interface) for one in claim.sightings if one.event.kind == "in"}
        if seen & places:
            return True
        seen |= places
    return False


def _without_answer(journeys: Sequence[Journey], lines: Sequence[TracedLine], evidence: Evidence) -> Iterator[Reason]:
    """Datagrams of lines that failed, which a program got and to which it sent nothing back."""
    failed = {line.node for line in lines if line.status}
    datagrams = [journey for journey in journeys if segment_of(journey.first.data) is None] if failed else []
    flows = [(journey, flow) for journey in datagrams if (flow := flow_of(journey.first.data))]
    answered = {flow[1] for _, flow in flows}
    told: set[tuple[str, int]] = set()
    for journey, flow in flows:
        if journey.first.node not in failed or is_to_many(journey.first.data) or flow[0] in answered:
            continue
        packet, last = dissect(journey.first.data), journey.sightings[-1].event
        port = packet.ports[1]
        tables = evidence.tables(last.node) if last.kind == "in" and (last.node, port) not in told else None
        if tables is None or packet.destination not in tables.addresses or not evidence.listening(last.node, "UDP", port):
            continue
        told.add((last.node, port))
        text = f"{last.node} has sent nothing back: a program there got it on UDP port {port}, see packet {journey.number}"
        yield Reason("unanswered", text, (), f"{last.node} ss -lnup", TABLES)


def _raw_without_answer(journeys: Sequence[Journey], lines: Sequence[TracedLine], evidence: Evidence) -> Iterator[Reason]:
    """The same of other protocols, which programs read by raw sockets."""
    failed = {line.node for line in lines if line.status}
    came = {(journey.first.node, journey.path[-1]) for journey in journeys} if failed else set()
    for journey in journeys:
        sender, last = journey.first.node, journey.sightings[-1].event
        number = _raw_protocol(last.data)
        tables = evidence.tables(last.node) if sender in failed and number and last.kind == "in" else None
        if tables is None or (last.node, sender) in came or dissect(last.data).destination not in tables.addresses:
            continue
        version = "6" if last.data[12:14] == b"\x86\xdd" else ""
        if evidence.has_raw_socket(last.node, number, version):
            got = f"a program there got it by a raw socket (protocol {number}), see packet {journey.number}"
            yield Reason("unanswered", f"{last.node} has sent nothing back: {got}", (), f"{last.node} ss -lnwp", TABLES)
            return


def _raw_protocol(frame: bytes) -> int:
    """The number of an IP protocol that the kernel leaves to programs; 0 of others."""
    is_ip, at = frame[12:14] in (b"\x08\x00", b"\x86\xdd"), 23 if frame[12:14] == b"\x08\x00" else 20
    number = frame[at] if is_ip and len(frame) > at else 0
    return number if number not in _OF_THE_KERNEL else 0


def _overflows(evidence: Evidence) -> Iterator[Reason]:
    """Packets that arrived, and for which a program was too slow."""
    for node, moved in evidence.moved.items():
        if number := moved.get("UdpRcvbufErrors", 0) + moved.get("Udp6RcvbufErrors", 0):
            text = f"a program in {node} was too slow: {number} UDP packets found its receive buffer full"
            yield Reason("socket", text, (), f"{node} ss -nmu", COUNTERS)
        if full := moved.get("TcpExtListenOverflows"):
            text = f"a server in {node} was too slow: {full} connections found its queue full"
            yield Reason("socket", text, (), f"{node} ss -lnt", COUNTERS)


def _same_mac(journeys: Sequence[Journey], evidence: Evidence) -> Iterator[Reason]:
    """A MAC address at two places, when frames with it were seen coming from both."""
    senders: dict[str, set[tuple[str, str]]] = {}
    for journey in journeys:
        event = journey.first
        if event.kind == "out" and not is_to_many(event.data[6:12]):
            senders.setdefault(event.data[6:12].hex(":"), set()).add((event.node, event.interface))
    for mac, places in senders.items():
        if len({node for node, _ in places}) > 1 and (reason := same_mac(mac, evidence)) is not None:
            yield reason
