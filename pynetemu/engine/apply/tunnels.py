"""Makes the ends of tunnels."""

import struct

from pynetemu.engine.apply.interfaces import Words, encode, encode_address, queue_deletion, queue_mtu, queue_new
from pynetemu.engine.messages.framing import attribute
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddTunnel
from pynetemu.plan.operations.steps import Replace, Undo

# linux/if_link.h and linux/if_tunnel.h; port numbers and keys are in the network's byte order.
_VXLAN: Words = {"id": ((1, "=I"),), "dstport": ((15, ">H"),)}
_GRE: Words = {"ttl": ((8, "=B"),), "key": ((4, ">I"), (5, ">I"))}
_IFLAGS, _OFLAGS, _KEY = 2, 3, 0x2000  # GRE_KEY, in the network's byte order
_IP6GRE_FLAGS, _IGNORE_ENCAPSULATION_LIMIT = 13, 0x1  # IP6_TNL_F_IGN_ENCAP_LIMIT
_ENDS = {"vxlan": ((4, 17), (2, 16)), "gre": ((6, 6), (7, 7)), "ip6gre": ((6, 6), (7, 7))}  # local, remote


def queue(operation: AddTunnel, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    of_local, of_remote = _ENDS[operation.kind]
    data = encode_address(operation.local, *of_local) + encode_address(operation.remote, *of_remote)
    data += encode(operation.settings, _VXLAN) if operation.kind == "vxlan" else _gre(operation)
    queue_new(operation, node, operation.interface, operation.kind, data, operation.mac, operation.mtu)
    return node


def _gre(operation: AddTunnel) -> bytes:
    data = encode((setting for setting in operation.settings if setting != "encaplimit none"), _GRE)
    if any(setting.startswith("key ") for setting in operation.settings):
        data += b"".join(attribute(kind, struct.pack(">H", _KEY)) for kind in (_IFLAGS, _OFLAGS))
    if "encaplimit none" in operation.settings:
        data += attribute(_IP6GRE_FLAGS, struct.pack("=I", _IGNORE_ENCAPSULATION_LIMIT))
    return data


def queue_undo(step: Undo, operation: AddTunnel, nodes: Nodes) -> list[Node]:
    return queue_deletion(step, nodes, operation.node, operation.interface)


def queue_replace(step: Replace, _: AddTunnel, new: AddTunnel, nodes: Nodes) -> list[Node]:
    return queue_mtu(step, nodes, new.node, new.interface, new.mtu)
