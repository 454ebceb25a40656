"""Filters of traffic control that ended a packet: dropped it, sent it elsewhere, or let it wait (tc-actions(8))."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pynetemu.errors import PynetemuError
from pynetemu.trace.verdicts.case import COUNTERS, Case
from pynetemu.trace.verdicts.verdict import Reason

_ENDS = {"shot": "dropped it", "drop": "dropped it", "stolen": "took it", "trap": "took it", "queued": "took it"}


def by_filter(case: Case) -> Reason | None:
    """An action on the interface by which the packet came, or on that by which it was to leave."""
    way = case.way_out()
    leaves_by = way[1].name if way and way[1] else "" if case.arrived else case.interface
    wanted = [("ingress", case.interface)] if case.arrived and case.interface else []
    for place, interface in [*wanted, *([("egress", leaves_by)] if leaves_by else [])]:
        with suppress(PynetemuError):
            for where, action in case.evidence.filters(case.node, interface):
                if where == place and (verb := _end_of(action)):
                    text = f"a tc filter on {case.node} {interface} ({place}) {verb}"
                    hint = f"{case.node} tc -s filter show dev {interface} {place}"
                    return Reason("tc", text, (), hint, COUNTERS)
    return None


def _end_of(action: Mapping[str, Any]) -> str:
    """What an action does with a packet that goes no further; "" for one that lets it go on."""
    control = str((action.get("control_action") or {}).get("type", ""))
    if action.get("kind") == "mirred" and action.get("mirred_action") == "redirect":
        return f"redirected it to {action.get('to_dev', 'another interface')}"
    if action.get("kind") == "police":
        return "dropped it: more than its police allows" if (action.get("stats") or {}).get("drops") else ""
    return _ENDS.get(control, "")
