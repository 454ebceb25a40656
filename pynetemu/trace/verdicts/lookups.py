"""What a node would do with a packet, asked of its kernel: interfaces, bridge ports, neighbors, routes, queues (rtnetlink(7)).

with NodeTables(network["r1"]) as tables:
    tables.links["eth1"].mtu
    tables.decide("10.0.2.2", source="10.0.1.2", interface="eth0")    Decision(kind="forwarded", interface="eth1", ...)
"""

import errno
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Self

from pynetemu.lab.rtnetlink import addresses, attributes_of, dump, messages, send

if TYPE_CHECKING:
    from pynetemu.lab.lab import LabNode

_NEW_LINK, _GET_LINK, _NEW_NEIGHBOR, _GET_NEIGHBOR, _NEW_QDISC, _GET_QDISC, _GET_ROUTE = 16, 18, 28, 30, 36, 38, 26
_REQUEST = 0x1
_ADDRESS, _NAME, _MTU, _MASTER, _OPERSTATE, _INFO, _CARRIER, _XDP = 1, 3, 4, 10, 16, 18, 33, 43  # IFLA_*
_KIND, _PORT_KIND, _PORT = 1, 4, 5  # IFLA_INFO_KIND, _SLAVE_KIND, _SLAVE_DATA
_STATE, _UNICAST_FLOOD, _ISOLATED = 1, 9, 33  # IFLA_BRPORT_*
_UP = 1  # IFF_UP
_PORT_STATES = ("disabled", "listening", "learning", "forwarding", "blocking")  # linux/if_bridge.h
_AF_BRIDGE = 7
_NEIGHBOR_ADDRESS, _NEIGHBOR_MAC = 1, 2  # NDA_DST, NDA_LLADDR
_UNANSWERED = 0x01 | 0x20  # NUD_INCOMPLETE, NUD_FAILED
_DESTINATION, _SOURCE, _INPUT, _OUTPUT, _GATEWAY, _METRICS, _VIA = 1, 2, 3, 4, 5, 8, 18  # RTA_*
_FIB_MATCH = 0x2000  # RTM_F_FIB_MATCH: the route itself, not what came of it
_METRIC_MTU = 2  # RTAX_MTU
_NESTED = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER
_TYPES = {1: "forwarded", 2: "local", 3: "broadcast", 5: "multicast", 6: "blackhole", 7: "unreachable", 8: "prohibit"}

Kind = Literal[
    "forwarded", "local", "broadcast", "multicast", "blackhole", "unreachable", "prohibit", "no route", "filtered", "refused"
]
_REFUSALS: dict[int, Kind] = {
    errno.ENETUNREACH: "no route",
    errno.EHOSTUNREACH: "unreachable",
    errno.EACCES: "prohibit",
    errno.EINVAL: "blackhole",
    errno.EXDEV: "filtered",  # fib_validate_source: the reverse path does not lead back through that interface
}


@dataclass(frozen=True, slots=True)
class Link:
    """An interface; `port` is what it is to its bridge ("" for none), `kind` its driver ("veth", "bridge").

    `floods` says whether a port gets the frames of MAC addresses that its bridge does not know.
    """

    index: int
    name: str
    mac: str
    mtu: int
    up: bool
    carrier: bool
    kind: str = ""
    master: int = 0
    port: str = ""
    isolated: bool = False
    floods: bool = True
    xdp: bool = False


@dataclass(frozen=True, slots=True)
class Neighbor:
    interface: int
    address: str
    mac: str
    answered: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """A queueing discipline of an interface, and how many packets it has dropped and holds."""

    interface: int
    kind: str
    drops: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What the routing tables say: `gateway` is the next hop, "" when the destination is on that link."""

    kind: Kind
    interface: int = 0
    gateway: str = ""
    mtu: int = 0
    prefix: str = ""


class NodeTables:
    """The tables of one node; each is asked for once, when it is first looked at."""

    def __init__(self, node: "LabNode") -> None:
        self._asked = node.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._asked.close()

    @cached_property
    def links(self) -> dict[str, Link]:
        body = struct.pack("=BxHiII", 0, 0, 0, 0, 0)
        found = (_link(answer) for answer in dump(self._asked, _GET_LINK, _NEW_LINK, body))
        return {link.name: link for link in found}

    @cached_property
    def names(self) -> dict[int, str]:
        return {link.index: link.name for link in self.links.values()}

    @cached_property
    def addresses(self) -> dict[str, int]:
        """The IP addresses, each with its interface's index."""
        return {address: index for index, address in addresses(self._asked)}

    @cached_property
    def neighbors(self) -> list[Neighbor]:
        return list(self._neighbors(0))

    @cached_property
    def forwarding(self) -> dict[str, int]:
        """A bridge's forwarding database: the port of each MAC address."""
        return {found.mac: found.interface for found in self._neighbors(_AF_BRIDGE)}

    def _neighbors(self, family: int) -> Iterator[Neighbor]:
        for body in dump(self._asked, _GET_NEIGHBOR, _NEW_NEIGHBOR, struct.pack("=BxxxiHBB", family, 0, 0, 0, 0)):
            kind, index, state = struct.unpack_from("=BxxxiH", body)
            found = attributes_of(body, 12)
            packed = found.get(_NEIGHBOR_ADDRESS, b"")
            address = socket.inet_ntop(kind, packed) if kind != _AF_BRIDGE and packed else ""
            yield Neighbor(index, address, found.get(_NEIGHBOR_MAC, b"").hex(":"), not state & _UNANSWERED)

    @cached_property
    def queues(self) -> list[Queue]:
        body = struct.pack("=BxxxiIII", 0, 0, 0, 0, 0)  # struct tcmsg
        return [_queue(answer) for answer in dump(self._asked, _GET_QDISC, _NEW_QDISC, body)]

    def decide(self, destination: str, *, source: str = "", interface: str = "", matched: bool = False) -> Decision:
        """What happens to a packet for an address, sent here or, with `interface`, arriving there; `matched` for the prefix.

        What is no address is refused; a source of the other family takes no part.
        """
        family = socket.AF_INET6 if ":" in destination else socket.AF_INET
        target = _packed(family, destination)
        if not target:
            return Decision("refused")
        origin = _packed(family, source) if interface else b""
        flags = _FIB_MATCH if matched else 0
        body = struct.pack("=BBBBBBBBI", family, len(target) * 8, len(origin) * 8, 0, 0, 0, 0, 0, flags)
        body += _attribute(_DESTINATION, target) + (_attribute(_SOURCE, origin) if origin else b"")
        if interface in self.links:
            body += _attribute(_INPUT, struct.pack("=I", self.links[interface].index))
        send(self._asked, _GET_ROUTE, _REQUEST, body)
        try:
            _, answer = next(messages(self._asked.recv(1 << 16)))
        except OSError as error:
            return Decision(_REFUSALS.get(error.errno or 0, "refused"))
        return _decision(family, answer)


def _link(body: bytes) -> Link:
    index, flags = struct.unpack_from("=4xiI", body)
    found = attributes_of(body, 16)
    info = _nested(found.get(_INFO, b""))
    port = _nested(info.get(_PORT, b"")) if info.get(_PORT_KIND, b"").startswith(b"bridge") else {}
    state = port.get(_STATE, b"\xff")[0]
    xdp = _nested(found.get(_XDP, b""))
    return Link(
        index=index,
        name=found[_NAME].rstrip(b"\0").decode(errors="backslashreplace"),  # the kernel takes any bytes
        mac=found.get(_ADDRESS, b"").hex(":"),
        mtu=_number(found.get(_MTU)),
        up=bool(flags & _UP),
        carrier=found.get(_CARRIER, b"\1") != b"\0",
        kind=info.get(_KIND, b"").rstrip(b"\0").decode(),
        master=_number(found.get(_MASTER)),
        port=_PORT_STATES[state] if state < len(_PORT_STATES) else "",
        isolated=port.get(_ISOLATED, b"\0") != b"\0",
        floods=port.get(_UNICAST_FLOOD, b"\1") != b"\0",
        xdp=xdp.get(2, b"\0") != b"\0",  # IFLA_XDP_ATTACHED
    )


def _queue(body: bytes) -> Queue:
    (index,) = struct.unpack_from("=4xi", body)
    found = attributes_of(body, 20)
    statistics = found.get(3, bytes(36))  # TCA_STATS: struct tc_stats
    drops, waiting = struct.unpack_from("=12xI12xI", statistics.ljust(36, b"\0"))
    return Queue(index, found.get(1, b"").rstrip(b"\0").decode(), drops, waiting)


def _decision(family: int, body: bytes) -> Decision:
    length, kind = struct.unpack_from("=xB5xB", body)
    found = attributes_of(body, 12)
    gateway = found.get(_GATEWAY, b"")
    via = found.get(_VIA, b"")
    metrics = _nested(found.get(_METRICS, b""))
    target = found.get(_DESTINATION, bytes(16 if family == socket.AF_INET6 else 4))
    return Decision(
        kind=_TYPES.get(kind, "refused"),  # type: ignore[arg-type]  # every value is one of Kind
        interface=_number(found.get(_OUTPUT)),
        gateway=socket.inet_ntop(family, gateway) if gateway else socket.inet_ntop(via[0], via[2:]) if via else "",
        mtu=_number(metrics.get(_METRIC_MTU)),
        prefix="default" if length == 0 else f"{socket.inet_ntop(family, target)}/{length}",
    )


def _packed(family: int, address: str) -> bytes:
    """The bytes of an address, none where it is not of this family."""
    try:
        return socket.inet_pton(family, address)
    except OSError:
        return b""


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value.ljust((len(value) + 3) & ~3, b"\0")


def _nested(value: bytes) -> dict[int, bytes]:
    return {kind & _NESTED: inner for kind, inner in attributes_of(value, 0).items()}


def _number(value: bytes | None) -> int:
    return int.from_bytes(value[:4], sys.byteorder) if value else 0
