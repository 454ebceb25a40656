"""Makes bridges, and plugs interfaces into them."""

from pynetemu.engine import netlink
from pynetemu.engine.netlink import ifinfmsg
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddBridge, SetMaster

_IFF_UP = 1


def queue(operation: AddBridge | SetMaster, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    match operation:
        case AddBridge():
            _add_bridge(operation, node)
        case SetMaster(interface=interface, master=master):
            message = ifinfmsg()
            message["index"] = node.indexes[interface]
            message["attrs"] = [("IFLA_MASTER", node.indexes[master])]
            node.link.queue(operation, netlink.RTM_NEWLINK, netlink.REQUEST, message)
    return node


def _add_bridge(operation: AddBridge, node: Node) -> None:
    message = ifinfmsg()
    message["index"] = node.take_index(operation.interface)
    message["flags"] = message["change"] = _IFF_UP
    data = {"attrs": [("IFLA_BR_MCAST_SNOOPING", 0)]}
    info = {"attrs": [("IFLA_INFO_KIND", "bridge"), ("IFLA_INFO_DATA", data)]}
    message["attrs"] = [("IFLA_IFNAME", operation.interface), ("IFLA_LINKINFO", info)]
    node.link.queue(operation, netlink.RTM_NEWLINK, netlink.NEW, message)
