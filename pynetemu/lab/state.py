"""What the kernel has in the nodes at this moment, as values: `net.interfaces("h1")`, `net.routes()`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetemu.frozen import with_quick_constructor

if TYPE_CHECKING:
    from pynetemu.plan.operations import Address, InterfaceAddress, IPNetwork


@with_quick_constructor
@dataclass(frozen=True, slots=True)
class InterfaceState:
    """An interface of a node. `kind` is the kernel's: veth, bridge, …, "" for loopback; `master` its bridge.

    `is_up` says that it was set up, `has_carrier` that it is joined to something that is up too. The counters are the
    kernel's, in packets and bytes since the interface was made. `peer` is the other end of a veth pair as it is now, (node,
    interface): ("", "") where that is in a namespace of no node, None for what is not an end of a pair. `lower` is what a VLAN
    interface, a macvlan or a tunnel is on.
    """

    node: str
    name: str
    index: int
    kind: str
    mac: str
    mtu: int
    master: str
    is_up: bool
    has_carrier: bool
    addresses: "tuple[InterfaceAddress, ...]"
    received_packets: int
    sent_packets: int
    received_bytes: int
    sent_bytes: int
    received_errors: int
    sent_errors: int
    received_dropped: int
    sent_dropped: int
    peer: tuple[str, str] | None = None
    lower: str = ""


@with_quick_constructor
@dataclass(frozen=True, slots=True)
class RouteState:
    """A route; each hop is (gateway, interface), the gateway None for a connected network. `table` is 0 for the main one.

    `kind` is unicast, blackhole, unreachable, prohibit, throw…; `source` the address from which is sent, if the route says one;
    `protocol` who has set it, as `ip route` shows it ("kernel", "static", "bgp"); `is_dead` that its link is down.
    """

    node: str
    destination: "IPNetwork"
    kind: str
    hops: "tuple[tuple[Address | None, str], ...]"
    metric: int
    table: int = 0
    source: "Address | None" = None
    protocol: str = ""
    ds_field: int = 0
    is_dead: bool = False

    @property
    def text(self) -> str:
        """As the words of `ip route add`: "10.9.0.0/16 via 10.0.0.2 dev eth0 table 100"."""
        words = [self.kind] if self.kind != "unicast" else []
        words += ["default" if self.destination.prefixlen == 0 else str(self.destination)]
        words += ["tos", f"{self.ds_field:#04x}"] if self.ds_field else []
        hops = [self._hop(gateway, interface) for gateway, interface in self.hops]
        words += hops[0] if len(hops) == 1 else [word for hop in hops for word in ("nexthop", *hop)]
        words += ["src", str(self.source)] if self.source is not None else []
        words += ["metric", str(self.metric)] if self.metric else []
        words += ["table", str(self.table)] if self.table else []
        return " ".join(words)

    def _hop(self, gateway: "Address | None", interface: str) -> list[str]:
        other = ["inet6"] if gateway is not None and gateway.version != self.destination.version else []
        return [*(["via", *other, str(gateway)] if gateway is not None else []), *(["dev", interface] if interface else [])]


@with_quick_constructor
@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule that chooses a routing table, as `ip rule` shows it: RuleState.text.

    What it does not ask for is "", 0 or None. `action` is table, goto, nop, blackhole, unreachable or prohibit; `table` is 0
    where it leads to none. `mark` is (value, mask); ports and `users` are ranges.
    """

    node: str
    version: int
    priority: int
    action: str
    table: int = 0
    is_inverted: bool = False
    source: str = ""
    destination: str = ""
    ds_field: int = 0
    input: str = ""
    output: str = ""
    mark: tuple[int, int] | None = None
    protocol: int = 0
    source_ports: tuple[int, int] | None = None
    destination_ports: tuple[int, int] | None = None
    users: tuple[int, int] | None = None
    of_vrfs: bool = False
    goto: int = 0
    suppressed_length: int | None = None

    @property
    def text(self) -> str:
        """As the words of `ip rule add`: "from 10.1.0.0/24 iif eth0 lookup 100"."""
        words = ["not"] if self.is_inverted else []
        words += ["from", self.source or "all"]
        words += ["to", self.destination] if self.destination else []
        words += ["dsfield", f"{self.ds_field:#04x}"] if self.ds_field else []
        words += ["fwmark", _mark(*self.mark)] if self.mark else []
        words += ["iif", self.input] if self.input else []
        words += ["oif", self.output] if self.output else []
        words += ["uidrange", f"{self.users[0]}-{self.users[1]}"] if self.users else []
        words += ["ipproto", str(self.protocol)] if self.protocol else []
        words += ["sport", _range(self.source_ports)] if self.source_ports else []
        words += ["dport", _range(self.destination_ports)] if self.destination_ports else []
        words += ["l3mdev"] if self.of_vrfs else []
        words += ["lookup", TABLE_NAMES.get(self.table, str(self.table))] if self.table else []
        words += ["goto", str(self.goto)] if self.action == "goto" else []
        words += [self.action] if self.action not in ("table", "goto") else []
        words += ["suppress_prefixlength", str(self.suppressed_length)] if self.suppressed_length is not None else []
        return " ".join(words)


TABLE_NAMES = {253: "default", 254: "main", 255: "local"}  # as in /etc/iproute2/rt_tables


def _mark(value: int, mask: int) -> str:
    return f"{value:#x}" if mask == 0xFFFFFFFF else f"{value:#x}/{mask:#x}"


def _range(numbers: tuple[int, int]) -> str:
    return str(numbers[0]) if numbers[0] == numbers[1] else f"{numbers[0]}-{numbers[1]}"


@dataclass(frozen=True, slots=True)
class Neighbor:
    """What a node knows of an address on one of its links (ARP, ND): `state` as in `ip neigh`."""

    node: str
    address: "Address"
    interface: str
    mac: str
    state: str


@dataclass(frozen=True, slots=True)
class NeighborCounts:
    """How many neighbors are permanent, and how many are being asked for and have not answered yet."""

    permanent: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class ForwardingEntry:
    """That a bridge has a MAC address behind a port; `vlan` is 0 without VLAN filtering."""

    node: str
    mac: str
    port: str
    vlan: int
    is_learned: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the lab: packets that have arrived over links, those dropped at interfaces, nodes that are up."""

    packets: int
    dropped: int
    up: int


@dataclass(frozen=True, slots=True)
class PortState:
    """A port of a bridge: `state` is disabled, listening, learning, forwarding or blocking (a spanning tree's).

    `untagged` is the VLAN of frames without a tag (PVID), 0 for none; `tagged` are those whose frames keep theirs. Both are
    empty where the bridge does not tell VLANs apart. `settings` are the others, in bridge(8)'s words: ("cost 2", "guard off").
    """

    node: str
    bridge: str
    interface: str
    state: str
    untagged: int = 0
    tagged: tuple[int, ...] = ()
    is_isolated: bool = False
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BridgeState:
    """A bridge, with its settings as words of ip-link(8): ("stp_state 0", "ageing_time 30000")."""

    node: str
    name: str
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queueing discipline with its counters, as `tc -s qdisc` shows it; `waiting` are packets that it holds now."""

    node: str
    interface: str
    kind: str
    handle: str
    parent: str
    sent_packets: int
    sent_bytes: int
    dropped: int
    over_limit: int
    requeued: int
    waiting: int


@dataclass(frozen=True, slots=True)
class SocketState:
    """A socket that waits for anybody: TCP that listens, UDP without a peer. `interface` is the one that it is bound to, or "".

    `waiting` counts TCP's connections that nobody has accepted, of at most `limit`; of UDP the bytes that nobody has read.
    """

    node: str
    protocol: str
    address: "Address"
    port: int
    interface: str
    waiting: int
    limit: int
    dropped: int


@dataclass(frozen=True, slots=True)
class PacketFilter:
    """A table of a node's packet filter: `tool` is nft, iptables-legacy or ip6tables-legacy; `family` nft's (inet…)."""

    node: str
    tool: str
    family: str
    table: str
