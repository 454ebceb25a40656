"""What a plan needs of the kernel that not every kernel has, and of the limits that not every user has."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from pynetemu.plan.operations.features import KernelFeature


def needs(plan: Plan) -> "dict[KernelFeature, Part]":
    """The features, each with the first operation that needs it.

    needs(plan) == {KernelFeature.VLAN_FILTERING: AddBridge("s1", "br0", ...)}
    """
    found: dict[KernelFeature, Part] = {}
    for operation in parts_of(plan):
        if features := _FEATURES.get(type(operation)):
            for feature in features(operation):
                found.setdefault(feature, operation)
    return found


def open_files(plan: Plan, running: bool = False) -> int:
    """How many the engine has: of each node its network namespace and its route socket; `running` commands, two more."""
    of_nodes = (4 if running else 2) * len(plan.nodes)
    return 200 + of_nodes + [*map(type, parts_of(plan))].count(AddHttpServer)


def lack_of_open_files(plan: Plan) -> str:
    """Why this user cannot have so large a lab, and what to do; "" when it can be had."""
    import resource

    needed, most = open_files(plan), resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most == resource.RLIM_INFINITY or most >= needed:
        return ""
    text = f"{len(plan.nodes)} nodes take {needed} open files, and this user may have {most}"
    raising = f"sudo prlimit --pid $$ --nofile={open_files(plan, running=True)}"
    return f"{text}\n    hint: `{raising}` raises it for this shell, /etc/security/limits.conf for good"


# What a usual lab needs is looked for without loading the features.


def _of_bridge(operation: AddBridge) -> "Iterator[KernelFeature]":
    if "vlan_filtering 1" in operation.settings:
        yield _known().VLAN_FILTERING
    if "mcast_snooping 1" in operation.settings:
        yield _known().MULTICAST_SNOOPING


def _of_address(operation: AddAddress) -> "Iterator[KernelFeature]":
    if operation.address.version == 6:
        yield _known().IPV6


def _of_device(operation: AddDevice) -> "Iterator[KernelFeature]":
    yield {"bond": _known().BOND, "dummy": _known().DUMMY, "vrf": _known().VRF}[operation.kind]


def _of_tunnel(operation: AddTunnel) -> "Iterator[KernelFeature]":
    yield {"vxlan": _known().VXLAN, "gre": _known().GRE, "ip6gre": _known().GRE_OVER_IPV6}[operation.kind]


def _of_impairment(operation: Impair) -> "Iterator[KernelFeature]":
    known = _known()
    yield from {"netem": [known.NETEM], "tbf": [known.TBF], "filter": [known.INGRESS, known.CLS_BPF]}.get(
        operation.mechanism, []
    )
    for kind, feature in ("fq_codel", known.FQ_CODEL), ("cake", known.CAKE), ("pie", known.PIE):
        if f"queue {kind}" in operation.settings:
            yield feature


def _known() -> "type[KernelFeature]":
    from pynetemu.plan.operations.features import KernelFeature

    return KernelFeature


_FEATURES: "dict[type[Part], Callable[[Any], Iterator[KernelFeature]]]" = {
    AddAddress: _of_address,
    AddBridge: _of_bridge,
    AddDevice: _of_device,
    AddMacvlan: lambda _: iter([_known().MACVLAN]),
    AddTunnel: _of_tunnel,
    AddVlan: lambda _: iter([_known().VLAN]),
    AddWireGuard: lambda _: iter([_known().WIREGUARD]),
    Impair: _of_impairment,
}
