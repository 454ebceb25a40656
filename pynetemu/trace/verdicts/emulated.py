"""Packets that a link lost since it was asked to: they are told as that, and not as a fault of a node."""

from dataclasses import replace

from pynetemu.plan.operations import Impair
from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event
from pynetemu.trace.verdicts.case import COUNTERS, KERNEL, TABLES
from pynetemu.trace.verdicts.verdict import Ending, Reason

RELAY = "the relay's word"
_ON_ARRIVAL, _AT_SENDER = ("tc",), ("queue", "qdisc")


def named(ending: Ending, wiring: Wiring, evidence: Evidence) -> Ending:
    """The ending with the link's part in it, where it has one."""
    event, reason = ending.sighting.event, ending.reason
    if reason is None or ending.fate not in ("dropped", "unanswered"):
        return ending
    there = (event.node, event.interface)
    if event.kind == "out" and reason.kind in ("link", "lost"):
        return _by_relay(ending, event, evidence)
    if reason.kind in _AT_SENDER and (own := evidence.emulated(*there)) and own.mechanism in ("netem", "tbf"):
        return replace(ending, reason=Reason("emulated", f"lost by {_link(own)}", (), _hint(own), KERNEL))
    sent = evidence.emulated(*wiring.peers.get(there, ("", "")))
    if sent is None or sent.mechanism != "filter":
        return ending
    if reason.kind in _ON_ARRIVAL:
        return replace(ending, reason=Reason("emulated", f"lost by {_link(sent)}", (), _hint(sent), KERNEL))
    if ending.fate == "unanswered" and event.kind == "in" and reason.source != KERNEL:  # sockets see it before the filter does
        text = f"lost by {_link(sent)}, or {reason.text}"
        return replace(ending, reason=Reason("emulated", text, reason.details, _hint(sent), COUNTERS))
    return ending


def _by_relay(ending: Ending, event: Event, evidence: Evidence) -> Ending:
    op = evidence.emulated(event.node, event.interface)
    if op is None or op.mechanism != "relay":
        return ending
    told = evidence.ended_by_relay(event.node, event.interface, event.data)
    if told is None:  # it may still be on its way
        details = (f"the link has {', '.join(op.settings)}",)
        return replace(ending, reason=replace(ending.reason or Reason("lost", ""), details=details, source=TABLES))
    place = f", as packet {told.number} of its flow" if told.number else ""
    verbs = {
        "lost": f"lost by {_link(op)}{place}",
        "dropped": f"dropped by the queue of {_link(op)}",
        "corrupted": f"corrupted by {_link(op)}{place}",
        "overload": f"lost by {_link(op)}: the relay was too slow",
    }
    return replace(ending, reason=Reason("emulated", verbs[told.what], (), _hint(op), RELAY))


def _link(op: Impair) -> str:
    """The link with what it was asked to do."""
    return f"the link from {op.node} {op.interface} to {op.peer_node} {op.peer_interface} ({', '.join(op.settings)})"


def _hint(op: Impair) -> str:
    return f"impair {op.node}:{op.interface} {op.peer_node}:{op.peer_interface}"
