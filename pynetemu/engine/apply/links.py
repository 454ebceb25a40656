"""Makes veth pairs, and brings links up."""

import struct
from socket import AF_UNSPEC

from pynetemu.engine.apply.interfaces import describe_new, queue_deletion, queue_half, queue_mtu, queue_new
from pynetemu.engine.apply.interpose import interpose
from pynetemu.engine.messages.framing import REQUEST, attribute
from pynetemu.engine.messages.tables import IFF_UP, LINK_BODY, RTM_NEWLINK
from pynetemu.engine.netlink import Netlink
from pynetemu.engine.nodes import Node, Nodes, RelayedLink
from pynetemu.plan.operations import AddVeth, SetUp
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.steps import Replace, Undo

_IFLA_NET_NS_FD, _VETH_INFO_PEER = 28, 1


def queue(operation: AddVeth | SetUp, nodes: Nodes) -> Node | list[Node]:
    node = nodes[operation.node]
    match operation:
        case AddVeth(relayed=True):
            return _queue_relayed(operation, nodes)
        case AddVeth():
            peer = nodes[operation.peer_node]
            far = describe_new(peer, operation.peer_interface, operation.peer_mac, operation.mtu)
            far += attribute(_IFLA_NET_NS_FD, struct.pack("=I", peer.network))
            data = attribute(_VETH_INFO_PEER, far)
            queue_new(operation, node, operation.interface, "veth", data, operation.mac, operation.mtu)
        case SetUp(interface=interface):
            queue_up(node.link, operation, nodes.index(node, interface))
    return node


def _queue_relayed(operation: AddVeth, nodes: Nodes) -> list[Node]:
    """Two pairs, each with an end in the relay's namespace."""
    ends = (operation.node, operation.interface), (operation.peer_node, operation.peer_interface)
    indexes = [
        queue_half(operation, nodes, *end, mac, operation.mtu)
        for end, mac in zip(ends, (operation.mac, operation.peer_mac), strict=True)
    ]
    nodes.relayed[ends[0]] = RelayedLink(ends, (indexes[0], indexes[1]), operation.mtu)
    return [nodes[name] for name, _ in ends]


def queue_undo(step: Undo, operation: AddVeth | SetUp, nodes: Nodes) -> list[Node]:
    match operation:
        case AddVeth(node=node, interface=interface):  # both ends: they may be two pairs, or somebody has moved one of them
            nodes.relayed.pop((node, interface), None)
            near = queue_deletion(step, nodes, node, interface)
            return near + queue_deletion(step, nodes, operation.peer_node, operation.peer_interface)
        case SetUp(node=node, interface=interface):
            if (found := nodes.get(node)) is None or interface not in found.indexes:
                return []
            queue_up(found.link, step, found.indexes[interface], up=False)
            return [found]


def queue_replace(step: Replace, old: AddVeth | SetUp, new: AddVeth | SetUp, nodes: Nodes) -> list[Node]:
    """Of an interface that is up it does not matter when it came up; a link that was relayed once stays so, and lets all pass.

    Raises LabError, Refused and OSError.
    """
    if isinstance(new, SetUp):
        return []
    if new.relayed:
        interpose(step, new, nodes)
    if link := nodes.relayed.get((new.node, new.interface)):
        link.set_mtu(new.mtu)
    if isinstance(old, AddVeth) and old.mtu == new.mtu:
        return []
    near = queue_mtu(step, nodes, new.node, new.interface, new.mtu)
    return near + queue_mtu(step, nodes, new.peer_node, new.peer_interface, new.mtu)


def queue_up(link: Netlink, operation: Effect | None, index: int, up: bool = True) -> None:
    body = LINK_BODY.pack(AF_UNSPEC, 0, index, IFF_UP if up else 0, IFF_UP)
    link.queue_bytes(operation, RTM_NEWLINK, REQUEST, body)
