"""A description whose names, addresses and ends of links have been looked up."""

from collections.abc import Container, Iterator
from itertools import count
from typing import Literal

from pynetemu.frozen import fresh, frozen, record
from pynetemu.plan.operations import Address, FileKind, InterfaceAddress, IPNetwork, Mechanism, NodeKind
from pynetemu.topology.part import Declaration

BRIDGE = "br0"  # in every switch
ROOT_INTERFACE = "eth0"  # of a root with an address of its own


UNTAGGED = 0  # in place of a VLAN's number, of frames on a link


@frozen
class ResolvedPort:
    """What the user said of a switch's port: its VLANs, and `settings` as in `bridge link set` ("cost 5")."""

    vlan: int | None = None
    trunk: tuple[int, ...] = ()
    settings: tuple[str, ...] = ()
    cost: int | None = None
    priority: int = 32


@frozen
class ResolvedBridge:
    """What the user said of a switch; `settings` are as in `ip link set type bridge` ("forward_delay 200")."""

    stp: bool = False
    priority: int = 32768
    filters_vlans: bool = False
    settings: tuple[str, ...] = ()


@record
class ResolvedDevice:
    """What an interface is that cannot be an end of a link; `settings` are as in `ip link add`.

    `parent` is what a macvlan is on, `table` the number of a VRF's.
    """

    kind: Literal["bridge", "bond", "dummy", "macvlan", "vrf"]
    settings: tuple[str, ...] = ()
    parent: "ResolvedInterface | None" = None
    table: int = 0


@record
class ResolvedInterface:
    """`addresses` are the user's and, from `resolve.addresses` on, those that were chosen; `auto` allows such.

    `vlans` are the interfaces on this one, by their number; `blocked` is a port that the spanning tree will shut. `master`
    is the bridge or bond of the same host that has this interface as its port, and its addresses.
    """

    node: "ResolvedNode"
    name: str
    declared: Declaration
    addresses: list[InterfaceAddress] = fresh(factory=list)
    auto: bool = True
    cost: int = 1  # of sending by it, for routes
    hides: bool = False  # what is behind its node is not to be reached through it: it translates addresses
    mac: str = ""
    port: ResolvedPort = ResolvedPort()
    vlans: dict[int, "ResolvedInterface"] = fresh(factory=dict)
    blocked: bool = False
    device: ResolvedDevice | None = None
    master: "ResolvedInterface | None" = None
    vrf: "ResolvedInterface | None" = None

    @property
    def source(self) -> str:
        return self.declared.where

    @property
    def bridged(self) -> bool:
        """Whether frames that arrive here are sent on by a bridge: a switch's, or one in a host."""
        in_host = self.master is not None and self.master.device is not None and self.master.device.kind == "bridge"
        return self.node.bridges or in_host


@record  # hundreds of thousands
class ResolvedRoute:
    """`said` is how the user said it, "" for one that was found."""

    destination: IPNetwork
    vias: tuple[Address, ...]
    source: str
    said: str = ""


@frozen
class ResolvedFile:
    """What a node has at a path, as `AddFile` says it."""

    path: str
    kind: FileKind
    content: str = ""


@record
class ResolvedNode:
    name: str
    kind: NodeKind
    declared: Declaration
    interfaces: dict[str, ResolvedInterface] = fresh(factory=dict)
    own_address: InterfaceAddress | None = None  # of the root
    loopback: list[InterfaceAddress] = fresh(factory=list)
    bridge: ResolvedBridge = ResolvedBridge()
    mac: str = ""  # of its bridge, "" to leave it to the kernel
    forwards: bool = False
    auto_routes: bool = True
    multipath: bool = False
    routes: list[ResolvedRoute] = fresh(factory=list)
    files: list[ResolvedFile] = fresh(factory=list)
    weight: int = 1  # it stands for so many alike, itself too (`plan.again`)
    reserved: Container[object] = ()  # names of its interfaces that lead to nodes that others stand for
    links: int = 0
    numbers: Iterator[int] = fresh(factory=count)  # for the names of interfaces that were given none
    incomplete: bool = False  # some of its addresses could not be read
    table: int = 0  # of a part of a router that is a router of its own, 0 for the main one
    around: "ResolvedNode | None" = None  # the node of which this is such a part

    @property
    def whole(self) -> "ResolvedNode":
        return self.around or self

    @property
    def source(self) -> str:
        return self.declared.where

    @property
    def has_ipv6(self) -> bool:
        addresses = (address for interface in self.interfaces.values() for address in interface.addresses)
        return any(address.version == 6 for address in (*addresses, *self.loopback))

    @property
    def bridges(self) -> bool:
        """Whether it passes frames on, and has no addresses itself."""
        return self.kind in ("switch", "hub")


@record
class ResolvedTunnel:
    """What makes a link a tunnel.

    `wanted` are the endpoints that the user gave, each an address or an Interface, None to leave it to the rule. `settings`
    are as in `ip link add` ("id 10"), `headers` the bytes that they take between the outer IP header and an inner packet.
    `number` is a VXLAN's id, `ports` the UDP ports of a WireGuard's ends. An endpoint is None that the other end cannot reach.
    """

    kind: Literal["vxlan", "gre", "wireguard"]
    wanted: tuple[object, object]
    settings: tuple[str, ...] = ()
    headers: int = 0
    number: int = 0
    ports: tuple[int, int] = (0, 0)
    endpoints: tuple[Address | None, Address | None] = (None, None)


@frozen
class ResolvedDirection:
    """What one direction of a link does to packets: the words of an Impairment, and what does it."""

    settings: tuple[str, ...]
    mechanism: Mechanism


@record
class ResolvedLink:
    """`directions` are those from `a` to `b` and back, None for a plain wire."""

    a: ResolvedInterface
    b: ResolvedInterface
    declared: Declaration
    mtu: int = 0  # of both ends; 0 for the kernel's own
    tunnel: ResolvedTunnel | None = None
    directions: tuple[ResolvedDirection | None, ResolvedDirection | None] = (None, None)

    @property
    def name(self) -> str:
        """What the description calls it, "" for nothing."""
        return self.declared.full_name if self.declared.name else ""

    @property
    def is_relayed(self) -> bool:
        return any(direction is not None and direction.mechanism == "relay" for direction in self.directions)

    @property
    def source(self) -> str:
        return self.declared.where


@record
class ResolvedHttpServer:
    node: ResolvedNode
    name: str
    port: int
    source: str


@record
class ResolvedService:
    node: ResolvedNode
    name: str
    command: str
    directory: str
    ready: str
    timeout: float
    env: tuple[str, ...]
    user: str
    source: str


@record
class ResolvedFirewall:
    """`texts` are rules by the name of their chain; "ruleset" is a text of whole tables."""

    node: ResolvedNode
    name: str
    policy: str
    texts: dict[str, str]
    declared: Declaration


@record
class ResolvedForward:
    protocol: str
    port: int
    target: ResolvedNode | Address
    inner_port: int


@record
class ResolvedNat:
    node: ResolvedNode
    name: str
    outside: ResolvedInterface
    forwards: list[ResolvedForward]
    declared: Declaration


@record
class ResolvedNeighbors:
    """Interfaces that know each other; where there are `centers`, only these and the others."""

    members: list[tuple[ResolvedInterface, Address]]
    centers: list[int]


@record
class ResolvedNetwork:
    name: str
    nodes: list[ResolvedNode]
    links: list[ResolvedLink]
    devices: list[ResolvedInterface]
    parts: list[ResolvedNode]  # of routers: their VRFs
    services: list[ResolvedHttpServer | ResolvedService]
    filters: list[ResolvedFirewall | ResolvedNat]
    neighbors: list[ResolvedNeighbors] = fresh(factory=list)
