"""Makes interfaces of one node, and macvlans."""

from pynetemu.engine.apply.interfaces import Names, queue_deletion, queue_rare, values
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddDevice, AddMacvlan
from pynetemu.plan.operations.steps import Undo

_BOND_MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
_NAMES: dict[str, Names] = {
    "bond": {
        "mode": ("IFLA_BOND_MODE", {mode: number for number, mode in enumerate(_BOND_MODES)}),  # linux/if_bonding.h
        "miimon": "IFLA_BOND_MIIMON",
    },
    "dummy": {},
    "vrf": {"table": "IFLA_VRF_TABLE"},
    "macvlan": {"mode": ("IFLA_MACVLAN_MODE", {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8})},  # linux/if_link.h
}


def queue(operation: AddDevice | AddMacvlan, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    match operation:
        case AddDevice(kind=kind, settings=settings):
            queue_rare(operation, node, operation.interface, kind, values(settings, _NAMES[kind]), operation.mac)
            return node
        case AddMacvlan(parent_node=parent_node, settings=settings):
            below = nodes[parent_node]
            nodes.on_others[operation.node, operation.interface] = parent_node, operation.parent
            parent = ("IFLA_LINK", nodes.index(below, operation.parent))
            data = values(settings, _NAMES["macvlan"])
            queue_rare(operation, node, operation.interface, "macvlan", data, operation.mac, more=[parent], by=below)
            return below


def queue_undo(step: Undo, operation: AddDevice | AddMacvlan, nodes: Nodes) -> list[Node]:
    nodes.on_others.pop((operation.node, operation.interface), None)
    return queue_deletion(step, nodes, operation.node, operation.interface)
