"""What a node would do with a packet, asked of its kernel: interfaces, bridge ports, neighbors, routes, queues (rtnetlink(7)).

with NodeTables(network["r1"]) as tables:
    tables.links["eth1"].mtu
    tables.decide(Keys("10.0.1.2", "10.0.2.2", "eth0"))     Decision(kind="forwarded", interface=3, ...)
"""

import errno
import socket
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Self

from pynetemu.engine.messages import tables
from pynetemu.engine.messages.framing import Refusal, as_text, ask, attribute, attributes, dump, unpack
from pynetemu.engine.messages.tables import (
    NEIGHBOR_BODY,
    NUD_FAILED,
    NUD_INCOMPLETE,
    NUD_PERMANENT,
    ROUTE_BODY,
    RTM_GETNEIGH,
    RTM_GETROUTE,
)
from pynetemu.engine.messages.tunnels import Tunnel, tunnel_of
from pynetemu.lab.rtnetlink import addresses, links
from pynetemu.trace.evidence.routing import Found, Route, Routing
from pynetemu.trace.evidence.rules import Keys, Rule, rule_of

if TYPE_CHECKING:
    from pynetemu.lab.lab import LabNode

_IFF_NOARP = 0x80
_GET_QDISC = 38  # RTM_GETQDISC
_QUEUE_BODY = struct.Struct("=BxxxiIII")  # struct tcmsg: family, index, handle, parent, info
_QUEUE_KIND, _QUEUE_STATISTICS = 1, 3  # TCA_KIND, TCA_STATS
_STATISTICS = struct.Struct("=12xI12xI")  # struct tc_stats: of it drops and the length of the queue
_PORT_STATES = ("disabled", "listening", "learning", "forwarding", "blocking")  # linux/if_bridge.h
_PORT_HAIRPIN = 4  # IFLA_BRPORT_MODE
_BRIDGE_GROUPS, _BRIDGE_SNOOPING = 9, 23  # IFLA_BR_GROUP_FWD_MASK, IFLA_BR_MCAST_SNOOPING
_DESTINATION, _SOURCE, _INPUT = 1, 2, 3  # RTA_*
_FIB_MATCH = 0x2000  # RTM_F_FIB_MATCH: the route itself, not what came of it
_MARK, _PROTOCOL, _SOURCE_PORT, _TARGET_PORT = 16, 27, 28, 29  # RTA_MARK, RTA_IP_PROTO, _SPORT, _DPORT
_ASKED_FOR = (1, 6, 17, 58)  # the protocols that a question for a route may name; of others the rules are walked
_GET_RULE = 34  # RTM_GETRULE
_TYPES = {1: "forwarded", 2: "local", 3: "broadcast", 5: "multicast", 6: "blackhole", 7: "unreachable", 8: "prohibit"}

Kind = Literal[
    "forwarded", "local", "broadcast", "multicast", "blackhole", "unreachable", "prohibit", "no route", "filtered", "refused"
]
_REFUSING = ("blackhole", "unreachable", "prohibit", "no route")
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

    `floods` says whether a port gets the frames of MAC addresses that its bridge does not know, `floods_broadcasts` and
    `floods_groups` the same of frames for all and for groups; a `locked` one takes frames of known MAC addresses only.
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
    floods_broadcasts: bool = True
    floods_groups: bool = True
    locked: bool = False
    xdp: bool = False
    tunnel: Tunnel | None = None
    vrf_table: int = 0
    does_arp: bool = True
    lower: int = 0  # the index of the interface that it is on, of a VLAN's or a macvlan's
    vlan: int | None = None
    macvlan: str = ""  # its mode
    hairpin: bool = False  # a port that sends back what came by it
    stp: bool = False  # a bridge with a spanning tree
    snoops: bool = False  # a bridge that sends multicast only to ports behind which somebody has joined
    passes: int = 0  # which of the groups 01:80:c2:00:00:00 to 0f a bridge passes on, as bits (group_fwd_mask)

    @property
    def vxlan(self) -> tuple[int, int] | None:
        """The id and the UDP port of a VXLAN, None of what is none."""
        return self.tunnel.vxlan if self.tunnel is not None else None


@dataclass(frozen=True, slots=True)
class Neighbor:
    """What is known of an address on a link; `address` of a forwarding database's entry is where a tunnel sends to."""

    interface: int
    address: str
    mac: str
    answered: bool
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """A queueing discipline of an interface, and how many packets it has dropped and holds."""

    interface: int
    kind: str
    drops: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What the routing tables say: `gateway` is the next hop, "" when the destination is on that link.

    `filtered` is a source that the node does not believe. `rule` or `route` is what refused, `refused_if` what refuses packets
    with a mark where nobody has seen this one's, or with what else has to be guessed.
    """

    kind: Kind
    interface: int = 0
    gateway: str = ""
    mtu: int = 0
    prefix: str = ""
    rule: Rule | None = None
    route: Route | None = None
    refused_if: Found | None = None

    @property
    def perhaps(self) -> Rule | None:
        """The rule that refuses packets that nobody has seen enough of."""
        return self.refused_if.rule if self.refused_if is not None else None

    def text(self, names: Mapping[int, str]) -> str:
        """As words: "forwarded via 10.12.0.2 dev eth1", "blackhole by blackhole default table 55"."""
        words: list[str] = [self.kind]
        words += [f"via {self.gateway}"] if self.gateway else []
        words += [f"dev {names.get(self.interface, self.interface)}"] if self.interface else []
        words += [f"mtu {self.mtu}"] if self.mtu else []
        if self.rule is not None:
            words.append(f"by the rule {self.rule.text}")
        if self.route is not None:
            words.append(f"by the route {self.route.text}")
        return " ".join(words)


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
        """The node's interfaces, by name."""
        return {link.name: _link(link) for link in links(self._asked)}

    @cached_property
    def names(self) -> dict[int, str]:
        """The names of the node's interfaces, by index."""
        return {link.index: link.name for link in self.links.values()}

    @cached_property
    def address_flags(self) -> dict[str, int]:
        """The flags of each IP address (IFA_F_*)."""
        answers = dump(self._asked, tables.RTM_GETADDR, tables.ADDRESS_BODY.pack(0, 0, 0, 0, 0))
        return {found.text: found.flags for found in (tables.AddressMessage(answer.body) for answer in answers)}

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
        return {entry.mac: entry.interface for entry in self.forwarding_entries}

    @cached_property
    def forwarding_entries(self) -> list[Neighbor]:
        """The MAC addresses of forwarding databases, each with its interface: of several ones a VXLAN sends copies to all."""
        return list(self._neighbors(socket.AF_BRIDGE))

    @cached_property
    def kept_macs(self) -> dict[str, int]:
        """The MAC addresses whose frames a bridge takes in for its own, each with its port: permanent entries are such."""
        return {found.mac: found.interface for found in self.forwarding_entries if found.permanent}

    def _neighbors(self, family: int) -> Iterator[Neighbor]:
        for answer in dump(self._asked, RTM_GETNEIGH, NEIGHBOR_BODY.pack(family, 0, 0, 0, 0)):
            found = tables.NeighborMessage(answer.body)
            address = found.address if found.family in (socket.AF_INET, socket.AF_INET6) else found.tunnel_end
            answered, permanent = not found.state & (NUD_INCOMPLETE | NUD_FAILED), bool(found.state & NUD_PERMANENT)
            yield Neighbor(found.index, address, found.mac, answered, permanent)

    @cached_property
    def queues(self) -> list[Queue]:
        return [_queue(answer.body) for answer in dump(self._asked, _GET_QDISC, _QUEUE_BODY.pack(0, 0, 0, 0, 0))]

    @cached_property
    def routing(self) -> Routing:
        """The routing rules and the routes of all tables, of both families."""
        rules = [rule_of(answer.body) for answer in dump(self._asked, _GET_RULE, ROUTE_BODY.pack(*bytes(8), 0))]
        routes = [tables.RouteMessage(answer.body) for answer in dump(self._asked, RTM_GETROUTE, ROUTE_BODY.pack(*bytes(8), 0))]
        masters = {link.index: link.vrf_table for link in self.links.values() if link.vrf_table}
        in_vrfs = {link.name: masters[link.master] for link in self.links.values() if link.master in masters}
        return Routing(rules, routes, in_vrfs | {self.names[index]: table for index, table in masters.items()})

    def decide(self, keys: Keys, *, matched: bool = False) -> Decision:
        """What happens to a packet with these keys; `matched` for the prefix. What has no address is refused."""
        decision = self._kernels_answer(keys, matched)
        if decision.kind == "refused" and not _packed(keys.family, keys.destination):
            return decision
        is_known = keys.mark is not None and not keys.is_guess
        if decision.kind == "forwarded" and keys.protocol in (0, *_ASKED_FOR) and is_known:
            return decision
        if decision.kind in ("local", "broadcast", "multicast"):
            return decision
        return self._explained(decision, self.routing.walk(keys), keys)

    def _explained(self, decision: Decision, found: Found, keys: Keys) -> Decision:
        """A refusal with the rule or the route that refused; a source that is not believed is told from these."""
        perhaps = self.routing.refusing_if(found.maybe, keys)
        if decision.kind == "forwarded":
            is_asked_in_part = keys.protocol not in (0, *_ASKED_FOR) or keys.is_guess
            if is_asked_in_part and found.kind in _REFUSING and not found.maybe:
                return Decision(found.kind, rule=found.rule, route=found.route)
            return replace(decision, refused_if=perhaps)
        if decision.kind in ("blackhole", "filtered") and found.kind != "blackhole":
            return Decision("filtered")
        if found.kind not in _REFUSING and perhaps is not None:  # the kernel refuses, and this is what can have refused
            return Decision(decision.kind, rule=perhaps.rule)
        kind = found.kind if found.kind in _REFUSING else decision.kind
        route = found.route if found.kind in _REFUSING else None
        return Decision(kind, rule=found.rule, route=route, refused_if=perhaps)

    def _kernels_answer(self, keys: Keys, matched: bool) -> Decision:
        family = keys.family
        target = _packed(family, keys.destination)
        if not target:
            return Decision("refused")
        is_sent_here = not keys.interface
        origin = b"" if is_sent_here and keys.source not in self.addresses else _packed(family, keys.source)
        flags = _FIB_MATCH if matched else 0
        body = ROUTE_BODY.pack(family, len(target) * 8, len(origin) * 8, keys.ds_field, 0, 0, 0, 0, flags)
        body += attribute(_DESTINATION, target) + (attribute(_SOURCE, origin) if origin else b"")
        if keys.interface in self.links:
            body += attribute(_INPUT, struct.pack("=I", self.links[keys.interface].index))
        if keys.mark:
            body += attribute(_MARK, struct.pack("=I", keys.mark))
        if keys.protocol in _ASKED_FOR:  # rules may ask for it
            body += attribute(_PROTOCOL, bytes([keys.protocol]))
        if keys.ports is not None and all(keys.ports) and keys.protocol in _ASKED_FOR:
            body += attribute(_SOURCE_PORT, keys.ports[0].to_bytes(2)) + attribute(_TARGET_PORT, keys.ports[1].to_bytes(2))
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
        floods_broadcasts=found.floods_broadcasts,
        floods_groups=found.floods_groups,
        locked=found.is_locked,
        xdp=found.has_xdp,
        tunnel=tunnel_of(found.kind, found.of_kind),
        vrf_table=found.vrf_table,
        does_arp=not found.flags & _IFF_NOARP,
        lower=found.lower,
        vlan=found.vlan,
        macvlan=found.macvlan_mode,
        hairpin=found.of_port.get(_PORT_HAIRPIN, b"\0") != b"\0",
        stp=found.has_spanning_tree,
        snoops=found.of_bridge.get(_BRIDGE_SNOOPING, b"\0") != b"\0",
        passes=int.from_bytes(found.of_bridge.get(_BRIDGE_GROUPS, b""), sys.byteorder),
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
