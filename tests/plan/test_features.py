"""What plans need of the kernel: an enum that plans, the engine's probes and tests share."""

from ipaddress import ip_address, ip_interface

import pytest

from pynetemu.engine import features
from pynetemu.lab import kernel
from pynetemu.plan.needs import needs
from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddDevice,
    AddMacvlan,
    AddTunnel,
    AddVeth,
    AddVlan,
    AddWireGuard,
    Impair,
    Operation,
    Plan,
    SetUp,
)
from pynetemu.plan.operations.features import KernelFeature
from pynetemu.plan.shaping.impairment import KERNELS_QUEUES

pytestmark = pytest.mark.pure

_F = KernelFeature
_MAC = "02:00:00:00:00:01"
_ENDS = ip_address("10.0.0.1"), ip_address("10.0.0.2"), "", 0, "b", "t"


def test_every_feature_can_be_tried_and_is_described() -> None:
    assert features._PROBES.keys() == set(KernelFeature)
    for feature in KernelFeature:
        assert (str(feature), feature.option[:7], bool(feature.purpose)) == (feature.value, "CONFIG_", True)
    assert _F("802.1Q") is _F.VLAN  # type: ignore[call-arg]
    assert set(kernel._ASKED) | set(KERNELS_QUEUES) <= {feature.value for feature in KernelFeature}


@pytest.mark.parametrize(
    ("operation", "needed"),
    [
        (AddVeth("a", "e", _MAC, "b", "e", _MAC), []),
        (SetUp("a", "e"), []),
        (AddAddress("a", "e", ip_interface("10.0.0.1/24")), []),
        (AddAddress("a", "e", ip_interface("fd00::1/64")), [_F.IPV6]),
        (AddBridge("s", "br0", ("forward_delay 200",), _MAC), []),
        (AddBridge("s", "br0", ("vlan_filtering 1", "mcast_snooping 1"), _MAC), [_F.VLAN_FILTERING, _F.MULTICAST_SNOOPING]),
        (AddDevice("a", "b0", "bond", (), ""), [_F.BOND]),
        (AddDevice("a", "d0", "dummy", (), ""), [_F.DUMMY]),
        (AddDevice("a", "v0", "vrf", (), ""), [_F.VRF]),
        (AddMacvlan("a", "m", "a", "e", (), _MAC), [_F.MACVLAN]),
        (AddTunnel("a", "t", "vxlan", (), *_ENDS), [_F.VXLAN]),
        (AddTunnel("a", "t", "gre", (), *_ENDS), [_F.GRE]),
        (AddTunnel("a", "t", "ip6gre", (), *_ENDS), [_F.GRE_OVER_IPV6]),
        (AddVlan("a", "e.10", "e", 10), [_F.VLAN]),
        (AddWireGuard("a", "w", 51820, 0, "b", "w"), [_F.WIREGUARD]),
        (Impair("a", "e", "b", "e", "netem", ("delay 1ms",)), [_F.NETEM]),
        (Impair("a", "e", "b", "e", "tbf", ("rate 1mbit", "queue fq_codel")), [_F.TBF, _F.FQ_CODEL]),
        (Impair("a", "e", "b", "e", "filter", ("loss 1%",)), [_F.INGRESS, _F.CLS_BPF]),
        (Impair("a", "e", "b", "e", "relay", ("delay 1ms",)), []),
    ],
)
def test_operations_need_what_they_need(operation: Operation, needed: list[KernelFeature]) -> None:
    assert needs(Plan("x", (operation,))) == dict.fromkeys(needed, operation)
