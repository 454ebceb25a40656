"""Makes VLAN interfaces."""

from pynetemu.engine import netlink
from pynetemu.engine.netlink import ifinfmsg
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddVlan


def queue(operation: AddVlan, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    data = {"attrs": [("IFLA_VLAN_ID", operation.vlan)]}
    message = ifinfmsg()
    message["index"] = node.take_index(operation.interface) if node.next_index else 0
    message["attrs"] = [
        ("IFLA_IFNAME", operation.interface),
        ("IFLA_LINK", nodes.index(node, operation.parent)),
        ("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", "vlan"), ("IFLA_INFO_DATA", data)]}),
    ]
    node.link.queue(operation, netlink.RTM_NEWLINK, netlink.NEW, message)
    return node
