"""WireGuard as commands: keys are made on the spot, and stand in no file."""

from collections.abc import Iterator
from shlex import quote

from pynetemu.plan.as_shell.words import delete, in_node, ip, set_mtu
from pynetemu.plan.operations import AddPeer, AddWireGuard

TITLES = {
    AddWireGuard: "WireGuard interfaces, each with a new key; wg(8) is in the package wireguard-tools",
    AddPeer: "WireGuard peers",
}


def lines(operation: AddWireGuard | AddPeer, root: str | None) -> Iterator[str]:
    interface = quote(operation.interface)
    wg = f"{in_node(operation.node, root)}wg"
    match operation:
        case AddWireGuard(node=node, port=port, mtu=mtu):
            yield f"{ip(node, root)} link add name {interface} mtu {mtu} type wireguard"
            yield f"wg genkey | {wg} set {interface} listen-port {port} private-key /dev/stdin"
        case AddPeer(endpoint=endpoint, keepalive=keepalive):
            key = f"{in_node(operation.peer_node, root)}wg show {quote(operation.peer_interface)} public-key"
            words = [f'{wg} set {interface} peer "$({key})" allowed-ips 0.0.0.0/0,::/0']
            words += [f"endpoint {endpoint}"] if endpoint else []
            words += [f"persistent-keepalive {keepalive}"] if keepalive else []
            yield " ".join(words)


def undo(operation: AddWireGuard | AddPeer, root: str | None) -> Iterator[str]:
    match operation:
        case AddWireGuard(node=node, interface=interface):
            yield delete(node, interface, root)
        case AddPeer(node=node, interface=interface):
            key = f"{in_node(operation.peer_node, root)}wg show {quote(operation.peer_interface)} public-key"
            yield f'{in_node(node, root)}wg set {quote(interface)} peer "$({key})" remove'


def replace(_: AddWireGuard, new: AddWireGuard, root: str | None) -> Iterator[str]:
    yield set_mtu(new.node, new.interface, new.mtu, root)
