"""Bridges and their ports as commands."""

from collections.abc import Iterator
from shlex import quote

from pynetemu.plan.as_shell.words import delete, ip
from pynetemu.plan.operations import AddBridge, SetMaster, SetPort, SetPortVlans, StartSpanningTree
from pynetemu.plan.operations.switches import OF_BRIDGES, OF_PORTS, changed_settings

TITLES = {
    AddBridge: "The switches: bridges",
    SetMaster: "The switches' ports",
    SetPort: "What is special about ports",
    SetPortVlans: "The ports' VLANs",
    StartSpanningTree: "The spanning tree, when the ports that are up forward",
}
_Switches = AddBridge | SetMaster | SetPort | SetPortVlans | StartSpanningTree


def lines(operation: _Switches, root: str | None) -> Iterator[str]:
    node = operation.node
    interface = quote(operation.interface)
    match operation:
        case AddBridge(settings=settings, mac=mac):
            address = f" address {mac}" if mac else ""
            yield f"{ip(node, root)} link add name {interface}{address} type bridge {' '.join(settings)}"
            yield f"{ip(node, root)} link set dev {interface} up"
        case SetMaster(master=master):
            yield f"{ip(node, root)} link set dev {interface} master {quote(master)}"
        case SetPort(settings=settings):
            yield f"{_bridge(node, root)} link set dev {interface} {' '.join(settings)}"
        case SetPortVlans(untagged=untagged, tagged=tagged):
            vlan = f"{_bridge(node, root)} vlan"
            yield f"{vlan} del dev {interface} vid 1"
            if untagged:
                yield f"{vlan} add dev {interface} vid {untagged} pvid untagged"
            yield from (f"{vlan} add dev {interface} vid {number}" for number in tagged)
        case StartSpanningTree():
            waiting = "grep '[<,]UP[,>]' | grep -q 'state [dl]'"  # disabled, listening, learning
            yield f"while {_bridge(node, root)} link show | {waiting}; do :; done"
            yield f"{ip(node, root)} link set dev {interface} type bridge stp_state 1"


def _bridge(node: str, root: str | None) -> str:
    return "bridge" if node == root else f"bridge -n {node}"


def undo(operation: _Switches, root: str | None) -> Iterator[str]:
    node, interface = operation.node, operation.interface
    match operation:
        case AddBridge():
            yield delete(node, interface, root)
        case SetMaster():
            yield f"{ip(node, root)} link set dev {quote(interface)} nomaster"
        case SetPort():
            yield from replace(operation, SetPort(node, interface, ()), root)
        case SetPortVlans(untagged=untagged, tagged=tagged):
            vlan = f"{_bridge(node, root)} vlan"
            yield from (f"{vlan} del dev {quote(interface)} vid {number}" for number in (untagged, *tagged) if number)
            yield f"{vlan} add dev {quote(interface)} vid 1 pvid untagged"
        case StartSpanningTree():
            yield f"{ip(node, root)} link set dev {quote(interface)} type bridge stp_state 0"


def replace(old: _Switches, new: _Switches, root: str | None) -> Iterator[str]:
    interface = quote(new.interface)
    match old, new:
        case AddBridge(), AddBridge(node=node, mac=mac):
            address = f" address {mac}" if mac and mac != old.mac else ""
            words = " ".join(changed_settings(old.settings, new.settings, OF_BRIDGES))
            yield f"{ip(node, root)} link set dev {interface}{address} type bridge {words}".removesuffix(" type bridge ")
        case SetPort(), SetPort(node=node):
            words = " ".join(changed_settings(old.settings, new.settings, OF_PORTS))
            yield f"{_bridge(node, root)} link set dev {interface} {words}"
        case SetPortVlans(), SetPortVlans(node=node):
            vlan = f"{_bridge(node, root)} vlan"
            yield from (f"{vlan} del dev {interface} vid {number}" for number in sorted(old.numbers - new.numbers))
            if new.untagged and new.untagged != old.untagged:
                yield f"{vlan} add dev {interface} vid {new.untagged} pvid untagged"
            added = {*new.tagged} - {*old.tagged}
            yield from (f"{vlan} add dev {interface} vid {number}" for number in sorted(added))
