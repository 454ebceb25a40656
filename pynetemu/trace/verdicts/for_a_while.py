"""Faults that came and went: what a node had when a packet was lost there, and has no more when it is asked.

The changes that were heard beside the packets tell from when to when it was so. That is proof only of what would have ended
this packet, in the node in which it ended.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from itertools import pairwise

from pynetemu.lab.events import LabEvent, LinkEvent, RouteEvent, RuleEvent
from pynetemu.lab.state import RuleState
from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.evidence.routing import Found
from pynetemu.trace.evidence.rules import Keys
from pynetemu.trace.verdicts.case import KERNEL, PACKETS, Case
from pynetemu.trace.verdicts.firewall import by_new_rule, by_rule, by_tracking
from pynetemu.trace.verdicts.interfaces import same_mac
from pynetemu.trace.verdicts.verdict import Reason

_REFUSING = ("blackhole", "unreachable", "prohibit")
_source = "changes that were heard meanwhile"
_SECOND = 1e9  # ns


def looked_at_again(case: Case, reason: Reason) -> Reason:
    """The reason, or a better one where it has no proof, or is what another fault has led to."""
    found = _better(case, reason)
    if found is None:
        return reason
    return replace(found, source=reason.source, proof=reason.proof) if reason.proof else found


def _better(case: Case, reason: Reason) -> Reason | None:
    event = case.leaf.event
    if reason.kind == "forwarding":
        return same_mac(case.packet.macs[1], case.evidence)
    if reason.kind == "lost":
        ends = (case.wiring.peers.get((case.node, case.interface)), (case.node, case.interface))
        found = (link_for_a_while(*end, event.time, case.evidence) for end in ends if end is not None)
        return next(filter(None, found), None)
    if reason.kind == "nft" and event.reason == "NETFILTER_DROP" and by_rule(case) is None:
        return by_tracking(case) or by_new_rule(case)
    is_word = reason.kind == "route" and reason.source in (KERNEL, PACKETS) and not reason.hint
    if is_word:  # the kernel's and ICMP's words for a refusal stand for several
        return for_a_while(case)
    if reason.kind == "vanished" or (reason.kind == "kernel" and event.reason in ("", "NOT_SPECIFIED")):
        return for_a_while(case) or by_tracking(case) or by_new_rule(case)
    return None


def for_a_while(case: Case) -> Reason | None:
    """What would have ended a packet of its kind at that time."""
    if case.packet.ttl is None:  # it is no IP
        return None
    events, time = _of_node(case.node, case.evidence), case.leaf.event.time
    return _route(case, time) or _rule(case, events, time) or _way_out(case)


def link_for_a_while(node: str, interface: str, time: int, evidence: Evidence) -> Reason | None:
    """That an interface was down at a time, in nanoseconds since 1970."""
    events = _of_node(node, evidence)
    for at, event in enumerate(events):
        if not isinstance(event, LinkEvent) or event.what != "down" or event.before is None or event.before.name != interface:
            continue
        ups = (one for one in events[at:] if isinstance(one, LinkEvent) and one.what == "up" and one.after is not None)
        up = next((one for one in ups if one.after is not None and one.after.name == interface), None)
        if up is not None and _between(event, time, up):
            return Reason("link", f"{node} {interface} is down", (_lasted(event, up),), f"{node} ip link", _source)
    return None


def _of_node(node: str, evidence: Evidence) -> list[LabEvent]:
    return [event for event in evidence.events if event.node == node]


def _between(begin: LabEvent, time: int, end: LabEvent) -> bool:
    return begin.since <= time / _SECOND <= end.time


def _lasted(begin: LabEvent, end: LabEvent) -> str:
    return f"that was so for {max(0.0, end.time - begin.time):.2f} s, and is not any more"


def _route(case: Case, time: int) -> Reason | None:
    return refused_for_a_while(case.node, case.keys, case.who(case.packet.destination), case.evidence, time)


def refused_for_a_while(node: str, keys: Keys, who: str, evidence: Evidence, time: int | None = None) -> Reason | None:
    """What the node's rules and tables said between two changes of its routes, of those around a time if one is given: a route
    that refused, or none; `who` is the destination with its name."""
    changes = [event for event in _of_node(node, evidence) if isinstance(event, RouteEvent)]
    tables = evidence.tables(node) if changes else None
    if tables is None:
        return None

    def said_after(number: int) -> Found:
        """With the changes up to one of them, and without those that came later."""
        later = [(event.before, event.after) for event in changes[number + 1 :]]
        return tables.routing.before(later).walk(keys)

    for number, (begin, following) in enumerate(pairwise(changes)):
        if time is not None and not _between(begin, time, following):
            continue
        said = said_after(number)
        if said.route is not None and said.kind in _REFUSING:
            text = f"the routing table of {node} says {said.kind} for {who}: {said.route.text}"
        elif said.kind == "no route":
            text = f"no route in {node} to {who}"
        else:
            continue
        ends = (one for at, one in enumerate(changes[number + 1 :], number + 1) if said_after(at).kind != said.kind)
        if (end := next(ends, None)) is not None:
            version, to = "-6 " if ":" in keys.destination else "", keys.destination
            return Reason("route", text, (_lasted(begin, end),), f"{node} ip {version}route get {to}", _source)
    return None


def _rule(case: Case, events: Sequence[LabEvent], time: int) -> Reason | None:
    """A rule that refused, of those that ask for addresses and interfaces only."""
    rules = [event for event in events if isinstance(event, RuleEvent)]
    for at, event in enumerate(rules):
        rule = event.after
        if rule is None or rule.action not in _REFUSING or not _is_about(rule, case):
            continue
        end = next((one for one in rules[at + 1 :] if one.before == rule), None)
        if end is not None and _between(event, time, end):
            who, version = case.who(case.packet.destination), "-6 " if rule.version == 6 else ""
            text = f"a routing rule of {case.node} says {rule.action} for {who}: {rule.text}"
            return Reason("route", text, (_lasted(event, end),), f"{case.node} ip {version}rule", _source)
    return None


def _is_about(rule: RuleState, case: Case) -> bool:
    packet = case.packet
    asks_for_more = (
        rule.is_inverted or rule.ds_field or rule.output or rule.mark or rule.protocol or rule.source_ports
        or rule.destination_ports or rule.users or rule.of_vrfs
    )  # fmt: skip
    if asks_for_more or rule.version != (6 if ":" in packet.destination else 4):
        return False
    if rule.input and not (case.arrived and rule.input == case.interface):
        return False
    return _is_in(packet.source, rule.source) and _is_in(packet.destination, rule.destination)


def _is_in(address: str, network: str) -> bool:
    return not network or ip_address(address) in ip_network(network, strict=False)


def _way_out(case: Case) -> Reason | None:
    """The interface by which it was to leave, as the node's routing says now."""
    time = case.leaf.event.time
    return next(filter(None, (link_for_a_while(case.node, name, time, case.evidence) for name in _names(case))), None)


def _names(case: Case) -> Iterator[str]:
    way = case.way_out()
    if way is not None and way[1] is not None:
        yield way[1].name
    if not case.arrived:
        yield case.interface
