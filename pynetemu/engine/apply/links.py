"""Makes veth pairs, and brings links up."""

from pynetemu.engine.apply.interfaces import new_link, queue_deletion, queue_half, queue_mtu, queue_new
from pynetemu.engine.apply.interpose import interpose
from pynetemu.engine.messages import packing
from pynetemu.engine.messages.framing import REQUEST
from pynetemu.engine.messages.tables import RTM_NEWLINK
from pynetemu.engine.netlink import Netlink
from pynetemu.engine.nodes import Node, Nodes, RelayedLink
from pynetemu.plan.operations import AddVeth, SetUp
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.steps import Replace, Undo


def queue(operation: AddVeth | SetUp, nodes: Nodes) -> Node | list[Node]:
    node = nodes[operation.node]
    match operation:
        case AddVeth(relayed=True):
            return _queue_relayed(operation, nodes)
        case AddVeth():
            peer = nodes[operation.peer_node]
            far = new_link(peer, operation.peer_interface, operation.peer_mac, operation.mtu) + packing.into(peer.network)
            queue_new(operation, node, operation.interface, packing.veth(far), operation.mac, operation.mtu)
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
    link.queue_bytes(operation, RTM_NEWLINK, REQUEST, packing.link_up(index, up))
