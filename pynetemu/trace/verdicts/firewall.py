"""Which rule of a firewall ended a packet: nftables of all families by the kernel's trace, iptables-legacy by its counters."""

import re
from dataclasses import replace

from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.sources.events import Event
from pynetemu.trace.sources.iptables import LegacyRule
from pynetemu.trace.sources.nftrace import Drop, fingerprint, fingerprint_of_headers
from pynetemu.trace.verdicts.case import COUNTERS, RULES, TABLES, Case
from pynetemu.trace.verdicts.verdict import Reason

_REFUSED = ("no route", "blackhole", "unreachable", "prohibit", "filtered")
_AROUND = 16  # bytes of the headers of UDP and VXLAN around a frame
_COUNTED = re.compile(r" packets \d+ bytes \d+")


def by_rule(case: Case) -> Reason | None:
    """A rule of a firewall, or a chain's policy."""
    drops = (drop for drop in case.evidence.firewall.drops if drop.node == case.node and _is_about(drop, case))
    found = next((reason for drop in drops if (reason := reason_of_rule(drop, case.evidence)) is not None), None)
    return found or by_legacy_rule(case)


def reason_of_rule(drop: Drop, evidence: Evidence) -> Reason | None:
    where = f"table {drop.family} {drop.table}, chain {drop.chain}"
    text = _COUNTED.sub("", evidence.rule(drop)) if drop.rule else ""
    if drop.queue is not None:
        return _queued(drop, drop.queue, evidence, text)
    if drop.is_stolen:
        told = f"taken away by nftables in {drop.node}: {where}, rule {drop.rule}"
        hint = f"{drop.node} nft delete rule {drop.family} {drop.table} {drop.chain} handle {drop.rule}"
        return Reason("nft", told, (text,) if text else (), hint, RULES)
    if not drop.rule:
        hint = f"{drop.node} nft add chain {drop.family} {drop.table} {drop.chain} '{{ policy accept; }}'"
        return Reason("nft", f"dropped by nftables in {drop.node}: {where}, policy drop", (), hint, RULES)
    verb = "rejected" if "reject" in text else "dropped"
    hint = f"{drop.node} nft delete rule {drop.family} {drop.table} {drop.chain} handle {drop.rule}"
    details = (text,) if text else ()
    return Reason("nft", f"{verb} by nftables in {drop.node}: {where}, rule {drop.rule}", details, hint, RULES)


def _is_about(drop: Drop, case: Case) -> bool:
    """Whether the headers that a rule saw are the packet's: what translation and routers leave alone."""
    frame = case.leaf.event.data
    start = 14 + 4 * (frame[12:14] in (b"\x81\x00", b"\x88\xa8"))
    is_it = fingerprint_of_headers(drop.network, drop.transport) == fingerprint(frame[start:])
    return is_it or _carries(drop, case)


def _carries(drop: Drop, case: Case) -> bool:
    """Whether it was dropped in a tunnel's packet: the kernel shows what it had been before a VXLAN interface wrapped it up."""
    event, tables = case.leaf.event, case.evidence.tables(case.node)
    if event.reason != "NETFILTER_DROP" or tables is None:
        return False
    port, length = int.from_bytes(drop.transport[2:4]), int.from_bytes(drop.transport[4:6])
    return length == event.length + _AROUND and any(link.vxlan and link.vxlan[1] == port for link in tables.links.values())


def _queued(drop: Drop, queue: int, evidence: Evidence, text: str) -> Reason | None:
    """A packet that was handed to a program; nothing is said where one reads the queue, since it may have let it go."""
    if evidence.has_reader(drop.node, queue):
        return None
    where = f"table {drop.family} {drop.table}, chain {drop.chain}, rule {drop.rule}"
    told = f"dropped by nftables in {drop.node}: {where} hands it to queue {queue}, which no program reads (NFQUEUE)"
    hint = f"{drop.node} nft delete rule {drop.family} {drop.table} {drop.chain} handle {drop.rule}"
    return Reason("nft", told, (text,) if text else (), hint, RULES)


def by_tracking(case: Case) -> Reason | None:
    """A connection that translation would make the same as another, which has its addresses and ports already."""
    if not case.evidence.firewall_of(case.node) or case.evidence.not_tracked(case.node) <= 0:
        return None
    text = f"dropped by connection tracking in {case.node}: translated, its addresses and ports would be another connection's"
    return Reason(
        "nft", text, ("insert_failed of its connection tracking has grown",), f"{case.node} nft list ruleset", COUNTERS
    )


def by_new_rule(case: Case) -> Reason | None:
    """The only rule that can have ended a packet in a node that had no rules when the trace began; else what may be it."""
    found = [
        (drop, reason)
        for drop in case.evidence.endings_of_new_rules(case.node)
        if (reason := reason_of_rule(drop, case.evidence))
    ]
    if not found:
        return None
    is_proven = len(found) == 1 and case.leaf.event.reason == "NETFILTER_DROP"
    first, told = found[0][1], f"{case.node} had no rules when the trace began"
    if is_proven:
        return replace(first, details=(*first.details, f"{told}, and has no other that drops"), source=TABLES)
    others = tuple(reason.text for _, reason in found[1:])
    return replace(first, text=f"perhaps {first.text}", details=(*first.details, told, *others), source=TABLES)


def by_legacy_rule(case: Case) -> Reason | None:
    """A rule of iptables-legacy that has counted, and asks for nothing that the packet is not."""
    rules = case.evidence.legacy_rules(case.node) if case.packet.ttl is not None and _may_be_rule(case.leaf.event) else ()
    keys = case.keys if rules else None
    if keys is None:
        return None
    fitting = [rule for rule in rules if rule.is_about(case.packet, keys.protocol, case.interface, keys.ports)]
    if fitting and (decision := case.decide()) is not None and decision.kind in _REFUSED:  # then it comes to no other chain
        fitting = [rule for rule in fitting if rule.chain not in ("INPUT", "FORWARD", "POSTROUTING")]
    return _of_legacy_rules(case.node, fitting)


def _may_be_rule(event: Event) -> bool:
    """Whether what the kernel says of a drop, if it says anything, leaves room for a rule."""
    return event.kind != "drop" or event.reason in ("NETFILTER_DROP", "", "NOT_SPECIFIED")


def legacy_rule_of_sender(node: str, address: str, evidence: Evidence) -> Reason | None:
    """The same for what a node wanted to send to an address, and that nobody has seen."""
    chains = ("PREROUTING", "INPUT", "FORWARD")
    rules = [rule for rule in evidence.legacy_rules(node) if rule.chain not in chains and rule.is_for(address)]
    return _of_legacy_rules(node, rules)


def _of_legacy_rules(node: str, fitting: list[LegacyRule]) -> Reason | None:
    if not fitting:
        return None
    first, others = fitting[0], fitting[1:]
    details = tuple(f"it may have been {_named(rule)} as well: both have counted" for rule in others)
    if not first.number:
        hint = f"{node} {first.program} -t {first.table} -P {first.chain} ACCEPT"
    else:
        hint = f"{node} {first.program} -t {first.table} -D {first.chain} {first.number}"
    verb = "rejected" if first.target == "REJECT" else "dropped"
    return Reason("iptables", f"{verb} by {first.program} in {node}: {_named(first)}", details, hint, COUNTERS)


def _named(rule: LegacyRule) -> str:
    what = f"rule {rule.number} ({rule.target})" if rule.number else "policy DROP"
    return f"table {rule.table}, chain {rule.chain}, {what}"
