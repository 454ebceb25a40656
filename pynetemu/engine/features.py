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
from pynetemu.plan.operations.features import NEEDED_BY_ALL, KernelFeature

_RTM_NEWQDISC, _RTM_NEWTFILTER = 36, 44
_TC_H_ROOT = 0xFFFFFFFF
_TC_H_INGRESS = 0xFFFFFFF1
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
    skeleton.probe()


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


_PROBES: dict[KernelFeature, _Probe] = {
    KernelFeature.VETH: _link("veth"),
    KernelFeature.BRIDGE: _link("bridge"),
    KernelFeature.IPV6: _ipv6,
    KernelFeature.NFTABLES: _nftables,
    KernelFeature.NETEM: _queue("netem", struct.pack("=6I", 0, 1000, 0, 0, 0, 0)),
    KernelFeature.TBF: _tbf,
    KernelFeature.HTB: _htb,
    KernelFeature.FQ_CODEL: _queue("fq_codel"),
    KernelFeature.CAKE: _queue("cake"),
    KernelFeature.PIE: _queue("pie"),
    KernelFeature.FQ: _queue("fq"),
    KernelFeature.INGRESS: _queue("ingress", parent=_TC_H_INGRESS),
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
