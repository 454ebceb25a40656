"""Links as commands."""

from collections.abc import Iterator
from shlex import quote

from pynetemu.plan.as_shell.words import delete, ip, set_mtu
from pynetemu.plan.operations import AddVeth, SetUp

TITLES = {AddVeth: "The links: veth pairs", SetUp: "All links up"}


def lines(operation: AddVeth | SetUp, root: str | None) -> Iterator[str]:
    match operation:
        case AddVeth():
            yield _add_veth(operation, root)
        case SetUp(node=node, interface=interface):
            yield f"{ip(node, root)} link set dev {quote(interface)} up"


def _add_veth(operation: AddVeth, root: str | None) -> str:
    mtu = f" mtu {operation.mtu}" if operation.mtu else ""
    near = f"name {quote(operation.interface)} address {operation.mac}{mtu}"
    far = f"name {quote(operation.peer_interface)} address {operation.peer_mac}{mtu}"
    if operation.peer_node == root != operation.node:  # it has no name to be an argument: start from it
        return f"ip link add {far} type veth peer {near} netns {operation.node}"
    where = "" if operation.peer_node == operation.node else f" netns {operation.peer_node}"
    return f"{ip(operation.node, root)} link add {near} type veth peer {far}{where}"


def undo(operation: AddVeth | SetUp, root: str | None) -> Iterator[str]:
    match operation:
        case AddVeth(node=node, interface=interface):
            yield delete(node, interface, root)
        case SetUp(node=node, interface=interface):
            yield f"{ip(node, root)} link set dev {quote(interface)} down"


def replace(_: AddVeth | SetUp, new: AddVeth | SetUp, root: str | None) -> Iterator[str]:
    """When an interface came up changes nothing any more."""
    if isinstance(new, AddVeth):
        yield set_mtu(new.node, new.interface, new.mtu, root)
        yield set_mtu(new.peer_node, new.peer_interface, new.mtu, root)
