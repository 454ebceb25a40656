"""Makes bridges, plugs interfaces into them and sets their ports."""

import struct
from socket import AF_BRIDGE, AF_UNSPEC

from pynetemu.engine import netlink
from pynetemu.engine.netlink import attribute
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddBridge, SetMaster, SetPort, SetPortVlans, StartSpanningTree

_IFF_UP = 1
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MASTER, _IFLA_LINKINFO, _IFLA_AF_SPEC = 1, 3, 10, 18, 26
_INFO_KIND, _INFO_DATA, _INFO_SLAVE_KIND, _INFO_SLAVE_DATA = 1, 2, 4, 5
_IFLA_BRIDGE_VLAN_INFO = 2
_PVID, _UNTAGGED = 0x2, 0x4  # BRIDGE_VLAN_INFO_PVID, BRIDGE_VLAN_INFO_UNTAGGED: linux/if_bridge.h

# The words of ip-link(8) and bridge(8), with their attribute of linux/if_link.h and its form.
_OF_BRIDGE = {
    "forward_delay": (1, "=I"),
    "hello_time": (2, "=I"),
    "max_age": (3, "=I"),
    "ageing_time": (4, "=I"),
    "stp_state": (5, "=I"),
    "priority": (6, "=H"),
    "vlan_filtering": (7, "=B"),
    "mcast_snooping": (23, "=B"),
    "mcast_querier": (25, "=B"),
}
_OF_PORT = {
    "priority": (2, "=H"),
    "cost": (3, "=I"),
    "hairpin": (4, "=B"),
    "guard": (5, "=B"),
    "learning": (8, "=B"),
    "flood": (9, "=B"),
    "isolated": (33, "=B"),
}

_Switches = AddBridge | SetMaster | SetPort | SetPortVlans | StartSpanningTree


def queue(operation: _Switches, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    interface = operation.interface
    match operation:
        case AddBridge(settings=settings, mac=mac):
            name = attribute(_IFLA_IFNAME, interface.encode() + b"\0")
            address = attribute(_IFLA_ADDRESS, bytes.fromhex(mac.replace(":", ""))) if mac else b""
            info = _info(_INFO_KIND, _INFO_DATA, _encode(settings, _OF_BRIDGE))
            body = _head(node.take_index(interface), up=True) + name + address + info
            node.link.queue_bytes(operation, netlink.RTM_NEWLINK, netlink.NEW, body)
        case SetMaster(master=master):
            _set(operation, node, attribute(_IFLA_MASTER, struct.pack("=I", node.indexes[master])))
        case SetPort(settings=settings):
            _set(operation, node, _info(_INFO_SLAVE_KIND, _INFO_SLAVE_DATA, _encode(settings, _OF_PORT)))
        case SetPortVlans():
            _set_vlans(operation, node)
        case StartSpanningTree():
            _set(operation, node, _info(_INFO_KIND, _INFO_DATA, _encode(("stp_state 1",), _OF_BRIDGE)))
    return node


def _head(index: int, up: bool = False, family: int = AF_UNSPEC) -> bytes:
    flag = _IFF_UP if up else 0
    return netlink.LINK_BODY.pack(family, 0, index, flag, flag)


def _set(operation: _Switches, node: Node, attributes: bytes) -> None:
    """Queues a change of the operation's interface."""
    body = _head(node.indexes[operation.interface]) + attributes
    node.link.queue_bytes(operation, netlink.RTM_NEWLINK, netlink.REQUEST, body)


def _info(kind: int, data: int, settings: bytes) -> bytes:
    return attribute(_IFLA_LINKINFO, attribute(kind, b"bridge\0") + attribute(data, settings))


def _encode(settings: tuple[str, ...], known: dict[str, tuple[int, str]]) -> bytes:
    encoded = b""
    for setting in settings:
        word, _, value = setting.partition(" ")
        kind, form = known[word]
        encoded += attribute(kind, struct.pack(form, {"on": 1, "off": 0}[value] if value.isalpha() else int(value)))
    return encoded


def _set_vlans(operation: SetPortVlans, node: Node) -> None:
    """Takes the port out of the VLAN in which each is at first (1), and puts it into its own."""
    changes = [(netlink.RTM_DELLINK, 0, 1)]
    if operation.untagged:
        changes.append((netlink.RTM_SETLINK, _PVID | _UNTAGGED, operation.untagged))
    changes += [(netlink.RTM_SETLINK, 0, number) for number in operation.tagged]
    for kind, flags, number in changes:
        info = attribute(_IFLA_AF_SPEC, attribute(_IFLA_BRIDGE_VLAN_INFO, struct.pack("=HH", flags, number)))
        body = _head(node.indexes[operation.interface], family=AF_BRIDGE) + info
        node.link.queue_bytes(operation, kind, netlink.REQUEST, body)
