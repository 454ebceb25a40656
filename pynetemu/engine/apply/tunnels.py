"""Makes the ends of tunnels."""

from socket import htons
from typing import TYPE_CHECKING, Any

from pynetemu.engine.apply.interfaces import queue_deletion, queue_mtu, queue_rare, values
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddTunnel
from pynetemu.plan.operations.steps import Replace, Undo

if TYPE_CHECKING:
    from pynetemu.engine.messages.encoders import Attributes

_KEY = 0x2000  # GRE_KEY of linux/if_tunnel.h
_IGNORE_ENCAPSULATION_LIMIT = 0x1  # IP6_TNL_F_IGN_ENCAP_LIMIT of linux/ip6_tunnel.h


def queue(operation: AddTunnel, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    data = {"vxlan": _vxlan, "gre": _gre, "ip6gre": _gre6}[operation.kind](operation)
    queue_rare(operation, node, operation.interface, operation.kind, data, operation.mac, operation.mtu)
    return node


def _vxlan(operation: AddTunnel) -> "Attributes":
    ends = ("LOCAL", "GROUP") if operation.local.version == 4 else ("LOCAL6", "GROUP6")
    return [
        *_ends(operation, *(f"IFLA_VXLAN_{end}" for end in ends)),
        *values(operation.settings, {"id": "IFLA_VXLAN_ID", "dstport": "IFLA_VXLAN_PORT"}),
    ]


def _gre(operation: AddTunnel) -> "Attributes":
    return [*_ends(operation, "IFLA_GRE_LOCAL", "IFLA_GRE_REMOTE"), *_both_ways(operation, "IFLA_GRE", _KEY)]


def _gre6(operation: AddTunnel) -> "Attributes":
    data = [*_ends(operation, "IFLA_IP6GRE_LOCAL", "IFLA_IP6GRE_REMOTE")]
    data += _both_ways(operation, "IFLA_IP6GRE", htons(_KEY))  # which pyroute2 has in the machine's byte order
    if "encaplimit none" in operation.settings:
        data.append(("IFLA_IP6GRE_FLAGS", _IGNORE_ENCAPSULATION_LIMIT))
    return data


def _ends(operation: AddTunnel, local: str, remote: str) -> list[tuple[str, Any]]:
    return [(local, str(operation.local)), (remote, str(operation.remote))]


def _both_ways(operation: AddTunnel, prefix: str, has_key: int) -> list[tuple[str, Any]]:
    """A key is of what is sent and of what is received."""
    data: list[tuple[str, Any]] = []
    for word, _, value in (setting.partition(" ") for setting in operation.settings):
        match word:
            case "ttl":
                data.append((f"{prefix}_TTL", int(value)))
            case "key":
                data += [(f"{prefix}_{way}KEY", int(value)) for way in "IO"]
                data += [(f"{prefix}_{way}FLAGS", has_key) for way in "IO"]
    return data


def queue_undo(step: Undo, operation: AddTunnel, nodes: Nodes) -> list[Node]:
    return queue_deletion(step, nodes, operation.node, operation.interface)


def queue_replace(step: Replace, _: AddTunnel, new: AddTunnel, nodes: Nodes) -> list[Node]:
    return queue_mtu(step, nodes, new.node, new.interface, new.mtu)
