"""What a plan needs of the kernel that not every kernel has."""

from collections.abc import Callable, Iterator
from typing import Any

from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddDevice,
    AddMacvlan,
    AddTunnel,
    AddVlan,
    AddWireGuard,
    Operation,
    Plan,
)


def needs(plan: Plan) -> dict[str, Operation]:
    """The features by their name in `engine.features`, each with the first operation that needs it.

    needs(plan) == {"VLAN filtering": AddBridge("s1", "br0", ...)}
    """
    found: dict[str, Operation] = {}
    for operation in plan.operations:
        if features := _FEATURES.get(type(operation)):
            for name in features(operation):
                found.setdefault(name, operation)
    return found


def _of_bridge(operation: AddBridge) -> Iterator[str]:
    if "vlan_filtering 1" in operation.settings:
        yield "VLAN filtering"
    if "mcast_snooping 1" in operation.settings:
        yield "multicast snooping"


def _of_address(operation: AddAddress) -> Iterator[str]:
    if operation.address.version == 6:
        yield "IPv6"


_TUNNELS = {"vxlan": "vxlan", "gre": "gre", "ip6gre": "gre over IPv6"}
_FEATURES: dict[type[Operation], Callable[[Any], Iterator[str]]] = {
    AddAddress: _of_address,
    AddBridge: _of_bridge,
    AddDevice: lambda operation: iter([operation.kind]),
    AddMacvlan: lambda _: iter(["macvlan"]),
    AddTunnel: lambda operation: iter([_TUNNELS[operation.kind]]),
    AddWireGuard: lambda _: iter(["wireguard"]),
    AddVlan: lambda _: iter(["802.1Q"]),
}
