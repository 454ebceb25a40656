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
from pynetemu.engine.machine import layers
from pynetemu.engine.messages.framing import ask
from pynetemu.engine.messages.tables import RTM_GETLINK, RTM_NEWLINK
from pynetemu.engine.netlink import NEW, Netlink, Refused
from pynetemu.engine.protocol.requests import Feature
from pynetemu.errors import KernelError
from pynetemu.plan.operations import Part
from pynetemu.plan.operations.features import NEEDED_BY_ALL, KernelFeature

_LOOPBACK = 1  # its index
_NETLINK_NETFILTER = 12
_NFT_GET_GENERATION = 10 << 8 | 16  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN: linux/netfilter/nf_tables.h


_Probe = Callable[[Netlink], None]


def probe(feature: KernelFeature) -> Feature:
    """A feature, with the reason why it is missing. Leaves the calling thread in another network namespace."""
    is_needed = feature in NEEDED_BY_ALL
    return Feature(feature.value, feature.option, feature.purpose, is_needed, _try(_PROBES[feature]))


def require(needed: Mapping[KernelFeature, Part]) -> None:
    """Raises KernelError, with the user's lines, for features that this kernel lacks; only those asked for are tried.

    Leaves the calling thread in another network namespace.
    """
    lacking = [
        f"{needed[feature].source}: {needed[feature].node} needs {feature}, for {feature.purpose}, and this kernel has none"
        f" ({feature.option}: {reason})"
        for feature in KernelFeature
        if feature in needed and (reason := _try(_PROBES[feature]))
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


def _add_link(link: Netlink, kind: str, data: list[tuple[str, Any]] | None = None, index: int = 100) -> None:
    from pynetemu.engine.messages.encoders import ifinfmsg

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
        from pynetemu.engine.messages.encoders import ifinfmsg

        _add_link(link, "veth", index=1000)
        message = ifinfmsg()
        info = {"attrs": [("IFLA_INFO_KIND", kind), ("IFLA_INFO_DATA", {"attrs": list(data)})]}
        message["attrs"] = [("IFLA_IFNAME", "probe.10"), ("IFLA_LINK", 1000), ("IFLA_LINKINFO", info)]
        link.queue(None, RTM_NEWLINK, NEW, message)
        link.flush()

    return attempt


def _own_files(_: Netlink) -> None:
    layers.probe()


def _readable(setting: str) -> _Probe:
    """Turns a bridge's setting on: a kernel without it ignores that (br_changelink in net/bridge/br_netlink.c)."""

    def attempt(link: Netlink) -> None:
        from pynetemu.engine.messages.encoders import ifinfmsg

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


def _queue(kind: str, options: dict[str, Any] | None = None) -> _Probe:
    """A probe that adds a queueing discipline to the loopback interface."""

    def attempt(link: Netlink) -> None:
        from pynetemu.engine.messages.queueing import ROOT, RTM_NEWQDISC, discipline

        link.queue_bytes(None, RTM_NEWQDISC, NEW, discipline(_LOOPBACK, ROOT, kind, options, 0x10000))
        link.flush()

    return attempt


def _clsact(link: Netlink) -> None:
    from pynetemu.engine.messages.queueing import CLSACT, CLSACT_HANDLE, RTM_NEWQDISC, discipline

    link.queue_bytes(None, RTM_NEWQDISC, NEW, discipline(_LOOPBACK, CLSACT, "clsact", handle=CLSACT_HANDLE))
    link.flush()


def _cls_bpf(link: Netlink) -> None:
    """A filter of one instruction, which lets all pass: BPF_RET | BPF_K, linux/filter.h."""
    from pynetemu.engine.messages.queueing import FIRST_FILTER, INGRESS, RTM_NEWTFILTER, discipline

    _clsact(link)
    attrs = [("TCA_BPF_OPS_LEN", 1), ("TCA_BPF_OPS", struct.pack("=HBBI", 0x06, 0, 0, 0xFFFFFFFF))]
    link.queue_bytes(None, RTM_NEWTFILTER, NEW, discipline(_LOOPBACK, INGRESS, "bpf", {"attrs": attrs}, 1, FIRST_FILTER))
    link.flush()


def _tbf(link: Netlink) -> None:
    """A rate of 1 Mbit/s."""
    parameters = {"link_layer": 1, "cell_align": -1, "rate": 125_000, "peak": bytes(12), "limit": 10_000, "buffer": 1_000_000}
    _queue("tbf", {"attrs": [("TCA_TBF_PARMS", parameters), ("TCA_TBF_RTAB", bytes(1024))]})(link)


def _nftables(_: Netlink) -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as netfilter:
        netfilter.settimeout(5)
        ask(netfilter, _NFT_GET_GENERATION, struct.pack("=BBH", socket.AF_UNSPEC, 0, 0))  # struct nfgenmsg


_PROBES: dict[KernelFeature, _Probe] = {
    KernelFeature.VETH: _link("veth"),
    KernelFeature.BRIDGE: _link("bridge"),
    KernelFeature.IPV6: _ipv6,
    KernelFeature.NFTABLES: _nftables,
    KernelFeature.NETEM: _queue("netem", {"limit": 1000}),
    KernelFeature.TBF: _tbf,
    KernelFeature.HTB: _queue("htb", {"attrs": [("TCA_HTB_INIT", {"version": 3, "rate2quantum": 10})]}),
    KernelFeature.FQ_CODEL: _queue("fq_codel"),
    KernelFeature.CAKE: _queue("cake"),
    KernelFeature.PIE: _queue("pie"),
    KernelFeature.FQ: _queue("fq"),
    KernelFeature.INGRESS: _clsact,
    KernelFeature.CLS_BPF: _cls_bpf,
    KernelFeature.VLAN: _on_veth("vlan", ("IFLA_VLAN_ID", 10)),
    KernelFeature.VLAN_FILTERING: _readable("VLAN_FILTERING"),
    KernelFeature.MULTICAST_SNOOPING: _readable("MCAST_SNOOPING"),
    KernelFeature.BOND: _link("bond"),
    KernelFeature.MACVLAN: _on_veth("macvlan"),
    KernelFeature.DUMMY: _link("dummy"),
    KernelFeature.VXLAN: _vxlan,
    KernelFeature.GRE: _gre("gre", "192.0.2.1"),
    KernelFeature.GRE_OVER_IPV6: _gre("ip6gre", "2001:db8::1"),
    KernelFeature.WIREGUARD: _link("wireguard"),
    KernelFeature.VRF: _vrf,
    KernelFeature.OWN_FILES: _own_files,
}
