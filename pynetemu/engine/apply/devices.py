"""Makes interfaces of one node, and macvlans."""

import struct

from pynetemu.engine.apply.interfaces import Words, encode, queue_deletion, queue_new
from pynetemu.engine.messages.framing import attribute
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddDevice, AddMacvlan
from pynetemu.plan.operations.steps import Undo

# linux/if_link.h, linux/if_bonding.h
_BOND_MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
_WORDS: dict[str, Words] = {
    "bond": {"mode": ((1, ("=B", {mode: number for number, mode in enumerate(_BOND_MODES)})),), "miimon": ((3, "=I"),)},
    "dummy": {},
    "vrf": {"table": ((1, "=I"),)},
    "macvlan": {"mode": ((1, ("=I", {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8})),)},
}
_IFLA_LINK = 5


def queue(operation: AddDevice | AddMacvlan, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    match operation:
        case AddDevice(kind=kind, settings=settings):
            queue_new(operation, node, operation.interface, kind, encode(settings, _WORDS[kind]), operation.mac)
            return node
        case AddMacvlan(parent_node=parent_node, settings=settings):
            below = nodes[parent_node]
            link = attribute(_IFLA_LINK, struct.pack("=I", nodes.index(below, operation.parent)))
            data = encode(settings, _WORDS["macvlan"])
            queue_new(operation, node, operation.interface, "macvlan", data, operation.mac, more=link, by=below)
            return below


def queue_undo(step: Undo, operation: AddDevice | AddMacvlan, nodes: Nodes) -> list[Node]:
    return queue_deletion(step, nodes, operation.node, operation.interface)
