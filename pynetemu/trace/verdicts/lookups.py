"""What a node would do with a packet, asked of its kernel: interfaces, bridge ports, neighbors, routes, queues (rtnetlink(7)).

with NodeTables(network["r1"]) as tables:
    tables.links["eth1"].mtu
    tables.decide("10.0.2.2", source="10.0.1.2", interface="eth0")    Decision(kind="forwarded", interface="eth1", ...)
"""

import errno
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Self

from pynetemu.engine.messages import tables
from pynetemu.engine.messages.framing import Refusal, as_text, ask, attribute, attributes, dump, unpack
from pynetemu.engine.messages.tables import NEIGHBOR_BODY, NUD_FAILED, NUD_INCOMPLETE, ROUTE_BODY, RTM_GETNEIGH, RTM_GETROUTE
from pynetemu.lab.rtnetlink import addresses, links
from pynetemu.trace.verdicts.rules import Rule, rule_of

if TYPE_CHECKING:
    from pynetemu.lab.lab import LabNode

_GET_QDISC = 38  # RTM_GETQDISC
_QUEUE_BODY = struct.Struct("=BxxxiIII")  # struct tcmsg: family, index, handle, parent, info
_QUEUE_KIND, _QUEUE_STATISTICS = 1, 3  # TCA_KIND, TCA_STATS
_STATISTICS = struct.Struct("=12xI12xI")  # struct tc_stats: of it drops and the length of the queue
_PORT_STATES = ("disabled", "listening", "learning", "forwarding", "blocking")  # linux/if_bridge.h
_DESTINATION, _SOURCE, _INPUT = 1, 2, 3  # RTA_*
_FIB_MATCH = 0x2000  # RTM_F_FIB_MATCH: the route itself, not what came of it
_PROTOCOL, _SOURCE_PORT, _TARGET_PORT = 27, 28, 29  # RTA_IP_PROTO, _SPORT, _DPORT
_PORTS = {"TCP": 6, "UDP": 17}
_GET_RULE = 34  # RTM_GETRULE
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


@dataclass(frozen=True, slots=True)
class Flow:
    """The protocol and the ports of a packet."""

    protocol: str
    source: int
    target: int


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
        return {link.name: _link(link) for link in links(self._asked)}

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
        return {found.mac: found.interface for found in self._neighbors(socket.AF_BRIDGE)}

    def _neighbors(self, family: int) -> Iterator[Neighbor]:
        for answer in dump(self._asked, RTM_GETNEIGH, NEIGHBOR_BODY.pack(family, 0, 0, 0, 0)):
            found = tables.NeighborMessage(answer.body)
            address = found.address if found.family in (socket.AF_INET, socket.AF_INET6) else ""
            yield Neighbor(found.index, address, found.mac, not found.state & (NUD_INCOMPLETE | NUD_FAILED))

    @cached_property
    def queues(self) -> list[Queue]:
        return [_queue(answer.body) for answer in dump(self._asked, _GET_QDISC, _QUEUE_BODY.pack(0, 0, 0, 0, 0))]

    @cached_property
    def rules(self) -> list[Rule]:
        """The routing rules of both families, in the order in which they are asked."""
        answers = dump(self._asked, _GET_RULE, ROUTE_BODY.pack(*bytes(8), 0))
        return sorted((rule_of(answer.body) for answer in answers), key=lambda rule: rule.priority)

    def decide(
        self, destination: str, *, source: str = "", interface: str = "", matched: bool = False, flow: Flow | None = None
    ) -> Decision:
        """What happens to a packet for an address, sent here or, with `interface`, arriving there; `matched` for the prefix.

        What is no address is refused; a source of the other family takes no part.
        """
        family = socket.AF_INET6 if ":" in destination else socket.AF_INET
        target = _packed(family, destination)
        if not target:
            return Decision("refused")
        origin = _packed(family, source) if interface else b""
        flags = _FIB_MATCH if matched else 0
        body = ROUTE_BODY.pack(family, len(target) * 8, len(origin) * 8, 0, 0, 0, 0, 0, flags)
        body += attribute(_DESTINATION, target) + (attribute(_SOURCE, origin) if origin else b"")
        if interface in self.links:
            body += attribute(_INPUT, struct.pack("=I", self.links[interface].index))
        if flow is not None and flow.protocol in _PORTS:  # rules may ask for them
            body += attribute(_PROTOCOL, bytes([_PORTS[flow.protocol]]))
            body += attribute(_SOURCE_PORT, flow.source.to_bytes(2)) + attribute(_TARGET_PORT, flow.target.to_bytes(2))
        try:
            (answer,) = ask(self._asked, RTM_GETROUTE, body)
        except Refusal as refusal:
            return Decision(_REFUSALS.get(refusal.code, "refused"))
        return _decision(tables.RouteMessage(answer.body))


def _link(found: tables.LinkMessage) -> Link:
    state = found.port_state
    return Link(
        index=found.index,
        name=found.name,
        mac=found.mac,
        mtu=found.mtu,
        up=found.is_up,
        carrier=found.has_carrier,
        kind=found.kind,
        master=found.master,
        port=_PORT_STATES[state] if state is not None and state < len(_PORT_STATES) else "",
        isolated=found.is_isolated,
        floods=found.floods,
        xdp=found.has_xdp,
    )


def _queue(body: bytes) -> Queue:
    _, index, *_ = unpack(_QUEUE_BODY, body)
    found = dict(attributes(body, _QUEUE_BODY.size))
    drops, waiting = unpack(_STATISTICS, found.get(_QUEUE_STATISTICS, bytes(_STATISTICS.size)))
    return Queue(index, as_text(found.get(_QUEUE_KIND, b"")), drops, waiting)


def _decision(found: tables.RouteMessage) -> Decision:
    hop = found.hops[0]
    return Decision(
        kind=_TYPES.get(found.kind, "refused"),  # type: ignore[arg-type]  # every value is one of Kind
        interface=hop.index,
        gateway=hop.gateway,
        mtu=found.mtu,
        prefix="default" if found.prefix_length == 0 else found.destination,
    )


def _packed(family: int, address: str) -> bytes:
    """The bytes of an address, none where it is not of this family."""
    try:
        return socket.inet_pton(family, address)
    except OSError:
        return b""
