"""Makes bridges, plugs interfaces into them and sets their ports."""

import struct
from socket import AF_BRIDGE, AF_UNSPEC

from pynetemu.engine.apply.interfaces import Words, encode, queue_new
from pynetemu.engine.apply.links import queue_up
from pynetemu.engine.messages.framing import REQUEST, attribute
from pynetemu.engine.messages.tables import LINK_BODY, RTM_DELLINK, RTM_NEWLINK, RTM_SETLINK
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddBridge, SetMaster, SetPort, SetPortVlans, StartSpanningTree

_IFLA_MASTER, _IFLA_LINKINFO, _IFLA_AF_SPEC = 10, 18, 26
_INFO_KIND, _INFO_DATA, _INFO_SLAVE_KIND, _INFO_SLAVE_DATA = 1, 2, 4, 5
_IFLA_BRIDGE_VLAN_INFO = 2
_PVID, _UNTAGGED = 0x2, 0x4  # BRIDGE_VLAN_INFO_PVID, BRIDGE_VLAN_INFO_UNTAGGED: linux/if_bridge.h

# The words of ip-link(8) and bridge(8), with their attribute of linux/if_link.h and its form.
_OF_BRIDGE: Words = {
    "forward_delay": ((1, "=I"),),
    "hello_time": ((2, "=I"),),
    "max_age": ((3, "=I"),),
    "ageing_time": ((4, "=I"),),
    "stp_state": ((5, "=I"),),
    "priority": ((6, "=H"),),
    "vlan_filtering": ((7, "=B"),),
    "mcast_snooping": ((23, "=B"),),
    "mcast_querier": ((25, "=B"),),
}
_OF_PORT: Words = {
    "priority": ((2, "=H"),),
    "cost": ((3, "=I"),),
    "hairpin": ((4, "=B"),),
    "guard": ((5, "=B"),),
    "learning": ((8, "=B"),),
    "flood": ((9, "=B"),),
    "isolated": ((33, "=B"),),
}

_Switches = AddBridge | SetMaster | SetPort | SetPortVlans | StartSpanningTree


def queue(operation: _Switches, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    interface = operation.interface
    match operation:
        case AddBridge(settings=settings, mac=mac):
            queue_new(operation, node, interface, "bridge", encode(settings, _OF_BRIDGE), mac)
            queue_up(node.link, operation, node.indexes[interface])
        case SetMaster(master=master):
            _set(operation, node, attribute(_IFLA_MASTER, struct.pack("=I", node.indexes[master])))
        case SetPort(settings=settings):
            numbers = (setting.replace(" on", " 1").replace(" off", " 0") for setting in settings)
            _set(operation, node, _info(_INFO_SLAVE_KIND, _INFO_SLAVE_DATA, encode(numbers, _OF_PORT)))
        case SetPortVlans():
            _set_vlans(operation, node)
        case StartSpanningTree():
            _set(operation, node, _info(_INFO_KIND, _INFO_DATA, encode(("stp_state 1",), _OF_BRIDGE)))
    return node


def _set(operation: _Switches, node: Node, attributes: bytes) -> None:
    """Queues a change of the operation's interface."""
    body = LINK_BODY.pack(AF_UNSPEC, 0, node.indexes[operation.interface], 0, 0) + attributes
    node.link.queue_bytes(operation, RTM_NEWLINK, REQUEST, body)


def _info(kind: int, data: int, settings: bytes) -> bytes:
    return attribute(_IFLA_LINKINFO, attribute(kind, b"bridge\0") + attribute(data, settings))


def _set_vlans(operation: SetPortVlans, node: Node) -> None:
    """Takes the port out of the VLAN in which each is at first (1), and puts it into its own."""
    changes = [(RTM_DELLINK, 0, 1)]
    if operation.untagged:
        changes.append((RTM_SETLINK, _PVID | _UNTAGGED, operation.untagged))
    changes += [(RTM_SETLINK, 0, number) for number in operation.tagged]
    for kind, flags, number in changes:
        info = attribute(_IFLA_AF_SPEC, attribute(_IFLA_BRIDGE_VLAN_INFO, struct.pack("=HH", flags, number)))
        body = LINK_BODY.pack(AF_BRIDGE, 0, node.indexes[operation.interface], 0, 0) + info
        node.link.queue_bytes(operation, kind, REQUEST, body)
