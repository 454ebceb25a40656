"""Which part of a description each interface of its plan comes from.

ends_of_links(topology, plan)["h1", "eth0"]        (<Link>, "a")
"""

from collections.abc import Iterator

from pynetemu.plan.inventory import Inventory, Place, ends
from pynetemu.plan.operations import AddBridge, AddDevice, AddMacvlan, AddTunnel, AddVeth, AddVlan, AddWireGuard
from pynetemu.topology.devices import Bond, Bridge, Device, Dummy, Macvlan, Vrf
from pynetemu.topology.links import Link
from pynetemu.topology.nodes import VlanInterface
from pynetemu.topology.part import Part
from pynetemu.topology.tunnels import Tunnel, WireGuard

LinkEnd = tuple[Link, str]  # a link and its side, "a" or "b"


def ends_of_links(parts: list[Part], inventory: Inventory) -> dict[Place, LinkEnd]:
    """The ends of wires and tunnels; operations are in the order of the description."""
    links = [part for part in parts if isinstance(part, Link)]
    wires = [link for link in links if not isinstance(link, Tunnel)]
    veths = [op for op in inventory.of_type(AddVeth) if inventory.outside not in (op.node, op.peer_node)]
    found: dict[Place, LinkEnd] = {}
    for wire, veth in zip(wires, veths, strict=True):
        near, far = ends(veth)
        found |= {near: (wire, "a"), far: (wire, "b")}
    guards = [link for link in links if isinstance(link, WireGuard)]
    others = [link for link in links if isinstance(link, Tunnel) and not isinstance(link, WireGuard)]
    for tunnels, operations in (guards, inventory.of_type(AddWireGuard)), (others, inventory.of_type(AddTunnel)):
        sides = ((tunnel, side) for tunnel in tunnels for side in "ab")
        found |= {place: side for side, place in zip(sides, map(_place, operations), strict=True)}
    return found


def interfaces_of_parts(parts: list[Part], inventory: Inventory) -> dict[Place, Device | VlanInterface]:
    """The interfaces that are no end of a link."""
    bridges = [op for op in inventory.of_type(AddBridge) if not inventory.is_bridge(op.node)]
    devices = inventory.of_type(AddDevice)
    made: dict[type[Device], list[AddBridge] | list[AddDevice] | list[AddMacvlan]] = {
        Bridge: bridges,
        Bond: [op for op in devices if op.kind == "bond"],
        Dummy: [op for op in devices if op.kind == "dummy"],
        Vrf: [op for op in devices if op.kind == "vrf"],
        Macvlan: inventory.of_type(AddMacvlan),
    }
    found: dict[Place, Device | VlanInterface] = {}
    for kind, operations in made.items():
        own = (part for part in parts if type(part) is kind)
        found |= dict(zip(map(_place, operations), own, strict=True))
    return found | dict(_vlans(parts, inventory))


def _place(operation: AddTunnel | AddWireGuard | AddBridge | AddDevice | AddMacvlan) -> Place:
    return operation.node, operation.interface


def _vlans(parts: list[Part], inventory: Inventory) -> Iterator[tuple[Place, VlanInterface]]:
    """Those for one VLAN, which are named after what they are on, or have a name."""
    named = {(op.node, op.interface): op for op in inventory.of_type(AddVlan)}
    for part in parts:
        if isinstance(part, VlanInterface) and (place := (part.node.declaration.full_name, part.name or "")) in named:
            yield place, part
