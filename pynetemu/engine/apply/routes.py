"""Fills routing tables. Messages are packed by hand: a lab of 200 routers has a hundred thousand routes."""

import struct
from functools import lru_cache
from socket import AF_INET, AF_INET6

from pynetemu.engine.messages.framing import CREATE, REPLACE, REQUEST, attribute
from pynetemu.engine.messages.tables import NEXT_HOP, ROUTE_BODY, RTM_DELROUTE, RTM_NEWROUTE
from pynetemu.engine.netlink import NEW
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddMultipathRoute, Address, AddRoute, EndTable, IPNetwork, ManyRoutes
from pynetemu.plan.operations.steps import Replace, Undo

_RTA_DST, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_MULTIPATH = 1, 5, 6, 9
_MAIN, _BOOT, _UNIVERSE, _UNICAST = 254, 3, 0, 1  # RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_UNIVERSE, RTN_UNICAST
_UNREACHABLE, _LAST_METRIC = 7, 4278198272  # RTN_UNREACHABLE; the metric of vrf.rst


def queue(operation: AddRoute | AddMultipathRoute | EndTable | ManyRoutes, nodes: Nodes) -> Node:
    node = nodes[operation.node]
    if not isinstance(operation, ManyRoutes):
        node.link.queue_bytes(operation, RTM_NEWROUTE, NEW, _body(operation))
        return node
    for vias, destinations in operation.ways:
        through = _through(vias)
        for destination in destinations:
            node.link.queue_bytes(operation, RTM_NEWROUTE, NEW, _head(destination, operation.table) + through)
    node.link.flush()  # so that not all nodes' messages wait in memory
    return node


def queue_undo(step: Undo, operation: AddRoute | AddMultipathRoute | EndTable, nodes: Nodes) -> list[Node]:
    if (node := nodes.get(operation.node)) is None:
        return []
    node.link.queue_bytes(step, RTM_DELROUTE, REQUEST, _body(operation))
    return [node]


def queue_replace(step: Replace, _: AddRoute, new: AddRoute | AddMultipathRoute, nodes: Nodes) -> list[Node]:
    """In one step, so that no packet finds none."""
    node = nodes[new.node]
    node.link.queue_bytes(step, RTM_NEWROUTE, REQUEST | CREATE | REPLACE, _body(new))
    return [node]


def _body(operation: AddRoute | AddMultipathRoute | EndTable) -> bytes:
    match operation:
        case AddRoute(destination=destination, via=via):
            return _head(destination, operation.table) + _gateway(via)
        case AddMultipathRoute(destination=destination, vias=vias):
            return _head(destination, operation.table) + _through(vias)
        case EndTable(destination=destination, table=table):
            return _head(destination, table, _UNREACHABLE) + attribute(_RTA_PRIORITY, struct.pack("=I", _LAST_METRIC))


def _through(vias: tuple[Address, ...]) -> bytes:
    if len(vias) == 1:
        return _gateway(vias[0])
    gateways = [_gateway(via) for via in vias]
    hops = b"".join(NEXT_HOP.pack(NEXT_HOP.size + len(gateway), 0, 0, 0) + gateway for gateway in gateways)
    return attribute(_RTA_MULTIPATH, hops)


@lru_cache(maxsize=1 << 14)  # a lab has many routes to few networks, by few gateways
def _gateway(via: Address) -> bytes:
    return attribute(_RTA_GATEWAY, via.packed)


@lru_cache(maxsize=1 << 14)
def _head(destination: IPNetwork, table: int, kind: int = _UNICAST) -> bytes:
    family, length = AF_INET if destination.version == 4 else AF_INET6, destination.prefixlen
    head = ROUTE_BODY.pack(family, length, 0, 0, table or _MAIN, _BOOT, _UNIVERSE, kind, 0)
    return head + attribute(_RTA_DST, destination.network_address.packed) if length else head
