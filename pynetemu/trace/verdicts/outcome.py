"""What a whole trace comes to: what kept the line that ran from its end, what was made good, what others did meanwhile."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pynetemu.packets.background import is_background
from pynetemu.packets.dissect import dissect
from pynetemu.trace.journeys.flows import Side, flow_of, segment_of
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.verdicts.verdict import Ending, Reason

if TYPE_CHECKING:
    from pynetemu.trace.verdicts.record import TraceRecord

Row = tuple[Journey, Sequence[Ending]]

BAD = ("dropped", "waiting", "unanswered")
_USUAL = ("mtu", "ttl", "vanished", "lost", "port", "route", "unanswered", "arp")  # what protocols live with, and make good
_SYN = 0x02
_VAGUE = ("vanished", "unanswered", "kernel", "lost")  # kinds of reasons that name no cause


@dataclass(frozen=True, slots=True)
class Outcome:
    """`cause` kept the line from its end, None when nothing did; `healed` are losses that were made good, `besides` what
    happened to packets of others. `answered` says how long the first answer took, "" without one. `status` is the line's."""

    cause: Reason | None
    healed: tuple[Reason, ...] = ()
    besides: tuple[Reason, ...] = ()
    answered: str = ""
    status: int | None = None


def outcome(trace: "TraceRecord", rows: Sequence[Row]) -> Outcome:
    """Judged by the packets of the rows, and by what went wrong without any packet."""
    ours = _Line(trace)
    bad = [(journey, ending) for journey, endings in rows for ending in endings if ending.fate in BAD and ending.reason]
    bad = [(journey, ending) for journey, ending in bad if not _is_advice(journey)]
    answered = _answered(trace, rows)
    mine = [(journey, ending) for journey, ending in bad if journey in ours]
    others = [ending.reason for journey, ending in bad if journey not in ours and ending.reason]
    healed = [
        (journey, ending) for journey, ending in mine if ours.is_healed(journey, ending) or ours.was_received(journey, ending)
    ]
    open_ones = sorted((pair for pair in mine if pair not in healed), key=lambda pair: not ours.has_sent(pair[0]))
    unlikely = ("route", "connection", "stalled") if ours.succeeded else ("route",) if answered else ()
    problems = [problem for problem in trace.node_problems if problem.kind not in unlikely or problem.proof]
    cause = _cause(open_ones, problems, is_answered=bool(answered))
    good = [ending.reason for _, ending in healed if ending.reason]
    made_good = tuple(dict.fromkeys(reason for reason in good if reason.kind not in _USUAL))
    usual = [reason for reason in good if reason.kind in _USUAL]
    besides = tuple(dict.fromkeys(reason for reason in (*usual, *others) if reason is not cause))
    return Outcome(cause, made_good, besides, answered, ours.status)


def _cause(bad: Sequence[tuple[Journey, Ending]], problems: Sequence[Reason], *, is_answered: bool) -> Reason | None:
    """A duplicate address explains the rest; a known reason comes before a packet that was only not answered, ARP after what
    wanted it."""
    twice = [problem for problem in problems if problem.kind == "duplicate"]
    reasons = [(journey, ending.reason) for journey, ending in bad if ending.reason]
    others = [reason for journey, reason in reasons if reason.kind != "arp" or not _is_question(journey)]
    known = [reason for reason in others if reason.kind not in _VAGUE]
    besides = [problem for problem in problems if problem.kind != "duplicate"]
    questions = [] if is_answered and others else [reason for _, reason in reasons]
    if all(reason.kind == "lost" for reason in others):  # the trace may have ended while they were on their way
        others = [*(reason for reason in questions if reason.kind not in _VAGUE), *others]
    ranked = [*twice, *known, *besides, *others, *questions]
    return next(iter(ranked), None)


def _is_advice(journey: Journey) -> bool:
    """A redirect, whose loss harms nobody."""
    return dissect(journey.first.data).kind.startswith("redirect")


def _is_question(journey: Journey) -> bool:
    return dissect(journey.first.data).protocol in ("ARP", "ND")


class _Line:
    """Which packets belong to the line that ran: those of its node, and what they caused. Without a line, all."""

    def __init__(self, trace: "TraceRecord") -> None:
        self._trace = trace
        self._nodes = {line.node for line in trace.lines}
        self._all = not self._nodes or "" in self._nodes

    @property
    def status(self) -> int | None:
        """The worst of the lines' statuses; None when none is known."""
        known = [line.status for line in self._trace.lines]
        return max(known, key=lambda status: status or 0, default=None) if None not in known else None

    @property
    def succeeded(self) -> bool:
        return bool(self._trace.lines) and self.status == 0

    @cached_property
    def _carriers(self) -> set[str]:
        """The nodes in which packets of the line went into a tunnel, where nobody sees them any more."""
        peers = self._trace.wiring.peers
        ours = (journey for journey in self._trace.journeys if journey.first.node in self._nodes)
        ends = (leaf.event for journey in ours for leaf in journey.leaves if leaf.event.kind == "out")
        return {event.node for event in ends if event.interface != "lo" and (event.node, event.interface) not in peers}

    @cached_property
    def _pairs(self) -> set[bytes]:
        """The source and destination of the line's packets, wherever they were seen, both ways."""
        found: set[bytes] = set()
        for journey in self._trace.journeys:
            if journey.first.node in self._nodes:
                for ends in {_ends(sighting.event.data) for sighting in journey.sightings}:
                    half = len(ends) // 2
                    found |= {ends, ends[half:] + ends[:half]}
        return found - {b""}

    def __contains__(self, journey: Journey) -> bool:
        if self._all or journey.first.node in self._nodes:
            return True
        frame = journey.first.data
        if journey.first.node in self._carriers and dissect(frame).protocol == "UDP":
            return True  # what WireGuard made of it
        if frame[12:14] == b"\x08\x06":
            return frame[38:42] in {pair[:4] for pair in self._pairs if len(pair) == 8}
        packet = dissect(frame)
        if packet.protocol == "ND" and packet.kind in ("who-has", "is-at"):  # whom it asks for, whom it tells
            address = frame[62:78] if packet.kind == "who-has" else frame[38:54]
            return any(address == pair[:16] for pair in self._pairs if len(pair) == 32)
        ends = (_ends(sighting.event.data) for sighting in journey.sightings)
        if any(pair in self._pairs for pair in ends):
            return True
        return packet.quoted is not None and any(node in self._nodes for node in journey.path)

    def has_sent(self, journey: Journey) -> bool:
        """Whether the packet is one that a node of the line has made."""
        return self._all or journey.first.node in self._nodes

    def is_healed(self, journey: Journey, ending: Ending) -> bool:
        """Whether the line came to a good end all the same: what was lost was sent again, or another try had success."""
        packet = dissect(journey.first.data)
        if not self.succeeded:
            return False
        if packet.quoted is not None:
            return True
        if any(line.is_probing for line in self._trace.lines):
            return True
        later = [
            other for other in self._trace.journeys if other.time > journey.time and other.first.node == journey.first.node
        ]
        if packet.protocol == "TCP":
            return any(self._is_healing(journey, other) for other in later) or self._has_connected(journey, ending)
        return any(self._is_next_try(journey, other) for other in later)

    def was_received(self, journey: Journey, ending: Ending) -> bool:
        """Whether a packet that was only not seen any more must have arrived: a segment that was answered, or what a tunnel
        carried for a line that succeeded."""
        if not self.succeeded or ending.reason is None or ending.reason.kind not in _VAGUE:
            return False
        if dissect(journey.first.data).inner is not None:
            return True
        segment = segment_of(journey.first.data)
        if segment is not None and not segment[3] and not segment[2] & _SYN and ending.reason.kind == "lost":
            return True  # the end of a connection that has carried what it was for
        back = flow_of(journey.first.data)[::-1]
        return bool(back) and any(
            other.time > journey.time and flow_of(other.first.data) == back for other in self._trace.journeys
        )

    def _has_connected(self, journey: Journey, ending: Ending) -> bool:
        """Whether a line tried several services, of which this one never took a connection, and another did; or this one had
        not begun to listen until it took its first.

        Where some connections to a service are made and later ones are not, those that are not are a fault.
        """
        made = self._connected.get(journey.first.node, {})
        if dissect(journey.first.data).kind != "SYN" or not made:
            return False
        first = made.get(flow_of(journey.first.data)[1])
        had_not_begun = ending.reason is not None and ending.reason.kind in ("port", "refused")
        return first is None or (had_not_begun and journey.time < first)

    @cached_property
    def _connected(self) -> dict[str, dict[Side, int]]:
        """The addresses and ports from which a SYN+ACK came, and when the first, by the node that it came to."""
        found: dict[str, dict[Side, int]] = {}
        for journey in self._trace.journeys:
            if (segment := segment_of(journey.first.data)) and segment[2] & 0x12 == 0x12:
                found.setdefault(journey.path[-1], {}).setdefault(segment[0], journey.time)
        return found

    def _is_healing(self, journey: Journey, other: Journey) -> bool:
        """Whether a segment of the same connection arrived later, or one to another address of the same service."""
        flow, later = flow_of(journey.first.data), flow_of(other.first.data)
        if not flow or not later or not any(ending.fate == "delivered" for ending in self._trace.endings(other)):
            return False
        return flow == later or (flow[1][1] == later[1][1] and flow[1][0] != later[1][0])

    def _is_next_try(self, journey: Journey, other: Journey) -> bool:
        """Whether another datagram to the same port came after it, and was answered."""
        flow, later = flow_of(journey.first.data), flow_of(other.first.data)
        if not flow or not later or flow[1][1] != later[1][1] or is_background(other.first.data):
            return False
        answer = flow_of(other.first.data)[::-1]
        return any(flow_of(one.first.data) == answer for one in self._trace.journeys if one.time > other.time)


def _ends(frame: bytes) -> bytes:
    """The IP addresses of a frame, source first; nothing for what is no IP."""
    if frame[12:14] == b"\x08\x00":
        return frame[26:34]
    return frame[22:54] if frame[12:14] == b"\x86\xdd" else b""


def _answered(trace: "TraceRecord", rows: Sequence[Row]) -> str:
    """How long the first request took until its answer was back; "" when there was none to wait for."""
    return next(_answers(trace, rows), "")


def _answers(trace: "TraceRecord", rows: Sequence[Row]) -> Iterator[str]:
    for journey, endings in rows:
        packet = dissect(journey.first.data)
        if packet.kind not in ("echo request", "SYN"):
            continue
        for ending in endings:
            answer = trace.answer(ending)
            if answer is not None and answer.path[-1] == journey.first.node:
                took = (answer.sightings[-1].event.time - journey.time) / 1e6
                yield f"{'answered' if packet.kind == 'echo request' else 'connected'} in {took:.3f} ms"
