"""Makes veth pairs, and brings links up."""

import struct
from socket import AF_UNSPEC

from pynetemu.engine.apply.interfaces import describe_new, queue_new
from pynetemu.engine.messages.framing import REQUEST, attribute
from pynetemu.engine.messages.tables import IFF_UP, LINK_BODY, RTM_NEWLINK
from pynetemu.engine.netlink import Netlink
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddVeth, Operation, SetUp

_IFLA_NET_NS_FD, _VETH_INFO_PEER = 28, 1


def queue(operation: AddVeth | SetUp, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    match operation:
        case AddVeth():
            peer = nodes[operation.peer_node]
            far = describe_new(peer, operation.peer_interface, operation.peer_mac, operation.mtu)
            far += attribute(_IFLA_NET_NS_FD, struct.pack("=I", peer.network))
            data = attribute(_VETH_INFO_PEER, far)
            queue_new(operation, node, operation.interface, "veth", data, operation.mac, operation.mtu)
        case SetUp(interface=interface):
            queue_up(node.link, operation, nodes.index(node, interface))
    return node


def queue_up(link: Netlink, operation: Operation | None, index: int) -> None:
    body = LINK_BODY.pack(AF_UNSPEC, 0, index, IFF_UP, IFF_UP)
    link.queue_bytes(operation, RTM_NEWLINK, REQUEST, body)
