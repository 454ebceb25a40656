"""Which packets answer which: replies to pings, to connections, to ARP, and the errors that quote what died."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from pynetemu.packets.dissect import Packet, dissect
from pynetemu.trace.journeys.flows import Side, flow_of
from pynetemu.trace.journeys.journey import Journey

_Key = tuple[object, ...]


class Conversations:
    """An index of the packets that begin conversations or answer; what carries data is left out."""

    def __init__(self, journeys: Sequence[Journey]) -> None:
        self._journeys = journeys
        self._answers: dict[_Key, list[Journey]] = defaultdict(list)
        self._asked: dict[tuple[str, str], list[Journey]] = defaultdict(list)
        self.claims: dict[str, dict[str, Journey]] = defaultdict(dict)  # who has said that an address is his: address, node
        self.errors: list[tuple[Journey, Packet]] = []
        for journey in journeys:
            if _matters(journey.first.data):
                self._add(journey, dissect(journey.first.data))

    def _add(self, journey: Journey, packet: Packet) -> None:
        node = journey.first.node
        if packet.inner is not None:
            return  # what it carries is seen by itself at the tunnel's end
        if packet.quoted is not None:
            self.errors.append((journey, packet.quoted))
        elif packet.kind == "who-has":
            self._asked[node, packet.destination].append(journey)
        elif packet.kind == "is-at":
            self.claims[packet.source].setdefault(node, journey)
            self._answers["is-at", packet.source].append(journey)
        elif packet.kind == "echo reply":
            self._answers["echo", node, packet.ports[1]].append(journey)
        elif packet.protocol == "TCP":
            self._answers["TCP", node, *packet.ports].append(journey)

    def asked(self, node: str, address: str) -> Journey | None:
        """A node's question for the MAC address of an IP address that got no answer."""
        asked = self._asked.get((node, address), ())
        return next((journey for journey in asked if self.answer_to_arp(journey, address) is None), None)

    def answer_to_arp(self, journey: Journey, address: str) -> Journey | None:
        later = (found for found in self._answers.get(("is-at", address), ()) if found.time >= journey.time)
        return next((found for found in later if journey.first.node in found.path), None)

    def answer_of(self, owner: str, address: str, after: int) -> Journey | None:
        """The answer that a node gave to a question for an address, whether it came back or not."""
        found = self._answers.get(("is-at", address), ())
        return next((journey for journey in found if journey.first.node == owner and journey.time >= after), None)

    def answer(self, node: str, packet: Packet, after: int) -> Journey | None:
        """What a node that got this packet has sent back, at or after a moment."""
        if packet.kind == "echo request":
            found = self._answers.get(("echo", node, packet.ports[1]), ())
        else:
            found = self._answers.get(("TCP", node, packet.ports[1], packet.ports[0]), ())
        return next((journey for journey in found if journey.time >= after), None)

    def has_sent(self, node: str, flow: tuple[Side, ...], before: int | None = None) -> bool:
        """Whether a node has sent something of a flow, before a moment if one is given."""
        first = self._sent.get((node, flow))
        return first is not None and (before is None or first < before)

    @cached_property
    def _sent(self) -> dict[tuple[str, tuple[Side, ...]], int]:
        """When each node sent the first packet of its flows."""
        return {(journey.first.node, flow_of(journey.first.data)): journey.time for journey in reversed(self._journeys)}

    def has_echo(self, number: int) -> bool:
        """Whether any node has answered a ping of this number (identifier)."""
        return any(key[0] == "echo" and key[2] == number for key in self._answers)

    def asked_from(self, node: str, port: int) -> tuple[str, int] | None:
        """To which address and port a node sent its last datagram from a port."""
        for journey in reversed(self._journeys):
            flow = flow_of(journey.first.data) if journey.first.node == node else ()
            if flow and int.from_bytes(flow[0][1]) == port:
                packet = dissect(journey.first.data)
                return packet.destination, packet.ports[1]
        return None

    def has_answer(self, journey: Journey) -> bool:
        """Whether a datagram came back to the port from which one was sent, from whomever."""
        flow = flow_of(journey.first.data)
        return bool(flow) and any(
            later.time > journey.time
            and journey.first.node in later.path
            and (back := flow_of(later.first.data))
            and back[1] == flow[0]
            for later in self._journeys
        )

    def error_about(self, packet: Packet, after: int) -> tuple[Journey, Packet] | None:
        """The ICMP error that quotes a packet, with what the error says."""
        for journey, quoted in self.errors:
            same = (quoted.source, quoted.destination) == (packet.source, packet.destination) and quoted.ports == packet.ports
            if same and journey.time >= after:
                return journey, dissect(journey.first.data)
        return None


def _matters(frame: bytes) -> bool:
    """ARP, ICMP, and TCP with SYN or RST: told without taking the packet apart, since a trace may have many others."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and len(frame) > 23:
        at = 14 + (frame[14] & 15) * 4 + 13
        return frame[23] == 1 or (frame[23] == 6 and len(frame) > at and bool(frame[at] & 0x06))
    if kind == b"\x86\xdd" and len(frame) > 67:
        return frame[20] != 17 and (frame[20] != 6 or bool(frame[67] & 0x06))
    return kind in (b"\x08\x06", b"\x81\x00")
