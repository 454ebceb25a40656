"""Fills neighbor tables. Messages are packed by hand: a switch of 200 hosts needs 39,800."""

from socket import AF_INET, AF_INET6

from pynetemu.engine.messages.framing import attribute
from pynetemu.engine.messages.tables import NEIGHBOR_BODY, NUD_PERMANENT, RTM_NEWNEIGH
from pynetemu.engine.netlink import NEW
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddNeighbors

_NDA_DST, _NDA_LLADDR = 1, 2


def queue(operation: AddNeighbors, nodes: Nodes) -> list[Node]:
    members = [nodes[name] for name in operation.nodes]
    heads = []
    for node, interface, address in zip(members, operation.interfaces, operation.addresses, strict=True):
        family = AF_INET if address.version == 4 else AF_INET6
        heads.append(NEIGHBOR_BODY.pack(family, nodes.index(node, interface), NUD_PERMANENT, 0, 0))
    entries = [
        attribute(_NDA_DST, address.packed) + attribute(_NDA_LLADDR, bytes.fromhex(mac.replace(":", "")))
        for address, mac in zip(operation.addresses, operation.macs, strict=True)
    ]
    for a, b in operation.pairs:
        members[a].link.queue_bytes(operation, RTM_NEWNEIGH, NEW, heads[a] + entries[b])
    return members
