"""What the kernel must become, as plain frozen data.

A plan is a name and a tuple of operations, in the order in which they are applied:

    Plan("Blue", (AddNode("root", "root"), AddNode("blue", "host"), AddVeth(...), ...))

Operations hold no behaviour: `plan.shell` prints each as the `ip` command it stands for, `plan.data` turns them into
JSON and back, and `engine.apply` is the only code that carries them out. `source` is the user's `file:line`, kept so
that a refusal by the kernel can name it; two operations that differ only there are equal.
"""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Literal

NodeKind = Literal["root", "host", "switch", "outside"]
Address = IPv4Address | IPv6Address
InterfaceAddress = IPv4Interface | IPv6Interface
IPNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class AddNode:
    """A network namespace, with loopback up.

    `root` is the lab's outer namespace, which exists already. `outside` is what the root's own interface is plugged
    into: a namespace nobody enters, there so that the interface has a carrier.
    """

    node: str
    kind: NodeKind
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class AddBridge:
    """A Linux bridge, up, with multicast snooping off; `ip link add NAME type bridge`."""

    node: str
    interface: str
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class AddVeth:
    """A veth pair (veth(4)): `interface` in `node`, its other end `peer_interface` in `peer_node`; both still down."""

    node: str
    interface: str
    mac: str
    peer_node: str
    peer_interface: str
    peer_mac: str
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SetMaster:
    """Plugs an interface into a bridge of the same node."""

    node: str
    interface: str
    master: str
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class AddAddress:
    """An address with its prefix length. IPv6 skips duplicate address detection (RFC 4862), which takes 1 s."""

    node: str
    interface: str
    address: InterfaceAddress
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SetUp:
    """`ip link set INTERFACE up`."""

    node: str
    interface: str
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class AddRoute:
    """A route by way of a gateway; `0.0.0.0/0` and `::/0` are the default routes."""

    node: str
    destination: IPNetwork
    via: Address
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class AddHttpServer:
    """A web server whose page names its node; its listening socket is open before the lab is ready."""

    node: str
    name: str
    port: int
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class AddService:
    """A program that runs in the node from the start: a line for `sh`, run in `directory`.

    `ready` is "tcp:PORT", "udp:PORT", "prints:TEXT", "finished" or "" (as soon as it has started); it may take `timeout`
    seconds. `env` has "NAME=VALUE" of what is added to the environment.
    """

    node: str
    name: str
    command: str
    directory: str
    ready: str
    timeout: float
    env: tuple[str, ...]
    source: str = field(default="", compare=False)


Operation = AddNode | AddBridge | AddVeth | SetMaster | AddAddress | SetUp | AddRoute | AddHttpServer | AddService


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole network as operations, in the order of their application.

    `host_address` is the root's own address, which every node knows as `host`; with `host=True` it stays None and the
    engine takes the machine's primary address.
    """

    name: str
    operations: tuple[Operation, ...]
    host: bool = False
    host_address: Address | None = None

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names people use, in the order of the description: Plan(...).nodes == ("root", "blue")."""
        return tuple(op.node for op in self.operations if isinstance(op, AddNode) and op.kind != "outside")
