"""Packets that a line wanted to send, and that no interface ever saw: asked of the routing of the line's node."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from pynetemu.lab.events import RouteEvent, RuleEvent
from pynetemu.packets.background import is_background
from pynetemu.packets.dissect import dissect
from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.evidence.lookups import Decision, NodeTables
from pynetemu.trace.evidence.rules import Keys
from pynetemu.trace.evidence.traced_line import TracedLine, is_address
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts.case import COUNTERS, TABLES
from pynetemu.trace.verdicts.causes import blocked_by_ipsec, refused_by_routing
from pynetemu.trace.verdicts.firewall import legacy_rule_of_sender
from pynetemu.trace.verdicts.for_a_while import refused_for_a_while
from pynetemu.trace.verdicts.interfaces import far_end_down, link_down, unusable
from pynetemu.trace.verdicts.verdict import Reason

_MOST_ASKED = 50  # addresses whose route is looked up in a node that had none for something
_URL = re.compile(r"(?P<scheme>https?)://(?:\[[^]]*\]|[^:/]+)(?::(?P<port>\d{1,5}))?(?:/|$)")
_REFUSED = ("no route", "unreachable", "prohibit", "blackhole")


def unsent(journeys: Sequence[Journey], wiring: Wiring, evidence: Evidence, lines: Sequence[TracedLine]) -> Iterator[Reason]:
    """Told by the lines' targets; where no line is known, by the nodes' counters ("Network is unreachable")."""
    failed = [line for line in lines if line.node and line.status]
    if lines and all(line.node for line in lines):
        for line in failed:
            yield from _of_line(line, journeys, wiring, evidence)
        for line in lines:
            yield from _stopped(line, journeys, wiring, evidence)
        return
    yield from _by_counters(wiring, evidence)


def _of_line(line: TracedLine, journeys: Sequence[Journey], wiring: Wiring, evidence: Evidence) -> Iterator[Reason]:
    """The refusal of every target of a line, if it has sent nothing to any of them."""
    tables = evidence.tables(line.node)
    has_sent = any(one.first.node == line.node and not is_background(one.first.data) for one in journeys)
    if tables is not None and not has_sent and (cannot := _unusable_address(line, tables, wiring, evidence)):
        yield cannot
        return
    targets = line.targets(wiring.addresses_of)
    if tables is None or not targets or _has_sent(line.node, targets, journeys):
        return
    for address in targets:
        keys = keys_of_line(line, address)
        decision = tables.decide(keys)
        if decision.kind == "local" and (down := link_down(line.node, "lo", evidence)):
            yield replace(down, text=f"{line.node} sent nothing: {down.text}")
        if decision.kind == "forwarded" and (big := _too_big(line, decision, address, tables)):
            yield big
        if decision.kind == "forwarded":
            name = tables.names.get(decision.interface, "")
            if down := link_down(line.node, name, evidence) or far_end_down(line.node, name, wiring, evidence):
                yield replace(down, text=f"{line.node} sent nothing: {down.text}")
        refusal = decision.refused_if if decision.kind not in _REFUSED else None
        if refusal is not None:
            decision = Decision(refusal.kind, rule=refusal.rule, route=refusal.route)
        if decision.kind not in _REFUSED and (marked := _refused_by_mark(line.node, address, tables, evidence)):
            decision, keys = marked
        if decision.kind not in _REFUSED:
            kept = legacy_rule_of_sender(line.node, address, evidence) or blocked_by_ipsec(line.node, evidence)
            if kept is not None:
                yield replace(kept, text=f"{line.node} sent nothing: {kept.text}")
            elif decision.kind == "broadcast":
                yield _to_all(line, address)
            continue
        reason = refused_by_routing(line.node, decision, keys, wiring, evidence)
        told = _nothing_sent(line.node, reason, address, wiring, evidence)
        yield (
            replace(told, text=told.text.replace("sent nothing: ", "sent nothing, perhaps since ", 1))
            if refusal is not None
            else told
        )


def _stopped(line: TracedLine, journeys: Sequence[Journey], wiring: Wiring, evidence: Evidence) -> Iterator[Reason]:
    """Why a line sent no more, or nothing for a while: its node's routing changed meanwhile, and refused."""
    has_changed = any(event.node == line.node and isinstance(event, (RouteEvent, RuleEvent)) for event in evidence.events)
    tables = evidence.tables(line.node) if has_changed else None
    for address in line.targets(wiring.addresses_of) if tables is not None else ():
        missing, keys = _missing(line, address, journeys), keys_of_line(line, address)
        decision = tables.decide(keys) if tables is not None and missing else None
        if decision is not None and decision.kind in _REFUSED:
            reason = refused_by_routing(line.node, decision, keys, wiring, evidence)
            told = _nothing_sent(line.node, reason, address, wiring, evidence)
            yield replace(told, text=told.text.replace("sent nothing: ", "sent nothing more: ", 1), proof=missing)
        elif decision is not None and decision.kind == "forwarded":
            name = wiring.name(address)
            gone = refused_for_a_while(line.node, keys, address if name == address else f"{address} ({name})", evidence)
            if gone is not None:
                yield replace(gone, text=f"{line.node} sent nothing for a while: {gone.text}", proof=missing)


def _missing(line: TracedLine, address: str, journeys: Sequence[Journey]) -> str:
    """That a line which has sent something to an address has not sent all, as far as that can be seen; "" for what has."""
    packets = (dissect(journey.first.data) for journey in journeys if journey.first.node == line.node)
    sent = [packet for packet in packets if packet.destination == address and packet.ttl is not None]
    count = next((int(word) for word in line.words_after("-c") if word.isdigit()), 0)
    if not sent or not line.is_ping:
        return f"it failed with status {line.status}" if sent and line.status else ""
    return f"it sent {len(sent)} of {count} requests" if len(sent) < count else ""


def keys_of_line(line: TracedLine, address: str) -> Keys:
    """What the routing of its node looks up what it sends by, as far as its words tell."""
    if line.is_ping:
        mark, ds_field = (next(map(_number, line.words_after(option)), 0) for option in ("-m", "-Q"))
        return Keys("", address, "", 58 if ":" in address else 1, None, ds_field & 0xFC, mark)
    protocol, port = _service(line.separated, address)
    return Keys("", address, "", protocol, (0, port) if port else None, mark=0, is_guess=True)


def _service(words: Sequence[str], address: str) -> tuple[int, int]:
    """The protocol and the port that a well-known program goes to; 0 for what its words do not tell."""
    if (found := next(filter(None, map(_URL.match, words)), None)) is not None:
        return 6, int(found["port"] or (443 if found["scheme"] == "https" else 80))
    if {"dig", "host", "nslookup"} & set(words):
        return 17, 53
    if not {"nc", "ncat", "netcat", "telnet"} & set(words):
        return 0, 0
    after = words[words.index(address) + 1 :] if address in words else ()
    return 17 if "-u" in words else 6, next((int(word) for word in after if word.isdigit()), 0)


def _number(word: str) -> int:
    """A number as programs take it, 0x10 too; 0 for other words."""
    with suppress(ValueError):
        return int(word, 0)
    return 0


def _refused_by_mark(node: str, address: str, tables: NodeTables, evidence: Evidence) -> tuple[Decision, Keys] | None:
    """What routing says of a packet with a mark that rules of the node have given it: it is asked again after those."""
    for (where, _), mark in evidence.firewall.marks.items():
        keys = Keys("", address, mark=mark)
        if where == node and (decision := tables.decide(keys)).kind in _REFUSED:
            return decision, keys
    return None


def _too_big(line: TracedLine, decision: Decision, address: str, tables: NodeTables) -> Reason | None:
    """A ping that must not be fragmented, and that its own sender has no room for."""
    sizes = [int(word) for word in line.words_after("-s") if word.isdigit()]
    link = tables.links.get(tables.names.get(decision.interface, ""))
    if not line.is_ping or not sizes or link is None or not {"do", "probe"} & set(line.words_after("-M")):
        return None
    size, limit = sizes[0] + (48 if ":" in address else 28), decision.mtu or link.mtu
    if size <= limit:
        return None
    what = f"the MTU of {line.node} {link.name}" if limit == link.mtu else f"the mtu of the route to {address}"
    hint = f"{line.node} ip link set {link.name} mtu {size}" if limit == link.mtu else f"{line.node} ip route get {address}"
    return Reason("mtu", f"{line.node} sent nothing: {size} bytes are too big, {what} is {limit}", (), hint, TABLES)


def _to_all(line: TracedLine, address: str) -> Reason:
    """What goes to all of a network is refused to programs that have not said that they mean it (socket(7)), and to TCP."""
    refused = "connections to it, and datagrams of programs without SO_BROADCAST"
    text = f"{line.node} sent nothing: {address} is a broadcast address, and the kernel refuses {refused}"
    command = " ".join(line.words)
    hint = f"{line.node} ping -b {command.removeprefix('ping ')}" if command.startswith("ping ") else ""
    return Reason("socket", text, (), hint, TABLES)


def _unusable_address(line: TracedLine, tables: NodeTables, wiring: Wiring, evidence: Evidence) -> Reason | None:
    """An address that the line is to send from and its node cannot use: it failed the test for duplicates, or is not there."""
    for word in line.words_after("-I", "--interface", "-B", "--bind", "--source", "-s"):
        flags = tables.address_flags.get(word)
        if flags is not None and (reason := unusable(line.node, word, wiring, evidence)):
            return reason
        if flags is None and is_address(word):
            return Reason("address", f"{line.node} has no address {word} to send from", (), f"{line.node} ip addr", TABLES)
    return None


def _nothing_sent(node: str, reason: Reason, address: str, wiring: Wiring, evidence: Evidence) -> Reason:
    mark = ":" if ":" in address else "."
    tables = evidence.tables(node)
    down = [link.name for link in tables.links.values() if link.index != 1 and not (link.up and link.carrier)] if tables else []
    if reason.text.startswith("no route") and down:
        text = f"{node} sent nothing: {reason.text}; {node} {down[0]} is down"
        return Reason("link", text, (), f"{node} ip link set {down[0]} up", TABLES)
    gateway = wiring.gateway_of(node, mark)
    if (
        reason.text.startswith("no route")
        and mark in gateway
        and tables
        and tables.decide(Keys("", gateway)).kind == "no route"
    ):
        near = f"no address in the network of its gateway {gateway}"
        return Reason("route", f"{node} sent nothing: it has {near}, nor a route to {address}", (), f"{node} ip addr", TABLES)
    return Reason(reason.kind, f"{node} sent nothing: {reason.text}", reason.details, reason.hint, reason.source)


def _has_sent(node: str, targets: Sequence[str], journeys: Sequence[Journey]) -> bool:
    """Whether the node has asked for one of them or for a way to it, or sent to it."""
    for journey in journeys:
        if journey.first.node == node and (packet := dissect(journey.first.data)).destination in targets:
            return True
        if journey.first.node == node and packet.ttl is not None and packet.protocol not in ("ND", "MLD"):
            return True
    return False


def _by_counters(wiring: Wiring, evidence: Evidence) -> Iterator[Reason]:
    """Addresses of the lab that a node which had no route for something has none to."""
    for node, moved in evidence.moved.items():
        for counter, mark in (("IpOutNoRoutes", "."), ("Ip6OutNoRoutes", ":")):
            if not moved.get(counter):
                continue
            others = [address for address in _hosts_first(wiring) if mark in address and node not in wiring.owners[address]]
            missing = _out_of_reach(node, others, evidence)
            if missing:
                named = ", ".join(f"{address} ({wiring.name(address)})" for address in missing[:3])
                gateway, text = wiring.gateway_of(node, mark), f"{node} sent nothing: no route in {node} to {named}"
                version = "-6 " if mark == ":" else ""
                hint = f"{node} ip {version}route add default via {gateway}"
                if _out_of_reach(node, [gateway] if mark in gateway else [], evidence):
                    near = f"no address in the network of its gateway {gateway}"
                    text = f"{node} sent nothing: it has {near}, nor a route to {named}"
                    hint = f"{node} ip addr"
                yield Reason("route", text, (), hint, TABLES)
            elif mark == ".":  # kernels try IPv6 all the time
                text = f"{node} had no route for what it wanted to send"
                yield Reason("route", text, (f"{counter} +{moved[counter]}",), f"{node} ip route", COUNTERS)


def _out_of_reach(node: str, addresses: Sequence[str], evidence: Evidence) -> list[str]:
    tables = evidence.tables(node)
    return [address for address in addresses[:_MOST_ASKED] if tables and tables.decide(Keys("", address)).kind == "no route"]


def _hosts_first(wiring: Wiring) -> list[str]:
    """All addresses, those of nodes that have but one first: that is where people want to get to."""
    return sorted(wiring.owners, key=lambda address: min(len(wiring.prefixes.get(node, ())) for node in wiring.owners[address]))
