"""The rules of nftables that nodes have, beside those that their description gives them, both as nft(8) lists them.

How nft lists a rule is often not how somebody has written it. So what is described is listed in a network of its own, which has
interfaces of the same names.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pynetemu.engine import syscalls
from pynetemu.engine.apply.firewalls import load
from pynetemu.engine.messages import packing
from pynetemu.engine.messages.framing import CREATE, EXCLUSIVE, REQUEST
from pynetemu.engine.messages.tables import RTM_NEWLINK
from pynetemu.engine.netlink import Netlink, Refused
from pynetemu.engine.nodes import Nodes
from pynetemu.errors import KernelError
from pynetemu.plan.inventory import Inventory
from pynetemu.plan.operations import AddRuleset

if TYPE_CHECKING:
    from pynetemu.engine.loop import Steps

_LIST = "list ruleset"


def read(nodes: Nodes, inventory: Inventory, names: Sequence[str]) -> "Steps[dict[str, tuple[str, ...]]]":
    """For each node that is described to have some: those, and what it has. One whose rules cannot be listed so is left out."""
    described: dict[str, list[AddRuleset]] = {}
    for operation in inventory.of_type(AddRuleset):
        described.setdefault(operation.node, []).append(operation)
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        node = nodes[name]
        if name not in described or (nodes.host and node.kind == "root"):
            continue
        with suppress(KernelError, Refused, OSError), _network(nodes, node.indexes) as like:
            for operation in described[name]:
                load(operation, operation.text, like, nodes)
            yield 0
            found[name] = tuple(load(described[name][0], _LIST, network, nodes) for network in (like, node.network))
        yield 0
    return found


@contextmanager
def _network(nodes: Nodes, interfaces: Iterable[str]) -> Iterator[int]:
    """The descriptor of a new network with interfaces of these names."""
    with syscalls.inside(home=nodes.home[:1]):
        syscalls.unshare(syscalls.CLONE_NEWNET)
        network, link = syscalls.namespace("net"), Netlink()
    try:
        for interface in interfaces:
            if interface != "lo":
                body = packing.new_link(0, interface) + packing.kind("bridge")
                link.queue_bytes(None, RTM_NEWLINK, REQUEST | CREATE | EXCLUSIVE, body)
        link.flush()
        yield network
    finally:
        link.close()
        os.close(network)
