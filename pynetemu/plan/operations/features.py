"""What kernels may have or lack, by the name that `pynetemu doctor` and tests use: plans need it, the engine tries it."""

from enum import StrEnum


class KernelFeature(StrEnum):
    """A feature of Linux: `option` of the kernel's configuration, and the `purpose` for which labs use it.

    KernelFeature("netem").option == "CONFIG_NET_SCH_NETEM"
    """

    option: str
    purpose: str

    def __new__(cls, name: str, option: str, purpose: str) -> "KernelFeature":
        feature = str.__new__(cls, name)
        feature._value_, feature.option, feature.purpose = name, option, purpose
        return feature

    VETH = "veth", "CONFIG_VETH", "links"
    BRIDGE = "bridge", "CONFIG_BRIDGE", "switches"
    IPV6 = "IPv6", "CONFIG_IPV6", "IPv6 addresses"
    NFTABLES = "nftables", "CONFIG_NF_TABLES", "packet filters"
    NETEM = "netem", "CONFIG_NET_SCH_NETEM", "delay, loss and reordering"
    TBF = "tbf", "CONFIG_NET_SCH_TBF", "rates"
    HTB = "htb", "CONFIG_NET_SCH_HTB", "rates by class"
    FQ_CODEL = "fq_codel", "CONFIG_NET_SCH_FQ_CODEL", "fair queues"
    CAKE = "cake", "CONFIG_NET_SCH_CAKE", "queues of home routers"
    PIE = "pie", "CONFIG_NET_SCH_PIE", "queues of cable modems"
    FQ = "fq", "CONFIG_NET_SCH_FQ", "pacing"
    INGRESS = "ingress", "CONFIG_NET_SCH_INGRESS", "filters on arrival"
    CLS_BPF = "cls_bpf", "CONFIG_NET_CLS_BPF", "losses on arrival"
    VLAN = "802.1Q", "CONFIG_VLAN_8021Q", "VLAN interfaces"
    VLAN_FILTERING = "VLAN filtering", "CONFIG_BRIDGE_VLAN_FILTERING", "VLANs on switches"
    MULTICAST_SNOOPING = "multicast snooping", "CONFIG_BRIDGE_IGMP_SNOOPING", "switches that know who listens"
    BOND = "bond", "CONFIG_BONDING", "several links as one"
    MACVLAN = "macvlan", "CONFIG_MACVLAN", "several hosts on one interface"
    DUMMY = "dummy", "CONFIG_DUMMY", "interfaces without a link"
    VXLAN = "vxlan", "CONFIG_VXLAN", "tunnels for frames"
    GRE = "gre", "CONFIG_NET_IPGRE", "tunnels for packets"
    GRE_OVER_IPV6 = "gre over IPv6", "CONFIG_IPV6_GRE", "tunnels for packets over IPv6"
    WIREGUARD = "wireguard", "CONFIG_WIREGUARD", "encrypted tunnels"
    VRF = "vrf", "CONFIG_NET_VRF", "routers with several tables"
    OWN_FILES = "own files", "CONFIG_OVERLAY_FS", "nodes' own /etc and /var"


NEEDED_BY_ALL = (KernelFeature.VETH, KernelFeature.BRIDGE)  # no lab works without
