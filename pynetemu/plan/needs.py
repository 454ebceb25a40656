"""What a plan needs of the kernel that not every kernel has, and of the limits that not every user has."""

from collections.abc import Callable, Iterator
from typing import Any

from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddDevice,
    AddHttpServer,
    AddMacvlan,
    AddTunnel,
    AddVlan,
    AddWireGuard,
    Impair,
    Part,
    Plan,
    parts_of,
)


def needs(plan: Plan) -> dict[str, Part]:
    """The features by their name in `engine.features`, each with the first operation that needs it.

    needs(plan) == {"VLAN filtering": AddBridge("s1", "br0", ...)}
    """
    found: dict[str, Part] = {}
    for operation in parts_of(plan):
        if features := _FEATURES.get(type(operation)):
            for name in features(operation):
                found.setdefault(name, operation)
    return found


def open_files(plan: Plan, running: bool = False) -> int:
    """How many the engine has: of each node its network namespace and its route socket; `running` commands, two more."""
    of_nodes = (4 if running else 2) * len(plan.nodes)
    return 200 + of_nodes + sum(isinstance(operation, AddHttpServer) for operation in parts_of(plan))


def lack_of_open_files(plan: Plan) -> str:
    """Why this user cannot have so large a lab, and what to do; "" when it can be had."""
    import resource

    needed, most = open_files(plan), resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most == resource.RLIM_INFINITY or most >= needed:
        return ""
    text = f"{len(plan.nodes)} nodes take {needed} open files, and this user may have {most}"
    raising = f"sudo prlimit --pid $$ --nofile={open_files(plan, running=True)}"
    return f"{text}\n    hint: `{raising}` raises it for this shell, /etc/security/limits.conf for good"


def _of_bridge(operation: AddBridge) -> Iterator[str]:
    if "vlan_filtering 1" in operation.settings:
        yield "VLAN filtering"
    if "mcast_snooping 1" in operation.settings:
        yield "multicast snooping"


def _of_address(operation: AddAddress) -> Iterator[str]:
    if operation.address.version == 6:
        yield "IPv6"


def _of_impairment(operation: Impair) -> Iterator[str]:
    from pynetemu.plan.impairment import KERNELS_QUEUES

    yield from {"netem": ("netem",), "tbf": ("tbf",), "filter": ("ingress", "cls_bpf"), "relay": ()}[operation.mechanism]
    yield from (kind for kind in KERNELS_QUEUES if f"queue {kind}" in operation.settings)


_TUNNELS = {"vxlan": "vxlan", "gre": "gre", "ip6gre": "gre over IPv6"}
_FEATURES: dict[type[Part], Callable[[Any], Iterator[str]]] = {
    AddAddress: _of_address,
    AddBridge: _of_bridge,
    AddDevice: lambda operation: iter([operation.kind]),
    AddMacvlan: lambda _: iter(["macvlan"]),
    AddTunnel: lambda operation: iter([_TUNNELS[operation.kind]]),
    AddWireGuard: lambda _: iter(["wireguard"]),
    Impair: _of_impairment,
    AddVlan: lambda _: iter(["802.1Q"]),
}
