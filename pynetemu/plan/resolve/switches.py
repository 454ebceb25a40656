"""What a description says of switches and their ports, as the settings of bridges."""

from collections.abc import Iterable

from pynetemu.plan.problems import Problems, Wrong
from pynetemu.plan.resolve.network import ResolvedBridge, ResolvedPort
from pynetemu.plan.values import not_one_of, read_boolean, read_number
from pynetemu.topology.part import quoted
from pynetemu.topology.switches import Port, Switch

_SWITCH_BOOLEANS = "snooping", "querier"
_PORT_BOOLEANS = {"isolated": False, "hairpin": False, "learning": True, "flood": True, "guard": False}  # by default
_TICKS = 100  # of a second, in which the kernel counts a bridge's times (USER_HZ, time(7))
_SHORT = {"forward_delay": 2.0, "hello": 1.0, "max_age": 6.0}  # the least that net/bridge/br_private.h allows
_STANDARD = {"forward_delay": 15.0, "hello": 2.0, "max_age": 20.0}  # IEEE 802.1D-1998, table 8-3
_LIMITS = {"forward_delay": (2, 30), "hello": (1, 10), "max_age": (6, 40)}
_WORDS = {"forward_delay": "forward_delay", "hello": "hello_time", "max_age": "max_age"}


def read_switch(part: Switch, problems: Problems) -> ResolvedBridge:
    declaration, check = part.declaration, problems.check
    stp = check(declaration, _read_stp, part.stp) or False
    priority = check(declaration, read_number, part.priority, "priority", 0, 65535)
    snooping, querier = (check(declaration, read_boolean, getattr(part, name), name) for name in _SWITCH_BOOLEANS)
    filtering = None
    if part.vlan_filtering is not None:
        filtering = check(declaration, read_boolean, part.vlan_filtering, "vlan_filtering")
    settings = [f"mcast_snooping {int(snooping or False)}"]
    if querier:
        if snooping is False:
            problems.add(declaration, "querier=True has no effect without snooping", "give snooping=True besides")
        settings += ["mcast_querier 1"]
    ageing = check(declaration, _read_ageing, part.ageing)
    if ageing is not None and ageing != Switch.ageing:
        settings += [f"ageing_time {round(ageing * _TICKS)}"]
    times = _STANDARD if stp == "standard" else _SHORT
    for name, usual in times.items():
        given = getattr(part, name)
        if given is not None and not stp:
            problems.add(declaration, f"{name}={quoted(given)} is the spanning tree's", "give stp=True besides")
        elif stp:
            seconds = check(declaration, _read_seconds, usual if given is None else given, name, *_LIMITS[name])
            settings += [f"{_WORDS[name]} {round((seconds or usual) * _TICKS)}"]
    if stp:
        settings += [f"priority {priority}"]
    elif priority is not None and part.priority != Switch.priority:
        problems.add(declaration, f"priority={priority} is the spanning tree's", "give stp=True besides")
    return ResolvedBridge(bool(stp), priority or 0, bool(filtering), tuple(settings))


def read_port(part: Port, problems: Problems) -> ResolvedPort:
    declaration, check = part.declaration, problems.check
    vlan = None if part.untagged is None else check(declaration, read_vlan, part.untagged)
    trunk = check(declaration, _read_trunk, part.tagged) or ()
    if vlan in trunk:
        text = f"VLAN {vlan} is both tagged and untagged on this port"
        problems.add(declaration, text, "vlan= is the untagged VLAN, trunk= lists the tagged ones")
    cost = None if part.cost is None else check(declaration, read_number, part.cost, "cost", 1, 65535)
    priority = None if part.priority is None else check(declaration, read_number, part.priority, "priority", 0, 63)
    chosen = {name: check(declaration, read_boolean, getattr(part, name), name) for name in _PORT_BOOLEANS}
    settings = [
        *([] if cost is None else [f"cost {cost}"]),
        *([] if priority is None else [f"priority {priority}"]),
        *(f"{name} {'off' if usual else 'on'}" for name, usual in _PORT_BOOLEANS.items() if chosen[name] is (not usual)),
    ]
    if isinstance(part.node, Switch) and not part.node.stp:
        of_tree = {"cost": cost, "priority": priority, "guard": chosen["guard"] or None}
        for name in (name for name, value in of_tree.items() if value is not None):
            text = f"{name}={getattr(part, name)} is the spanning tree's, which this port's switch has not"
            problems.add(declaration, text, f"leave it out, or {part.node.declaration.name or 's1'} = Switch(stp=True)")
    return ResolvedPort(vlan, trunk, tuple(settings), cost, 32 if priority is None else priority)


def read_vlan(number: object) -> int:
    return read_number(number, "VLAN", 1, 4094)


def _read_trunk(numbers: object) -> tuple[int, ...]:
    if not isinstance(numbers, Iterable) or isinstance(numbers, str | bytes):
        raise Wrong(f"trunk={quoted(numbers)} has no VLANs", "it is a list of numbers: trunk=[10, 20]")
    return tuple(sorted({read_vlan(number) for number in numbers}))


def _read_stp(stp: object) -> bool | str:
    if stp not in (True, False, "standard"):
        raise not_one_of("stp", stp, (True, "standard", False), "True has short timers")
    return stp if isinstance(stp, str) else bool(stp)


def _read_ageing(seconds: object) -> float:
    found = _read_seconds(seconds, "ageing", 0, 1_000_000)
    if found and not round(found * _TICKS):
        raise Wrong(f"ageing={quoted(seconds)} is less than the kernel counts", f"0, or at least {1 / _TICKS} s")
    return found


def _read_seconds(seconds: object, name: str, least: int, most: int) -> float:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not least <= seconds <= most:
        raise Wrong(f"{name}={quoted(seconds)} cannot be", f"a number of seconds from {least} to {most}")
    return float(seconds)
