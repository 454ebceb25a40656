"""Makes bridges, plugs interfaces into them and sets their ports."""

import struct
from collections.abc import Iterable
from socket import AF_BRIDGE, AF_UNSPEC

from pynetemu.engine.apply.interfaces import Words, encode, queue_deletion, queue_new
from pynetemu.engine.apply.links import queue_up
from pynetemu.engine.messages.framing import REQUEST, attribute
from pynetemu.engine.messages.tables import LINK_BODY, RTM_DELLINK, RTM_NEWLINK, RTM_SETLINK
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddBridge, SetMaster, SetPort, SetPortVlans, StartSpanningTree
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.steps import Replace, Undo
from pynetemu.plan.operations.switches import OF_BRIDGES, OF_PORTS, changed_settings

_IFLA_ADDRESS, _IFLA_MASTER, _IFLA_LINKINFO = 1, 10, 18
_INFO_KIND, _INFO_DATA, _INFO_SLAVE_KIND, _INFO_SLAVE_DATA = 1, 2, 4, 5
_PVID, _UNTAGGED = 0x2, 0x4  # BRIDGE_VLAN_INFO_PVID, BRIDGE_VLAN_INFO_UNTAGGED: linux/if_bridge.h

# The words of ip-link(8) and bridge(8), with their attribute of linux/if_link.h and its form.
_OF_BRIDGE: Words = {
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
_OF_PORT: Words = {
    "priority": (2, "=H"),
    "cost": (3, "=I"),
    "hairpin": (4, "=B"),
    "guard": (5, "=B"),
    "learning": (8, "=B"),
    "flood": (9, "=B"),
    "isolated": (33, "=B"),
}

_AT_FIRST = SetPortVlans("", "", 1, ())  # the VLAN of every port
_Switches = AddBridge | SetMaster | SetPort | SetPortVlans | StartSpanningTree


def queue(operation: _Switches, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    interface = operation.interface
    match operation:
        case AddBridge(settings=settings, mac=mac):
            queue_new(operation, node, interface, "bridge", encode(settings, _OF_BRIDGE), mac)
            queue_up(node.link, operation, node.indexes[interface])
        case SetMaster(master=master):
            _set(operation, node, interface, _master(node.indexes[master]))
        case SetPort(settings=settings):
            _set(operation, node, interface, _port(settings))
        case SetPortVlans():
            _set_vlans(operation, node, interface, _AT_FIRST, operation)
        case StartSpanningTree():
            _set(operation, node, interface, _bridge(("stp_state 1",)))
    return node


def queue_undo(step: Undo, operation: _Switches, nodes: Nodes) -> list[Node]:
    interface = operation.interface
    if isinstance(operation, AddBridge):
        return queue_deletion(step, nodes, operation.node, interface)
    if (node := nodes.get(operation.node)) is None or interface not in node.indexes:
        return []
    match operation:
        case SetMaster():
            _set(step, node, interface, _master(0))
        case SetPort(settings=settings):
            _set(step, node, interface, _port(changed_settings(settings, (), OF_PORTS)))
        case SetPortVlans():
            _set_vlans(step, node, interface, operation, _AT_FIRST)
        case StartSpanningTree():
            _set(step, node, interface, _bridge(("stp_state 0",)))
    return [node]


def queue_replace(step: Replace, old: _Switches, new: _Switches, nodes: Nodes) -> list[Node]:
    node, interface = nodes[new.node], new.interface
    match old, new:
        case AddBridge(), AddBridge():
            mac = attribute(_IFLA_ADDRESS, bytes.fromhex(new.mac.replace(":", ""))) if new.mac else b""
            _set(step, node, interface, mac + _bridge(changed_settings(old.settings, new.settings, OF_BRIDGES)))
        case SetPort(), SetPort():
            _set(step, node, interface, _port(changed_settings(old.settings, new.settings, OF_PORTS)))
        case SetPortVlans(), SetPortVlans():
            _set_vlans(step, node, interface, old, new)
    return [node]


def _set(step: Effect, node: Node, interface: str, attributes: bytes) -> None:
    """Queues a change of an interface."""
    body = LINK_BODY.pack(AF_UNSPEC, 0, node.indexes[interface], 0, 0) + attributes
    node.link.queue_bytes(step, RTM_NEWLINK, REQUEST, body)


def _master(index: int) -> bytes:
    return attribute(_IFLA_MASTER, struct.pack("=I", index))


def _port(settings: Iterable[str]) -> bytes:
    numbers = (setting.replace(" on", " 1").replace(" off", " 0") for setting in settings)
    return _info(_INFO_SLAVE_KIND, _INFO_SLAVE_DATA, encode(numbers, _OF_PORT))


def _bridge(settings: Iterable[str]) -> bytes:
    return _info(_INFO_KIND, _INFO_DATA, encode(settings, _OF_BRIDGE))


def _info(kind: int, data: int, settings: bytes) -> bytes:
    return attribute(_IFLA_LINKINFO, attribute(kind, b"bridge\0") + attribute(data, settings))


def _set_vlans(step: Effect, node: Node, interface: str, old: SetPortVlans, new: SetPortVlans) -> None:
    """Takes the port out of VLANs in which it is no more, and puts it into its own."""
    changes = [(RTM_DELLINK, 0, number) for number in sorted(old.numbers - new.numbers)]
    if new.untagged and new.untagged != old.untagged:
        changes.append((RTM_SETLINK, _PVID | _UNTAGGED, new.untagged))
    changes += [(RTM_SETLINK, 0, number) for number in new.tagged if number not in old.tagged]
    if not changes:
        return
    from pynetemu.engine.messages import encoders

    for kind, flags, number in changes:
        vlan = [("IFLA_BRIDGE_VLAN_INFO", {"flags": flags, "vid": number})]
        body = encoders.link(node.indexes[interface], [("IFLA_AF_SPEC", {"attrs": vlan})], AF_BRIDGE)
        node.link.queue_bytes(step, kind, REQUEST, body)
