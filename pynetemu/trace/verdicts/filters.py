"""Traffic control that ended a packet: filters that dropped it or sent it elsewhere, and full queues (tc(8), tc-actions(8))."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from pynetemu.errors import PynetemuError
from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.evidence.lookups import Queue
from pynetemu.trace.verdicts.case import COUNTERS, KERNEL, TABLES, Case
from pynetemu.trace.verdicts.emulated import of_queue
from pynetemu.trace.verdicts.verdict import Reason

_ENDS = {"shot": "dropped it", "drop": "dropped it", "stolen": "took it", "trap": "took it", "queued": "took it"}


def by_filter(case: Case) -> Reason | None:
    """An action on the interface by which the packet came, or on that by which it was to leave."""
    found = (_by_action(case, interface, place, action) for interface, place, action in _met(case))
    return next((reason for reason in found if reason is not None), None)


def by_program(case: Case) -> Reason | None:
    """A filter that is a BPF program with actions of its own: nothing tells what it did, so it is but a guess."""
    for interface, place, action in _met(case):
        if action.get("kind") == "bpf":
            text = f"perhaps a tc filter on {case.node} {interface} ({place}) dropped it: a BPF program, which counts nothing"
            return Reason("tc", text, (), f"{case.node} tc filter show dev {interface} {place}", TABLES)
    return None


def _met(case: Case) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The actions that the packet may have met: each with its interface and with where it is on that."""
    way = case.way_out()
    leaves_by = way[1].name if way and way[1] else "" if case.arrived else case.interface
    wanted = [("ingress", case.interface)] if case.arrived and case.interface else []
    for place, interface in [*wanted, *([("egress", leaves_by)] if leaves_by else [])]:
        with suppress(PynetemuError):
            yield from (
                (interface, place, action) for where, action in case.evidence.filters(case.node, interface) if where == place
            )


def redirected_to(node: str, interface: str, evidence: Evidence) -> Reason | None:
    """A filter of a node that sends what it matches to an interface, where its frames are nobody's."""
    tables = evidence.tables(node)
    for name in tables.links if tables is not None else ():
        with suppress(PynetemuError):
            for place, action in evidence.filters(node, name):
                if action.get("mirred_action") == "redirect" and action.get("to_dev") == interface:
                    text = f"a tc filter on {node} {name} ({place}) {_end_of(action)}"
                    return Reason("tc", text, (), f"{node} tc -s filter show dev {name} {place}", COUNTERS)
    return None


def _by_action(case: Case, interface: str, place: str, action: Mapping[str, Any]) -> Reason | None:
    node, verb = case.node, _end_of(action)
    if not verb:
        return None
    text, hint = f"a tc filter on {node} {interface} ({place}) {verb}", f"{node} tc -s filter show dev {interface} {place}"
    target = case.evidence.link(node, str(action.get("to_dev", ""))) if action.get("kind") == "mirred" else None
    if target is not None and not target.up:
        return Reason("tc", f"{text}, which is down", (hint,), f"{node} ip link set {target.name} up", COUNTERS)
    if target is not None and target.kind == "ifb":  # which gives back what its queue does not drop
        return full_queue(node, target.name, case.evidence)
    return Reason("tc", text, (), hint, COUNTERS)


def _end_of(action: Mapping[str, Any]) -> str:
    """What an action does with a packet that goes no further; "" for one that lets it go on."""
    control = str((action.get("control_action") or {}).get("type", ""))
    if action.get("kind") == "mirred" and action.get("mirred_action") == "redirect":
        return f"redirected it to {action.get('to_dev', 'another interface')}"
    if action.get("kind") == "police":
        return "dropped it: more than its police allows" if (action.get("stats") or {}).get("drops") else ""
    return _ENDS.get(control, "")


def queue_full(case: Case) -> Reason | None:
    is_named = case.code.startswith("QDISC")  # by the kernel
    if is_named and (full := full_queue(case.node, case.interface, case.evidence)) is not None:
        return full  # the interface whose queue it was
    found = case.way_out()
    link = found[1] if found else None
    if link is None and not case.arrived:  # what the node has made itself, such as a question for a MAC address
        link = case.evidence.link(case.node, case.interface)
    if link is None:
        return None
    if (queue := case.evidence.queue(case.node, link.name)) is None:
        told = f"a queue of {case.node} {link.name} was full"
        return Reason("queue", told, (), f"{case.node} tc -s qdisc", KERNEL) if is_named else None
    return _of_queue(case.node, link.name, queue, case.evidence, has_dropped=bool(queue[1]) or is_named)


def full_queue(node: str, interface: str, evidence: Evidence) -> Reason | None:
    """The queue of an interface, if it has dropped something."""
    queue = evidence.queue(node, interface)
    has_dropped = queue is not None and (bool(queue[1]) or queue[0].kind == "blackhole")
    return _of_queue(node, interface, queue, evidence, has_dropped=True) if queue is not None and has_dropped else None


def _of_queue(node: str, interface: str, queue: tuple[Queue, int], evidence: Evidence, *, has_dropped: bool) -> Reason:
    kind, dropped, waiting = queue[0].kind, queue[1], queue[0].waiting
    hint = f"{node} tc -s qdisc show dev {interface}"
    if has_dropped and (asked := of_queue(evidence.emulated(node, interface))) is not None:
        return asked
    if kind == "blackhole":
        text = f"the queueing discipline of {node} {interface} is a blackhole: it drops all"
        return Reason("queue", text, (), f"{node} tc qdisc del dev {interface} root", TABLES)
    if kind == "netem" and dropped:
        return Reason("loss", f"lost on purpose: netem on {node} {interface} dropped {dropped}", (), hint, COUNTERS)
    if has_dropped:
        text = f"the queue of {node} {interface} ({kind}) was full: it dropped {dropped}"
        return Reason("queue", text, (), hint, COUNTERS)
    return Reason("queued", f"still in the queue of {node} {interface} ({kind}), which holds {waiting}", (), hint, COUNTERS)
