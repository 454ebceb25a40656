"""Makes links do to packets what is asked, by the kernel or by the relay."""

from errno import EINVAL, ENODEV, ENOENT

from pynetemu.engine.apply.links import queue_up
from pynetemu.engine.messages import queueing
from pynetemu.engine.messages.framing import CREATE, REPLACE, REQUEST
from pynetemu.engine.netlink import NEW
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.engine.shaping import disciplines
from pynetemu.engine.shaping.offloads import split_segments_of
from pynetemu.errors import LabError
from pynetemu.plan.operations import Impair
from pynetemu.plan.operations.steps import Replace, Undo
from pynetemu.plan.shaping.impairment import KERNELS_QUEUES, from_words
from pynetemu.plan.shaping.mechanisms import begins_anew

_SET = REQUEST | CREATE | REPLACE
_GONE = {ENOENT, ENODEV, EINVAL}  # from an interface that has been made anew
_FRAME = 18  # bytes of Ethernet around a packet, with a VLAN tag


def queue(operation: Impair, nodes: Nodes) -> Node | list[Node]:
    """The relay's is told to it when all links are there: see `engine.shaping.relays`. Raises OSError."""
    node, peer = nodes[operation.node], nodes[operation.peer_node]
    if operation.mechanism == "relay":
        return _note(operation, nodes)
    _note_kernel(operation, nodes, True)
    split_segments_of(nodes, operation.node, operation.interface)
    wanted = from_words(operation.settings)
    index = nodes.index(node, operation.interface)
    if operation.mechanism == "filter":
        there = nodes.index(peer, operation.peer_interface)
        peer.link.queue_bytes(operation, queueing.RTM_NEWQDISC, NEW, disciplines.clsact(there))
        peer.link.queue_bytes(operation, queueing.RTM_NEWTFILTER, _SET, disciplines.loss_filter(there, wanted.loss))
        return peer
    made = disciplines.netem(index, wanted) if operation.mechanism == "netem" else disciplines.tbf(index, wanted, 1500 + _FRAME)
    node.link.queue_bytes(operation, queueing.RTM_NEWQDISC, _SET, made)
    if wanted.queue.kind in KERNELS_QUEUES:
        child = disciplines.behind_tbf(index, wanted.queue.kind)
        node.link.queue_bytes(operation, queueing.RTM_NEWQDISC, _SET, child)
    return node


def queue_undo(step: Undo, operation: Impair, nodes: Nodes) -> list[Node]:
    """A plain wire again; the relay's words go with its link."""
    near, far = ((operation.node, operation.interface), (operation.peer_node, operation.peer_interface))
    if operation.mechanism == "relay":
        for ends, link in nodes.relayed.items():
            if near in link.ends:
                link.words[int(near != ends)] = ()
        return []
    _note_kernel(operation, nodes, False)
    name, interface = far if operation.mechanism == "filter" else near
    if (node := nodes.get(name)) is None or interface not in node.indexes:
        return []
    index = node.indexes[interface]
    gone = disciplines.clsact(index) if operation.mechanism == "filter" else disciplines.root(index)
    node.link.queue_bytes(step, queueing.RTM_DELQDISC, REQUEST, gone)
    return [node]


def queue_replace(_: Replace, old: Impair, new: Impair, nodes: Nodes) -> list[Node]:
    """The old one may have gone with its interface already."""
    for node in queue_undo(Undo(old), old, nodes) if begins_anew(old, new) or new.mechanism == "filter" else ():
        node.link.flush(_GONE)
    changed = queue(new, nodes)
    return changed if isinstance(changed, list) else [changed]


def _note_kernel(operation: Impair, nodes: Nodes, does: bool) -> None:
    """For the relay, if the link goes through it besides."""
    near, far = (operation.node, operation.interface), (operation.peer_node, operation.peer_interface)
    if link := nodes.relayed.get(near) or nodes.relayed.get(far):
        link.by_kernel[link.ends.index(near)] = does


def _note(operation: Impair, nodes: Nodes) -> Node:
    """The inner ends are up from here on, so that the outer ones are joined to something that is."""
    ends = (operation.node, operation.interface), (operation.peer_node, operation.peer_interface)
    side = int(ends[0] not in nodes.relayed)
    if (link := nodes.relayed.get(ends[side])) is None:
        (a, near), (b, far) = ends
        raise LabError(f"the link between {a} {near} and {b} {far} has gone: somebody has deleted an end of it")
    link.words[side] = operation.settings
    for inner in link.indexes:
        queue_up(nodes.relay.link, operation, inner)
    return nodes.relay
