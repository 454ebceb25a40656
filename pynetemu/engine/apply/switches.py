"""Makes bridges, plugs interfaces into them and sets their ports."""

from socket import AF_BRIDGE

from pynetemu.engine.apply.interfaces import queue_deletion, queue_new
from pynetemu.engine.apply.links import queue_up
from pynetemu.engine.messages import packing
from pynetemu.engine.messages.framing import REQUEST
from pynetemu.engine.messages.tables import RTM_DELLINK, RTM_NEWLINK, RTM_SETLINK
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddBridge, SetMaster, SetPort, SetPortVlans, StartSpanningTree
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.steps import Replace, Undo
from pynetemu.plan.operations.switches import OF_BRIDGES, OF_PORTS, changed_settings

_PVID, _UNTAGGED = 0x2, 0x4  # BRIDGE_VLAN_INFO_PVID, BRIDGE_VLAN_INFO_UNTAGGED: linux/if_bridge.h

_AT_FIRST = SetPortVlans("", "", 1, ())  # the VLAN of every port
_Switches = AddBridge | SetMaster | SetPort | SetPortVlans | StartSpanningTree


def queue(operation: _Switches, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    interface = operation.interface
    match operation:
        case AddBridge(settings=settings, mac=mac):
            queue_new(operation, node, interface, packing.bridge(settings), mac)
            queue_up(node.link, operation, node.indexes[interface])
        case SetMaster(master=master):
            _set(operation, node, interface, packing.master(node.indexes[master]))
        case SetPort(settings=settings):
            _set(operation, node, interface, packing.port(settings))
        case SetPortVlans():
            _set_vlans(operation, node, interface, _AT_FIRST, operation)
        case StartSpanningTree():
            _set(operation, node, interface, packing.bridge(("stp_state 1",)))
    return node


def queue_undo(step: Undo, operation: _Switches, nodes: Nodes) -> list[Node]:
    interface = operation.interface
    if isinstance(operation, AddBridge):
        return queue_deletion(step, nodes, operation.node, interface)
    if (node := nodes.get(operation.node)) is None or interface not in node.indexes:
        return []
    match operation:
        case SetMaster():
            _set(step, node, interface, packing.master(0))
        case SetPort(settings=settings):
            _set(step, node, interface, packing.port(changed_settings(settings, (), OF_PORTS)))
        case SetPortVlans():
            _set_vlans(step, node, interface, operation, _AT_FIRST)
        case StartSpanningTree():
            _set(step, node, interface, packing.bridge(("stp_state 0",)))
    return [node]


def queue_replace(step: Replace, old: _Switches, new: _Switches, nodes: Nodes) -> list[Node]:
    node, interface = nodes[new.node], new.interface
    match old, new:
        case AddBridge(), AddBridge():
            mac = packing.mac(new.mac) if new.mac else b""
            _set(step, node, interface, mac + packing.bridge(changed_settings(old.settings, new.settings, OF_BRIDGES)))
        case SetPort(), SetPort():
            _set(step, node, interface, packing.port(changed_settings(old.settings, new.settings, OF_PORTS)))
        case SetPortVlans(), SetPortVlans():
            _set_vlans(step, node, interface, old, new)
    return [node]


def _set(step: Effect, node: Node, interface: str, attributes: bytes) -> None:
    """Queues a change of an interface."""
    node.link.queue_bytes(step, RTM_NEWLINK, REQUEST, packing.link(node.indexes[interface], attributes))


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
