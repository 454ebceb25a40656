"""Messages that make interfaces, packed by hand; what is special about one is said in the words of ip-link(8)."""

import struct
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from socket import AF_UNSPEC
from typing import Any

from pynetemu.engine.messages.framing import REQUEST, attribute
from pynetemu.engine.messages.tables import LINK_BODY, RTM_DELLINK, RTM_NEWLINK
from pynetemu.engine.netlink import NEW
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations.operation import Effect

_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 1, 3, 4, 18, 28
_INFO_KIND, _INFO_DATA = 1, 2

_USUAL_MTU = 1500  # ETH_DATA_LEN
_HIGH_INDEX = 1 << 20  # which the machine itself has not come to

# For a word its attributes, each with the form of its value: one of struct's, with the numbers of words where it takes such.
Form = str | tuple[str, Mapping[str, int]]
Words = Mapping[str, tuple[tuple[int, Form], ...]]


def queue_new(
    operation: Effect,
    node: Node,
    interface: str,
    kind: str,
    data: bytes,
    mac: str = "",
    mtu: int = 0,
    more: bytes = b"",
    by: Node | None = None,
) -> None:
    """Queues a new interface, which stays down; `data` and `more` are attributes of its kind and of any interface.

    It is made from within another node, `by`, when it is on an interface there.
    """
    maker = by or node
    if maker is not node:  # before Linux 6.13 the index must be free where the message is sent, too (rtnl_newlink)
        node.next_index = node.next_index and max(node.next_index, maker.next_index or _HIGH_INDEX)
        more += attribute(_IFLA_NET_NS_FD, struct.pack("=I", node.network))
    body = describe_new(node, interface, mac, mtu)
    info = attribute(_INFO_KIND, kind.encode() + b"\0") + (attribute(_INFO_DATA, data) if data else b"")
    maker.link.queue_bytes(operation, RTM_NEWLINK, NEW, body + more + attribute(_IFLA_LINKINFO, info))


def queue_deletion(step: Effect, nodes: Nodes, name: str, interface: str) -> list[Node]:
    """Queues the end of an interface, if it is there."""
    node = nodes.get(name)
    if node is None or (index := node.indexes.pop(interface, 0)) == 0:
        return []
    node.link.queue_bytes(step, RTM_DELLINK, REQUEST, LINK_BODY.pack(AF_UNSPEC, 0, index, 0, 0))
    return [node]


def queue_mtu(step: Effect, nodes: Nodes, name: str, interface: str, mtu: int) -> list[Node]:
    """Queues another largest packet, in bytes; 0 is the kernel's own."""
    node = nodes[name]
    body = LINK_BODY.pack(AF_UNSPEC, 0, nodes.index(node, interface), 0, 0)
    node.link.queue_bytes(step, RTM_NEWLINK, REQUEST, body + attribute(_IFLA_MTU, struct.pack("=I", mtu or _USUAL_MTU)))
    return [node]


def describe_new(node: Node, interface: str, mac: str = "", mtu: int = 0) -> bytes:
    """The head and the common attributes of a message about a new interface, whose index is chosen."""
    index = node.take_index(interface) if node.next_index else 0
    body = LINK_BODY.pack(AF_UNSPEC, 0, index, 0, 0) + attribute(_IFLA_IFNAME, interface.encode() + b"\0")
    if mac:
        body += attribute(_IFLA_ADDRESS, bytes.fromhex(mac.replace(":", "")))
    return body + attribute(_IFLA_MTU, struct.pack("=I", mtu)) if mtu else body


def encode(settings: Iterable[str], known: Words) -> bytes:
    """encode(("id 10",), {"id": ((1, "=I"),)}) is the attribute 1 with the number 10."""
    encoded = b""
    for setting in settings:
        word, _, value = setting.partition(" ")
        encoded += b"".join(attribute(kind, _pack(value, form)) for kind, form in known[word])
    return encoded


def encode_address(address: Any, version_4: int, version_6: int) -> bytes:
    """An address as the attribute of its version."""
    found = ip_address(address)
    return attribute(version_4 if found.version == 4 else version_6, found.packed)


def _pack(value: str, form: Form) -> bytes:
    if isinstance(form, tuple):
        return struct.pack(form[0], form[1][value])
    return struct.pack(form, int(value))
