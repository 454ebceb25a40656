"""Nodes and their settings as commands."""

from collections.abc import Iterator

from pynetemu.plan.as_shell.words import in_node, ip
from pynetemu.plan.operations import AddNode, SetSysctl

TITLES = {
    AddNode: "The nodes: network namespaces, each with its loopback",
    SetSysctl: "The nodes' settings",
}
_NO_IPV6 = "net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1"


def lines(operation: AddNode | SetSysctl, root: str | None) -> Iterator[str]:
    match operation:
        case AddNode(node=node, kind=kind):
            if kind != "root":
                yield f"ip netns add {node}"
            if kind in ("switch", "hub", "outside"):
                yield f"ip netns exec {node} sysctl -qew {_NO_IPV6}"
            yield f"{ip(node, root)} link set dev lo up"
        case SetSysctl(node=node, name=name, value=value):
            yield f"{in_node(node, root)}sysctl -qw {name}={value}"


def undo(operation: AddNode | SetSysctl, root: str | None) -> Iterator[str]:
    match operation:
        case AddNode(node=node) if node != root:
            yield f"ip netns del {node}"
        case SetSysctl(node=node, name=name):
            yield f"# {name} of {node} becomes what it was"


def replace(_: AddNode | SetSysctl, new: AddNode | SetSysctl, root: str | None) -> Iterator[str]:
    """A host that is a router now is one by its settings."""
    if isinstance(new, SetSysctl):
        yield from lines(new, root)
