"""Makes veth pairs, and brings links up."""

from pynetemu.engine import netlink
from pynetemu.engine.netlink import Netlink, ifinfmsg
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddVeth, Operation, SetUp

_IFF_UP = 1

_End = tuple[int, str, str]  # index, 0 to leave the choice to the kernel; name; MAC


def queue(operation: AddVeth | SetUp, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    match operation:
        case AddVeth():
            _add_veth(operation, node, nodes[operation.peer_node])
        case SetUp(interface=interface):
            queue_up(node.link, operation, nodes.index(node, interface))
    return node


def queue_up(link: Netlink, operation: Operation | None, index: int) -> None:
    message = ifinfmsg()
    message["index"] = index
    message["flags"] = message["change"] = _IFF_UP
    link.queue(operation, netlink.RTM_NEWLINK, netlink.REQUEST, message)


def _add_veth(operation: AddVeth, node: Node, peer: Node) -> None:
    near = node.take_index(operation.interface) if node.next_index else 0
    far = peer.take_index(operation.peer_interface) if peer.next_index else 0
    mtu = [("IFLA_MTU", operation.mtu)] if operation.mtu else []
    far_attributes = [
        ("IFLA_IFNAME", operation.peer_interface),
        ("IFLA_ADDRESS", operation.peer_mac),
        ("IFLA_NET_NS_FD", peer.network),
        *mtu,
    ]
    pair = {"attrs": [("VETH_INFO_PEER", {"index": far, "attrs": far_attributes})]}
    info = {"attrs": [("IFLA_INFO_KIND", "veth"), ("IFLA_INFO_DATA", pair)]}
    message = ifinfmsg()
    message["index"] = near
    message["attrs"] = [
        ("IFLA_IFNAME", operation.interface),
        ("IFLA_ADDRESS", operation.mac),
        *mtu,
        ("IFLA_LINKINFO", info),
    ]
    node.link.queue(operation, netlink.RTM_NEWLINK, netlink.NEW, message)
