"""scapy in the nodes of a lab: its packets are sent and received by a node, and from our own process.

scapy keeps one picture of "the machine" (interfaces, routes, neighbors), and asks it which interface and which source address
to use; for a node all of that would be wrong. Here the node's own kernel is asked, through sockets that live in the node:
`send`, `sr` and `sniff` touch none of scapy's global state, so that several nodes may use it at once. The rest of scapy
works inside `scapy_in(node)`, which shows it the node instead of the machine for a while.

This module imports scapy, which takes a while: it is imported when it is first used.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import TYPE_CHECKING, Any

import scapy.all
import scapy.arch.linux
import scapy.arch.linux.rtnetlink
import scapy.arch.unix
import scapy.supersocket
from scapy.base_classes import Net, SetGen
from scapy.config import conf
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet
from scapy.plist import PacketList, SndRcvList
from scapy.sendrecv import sndrcv
from scapy.supersocket import SuperSocket

from pynetemu.capture.pcap_filter import compile_filter
from pynetemu.capture.ring import Ring, packets
from pynetemu.errors import LabError, UsageError
from pynetemu.lab.arguments import seconds, seconds_or_none, text, whole
from pynetemu.lab.connection import readable
from pynetemu.lab.rtnetlink import Route, route
from pynetemu.plan.names import addresses_by_name
from pynetemu.topology.part import quoted
from pynetemu.wording import near_or_all

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab, LabNode
    from pynetemu.lab.state import InterfaceState

_BROADCAST = "ff:ff:ff:ff:ff:ff"
_MODULES_WITH_SOCKETS: tuple[Any, ...] = (scapy.arch.linux, scapy.arch.linux.rtnetlink, scapy.arch.unix, scapy.supersocket)

Names = Mapping[str, list[str]]
_names: ContextVar[Names | None] = ContextVar("names", default=None)  # of the lab, in this thread
_one_at_a_time = threading.RLock()
_of_the_machine: Any = vars(Net)["name2addr"].__func__


def send(node: "LabNode", packet: Any, count: int = 1, inter: float = 0.0, iface: str = "") -> int:
    """Sends packets; gives how many. As scapy's `send`, with a link-layer header as its `sendp`."""
    count, inter, sent = whole("count", count, 0), seconds("inter", inter), 0
    with _resolving(node), _sender(node, packet, iface) as (sender, prepared):
        for one in prepared * count:
            if inter and sent:
                time.sleep(inter)
            sender.send(one)
            sent += 1
    return sent


def sr(node: "LabNode", packet: Any, timeout: float = 2.0, iface: str = "", **options: Any) -> tuple[SndRcvList, PacketList]:
    """Sends packets and takes what answers them: ([(request, answer), ...], [unanswered, ...]), as scapy's `sr` and `srp`."""
    timeout = seconds("timeout", timeout)
    with _resolving(node), _sender(node, packet, iface) as (sender, prepared):
        answered, unanswered = sndrcv(sender, prepared, timeout=timeout, **{"verbose": 0, **options})
    return answered, unanswered


def sr1(node: "LabNode", packet: Any, timeout: float = 2.0, iface: str = "", **options: Any) -> Packet | None:
    """Sends a packet and gives its answer; None when there is none in time (seconds)."""
    answered, _ = sr(node, packet, timeout, iface, multi=False, **options)
    return answered[0].answer if answered else None


def sniff(
    node: "LabNode",
    filter: str = "",
    count: int = 0,
    timeout: float | None = None,
    prn: Callable[[Packet], object] | None = None,
) -> PacketList:
    """Takes the packets of a node's interfaces until there are `count`, or `timeout` seconds are over.

    `prn` is called for each as it comes; `packet.sniffed_on` is "blue:eth0".
    """
    count, timeout, filter = whole("count", count, 0), seconds_or_none("timeout", timeout), text("filter", filter)
    if prn is not None and not callable(prn):
        raise UsageError(f"prn={quoted(prn)} cannot be called")
    seen: list[Packet] = []
    end = None if timeout is None else time.monotonic() + timeout
    lab = node.lab
    with Ring.open(node, compile_filter(filter, names_for(lab, node.name))) as ring:
        while not count or len(seen) < count:
            left = None if end is None else max(0.0, end - time.monotonic())
            watched: list[Ring | Lab] = [ring, lab]
            ready = readable(watched, left)
            blocks = ring.blocks() if ready and lab not in ready else ring.rest()
            for one in (_sniffed(node, ring, found) for block in blocks for found in packets(block)):
                if not count or len(seen) < count:
                    seen.append(one)
                    if prn is not None:
                        prn(one)
            if not ready or lab in ready:
                break
    return PacketList(seen, f"Sniffed on {node.name}")


def _sniffed(node: "LabNode", ring: Ring, found: Any) -> Packet:
    packet = Ether(found.data)
    packet.time = found.time / 1e9
    packet.wirelen = found.length
    packet.sniffed_on = f"{node.name}:{ring.interface(found.ifindex)}"
    return packet


def names_for(lab: "Lab", node: str) -> dict[str, list[str]]:
    """The addresses of each name, as the node's own /etc/hosts has them."""
    return addresses_by_name(lab.names(node))


@contextmanager
def evaluating(node: "LabNode") -> Iterator[dict[str, Any]]:
    """All names of scapy, for a text such as IP(dst="root")/ICMP(), in which nodes go by name."""
    with _resolving(node):
        yield dict(vars(scapy.all))


@contextmanager
def scapy_in(node: "LabNode") -> Iterator[ModuleType]:
    """All of scapy (`scapy.all`), which takes the node for the machine it runs on as long as the block lasts.

    That state is the whole process's, so one node at a time: others wait.
    """
    with _one_at_a_time, _resolving(node), ExitStack() as undo:
        for module in _MODULES_WITH_SOCKETS:
            undo.callback(setattr, module, "socket", module.socket)
            module.socket = _SocketsOf(node)
        undo.callback(_show, _picture())
        conf.ifaces._reload_provs()
        conf.route.resync()
        conf.route6.resync()
        conf.ifaces.load_confiface()
        for cache in conf.netcache._caches_list:
            cache.clear()
        yield scapy.all


def _picture() -> tuple[Any, ...]:
    """What scapy believes of the machine."""
    caches = [(cache, dict(cache)) for cache in conf.netcache._caches_list]
    return dict(conf.ifaces.data), conf.route.routes, conf.route6.routes, conf.route6.ipv6_ifaces, conf.iface, caches


def _show(picture: tuple[Any, ...]) -> None:
    conf.ifaces.data, conf.route.routes, conf.route6.routes, conf.route6.ipv6_ifaces, conf.iface, caches = picture
    conf.route.invalidate_cache()
    conf.route6.invalidate_cache()
    for cache, content in caches:
        cache.clear()
        cache.update(content)


class _SocketsOf:
    """The module `socket`, whose sockets live in a node."""

    def __init__(self, node: "LabNode") -> None:
        self._node = node

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)

    def socket(self, family: int = socket.AF_INET, type: int = socket.SOCK_STREAM, proto: int = 0) -> socket.socket:
        return self._node.socket(family, type, proto)


@contextmanager
def _resolving(node: "LabNode") -> Iterator[None]:
    """A block in which scapy knows the lab's names, in this thread."""
    token = _names.set(names_for(node.lab, node.name))
    try:
        yield
    finally:
        _names.reset(token)


def _address_of(cls: Any, name: str) -> str:
    """In place of Net.name2addr, which asks the machine."""
    for address in (_names.get() or {}).get(name, ()):
        if (":" in address) == (cls.family == socket.AF_INET6):
            return address
    try:
        return str(_of_the_machine(cls, name))
    except socket.gaierror:
        if not (known := _names.get()):
            raise
        raise LabError(f"there is no address of {name!r}; {near_or_all(name, known, 'the lab has')}") from None


setattr(Net, "name2addr", classmethod(_address_of))  # noqa: B010  # a method, which cannot be assigned to otherwise


@contextmanager
def _sender(node: "LabNode", packet: Any, iface: str) -> Iterator[tuple["NodeSocket", list[Packet]]]:
    """A socket of the node's for such packets, and the packets with what the node would fill in."""
    iface = text("iface", iface)
    try:
        wanted = list(SetGen(packet))
    except TypeError:
        wanted = [packet]
    if not wanted:
        raise LabError("there is no packet to send")
    if not isinstance(wanted[0], IP | IPv6 | Ether | ARP):
        begins = wanted[0].name if isinstance(wanted[0], Packet) else repr(wanted[0])
        raise LabError(f"a packet begins with Ether, ARP, IP or IPv6, not with {begins}")
    sender = NodeSocket(node, isinstance(wanted[0], Ether | ARP), iface)
    try:
        yield sender, [sender.prepare(one) for one in wanted]
    finally:
        sender.close()


class NodeSocket(SuperSocket):
    """Sends packets of the network layer by the node's own routes, ARP and firewall, and those of the link layer by one of its
    interfaces; receives what comes to any of its interfaces."""

    desc = "packets of a node of a lab"

    def __init__(self, node: "LabNode", link_layer: bool, iface: str = "") -> None:
        self._node, self._link_layer = node, link_layer
        self.closed = True  # as long as there is nothing to close
        self._interfaces = {state.name: state for state in node.lab.interfaces(node.name)}
        if iface and iface not in self._interfaces:
            raise LabError(f"{node.name} has no interface {iface!r}; it has {', '.join(self._interfaces)}")
        self._iface = iface
        self._by_family: dict[int, socket.socket] = {}
        self._asked = node.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.ins = self.outs = node.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))  # ETH_P_ALL
        self.closed = False
        self.ins.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS

    def prepare(self, packet: Packet) -> Packet:
        """Fills in what scapy would take from the machine: source addresses, and the MAC addresses of a frame.

        It must be done before `sndrcv`, which remembers packets by their addresses before it sends them.
        """
        if isinstance(packet, ARP):
            packet = Ether(dst=_BROADCAST) / packet
        for layer in (packet.getlayer(IP), packet.getlayer(IPv6)):
            if layer is not None and "src" not in layer.fields and layer.underlayer in (None, packet):
                layer.src = self._route(layer.dst).source or layer.src
        if isinstance(packet, Ether):
            self._prepare_frame(packet)
        return packet

    def _prepare_frame(self, frame: Packet) -> None:
        interface = self._interface_for(frame)
        if "src" not in frame.fields:
            frame.src = interface.mac
        arp = frame.getlayer(ARP)
        if arp is not None:
            own = next((str(address.ip) for address in interface.addresses if address.version == 4), "0.0.0.0")
            arp.hwsrc = arp.fields.get("hwsrc", interface.mac)
            arp.psrc = arp.fields.get("psrc", own)
            arp.pdst = _target(frame)
        if "dst" not in frame.fields:
            frame.dst = self._neighbor(frame)

    def _interface_for(self, frame: Packet) -> "InterfaceState":
        """The one that was asked for, the one of the route to where the packet goes, or else the node's first."""
        if self._iface:
            return self._interfaces[self._iface]
        target = _target(frame)
        if target:
            index = self._route(target).interface
            return next(state for state in self._interfaces.values() if state.index == index)
        first = next((state for state in self._interfaces.values() if state.name != "lo" and state.is_up), None)
        if first is None:
            raise LabError(f"{self._node.name} has no interface that is up")
        return first

    def _neighbor(self, frame: Packet) -> str:
        """The MAC address of the next hop if the node knows it, else everybody's."""
        target = _target(frame)
        if not target or frame.haslayer(ARP):
            return _BROADCAST
        hop = self._route(target).gateway or target
        known = self._node.lab.neighbors(self._node.name)
        return next((entry.mac for entry in known if str(entry.address) == hop and entry.mac), _BROADCAST)

    def _route(self, destination: str) -> Route:
        return route(self._asked, destination)

    def send(self, packet: Packet) -> int:
        """Raises OSError as the node's kernel would for a program: no route, refused by the firewall, too large."""
        packet.sent_time = time.time()
        if self._link_layer:
            return self.ins.sendto(bytes(packet), (self._interface_for(packet).name, 0))
        if isinstance(packet, IPv6):
            scope = self._scope(packet.dst)
            return self._raw(socket.AF_INET6).sendto(bytes(packet), (packet.dst, 0, 0, scope))
        return self._raw(socket.AF_INET).sendto(bytes(packet), (packet.dst, 0))

    def _scope(self, destination: str) -> int:
        """Link-local addresses need an interface besides (RFC 4007)."""
        if not destination.startswith(("fe8", "fe9", "fea", "feb", "ff02", "ff01")):
            return 0
        return self._interfaces[self._iface].index if self._iface else self._interface_for(Ether()).index

    def _raw(self, family: int) -> socket.socket:
        """A socket that takes packets with their IP headers (IPPROTO_RAW, raw(7))."""
        if family not in self._by_family:
            self._by_family[family] = self._node.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
        return self._by_family[family]

    def recv_raw(self, x: int = 65535) -> tuple[Any, bytes | None, float | None]:
        data, address, stamp = self._recv_raw(self.ins, x)
        if address[2] == socket.PACKET_OUTGOING:
            return None, None, None
        return Ether, data, stamp

    def recv(self, x: int = 65535, **options: Any) -> Packet | None:
        packet = super().recv(x, **options)
        if packet is None or self._link_layer:
            return packet
        packet.payload.time = packet.time
        return packet.payload

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            for one in (self._asked, self.ins, *self._by_family.values()):
                one.close()

    @staticmethod
    def select(sockets: list[SuperSocket], remain: float | None = None) -> list[SuperSocket]:
        return readable(sockets, remain)


def _target(frame: Packet) -> str:
    """The IP address that a frame is for, "" if it is for none."""
    for kind, name in ((ARP, "pdst"), (IP, "dst"), (IPv6, "dst")):
        if (layer := frame.getlayer(kind)) is not None:
            value = getattr(layer, name)
            address = value.decode() if isinstance(value, bytes) else str(value)
            return address if ":" in address or address[:1].isdigit() else _address_of(Net, address)
    return ""
