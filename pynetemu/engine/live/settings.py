"""Which of the settings of sysctl(8) below `net` a node has otherwise than a network that nobody has touched.

An interface has at first what its namespace has for new ones ("default"), so that its settings are compared with those of a
namespace of which nothing has been changed. Until somebody runs something in a node nobody has set anything there.
"""

import fcntl
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pynetemu.engine.nodes import Nodes

if TYPE_CHECKING:
    from pynetemu.engine.live.hub import Hub
    from pynetemu.engine.loop import Steps

_BELOW = "/proc/sys/net"
_FAMILIES = "core", "ipv4", "ipv6", "netfilter"
_PER_INTERFACE = "ipv4/conf", "ipv6/conf"
_NEIGHBORS = "neigh"  # how long they are remembered and how often asked
_OTHERS = "all", "default", "lo"  # names in there that are no interface's of users
_COUNTED = "mtu", "nf_conntrack_count", "nf_conntrack_buckets"  # follow from something else
# What the kernel sets at tunnels: ipv6_add_dev in net/ipv6/addrconf.c, wg_open in drivers/net/wireguard/device.c, which sets
# the last of them for all interfaces too.
_OF_TUNNELS = "accept_dad", "use_tempaddr", "addr_gen_mode", "send_redirects"
_ETHERNET = 1  # ARPHRD_ETHER, linux/if_arp.h
_SIOCGIFHWADDR = 0x8927  # netdevice(7)
_IFREQ = struct.Struct("16sH22x")  # with the first member of the address: its kind
_MOST = 1 << 12  # bytes


def changed(nodes: Nodes, hub: "Hub", names: Sequence[str]) -> "Steps[dict[str, dict[str, str]]]":
    """For each node, by their paths ("ipv4/ip_forward"), those that are others than usual."""
    found: dict[str, dict[str, str]] = {}
    usual: dict[str, str] = {}
    for name in names:
        node = nodes[name]
        if node.machine is None or (nodes.host and node.kind == "root"):
            continue
        if not usual:
            with hub.untouched():
                usual = {path: text for path in _paths() if (text := _read(path))}
            yield 0
        with nodes.inside(name):
            there = _with_interfaces(usual) if node.kind not in ("switch", "hub") else usual
            found[name] = {path: now for path, text in there.items() if (now := _read(path)) not in ("", text)}
        yield 0
    return found


def _paths() -> Iterator[str]:
    for family in _FAMILIES:
        for folder, _, files in os.walk(f"{_BELOW}/{family}"):
            if f"/{_NEIGHBORS}/" not in f"{folder}/":
                yield from (f"{folder}/{file}".removeprefix(f"{_BELOW}/") for file in files if file not in _COUNTED)


def _with_interfaces(usual: dict[str, str]) -> dict[str, str]:
    """What is usual, of the interfaces in this namespace too."""
    found = dict(usual)
    tunnels = _tunnels()
    if tunnels:
        found.pop("ipv4/conf/all/send_redirects", None)
    for group in _PER_INTERFACE:
        try:
            interfaces = set(os.listdir(f"{_BELOW}/{group}")).difference(_OTHERS)
        except FileNotFoundError:  # a kernel without IPv6
            continue
        new = {path.rpartition("/")[2]: text for path, text in usual.items() if path.startswith(f"{group}/default/")}
        for interface in interfaces:
            but = _OF_TUNNELS if interface in tunnels else ()
            found |= {f"{group}/{interface}/{setting}": text for setting, text in new.items() if setting not in but}
    return found


def _tunnels() -> set[str]:
    """The interfaces of this namespace that have no Ethernet, other than the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        kinds = {name: _kind(asked, name) for _, name in socket.if_nameindex() if name not in _OTHERS}
    return {name for name, kind in kinds.items() if kind != _ETHERNET}


def _kind(asked: socket.socket, interface: str) -> int:
    try:
        answer = fcntl.ioctl(asked, _SIOCGIFHWADDR, _IFREQ.pack(os.fsencode(interface), 0))
    except OSError:  # it has gone
        return _ETHERNET
    return int(_IFREQ.unpack(answer)[1])


def _read(path: str) -> str:
    """Its words; "" for one that cannot be read. Hundreds of them are, so that it is done without what `open` does besides."""
    try:
        file = os.open(f"{_BELOW}/{path}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return " ".join(os.read(file, _MOST).decode(errors="replace").split())
    except OSError:
        return ""
    finally:
        os.close(file)
