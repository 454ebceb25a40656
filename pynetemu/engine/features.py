"""What this kernel can do, found out by doing it in a network namespace that is thrown away.

A kernel's configuration file may be missing or tell of modules that are not installed; only trying tells.
"""

import errno
import os
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Any

from pynetemu.engine import syscalls
from pynetemu.engine.machine import skeleton
from pynetemu.engine.messages.framing import ask, attribute
from pynetemu.engine.messages.tables import RTM_GETLINK, RTM_NEWLINK
from pynetemu.engine.netlink import NEW, Netlink, Refused
from pynetemu.engine.protocol.requests import Feature
from pynetemu.errors import KernelError
from pynetemu.plan.operations import Part

_RTM_NEWQDISC, _RTM_NEWTFILTER = 36, 44
_TC_H_ROOT = 0xFFFFFFFF
_TC_H_INGRESS = 0xFFFFFFF1
_NETLINK_NETFILTER = 12
_NFT_GET_GENERATION = 10 << 8 | 16  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN: linux/netfilter/nf_tables.h


_Probe = Callable[[Netlink], None]


def probe(feature: Feature, attempt: _Probe) -> Feature:
    """One of `all_features`, with the reason why it is missing. Leaves the calling thread in another network namespace."""
    return Feature(feature.name, feature.option, feature.purpose, feature.needed, _try(attempt))


def require(needed: Mapping[str, Part]) -> None:
    """Raises KernelError, with the user's lines, for features that this kernel lacks; only those asked for are tried.

    Leaves the calling thread in another network namespace.
    """
    lacking = [
        f"{operation.source}: {operation.node} needs {feature.name}, for {feature.purpose}, and this kernel has none"
        f" ({feature.option}: {reason})"
        for feature, attempt in all_features()
        if (operation := needed.get(feature.name)) and (reason := _try(attempt))
    ]
    if lacking:
        hint = "    hint: nothing was built; `pynetemu doctor` says what this kernel has, and which kernel has more"
        raise KernelError("\n".join([*lacking, hint]))


def _try(attempt: _Probe) -> str:
    """Why something cannot be done in a new network namespace, "" when it can."""
    syscalls.unshare(syscalls.CLONE_NEWNET)
    link = Netlink()
    try:
        attempt(link)
    except Refused as refused:
        return refused.reason
    except OSError as error:
        return error.strerror or str(error)
    finally:
        link.close()
    return ""


def all_features() -> list[tuple[Feature, _Probe]]:
    """Every feature that labs use, and how to try it."""
    return [
        (Feature("veth", "CONFIG_VETH", "links", True), _link("veth")),
        (Feature("bridge", "CONFIG_BRIDGE", "switches", True), _link("bridge")),
        (Feature("IPv6", "CONFIG_IPV6", "IPv6 addresses", False), _ipv6),
        (Feature("nftables", "CONFIG_NF_TABLES", "packet filters", False), _nftables),
        (
            Feature("netem", "CONFIG_NET_SCH_NETEM", "delay, loss and reordering", False),
            _queue("netem", struct.pack("=6I", 0, 1000, 0, 0, 0, 0)),
        ),
        (Feature("tbf", "CONFIG_NET_SCH_TBF", "rates", False), _tbf),
        (Feature("htb", "CONFIG_NET_SCH_HTB", "rates by class", False), _htb),
        (Feature("fq_codel", "CONFIG_NET_SCH_FQ_CODEL", "fair queues", False), _queue("fq_codel")),
        (Feature("cake", "CONFIG_NET_SCH_CAKE", "queues of home routers", False), _queue("cake")),
        (Feature("pie", "CONFIG_NET_SCH_PIE", "queues of cable modems", False), _queue("pie")),
        (Feature("fq", "CONFIG_NET_SCH_FQ", "pacing", False), _queue("fq")),
        (
            Feature("ingress", "CONFIG_NET_SCH_INGRESS", "filters on arrival", False),
            _queue("ingress", parent=_TC_H_INGRESS),
        ),
        (Feature("cls_bpf", "CONFIG_NET_CLS_BPF", "losses on arrival", False), _cls_bpf),
        (Feature("802.1Q", "CONFIG_VLAN_8021Q", "VLAN interfaces", False), _on_veth("vlan", ("IFLA_VLAN_ID", 10))),
        (Feature("VLAN filtering", "CONFIG_BRIDGE_VLAN_FILTERING", "VLANs on switches", False), _readable("VLAN_FILTERING")),
        (
            Feature("multicast snooping", "CONFIG_BRIDGE_IGMP_SNOOPING", "switches that know who listens", False),
            _readable("MCAST_SNOOPING"),
        ),
        (Feature("bond", "CONFIG_BONDING", "several links as one", False), _link("bond")),
        (Feature("macvlan", "CONFIG_MACVLAN", "several hosts on one interface", False), _on_veth("macvlan")),
        (Feature("dummy", "CONFIG_DUMMY", "interfaces without a link", False), _link("dummy")),
        (Feature("vxlan", "CONFIG_VXLAN", "tunnels for frames", False), _vxlan),
        (Feature("gre", "CONFIG_NET_IPGRE", "tunnels for packets", False), _gre("gre", "192.0.2.1")),
        (Feature("gre over IPv6", "CONFIG_IPV6_GRE", "tunnels for packets over IPv6", False), _gre("ip6gre", "2001:db8::1")),
        (Feature("wireguard", "CONFIG_WIREGUARD", "encrypted tunnels", False), _link("wireguard")),
        (Feature("vrf", "CONFIG_NET_VRF", "routers with several tables", False), _vrf),
        (Feature("own files", "CONFIG_OVERLAY_FS", "nodes' own /etc and /var", False), _own_files),
    ]


def _add_link(link: Netlink, kind: str, data: list[tuple[str, Any]] | None = None, index: int = 100) -> None:
    from pynetemu.engine.queries import ifinfmsg

    message = ifinfmsg()
    message["index"] = index
    info: list[tuple[str, Any]] = [("IFLA_INFO_KIND", kind)]
    if data:
        info.append(("IFLA_INFO_DATA", {"attrs": data}))
    message["attrs"] = [("IFLA_IFNAME", f"probe{index}"), ("IFLA_LINKINFO", {"attrs": info})]
    link.queue(None, RTM_NEWLINK, NEW, message)
    link.flush()


def _link(kind: str) -> _Probe:
    return lambda link: _add_link(link, kind)


def _vxlan(link: Netlink) -> None:
    _add_link(link, "vxlan", [("IFLA_VXLAN_ID", 1), ("IFLA_VXLAN_PORT", 4789)])


def _gre(kind: str, remote: str) -> _Probe:
    return lambda link: _add_link(link, kind, [(f"IFLA_{'IP6GRE' if ':' in remote else 'GRE'}_REMOTE", remote)])


def _vrf(link: Netlink) -> None:
    _add_link(link, "vrf", [("IFLA_VRF_TABLE", 10)])


def _on_veth(kind: str, *data: tuple[str, Any]) -> _Probe:
    """A probe that adds an interface on a veth: the loopback interface takes none."""

    def attempt(link: Netlink) -> None:
        from pynetemu.engine.queries import ifinfmsg

        _add_link(link, "veth", index=1000)
        message = ifinfmsg()
        info = {"attrs": [("IFLA_INFO_KIND", kind), ("IFLA_INFO_DATA", {"attrs": list(data)})]}
        message["attrs"] = [("IFLA_IFNAME", "probe.10"), ("IFLA_LINK", 1000), ("IFLA_LINKINFO", info)]
        link.queue(None, RTM_NEWLINK, NEW, message)
        link.flush()

    return attempt


def _own_files(_: Netlink) -> None:
    skeleton.probe()


def _readable(setting: str) -> _Probe:
    """Turns a bridge's setting on: a kernel without it ignores that (br_changelink in net/bridge/br_netlink.c)."""

    def attempt(link: Netlink) -> None:
        from pynetemu.engine.queries import ifinfmsg

        _add_link(link, "bridge", [(f"IFLA_BR_{setting}", 1)])
        for message in link.dump(RTM_GETLINK, ifinfmsg()):
            if message["index"] == 100:
                data = message.get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_DATA")
                if data is not None and data.get_attr(f"IFLA_BR_{setting}") == 1:
                    return
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    return attempt


def _ipv6(_: Netlink) -> None:
    socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()


def _queue(kind: str, options: bytes = b"", parent: int = _TC_H_ROOT) -> _Probe:
    """A probe that adds a queueing discipline, whose options are given in the kernel's own form, to the loopback interface."""

    def attempt(link: Netlink) -> None:
        handle = 0xFFFF0000 if parent == _TC_H_INGRESS else 0x10000
        body = struct.pack("=BxxxiIII", socket.AF_UNSPEC, 1, handle, parent, 0)  # struct tcmsg: linux/rtnetlink.h
        link.queue_bytes(None, _RTM_NEWQDISC, NEW, body + attribute(1, kind.encode() + b"\0") + attribute(2, options))
        link.flush()

    return attempt


def _cls_bpf(link: Netlink) -> None:
    """A filter of one instruction, which lets all pass: BPF_RET | BPF_K, linux/filter.h."""
    _queue("ingress", parent=_TC_H_INGRESS)(link)
    options = attribute(4, struct.pack("=H", 1)) + attribute(5, struct.pack("=HBBI", 0x06, 0, 0, 0xFFFFFFFF))
    body = struct.pack("=BxxxiIII", socket.AF_UNSPEC, 1, 0, 0xFFFF0000, 1 << 16 | socket.htons(3))
    link.queue_bytes(None, _RTM_NEWTFILTER, NEW, body + attribute(1, b"bpf\0") + attribute(2, options))
    link.flush()


def _tbf(link: Netlink) -> None:
    """A rate of 1 Mbit/s: struct tc_tbf_qopt of linux/pkt_sched.h, in which a rate is cell_log, layer, overhead … bytes/s."""
    rate = struct.pack("=BBHhHI", 0, 1, 0, -1, 0, 125_000)
    nothing = bytes(12)
    parameters = rate + nothing + struct.pack("=3I", 10_000, 1_000_000, 0)
    _queue("tbf", attribute(1, parameters) + attribute(2, bytes(1024)))(link)


def _htb(link: Netlink) -> None:
    """struct tc_htb_glob of linux/pkt_sched.h: version 3, 10 quanta per packet."""
    _queue("htb", attribute(2, struct.pack("=5I", 3, 10, 0, 0, 0)))(link)


def _nftables(_: Netlink) -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as netfilter:
        netfilter.settimeout(5)
        ask(netfilter, _NFT_GET_GENERATION, struct.pack("=BBH", socket.AF_UNSPEC, 0, 0))  # struct nfgenmsg
