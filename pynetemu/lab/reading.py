"""The lab as it is: what the kernel has in one, some or all nodes, read at once and taken apart when it is looked at.

    state = read(lab.control, ["h1", "r1"], ("links", "addresses", "routes"))
    state.interfaces[0].peer                ("s1", "h1")
    state.routes_of("r1")                   [RouteState(...), ...]

This is the one place that asks for state. Interfaces are known by their node and their index: names are for showing.
"""

import socket
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache, wraps
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_network
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pynetemu.engine.messages.framing import as_text, attributes, bodies
from pynetemu.engine.messages.packing import words_of_bridge, words_of_port
from pynetemu.engine.messages.queues import queue_of
from pynetemu.engine.messages.rules import RTM_NEWRULE, rule_of
from pynetemu.engine.messages.sockets import FAMILIES, PROTOCOLS, socket_of
from pynetemu.engine.messages.tables import (
    NUD_NOARP,
    NUD_PERMANENT,
    RTM_NEWROUTE,
    RTNH_F_DEAD,
    AddressMessage,
    Counters,
    CountersMessage,
    LinkMessage,
    NeighborMessage,
    RouteMessage,
)
from pynetemu.engine.protocol.requests import FindInterfaces, ForgetNeighbors, ReadTables, ReadTotals
from pynetemu.lab.state import (
    BridgeState,
    ForwardingEntry,
    InterfaceState,
    Neighbor,
    NeighborCounts,
    PacketFilter,
    PortState,
    QueueState,
    RouteState,
    RuleState,
    SocketState,
    Totals,
)
from pynetemu.plan.no_gc import no_collection
from pynetemu.wording import shortened

if TYPE_CHECKING:
    from pynetemu.engine.protocol.requests import KernelTables
    from pynetemu.lab.connection import Connection
    from pynetemu.plan.operations import Address, InterfaceAddress, IPNetwork

_T = TypeVar("_T")
_At = tuple[int, int]  # the number of a node's namespace in the hub, and an interface's index

_NODES_AT_ONCE = 100  # in one request: other threads of this process may ask in between
_LENGTH = struct.Struct("=I")
_MAIN, _LOCAL = 254, 255
_CLONED = 0x200  # RTM_F_CLONED: what was learned of a path, no route of a table
_IP_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_LAST_RULE_FAMILY = socket.AF_INET6  # above are those of multicast routing
_ROUTE_KINDS = {
    1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast",
    6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw", 10: "nat",
}  # fmt: skip
_SHOWN_KINDS = ("unicast", "blackhole", "unreachable", "prohibit", "throw")
_PROTOCOLS = {
    1: "redirect", 2: "kernel", 3: "boot", 4: "static", 9: "ra", 16: "dhcp", 11: "zebra", 12: "bird", 18: "babel",
    186: "bgp", 187: "isis", 188: "ospf", 189: "rip", 192: "eigrp", 42: "openr", 99: "keepalived",
}  # fmt: skip
_NUD = {1: "incomplete", 2: "reachable", 4: "stale", 8: "delay", 16: "probe", 32: "failed", 64: "noarp", 128: "permanent"}
_NTF_SELF = 0x2  # an address of the interface's own filter, which no bridge has learned
_PORT_STATES = ("disabled", "listening", "learning", "forwarding", "blocking")  # linux/if_bridge.h
_NFT_FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}  # NFPROTO_*
_NFTA_TABLE_NAME = 1
_WITHOUT_MORE = "bridge", "dummy", "bond", "ifb"  # kinds of interfaces that need no numbers or ends to be made
_NO_COUNTERS = Counters(*bytes(8))


def read(engine: "Connection", nodes: Iterable[str], tables: Sequence[str]) -> "LabState":
    """Asks for some tables of some nodes: links, counters, addresses, routes, rules, neighbors, forwarding, vlans, queues,
    sockets, filters. Raises LabError."""
    state = LabState(engine)
    wanted = list(nodes)
    with no_collection():
        for start in range(0, len(wanted), _NODES_AT_ONCE):
            some = wanted[start : start + _NODES_AT_ONCE]
            state._add(some, tables, engine.ask(ReadTables(tuple(some), tuple(tables)), meanwhile=state._take_apart()))
    return state


def read_statistics(engine: "Connection", nodes: Iterable[str]) -> dict[str, memoryview]:
    """The counters of nodes as wholes, as they came: for `statistics_in`. Raises LabError."""
    return {node: tables["statistics"] for node, tables in read(engine, nodes, ("statistics",))._raw.items()}


def statistics_in(data: memoryview) -> list[str]:
    """The texts of /proc/net/snmp, netstat, snmp6 and xfrm_stat."""
    return [bytes(part).decode(errors="replace") for part in _parts(data)]


def forget_neighbors(engine: "Connection", nodes: Iterable[str], unanswered_too: bool) -> NeighborCounts:
    """Deletes what nodes have learned of their neighbors; gives back how many are left."""
    left = engine.ask(ForgetNeighbors(tuple(nodes), unanswered_too))
    return NeighborCounts(left.permanent, left.unanswered)


def totals(engine: "Connection") -> Totals:
    """Sums over the lab."""
    totals = engine.ask(ReadTotals())
    return Totals(totals.packets, totals.dropped, totals.up)


def _parts(data: memoryview) -> Iterator[memoryview]:
    """The parts of what is made of lengths, each followed by so many bytes."""
    offset = 0
    while offset < len(data):
        (length,) = _LENGTH.unpack_from(data, offset)
        offset += _LENGTH.size + length
        yield data[offset - length : offset]


def _kept(read: Callable[["LabState", str], _T]) -> Callable[["LabState", str], _T]:
    """What is taken apart of a node is taken apart once."""

    @wraps(read)
    def kept(state: "LabState", node: str) -> _T:
        found = state._found[read.__name__]
        if node not in found:
            found[node] = read(state, node)
        return cast(_T, found[node])

    return kept


class LabState:
    """What the kernel had in some nodes at one moment, by what was asked for; `net.state()` gives one.

        state = net.state("r1", "r2")
        state.routes_of("r1")

    Each list is made when it is first looked at, from what was read then, and is in the order of the nodes.
    """

    def __init__(self, engine: "Connection") -> None:
        self._engine = engine
        self._raw: dict[str, dict[str, memoryview]] = {}  # what the kernel said of each table of each node
        self._numbers: dict[str, int] = {}
        self._found: defaultdict[str, dict[str, Any]] = defaultdict(dict)  # what was taken apart
        self._apart = 0  # so many nodes

    def _add(self, nodes: Sequence[str], tables: Sequence[str], answer: "KernelTables") -> None:
        """More nodes, of which the engine has told this."""
        parts = _parts(memoryview(answer.messages))
        self._numbers |= zip(nodes, answer.numbers, strict=True)
        self._raw |= {node: {table: next(parts) for table in tables} for node in nodes}

    def _take_apart(self) -> Iterator[None]:
        """Takes apart, node by node, what most want to know of what has come, while more is on its way."""
        takers = {"links": self._ends_of, "addresses": self._addresses, "routes": self.routes_of, "rules": self.rules_of}
        for node, tables in [*self._raw.items()][self._apart :]:
            for table in takers.keys() & tables.keys() if "links" in tables else ():
                takers[table](node)
            self._apart += 1
            yield

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that were asked."""
        return tuple(self._raw)

    def __repr__(self) -> str:
        return f"<LabState of {shortened(self.nodes)}>"

    @property
    def numbers(self) -> dict[int, str]:
        """The nodes, by the numbers that the kernel's messages about them have."""
        return {number: node for node, number in self._numbers.items()}

    def _all(self, read: Callable[[str], Iterable[_T]]) -> list[_T]:
        with no_collection():
            return [value for node in self._raw for value in read(node)]

    def _bodies(self, node: str, table: str) -> list[tuple[int, bytes]]:
        data = self._raw[node].get(table)
        if data is None:
            raise ValueError(f"{table} was not asked for")
        return bodies(bytes(data))

    @_kept
    def _links(self, node: str) -> dict[int, LinkMessage]:
        links = [LinkMessage(body) for _, body in self._bodies(node, "links")]
        return {link.index: link for link in links}

    @_kept
    def _names(self, node: str) -> dict[int, str]:
        return {index: link.name for index, link in self._links(node).items()}

    @cached_property
    def _peers(self) -> dict[_At, tuple[str, str]]:
        """The far ends of all pairs, by their numbers; those in nodes that were not asked are asked for."""
        places = {(self._numbers[node], index): (node, name) for node in self._raw for index, name in self._names(node).items()}
        ends = [end for node in self._raw for end in self._ends_of(node).values()]
        known = set(self._numbers.values())
        if unknown := list(dict.fromkeys(end for end in ends if end[0] not in known)):
            found = self._engine.ask(FindInterfaces(*map(tuple, zip(*unknown, strict=True))))
            places |= {end: (node, name) for end, (node, name) in zip(unknown, found, strict=True)}
        return {end: places.get(end, ("", "")) for end in ends}

    @_kept
    def _ends_of(self, node: str) -> dict[int, _At]:
        """The far ends of a node's interfaces that are ends of pairs."""
        own, pairs = self._numbers[node], ((index, link.pair) for index, link in self._links(node).items())
        return {index: (own if pair[0] is None else pair[0], pair[1]) for index, pair in pairs if pair is not None}

    def peer(self, node: str, index: int) -> tuple[str, str] | None:
        """The other end, (node, interface), of a veth pair; see `InterfaceState.peer`."""
        if (end := self._ends_of(node).get(index)) is None:
            return None
        far = self._peers[end]
        return far if all(far) else ("", "")

    @cached_property
    def interfaces(self) -> list[InterfaceState]:
        """All interfaces; without "counters" or "addresses" in what was asked these are zero, or none."""
        return self._all(self.interfaces_of)

    def interfaces_of(self, node: str) -> list[InterfaceState]:
        """Those of one node, in the kernel's order."""
        names, addresses, counters = self._names(node), self._addresses(node), self._counters(node)
        return [
            InterfaceState(
                node,
                link.name,
                index,
                link.kind,
                link.mac,
                link.mtu,
                names.get(link.master, ""),
                link.is_up,
                link.has_lower_up,
                tuple(addresses.get(index, ())),
                *counters.get(index, _NO_COUNTERS),
                self.peer(node, index),
                names.get(link.lower, ""),
            )
            for index, link in self._links(node).items()
        ]

    def type_again(self, interface: InterfaceState) -> str:
        """What makes one of the same type, as words of ip-link(8): "vlan id 10"; "" where that takes more than is known."""
        link = self._links(interface.node)[interface.index]
        if link.kind in _WITHOUT_MORE:
            return link.kind
        if not interface.lower:  # it is in another node
            return ""
        if link.vlan is not None:
            return f"vlan id {link.vlan}"
        return f"macvlan mode {link.macvlan_mode}" if link.macvlan_mode else ""

    @_kept
    def _addresses(self, node: str) -> "dict[int, list[InterfaceAddress]]":
        found: dict[int, list[InterfaceAddress]] = {}
        for _, body in self._bodies(node, "addresses") if "addresses" in self._raw[node] else ():
            address = AddressMessage(body)
            found.setdefault(address.index, []).append(interface_address(address))
        return found

    def _counters(self, node: str) -> dict[int, Counters]:
        told = self._bodies(node, "counters") if "counters" in self._raw[node] else ()
        return {found.index: found.counters for found in (CountersMessage(body) for _, body in told)}

    @cached_property
    def ports(self) -> list[PortState]:
        """The ports of bridges."""
        return self._all(self._ports_of)

    def _ports_of(self, node: str) -> Iterator[PortState]:
        names, links = self._names(node), self._links(node)
        vlans = {link.index: link.vlans for link in (LinkMessage(body) for _, body in self._bodies(node, "vlans"))}
        for index, link in links.items():
            state = link.port_state
            if state is None or link.master not in links:
                continue
            of_port = vlans.get(index, ()) if links[link.master].filters_vlans else ()
            yield PortState(
                node,
                names[link.master],
                link.name,
                _PORT_STATES[state] if state < len(_PORT_STATES) else str(state),
                next((vlan.number for vlan in of_port if vlan.is_pvid), 0),
                tuple(vlan.number for vlan in of_port if not vlan.is_untagged),
                link.is_isolated,
                words_of_port(link.of_port),
            )

    @cached_property
    def bridges(self) -> list[BridgeState]:
        """The bridges: those of switches and hubs, and those inside hosts."""
        return self._all(self._bridges_of)

    def _bridges_of(self, node: str) -> Iterator[BridgeState]:
        for link in self._links(node).values():
            if link.kind == "bridge":
                yield BridgeState(node, link.name, words_of_bridge(link.of_bridge))

    @cached_property
    def routes(self) -> list[RouteState]:
        """The routes of all tables, but what the kernel notes of its own addresses (table local)."""
        return self._all(self.routes_of)

    @_kept
    def routes_of(self, node: str) -> list[RouteState]:
        """Those of one node."""
        names = self._names(node)
        return [
            route_state(node, message, names)
            for kind, body in self._bodies(node, "routes")
            if kind == RTM_NEWROUTE and body[4] != _LOCAL and body[0] in _IP_FAMILIES
            for message in [RouteMessage(body)]
            if is_shown(message)
        ]

    @cached_property
    def rules(self) -> list[RuleState]:
        """The rules that choose routing tables, IPv4's first, in the order in which they are asked."""
        return self._all(self.rules_of)

    @_kept
    def rules_of(self, node: str) -> list[RuleState]:
        """Those of one node."""
        told = [body for kind, body in self._bodies(node, "rules") if kind == RTM_NEWRULE and body[0] in _IP_FAMILIES]
        return sorted([rule_state(node, body) for body in told], key=attrgetter("version", "priority"))

    @cached_property
    def neighbors(self) -> list[Neighbor]:
        """What the nodes know of addresses on their links (ARP, ND)."""
        return self._all(self._neighbors_of)

    def _neighbors_of(self, node: str) -> Iterator[Neighbor]:
        names = self._names(node)
        for message in (NeighborMessage(body) for _, body in self._bodies(node, "neighbors")):
            if is_neighbor(message):
                yield neighbor_state(node, message, names)

    @cached_property
    def forwarding(self) -> list[ForwardingEntry]:
        """Which MAC addresses bridges have behind their ports."""
        return self._all(self._forwarding_of)

    def _forwarding_of(self, node: str) -> Iterator[ForwardingEntry]:
        names = self._names(node)
        for entry in (NeighborMessage(body) for _, body in self._bodies(node, "forwarding")):
            if entry.mac and not entry.flags & _NTF_SELF:
                is_learned = not entry.state & (NUD_PERMANENT | NUD_NOARP)
                yield ForwardingEntry(node, entry.mac, names.get(entry.index, ""), entry.vlan, is_learned)

    @cached_property
    def queues(self) -> list[QueueState]:
        """The queueing disciplines, with their counters."""
        return self._all(self._queues_of)

    def _queues_of(self, node: str) -> Iterator[QueueState]:
        names = self._names(node)
        for q in (queue_of(body) for _, body in self._bodies(node, "queues")):
            yield QueueState(
                node,
                names.get(q.interface, ""),
                q.kind,
                q.handle,
                q.parent,
                q.sent_packets,
                q.sent_bytes,
                q.dropped,
                q.over_limit,
                q.requeued,
                q.waiting_packets,
            )

    @cached_property
    def sockets(self) -> list[SocketState]:
        """The sockets that wait for anybody."""
        return self._all(self._sockets_of)

    def _sockets_of(self, node: str) -> Iterator[SocketState]:
        names = self._names(node)
        parts = _parts(self._raw[node]["sockets"])
        for protocol in PROTOCOLS.values():
            for _, part in zip(FAMILIES, parts, strict=False):
                for _, body in bodies(bytes(part)):
                    s = socket_of(body)
                    bound = names.get(s.interface, "")
                    yield SocketState(node, protocol, _address(s.address), s.port, bound, s.waiting, s.limit, s.dropped)

    @cached_property
    def packet_filters(self) -> list[PacketFilter]:
        """The tables of the nodes' packet filters."""
        return self._all(self._packet_filters_of)

    def _packet_filters_of(self, node: str) -> Iterator[PacketFilter]:
        nft, *older = _parts(self._raw[node]["filters"])
        for _, body in bodies(bytes(nft)):
            name = as_text(dict(attributes(body, 4)).get(_NFTA_TABLE_NAME, b""))
            yield PacketFilter(node, "nft", _NFT_FAMILIES.get(body[0], str(body[0])), name)
        for tool, family, names in zip(("iptables-legacy", "ip6tables-legacy"), ("ip", "ip6"), older, strict=True):
            yield from (PacketFilter(node, tool, family, name) for name in bytes(names).decode().split())


def interface_address(message: AddressMessage) -> "InterfaceAddress":
    """A message as a value."""
    return _interface(message.packed, message.prefix_length)


def is_shown(route: RouteMessage) -> bool:
    """Whether a route of a table is one that is shown: IP, of a kind that somebody may have set, and no exception of a path."""
    return _ROUTE_KINDS.get(route.kind) in _SHOWN_KINDS and route.family in _IP_FAMILIES and not route.flags & _CLONED


def route_state(node: str, route: RouteMessage, names: dict[int, str]) -> RouteState:
    """A message as a value."""
    table, source, hops = route.table, route.source, route.hops
    return RouteState(
        node,
        _network(route.destination),
        _ROUTE_KINDS.get(route.kind, str(route.kind)),
        tuple((_address(hop.gateway) if hop.gateway else None, names.get(hop.index, "")) for hop in hops),
        route.metric,
        0 if table == _MAIN else table,
        _address(source) if source else None,
        _PROTOCOLS.get(route.protocol, str(route.protocol)),
        route.ds_field,
        all(hop.flags & RTNH_F_DEAD for hop in hops),
    )


@lru_cache(maxsize=4096)  # most nodes have the same ones
def _rule(body: bytes) -> tuple[Any, ...]:
    """What a message says of a rule, in the order in which a state has it after its node."""
    rule = rule_of(body)
    state = RuleState(
        node="",
        version=6 if rule.family == socket.AF_INET6 else 4,
        priority=rule.priority,
        action=rule.action,
        table=rule.table if rule.action == "table" else 0,
        is_inverted=rule.is_inverted,
        source=rule.source,
        destination=rule.destination,
        ds_field=rule.tos,
        input=rule.input,
        output=rule.output,
        mark=rule.mark,
        protocol=rule.protocol,
        source_ports=rule.source_ports,
        destination_ports=rule.destination_ports,
        users=rule.users,
        of_vrfs=rule.of_vrfs,
        goto=rule.goto,
        suppressed_length=rule.suppressed_length,
    )
    return attrgetter(*RuleState.__match_args__[1:])(state)


def rule_state(node: str, body: bytes) -> RuleState:
    """A message as a value."""
    return RuleState(node, *_rule(body))


def is_neighbor(message: NeighborMessage) -> bool:
    """Whether an entry is about an IP address that has to be asked for."""
    return not message.state & NUD_NOARP and message.family in _IP_FAMILIES


def neighbor_state(node: str, message: NeighborMessage, names: dict[int, str]) -> Neighbor:
    """A message as a value."""
    state = _NUD.get(message.state, str(message.state))
    return Neighbor(node, _address(message.address), names.get(message.index, ""), message.mac, state)


@lru_cache(maxsize=4096)
def _address(text: str) -> "Address":
    return ip_address(text)


@lru_cache(maxsize=4096)
def _interface(packed: bytes, prefix_length: int) -> "InterfaceAddress":
    kind = IPv4Interface if len(packed) == 4 else IPv6Interface
    return kind((packed, prefix_length))


@lru_cache(maxsize=4096)
def _network(text: str) -> "IPNetwork":
    return ip_network(text, strict=False)
