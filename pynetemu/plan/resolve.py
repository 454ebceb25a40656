"""From a description to its network: names, addresses and ends of links looked up, and everything wrong with them found."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from pynetemu.plan.operations import Address, InterfaceAddress, NodeKind
from pynetemu.plan.problems import Problems
from pynetemu.plan.values import (
    LONGEST_INTERFACE_NAME,
    read_address,
    read_gateway,
    read_interface_name,
    read_node_name,
    read_port,
    read_service_name,
)
from pynetemu.topology.links import Link
from pynetemu.topology.nodes import Host, Interface, Node, Root, Switch
from pynetemu.topology.part import Declaration
from pynetemu.topology.services import HttpServer
from pynetemu.topology.topology import Description

BRIDGE = "br0"  # in every switch
ROOT_INTERFACE = "eth0"  # of a root with an address of its own
_MOST_PORTS = 1023  # of a bridge: BR_MAX_PORTS in net/bridge/br_private.h


@dataclass(slots=True, eq=False)
class ResolvedInterface:
    node: "ResolvedNode"
    name: str
    source: str
    addresses: list[InterfaceAddress] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class ResolvedNode:
    name: str
    kind: NodeKind
    source: str
    declaration: Declaration
    interfaces: dict[str, ResolvedInterface] = field(default_factory=dict)
    own_address: InterfaceAddress | None = None
    gateway: Address | None = None
    ports: int = 0
    numbers: Iterator[int] = field(default_factory=count)  # for the names of interfaces that were given none
    incomplete: bool = False  # some of its addresses could not be read


@dataclass(frozen=True, slots=True)
class ResolvedLink:
    a: ResolvedInterface
    b: ResolvedInterface
    source: str


@dataclass(frozen=True, slots=True)
class ResolvedService:
    node: ResolvedNode
    name: str
    port: int
    source: str


@dataclass(frozen=True, slots=True)
class ResolvedNetwork:
    name: str
    nodes: list[ResolvedNode]
    links: list[ResolvedLink]
    services: list[ResolvedService]


def resolve(description: Description, problems: Problems) -> ResolvedNetwork:
    """What is wrong goes to `problems`; where there is any, the result is only good for finding more."""
    resolver = _Resolver(description, problems)
    for node in description.nodes:
        resolver.add_node(node)
    resolver.link_all()
    for node in description.nodes:
        resolver.set_gateway(node)
    resolver.check_unlinked()
    services = [service for part in description.services if (service := resolver.service(part))]
    return ResolvedNetwork(description.name, list(resolver.nodes.values()), resolver.links, services)


class _Resolver:
    """The look-ups by which parts find each other; each kind of part has one method that reads and checks it."""

    def __init__(self, description: Description, problems: Problems) -> None:
        self.description = description
        self.problems = problems
        self.nodes: dict[int, ResolvedNode] = {}  # by the id of their part
        self.links: list[ResolvedLink] = []
        self._names: dict[str, Declaration] = {}
        self._root: Declaration | None = None
        self._ends: dict[int, Declaration] = {}  # the link in which an interface is, by the interface's id
        self._addresses: dict[Address, Declaration] = {}
        self._ports: dict[tuple[str, int], Declaration] = {}
        self._groups: dict[int, int] = {}  # switches that are joined, by id: towards their representative
        parts = (*description.interfaces, *description.links)
        self._incomplete = bool(description.failure) or any(part.declaration.refused for part in parts)

    # Nodes

    def add_node(self, part: Node) -> None:
        declaration = part.declaration
        kind: NodeKind = "root" if isinstance(part, Root) else "switch" if isinstance(part, Switch) else "host"
        node = ResolvedNode(str(declaration.name), kind, declaration.where, declaration)
        self.nodes[id(part)] = node
        self._check_name(part)
        if isinstance(part, Root):
            self._add_root(part, node)

    def _check_name(self, part: Node) -> None:
        declaration = part.declaration
        kind = type(part).__name__
        if declaration.name == "":
            self.problems.add(declaration, f"this {kind} has no name", f'give it one: self.add("h1", {kind}())')
            return
        name = self.problems.check(declaration, read_node_name, declaration.name)
        if name is None:
            return
        if first := self._names.get(name.lower()):
            same = "is taken" if first.name == name else f"and {first.name!r} differ only in case, which host names do not tell"
            self.problems.add(declaration, f"the name {name!r} {same}", f"the other is at {first.where}")
        self._names.setdefault(name.lower(), declaration)

    def _add_root(self, part: Root, node: ResolvedNode) -> None:
        if self._root:
            hint = f"the first is at {self._root.where}; other nodes are Host or Switch"
            self.problems.add(part.declaration, "this is a second Root", hint)
        self._root = self._root or part.declaration
        if part.address is not None:
            node.own_address = self._address(part.address, part.declaration)
            node.interfaces[ROOT_INTERFACE] = ResolvedInterface(node, ROOT_INTERFACE, node.source)

    def _address(self, text: object, declaration: Declaration) -> InterfaceAddress | None:
        address = self.problems.check(declaration, read_address, text)
        if address is None or (address.version == 6 and address.is_link_local):
            return address  # link-local addresses may repeat: each is for its own link
        if first := self._addresses.get(address.ip):
            self.problems.add(declaration, f"the address {address.ip} is taken", f"the other is at {first.where}")
        self._addresses.setdefault(address.ip, declaration)
        return address

    # Links and interfaces

    def link_all(self) -> None:
        """Named interfaces first, so that the names of those without one can avoid them."""
        ends = [(link, self._end(link, "a"), self._end(link, "b")) for link in self.description.links]
        for link, a, b in ends:
            if a is not None and b is not None:
                self._link(link, a, b)

    def _end(self, link: Link, side: str) -> ResolvedNode | ResolvedInterface | None:
        """A node stands for an interface that has yet to get its name."""
        if link.declaration.refused and not hasattr(link, side):
            return None
        end = getattr(link, side, None)
        if not isinstance(end, Interface):
            return self._node(end, link.declaration, f"end {side} of this link")
        if not hasattr(end, "node"):  # it was made without what it needs
            return None
        first = self._ends.setdefault(id(end), link.declaration)
        node = self._node(end.node, link.declaration, f"end {side} of this link")
        if node is None:
            return None
        if first is not link.declaration or (side == "b" and end is getattr(link, "a", None)):
            hint = "a link has two ends" if first is link.declaration else f"the other is at {first.where}"
            self.problems.add(link.declaration, f"the interface {end.name!r} of {node.name} is in two links", hint)
            return None
        return self._interface(end, node)

    def _node(self, part: object, declaration: Declaration, what: str) -> ResolvedNode | None:
        if not isinstance(part, Node):
            names = ", ".join(node.name for node in self.nodes.values())
            hint = f"the nodes of {self.description.name} are {names}" if names else ""
            self.problems.add(declaration, f"{what} is {part!r}, which is no node", hint)
        elif id(part) not in self.nodes:
            kind = type(part).__name__
            known = part.declaration.registered
            hint = "links join nodes of one topology" if known else f'add it: self.add("h1", {kind}())'
            text = f"{what} is the {kind} made at {part.declaration.where}, which is not part of {self.description.name}"
            self.problems.add(declaration, text, hint)
        else:
            return self.nodes[id(part)]
        return None

    def _interface(self, part: Interface, node: ResolvedNode) -> ResolvedInterface | None:
        declaration = part.declaration
        interface = ResolvedInterface(node, str(part.name), declaration.where)
        interface.addresses = [found for text in part.addresses if (found := self._address(text, declaration))]
        node.incomplete |= len(interface.addresses) < len(part.addresses)
        if part.addresses and node.kind == "switch":
            text = f"{node.name} is a switch, whose ports have no addresses: {', '.join(map(str, part.addresses))}"
            self.problems.add(declaration, text, "give them to the hosts")
        if self.problems.check(declaration, read_interface_name, part.name, node.name) is None:
            return interface
        if interface.name in node.interfaces or (interface.name == BRIDGE and node.kind == "switch"):
            first = node.interfaces.get(interface.name)
            where = f"at {first.source}" if first else "the bridge itself"
            self.problems.add(declaration, f"{node.name} has an interface {interface.name!r} already", f"the other is {where}")
            return interface
        node.interfaces[interface.name] = interface
        return interface

    def _link(self, link: Link, a: ResolvedNode | ResolvedInterface, b: ResolvedNode | ResolvedInterface) -> None:
        node_a, node_b = (end.node if isinstance(end, ResolvedInterface) else end for end in (a, b))
        source = link.declaration.where
        near = a if isinstance(a, ResolvedInterface) else _unnamed_interface(node_a, node_b.name, source)
        far = b if isinstance(b, ResolvedInterface) else _unnamed_interface(node_b, node_a.name, source)
        self.links.append(ResolvedLink(near, far, source))
        for node in node_a, node_b:
            node.ports += 1
            if node.kind == "switch" and node.ports == _MOST_PORTS + 1:
                text = f"this is port {node.ports} of {node.name}"
                self.problems.add(link.declaration, text, f"a Linux bridge has {_MOST_PORTS} at most: take a second switch")
        if node_a.kind == node_b.kind == "switch":
            self._join(link, node_a, node_b)

    def _join(self, link: Link, a: ResolvedNode, b: ResolvedNode) -> None:
        group_a, group_b = self._group(id(a)), self._group(id(b))
        if group_a == group_b:
            text = f"this link makes a loop of switches: {a.name} and {b.name} are joined already"
            self.problems.add(link.declaration, text, "frames would circle for ever; leave a link of the loop out")
        self._groups[group_a] = group_b

    def _group(self, switch: int) -> int:
        while (up := self._groups.get(switch, switch)) != switch:
            self._groups[switch] = self._groups.get(up, up)
            switch = up
        return switch

    def check_unlinked(self) -> None:
        """An interface without a link cannot exist."""
        if self._incomplete:
            return
        for part in self.description.interfaces:
            if id(part) not in self._ends:
                node = self._node(part.node, part.declaration, "the node of this interface")
                text = f"the interface {part.name!r} is in no link"
                hint = f"an interface is an end of a link: Link({node.name}.interface(...), ...)" if node else ""
                self.problems.add(part.declaration, text, hint)

    # What nodes have besides

    def set_gateway(self, part: Node) -> None:
        node = self.nodes[id(part)]
        if not isinstance(part, Host) or part.default_via is None:
            return
        gateway = node.gateway = self.problems.check(part.declaration, read_gateway, part.default_via)
        if gateway is None:
            return
        connected = [(address, interface.name) for interface in node.interfaces.values() for address in interface.addresses]
        text = f"default_via={part.default_via!r} "
        if any(address.ip == gateway for address, _ in connected):
            self.problems.add(part.declaration, text + f"is {node.name}'s own address", "name the neighbour that leads further")
        elif node.incomplete or self._incomplete:
            pass  # its network may be one of those that could not be read
        elif not (networks := [address.network for address, _ in connected if gateway in address.network]):
            there = ", ".join(f"{address.network} ({name})" for address, name in connected)
            hint = f"{node.name} is on {there}" if there else f"{node.name} has no address yet"
            self.problems.add(part.declaration, text + f"is on no network of {node.name}", hint)
        elif all(network.prefixlen < 31 and gateway in (network[0], network[-1]) for network in networks):
            self.problems.add(part.declaration, text + "is no host's address", f"a host of {networks[0]} is {networks[0][1]}")

    def service(self, part: HttpServer) -> ResolvedService | None:
        declaration = part.declaration
        if declaration.refused:
            return None
        node = self._node(getattr(part, "node", None), declaration, "the node of this service")
        port = self.problems.check(declaration, read_port, part.port)
        if node is None or port is None:
            return None
        name = self.problems.check(declaration, read_service_name, declaration.name or f"http-{port}")
        if first := self._ports.get((node.name, port)):
            self.problems.add(declaration, f"port {port} of {node.name} is taken", f"by the service at {first.where}")
        self._ports.setdefault((node.name, port), declaration)
        return ResolvedService(node, name or "", port, declaration.where)


def _unnamed_interface(node: ResolvedNode, neighbour: str, source: str) -> ResolvedInterface:
    names = _host_names(node) if node.kind == "host" else _port_names(node, neighbour)
    taken = ("lo", "all", "default", BRIDGE)
    name = next(name for name in names if name not in node.interfaces and name not in taken)
    node.interfaces[name] = ResolvedInterface(node, name, source)
    return node.interfaces[name]


def _host_names(node: ResolvedNode) -> Iterator[str]:
    return (f"eth{number}" for number in node.numbers)


def _port_names(node: ResolvedNode, neighbour: str) -> Iterator[str]:
    yield neighbour[:LONGEST_INTERFACE_NAME]
    for number in node.numbers:
        suffix = f"-{number + 2}"
        yield neighbour[: LONGEST_INTERFACE_NAME - len(suffix)] + suffix
