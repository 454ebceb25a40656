"""A plan as the `ip` commands it stands for."""

from collections.abc import Iterator
from itertools import groupby
from shlex import quote

from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddHttpServer,
    AddNode,
    AddRoute,
    AddService,
    AddVeth,
    Operation,
    Plan,
    SetMaster,
    SetUp,
)

_HEAD = """\
#!/bin/sh
# {name} as ip commands, to run as root.{root}
{undo}set -eu
"""
_ROOT = " They add to the machine itself, which is the node {root}."
_UNDO = "# Undo: for node in {nodes}; do ip netns delete $node; done\n"
_TITLES = {
    AddNode: "The nodes: network namespaces, each with its loopback",
    AddBridge: "The switches: bridges",
    AddVeth: "The links: veth pairs",
    SetMaster: "The switches' ports",
    AddAddress: "Addresses",
    SetUp: "All links up",
    AddRoute: "Routes",
    AddHttpServer: "The web servers are left out; these are like them",
    AddService: "The services are left out; they are started like this, in this order",
}
_NO_IPV6 = "net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1"


def as_shell(plan: Plan) -> str:
    """A `sh` script that makes the same network without pynetemu.

    It runs in the network namespace that is to be the root. What it made goes with the namespaces that it added.
    """
    root = next((op.node for op in plan.operations if isinstance(op, AddNode) and op.kind == "root"), None)
    added = [op.node for op in plan.operations if isinstance(op, AddNode) and op.kind != "root"]
    head = _HEAD.format(
        name=plan.name,
        root=_ROOT.format(root=root) if root else "",
        undo=_UNDO.format(nodes=" ".join(added)) if added else "",
    )
    return head + "".join(_sections(plan, root))


def command(operation: Operation, root: str | None = None) -> str:
    """The command that does what an operation says; for the node `root`, it is one to run as it is.

    command(SetUp("blue", "veth_blue")) == "ip -n blue link set dev veth_blue up"
    """
    match operation:
        case AddNode(node=node):
            return f"ip netns add {node}"
        case AddBridge(node=node, interface=interface):
            return f"{_ip(node, root)} link add name {quote(interface)} type bridge mcast_snooping 0"
        case AddVeth():
            return _add_veth(operation, root)
        case SetMaster(node=node, interface=interface, master=master):
            return f"{_ip(node, root)} link set dev {quote(interface)} master {quote(master)}"
        case AddAddress(node=node, interface=interface, address=address):
            nodad = " nodad" if address.version == 6 else ""
            return f"{_ip(node, root)} addr add {address} dev {quote(interface)}{nodad}"
        case SetUp(node=node, interface=interface):
            return f"{_ip(node, root)} link set dev {quote(interface)} up"
        case AddRoute(node=node, destination=destination, via=via):
            where = "default" if destination.prefixlen == 0 else str(destination)
            return f"{_ip(node, root)} route add {where} via {via}"
        case AddHttpServer(node=node, port=port):
            return f'{_exec(node, root)}python3 -m http.server {port} --directory "$(mktemp -d)"'
        case AddService(node=node, command=line, directory=directory, env=env):
            added = f"env {' '.join(map(quote, env))} " if env else ""
            return f"cd {quote(directory)} && {_exec(node, root)}{added}sh -c {quote(line)}"


def _add_veth(operation: AddVeth, root: str | None) -> str:
    near = f"name {quote(operation.interface)} address {operation.mac}"
    far = f"name {quote(operation.peer_interface)} address {operation.peer_mac}"
    if operation.peer_node == root != operation.node:  # it has no name to be an argument: start from it
        return f"ip link add {far} type veth peer {near} netns {operation.node}"
    where = "" if operation.peer_node == operation.node else f" netns {operation.peer_node}"
    return f"{_ip(operation.node, root)} link add {near} type veth peer {far}{where}"


def _sections(plan: Plan, root: str | None) -> Iterator[str]:
    for kind, operations in groupby(plan.operations, key=type):
        yield f"\n# {_TITLES[kind]}\n"
        for operation in operations:
            yield from (f"{line}\n" for line in _lines(operation, root))


def _lines(operation: Operation, root: str | None) -> Iterator[str]:
    """The commands of an operation, with what it sets besides."""
    match operation:
        case AddNode(node=node, kind=kind):
            if kind != "root":
                yield command(operation, root)
            if kind in ("switch", "outside"):
                yield f"ip netns exec {node} sysctl -qew {_NO_IPV6}"
            yield f"{_ip(node, root)} link set dev lo up"
        case AddBridge(node=node, interface=interface):
            yield command(operation, root)
            yield command(SetUp(node, interface), root)
        case AddHttpServer(name=name) | AddService(name=name):
            yield "# " + f"{command(operation, root)} &   # {name}".replace("\n", "\n# ")
        case _:
            yield command(operation, root)


def _ip(node: str, root: str | None) -> str:
    return "ip" if node == root else f"ip -n {node}"


def _exec(node: str, root: str | None) -> str:
    return "" if node == root else f"ip netns exec {node} "
