"""Labs on the machine itself (`--host`): what is refused before anything changes, and what is removed at the end.

All that such a lab adds to the machine are the near ends of its links with their addresses and routes. The kernel removes
them with their far ends, when the nodes' namespaces go; so nothing stays even when the engine is killed, and nothing
has to be written down.
"""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, ip_address

from pynetemu.engine import netlink, queries
from pynetemu.engine.loop import Steps
from pynetemu.engine.nodes import Nodes
from pynetemu.errors import ConflictError
from pynetemu.plan.inventory import Inventory
from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddDevice,
    AddFile,
    AddHttpServer,
    AddMultipathRoute,
    Address,
    AddRoute,
    AddRuleset,
    AddTunnel,
    AddVeth,
    AddWireGuard,
    IPNetwork,
    Operation,
    SetSysctl,
)

_SECONDS_FOR_OTHERS = 30
_SECONDS_BETWEEN_LOOKS = 0.01
_LASTING = (AddTunnel, AddWireGuard, AddBridge, AddDevice)


def primary_address() -> Address | None:
    """The address with which this machine reaches others: that of its default route, else its first one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # RFC 5737, for documentation: connecting a UDP socket sends nothing
        return ip_address(probe.getsockname()[0])
    found = [address.ip for address in queries.addresses(netlink.Netlink()) if not address.ip.is_loopback]
    return next((address for address in found if isinstance(address, IPv4Address)), None)


def refuse_conflicts(inventory: Inventory) -> None:
    """Raises ConflictError with everything that the machine has already."""
    link = netlink.Netlink()
    try:
        conflicts = [
            *_links(inventory),
            *_lasting(inventory),
            *_networks(inventory, link),
            *_ports(inventory),
            *_settings(inventory),
        ]
    finally:
        link.close()
    if conflicts:
        raise ConflictError(
            "\n".join([*conflicts, "    hint: nothing was changed; without --host the lab gets a machine of its own"])
        )


def wait_for_turn() -> Steps[int]:
    """Labs are built on a machine one after the other, so that each sees what the others have; to be closed at the end.

    The lock is that of the network namespace itself (flock(2)). Raises ConflictError.
    """
    turn = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    end = time.monotonic() + _SECONDS_FOR_OTHERS
    while True:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return turn
        except BlockingIOError:
            if time.monotonic() > end:
                os.close(turn)
                text = f"another lab has been starting on this machine for {_SECONDS_FOR_OTHERS} s"
                raise ConflictError(f"{text}\n    hint: `pynetemu ps` lists labs") from None
            yield _SECONDS_BETWEEN_LOOKS


def remove_links(inventory: Inventory, nodes: Nodes) -> None:
    """Removes the links that the plan made, by their far ends: what is in the nodes' namespaces is this lab's for sure."""
    for operation in inventory.of_type(AddVeth):
        near = (operation.node, operation.interface), (operation.peer_node, operation.peer_interface)
        if (relayed := nodes.relayed.get(near[0])) is not None:
            inner = [index for end, index in zip(near, relayed.indexes, strict=True) if end[0] == inventory.root]
            queries.delete_links(nodes.relay.link, inner)
        else:
            for (node, _), (far, interface) in (near, near[::-1]):
                if node == inventory.root and far in nodes and far != node and interface in nodes[far].indexes:
                    queries.delete_links(nodes[far].link, [nodes[far].indexes[interface]])


def machine_hosts() -> str:
    with suppress(OSError), open("/etc/hosts", encoding="utf-8", errors="surrogateescape") as file:
        return file.read().rstrip("\n") + "\n"
    return ""


def _root_interfaces(inventory: Inventory) -> Iterator[tuple[AddVeth, str, str]]:
    """The ends of links that are on the machine: their operation, name and MAC address."""
    for operation in inventory.of_type(AddVeth):
        if operation.node == inventory.root:
            yield operation, operation.interface, operation.mac
        if operation.peer_node == inventory.root:
            yield operation, operation.peer_interface, operation.peer_mac


def _links(inventory: Inventory) -> Iterator[str]:
    existing = {name for _, name in socket.if_nameindex()}
    for operation, name, _ in _root_interfaces(inventory):
        if name in existing:
            yield _say(operation, f"this machine has an interface {name} already")
        if operation.node == operation.peer_node:
            yield _say(
                operation,
                f"both ends of the link {name} are on this machine, where nothing would remove it after a crash",
            )


def _lasting(inventory: Inventory) -> Iterator[str]:
    """What has no other end in a node, with which the kernel would remove it."""
    for operation in inventory.plan.operations:
        if isinstance(operation, _LASTING) and operation.node == inventory.root:
            text = f"{operation.interface} would be on this machine alone, where nothing would remove it after a crash"
            yield _say(operation, text)
        elif isinstance(operation, AddFile) and operation.node == inventory.root:
            yield _say(operation, f"{operation.path} would be this machine's own")
        elif isinstance(operation, AddRuleset) and operation.node == inventory.root:
            text = f"the rules of {operation.name} would be this machine's own, where nothing would remove them after a crash"
            yield _say(operation, text)


def _networks(inventory: Inventory, link: netlink.Netlink) -> Iterator[str]:
    addresses, routes = queries.addresses(link), queries.routes(link)
    for operation in inventory.plan.operations:
        if isinstance(operation, AddAddress) and operation.node == inventory.root:
            wanted = operation.address
            same = [address for address in addresses if address.ip == wanted.ip]
            near = [route for route in routes if _overlap(route.network, wanted.network)]
            if same:
                yield _say(operation, f"this machine has the address {wanted.ip} already")
            elif near:
                yield _say(operation, f"this machine has a route to {near[0]} already, which {wanted} overlaps")
            elif operation.interface == "lo":
                yield _say(operation, f"{wanted} would stay on this machine's loopback after a crash")
        elif isinstance(operation, AddRoute | AddMultipathRoute) and operation.node == inventory.root:
            where = operation.destination
            near = [route for route in routes if _overlap(route.network, where)]
            if where.prefixlen == 0:
                yield _say(operation, "the lab would have a default route on this machine")
            elif near:
                yield _say(
                    operation,
                    f"this machine has a route to {near[0]} already, which that to {where} overlaps",
                )


def _overlap(one: IPNetwork, other: IPNetwork) -> bool:
    """Link-local networks may repeat: each is for its own link."""
    return one.version == other.version and not other.is_link_local and one.overlaps(other)


def _ports(inventory: Inventory) -> Iterator[str]:
    for operation in inventory.of_type(AddHttpServer):
        if operation.node == inventory.root:
            try:
                with socket.create_server(("", operation.port)):
                    pass
            except OSError:
                yield _say(operation, f"port {operation.port} of this machine is in use")


def _settings(inventory: Inventory) -> Iterator[str]:
    """The machine's settings stay what they are: nothing would undo a change after a crash."""
    for operation in inventory.of_type(SetSysctl):
        if operation.node == inventory.root:
            with suppress(OSError), open("/proc/sys/" + operation.name.replace(".", "/"), encoding="ascii") as file:
                if (value := file.read().strip()) != operation.value:
                    fix = f"set it with `sysctl -w {operation.name}={operation.value}`"
                    yield _say(
                        operation, f"this machine has {operation.name}={value}, and the lab needs {operation.value}: {fix}"
                    )


def _say(operation: Operation, text: str) -> str:
    return f"{operation.source}: {text}" if operation.source else text
