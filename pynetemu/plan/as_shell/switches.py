"""Bridges and their ports as commands."""

from collections.abc import Iterator
from shlex import quote

from pynetemu.plan.as_shell.words import ip
from pynetemu.plan.operations import AddBridge, SetMaster, SetPort, SetPortVlans, StartSpanningTree

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
