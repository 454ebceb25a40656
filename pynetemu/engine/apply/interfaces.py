"""Messages that make interfaces; what is special about one is said in the words of ip-link(8).

Those of which large labs have thousands are packed by hand, the rest by pyroute2.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pynetemu.engine.messages import packing
from pynetemu.engine.messages.framing import REQUEST
from pynetemu.engine.messages.tables import RTM_DELLINK, RTM_NEWLINK
from pynetemu.engine.netlink import NEW
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations.operation import Effect

if TYPE_CHECKING:
    from pynetemu.engine.messages.encoders import Attributes

_USUAL_MTU = 1500  # ETH_DATA_LEN
LARGEST_MTU = 65535  # of a veth
_HIGH_INDEX = 1 << 20  # which the machine itself has not come to

Names = Mapping[str, str | tuple[str, Mapping[str, int]]]  # for a word its attribute, with the numbers of words that it takes


def queue_new(operation: Effect, node: Node, interface: str, kind: bytes, mac: str = "", mtu: int = 0) -> None:
    """Queues a new interface, which stays down; `kind` says which, as `packing.veth` does."""
    node.link.queue_bytes(operation, RTM_NEWLINK, NEW, new_link(node, interface, mac, mtu) + kind)


def queue_rare(
    operation: Effect,
    node: Node,
    interface: str,
    kind: str,
    data: "Attributes",
    mac: str = "",
    mtu: int = 0,
    more: "Attributes" = (),
    by: Node | None = None,
) -> None:
    """As `queue_new`, for kinds of which labs have few: by pyroute2, whose names of attributes are the kernel's.

    `more` are attributes of any interface. It is made from within another node, `by`, when it is on an interface there.
    """
    from pynetemu.engine.messages import encoders

    maker = by or node
    index = _take_index(node, interface, maker)
    attributes: list[tuple[str, Any]] = [("IFLA_IFNAME", interface)]
    attributes += [("IFLA_ADDRESS", mac)] if mac else []
    attributes += [("IFLA_MTU", mtu)] if mtu else []
    attributes += more
    attributes += [("IFLA_NET_NS_FD", node.network)] if maker is not node else []
    attributes.append(encoders.link_info(kind, data))
    maker.link.queue_bytes(operation, RTM_NEWLINK, NEW, encoders.link(index, attributes))


def values(settings: Iterable[str], names: Names) -> list[tuple[str, Any]]:
    """values(("id 10",), {"id": "IFLA_VXLAN_ID"}) is [("IFLA_VXLAN_ID", 10)]; with the numbers of words where it takes such."""
    found = []
    for setting in settings:
        word, _, value = setting.partition(" ")
        name = names[word]
        found.append((name, int(value)) if isinstance(name, str) else (name[0], name[1][value]))
    return found


def queue_deletion(step: Effect, nodes: Nodes, name: str, interface: str) -> list[Node]:
    """Queues the end of an interface, if it is there."""
    node = nodes.get(name)
    if node is None or (index := node.indexes.pop(interface, 0)) == 0:
        return []
    node.link.queue_bytes(step, RTM_DELLINK, REQUEST, packing.link(index))
    return [node]


def queue_mtu(step: Effect, nodes: Nodes, name: str, interface: str, mtu: int) -> list[Node]:
    """Queues another largest packet, in bytes; 0 is the kernel's own."""
    node = nodes[name]
    body = packing.link(nodes.index(node, interface), packing.mtu(mtu or _USUAL_MTU))
    node.link.queue_bytes(step, RTM_NEWLINK, REQUEST, body)
    return [node]


def queue_half(operation: Effect, nodes: Nodes, name: str, interface: str, mac: str, mtu: int) -> int:
    """Queues one end of a relayed link, with its inner end, which takes frames of any size; gives back the index of that."""
    node, relay = nodes[name], nodes.relay
    inner = f"end{relay.next_index}"
    far = new_link(relay, inner, mtu=LARGEST_MTU) + packing.into(relay.network)
    queue_new(operation, node, interface, packing.veth(far), mac, mtu)
    return relay.indexes[inner]


def new_link(node: Node, interface: str, mac: str = "", mtu: int = 0) -> bytes:
    """The start of a message about a new interface, whose index is chosen here."""
    return packing.new_link(_take_index(node, interface, node), interface, mac, mtu)


def _take_index(node: Node, interface: str, maker: Node) -> int:
    """The index of a new interface; 0 where the kernel is to choose it."""
    if maker is not node:  # before Linux 6.13 it must be free where the message is sent, too (rtnl_newlink)
        node.next_index = node.next_index and max(node.next_index, maker.next_index or _HIGH_INDEX)
    return node.take_index(interface) if node.next_index else 0
