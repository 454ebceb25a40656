"""Packets that a link lost since it was asked to: they are told as that, and not as a fault of a node."""

import time
from dataclasses import replace

from pynetemu.capture import marks
from pynetemu.capture.marks import link
from pynetemu.plan.operations import Impair
from pynetemu.plan.shaping.impairment import from_words
from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event
from pynetemu.trace.verdicts.case import COUNTERS, KERNEL, TABLES
from pynetemu.trace.verdicts.verdict import Ending, Reason

RELAY = "the relay's word"
_BY_CORRUPTION = ("checksum", "malformed")
_ON_ARRIVAL, _AT_SENDER = ("tc",), ("queue", "qdisc")


def named(ending: Ending, wiring: Wiring, evidence: Evidence) -> Ending:
    """The ending with the link's part in it, where it has one."""
    event, reason = ending.sighting.event, ending.reason
    if reason is None or ending.fate not in ("dropped", "unanswered"):
        return ending
    there = (event.node, event.interface)
    if event.kind == "out" and reason.kind in ("link", "lost"):
        return _by_relay(ending, event, evidence)
    if reason.kind in _AT_SENDER and (lost := of_queue(evidence.emulated(*there))):
        return replace(ending, reason=lost)
    if reason.kind in _BY_CORRUPTION and (corrupted := _corrupted(ending, wiring, evidence)):
        return replace(ending, reason=corrupted)
    sent = evidence.emulated(*wiring.peers.get(there, ("", "")))
    if sent is None or sent.mechanism != "filter":
        return ending
    if reason.kind in _ON_ARRIVAL:
        return replace(ending, reason=Reason("emulated", f"lost by {link(sent)}", (), _hint(sent), KERNEL))
    if ending.fate == "unanswered" and event.kind == "in" and reason.source != KERNEL:  # sockets see it before the filter does
        text = f"lost by {link(sent)}, or {reason.text}"
        return replace(ending, reason=Reason("emulated", text, reason.details, _hint(sent), COUNTERS))
    return ending


def _corrupted(ending: Ending, wiring: Wiring, evidence: Evidence) -> Reason | None:
    """That it came out of a link with other bytes than it went in by: nobody has seen it like that before."""
    for came in ending.sighting.back():
        event, before = came.event, came.before
        op = evidence.emulated(*wiring.peers.get((event.node, event.interface), ("", ""))) if event.kind == "in" else None
        if op is None or not from_words(op.settings).corrupt or (before and before.event.data == event.data):
            continue
        return Reason("emulated", marks.told("corrupted", 0, link(op)), (), _hint(op), TABLES)
    return None


def of_queue(own: Impair | None) -> Reason | None:
    """What a queue lost that was put there to be the link's."""
    if own is None or own.mechanism not in ("netem", "tbf"):
        return None
    return Reason("emulated", f"lost by {link(own)}", (), _hint(own), KERNEL)


def on_arrival(node: str, interface: str, wiring: Wiring, evidence: Evidence) -> Reason | None:
    """What the filter of a link lost, where sockets still have seen it: for a frame that came, and that no one got."""
    sent = evidence.emulated(*wiring.peers.get((node, interface), ("", "")))
    if sent is None or sent.mechanism != "filter":
        return None
    return Reason("emulated", f"lost by {link(sent)}", (), _hint(sent), COUNTERS)


def _by_relay(ending: Ending, event: Event, evidence: Evidence) -> Ending:
    op = evidence.emulated(event.node, event.interface)
    if op is None or op.mechanism != "relay":
        return ending
    told = evidence.ended_by_relay(event.node, event.interface, event.data)
    if told is None and (waiting := _under_way(op, event)):
        return replace(ending, reason=waiting)
    if told is None:  # it may still be on its way
        details = (f"the link has {', '.join(op.settings)}",)
        return replace(ending, reason=replace(ending.reason or Reason("lost", ""), details=details, source=TABLES))
    text = marks.told(told.what, told.number, link(op))
    return replace(ending, reason=Reason("emulated", text, (), _hint(op), RELAY))


def _under_way(op: Impair, event: Event) -> Reason | None:
    """That the link's delay has not passed yet since it was sent, or that it waits for its turn: the relay has not lost it."""
    asked = from_words(op.settings)
    if time.time_ns() - event.time >= asked.delay and not asked.rate:
        return None
    return Reason("emulated", f"still under way: {link(op)} carries it", (), _hint(op), TABLES)


def _hint(op: Impair) -> str:
    return f"impair {op.node}:{op.interface} {op.peer_node}:{op.peer_interface}"
