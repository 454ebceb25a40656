"""From a description to its network: names, addresses and ends of links are looked up, and what is wrong is found."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from pynetemu.plan.operations import Address, InterfaceAddress, NodeKind
from pynetemu.plan.problems import Problems
from pynetemu.plan.signatures import did_you_mean
from pynetemu.plan.values import (
    LONGEST_INTERFACE_NAME,
    read_address,
    read_command,
    read_environment,
    read_gateway,
    read_interface_name,
    read_node_name,
    read_port,
    read_ready,
    read_seconds,
    read_service_name,
)
from pynetemu.topology.links import Link
from pynetemu.topology.nodes import Host, Interface, Node, Root, Switch
from pynetemu.topology.part import Declaration, Part
from pynetemu.topology.services import HttpServer, Service
from pynetemu.topology.topology import Description

BRIDGE = "br0"  # in every switch
ROOT_INTERFACE = "eth0"  # of a root with an address of its own
_MOST_PORTS = 1023  # of a bridge: BR_MAX_PORTS in net/bridge/br_private.h


@dataclass(eq=False)
class ResolvedInterface:
    node: "ResolvedNode"
    name: str
    source: str
    addresses: list[InterfaceAddress] = field(default_factory=list)


@dataclass(eq=False)
class ResolvedNode:
    name: str
    kind: NodeKind
    source: str
    interfaces: dict[str, ResolvedInterface] = field(default_factory=dict)
    own_address: InterfaceAddress | None = None
    gateway: Address | None = None
    links: int = 0
    numbers: Iterator[int] = field(default_factory=count)  # for the names of interfaces that were given none
    incomplete: bool = False  # some of its addresses could not be read


@dataclass(eq=False)
class ResolvedLink:
    a: ResolvedInterface
    b: ResolvedInterface
    source: str


@dataclass(eq=False)
class ResolvedHttpServer:
    node: ResolvedNode
    name: str
    port: int
    source: str


@dataclass(eq=False)
class ResolvedService:
    node: ResolvedNode
    name: str
    command: str
    directory: str
    ready: str
    timeout: float
    env: tuple[str, ...]
    source: str


@dataclass(eq=False)
class ResolvedNetwork:
    name: str
    nodes: list[ResolvedNode]
    links: list[ResolvedLink]
    services: list[ResolvedHttpServer | ResolvedService]


def resolve(description: Description, problems: Problems) -> ResolvedNetwork:
    """What is wrong goes to `problems`; where there is any, the result is only good for finding more."""
    resolver = _Resolver(description, problems)
    for node in description.nodes:
        resolver.add_node(node)
    ends = [(link, resolver.end(link, "a"), resolver.end(link, "b")) for link in description.links]
    links = [resolver.link(link, a, b) for link, a, b in ends if a and b]  # now that all given names are known
    for interface in description.interfaces:
        resolver.check_linked(interface)
    for node in description.nodes:
        if isinstance(node, Host) and node.default_via is not None:
            resolver.set_gateway(node)
    services = [service for part in description.services if (service := resolver.service(part))]
    return ResolvedNetwork(description.name, list(resolver.nodes.values()), links, services)


class _Resolver:
    """The look-ups by which parts find each other; each kind of part has a method that reads and checks it."""

    def __init__(self, description: Description, problems: Problems) -> None:
        self.problems = problems
        self.topology = description.name
        self.nodes: dict[int, ResolvedNode] = {}  # by the id of their part, as the other look-ups of parts
        self._names: dict[str, Declaration] = {}
        self._addresses: dict[Address, Declaration] = {}
        self._ports: dict[tuple[str, int], Declaration] = {}
        self._services: dict[tuple[str, str], Declaration] = {}
        self._root: Declaration | None = None
        self._linked: dict[int, Declaration] = {}  # the link of an interface
        self._joined: dict[int, int] = {}  # from a switch towards the one that stands for all joined with it
        parts = (*description.interfaces, *description.links)
        self._incomplete = bool(description.failure) or any(part.declaration.refused for part in parts)

    def add_node(self, part: Node) -> None:
        kind: NodeKind = "root" if isinstance(part, Root) else "switch" if isinstance(part, Switch) else "host"
        node = ResolvedNode(str(part.declaration.name), kind, part.declaration.where)
        self.nodes[id(part)] = node
        self._check_name(part)
        if isinstance(part, Root):
            self._add_root(part, node)

    def _check_name(self, part: Node) -> None:
        declaration = part.declaration
        if declaration.name == "":
            hint = f'give it one: self.add("h1", {_kind(part)}())'
            self.problems.add(declaration, f"this {_kind(part)} has no name", hint)
            return
        name = self.problems.check(declaration, read_node_name, declaration.name)
        if name is None:
            return
        first = self._names.setdefault(name.lower(), declaration)
        if first is not declaration:
            why = "" if first.name == name else f" by {first.name!r}: host names do not tell case"
            self.problems.add(declaration, f"the name {name!r} is taken{why}", f"the other is at {first.where}")

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
        ip = address.ip
        if first := self._addresses.get(ip):
            self.problems.add(declaration, f"the address {ip} is taken", f"the other is at {first.where}")
        self._addresses.setdefault(ip, declaration)
        return address

    def end(self, link: Link, side: str) -> ResolvedNode | ResolvedInterface | None:
        """One end of a link; a node stands for an interface that has yet to get its name."""
        declaration = link.declaration
        if declaration.refused and not hasattr(link, side):
            return None
        end = getattr(link, side, None)
        what = f"the {'first' if side == 'a' else 'second'} end of this link"
        if not isinstance(end, Interface):
            return self._node(end, declaration, what)
        linked = self._linked.get(id(end))
        self._linked[id(end)] = linked or declaration
        if not hasattr(end, "node"):  # it was made without what it needs
            return None
        node = self._node(end.node, declaration, what)
        if node is None:
            return None
        if linked:
            hint = "a link has two ends" if linked is declaration else f"the other is at {linked.where}"
            self.problems.add(declaration, f"the interface {end.name!r} of {node.name} is in two links", hint)
            return None
        return self._interface(end, node)

    def _node(self, part: object, declaration: Declaration, what: str) -> ResolvedNode | None:
        if not isinstance(part, Node):
            self.problems.add(declaration, f"{what} is {part!r}, not a node", self._hint_for_no_node(part))
            return None
        if id(part) not in self.nodes:
            text = f"{what} is the {_kind(part)} made at {part.declaration.where}, which {self.topology} does not have"
            name_it = f'give it a name: h1 = {_kind(part)}(), or self.add("h1", {_kind(part)}())'
            hint = "it is another topology's; a link joins nodes of one" if part.declaration.registered else name_it
            self.problems.add(declaration, text, hint)
            return None
        return self.nodes[id(part)]

    def _hint_for_no_node(self, part: object) -> str:
        names = [node.name for node in self.nodes.values()]
        if isinstance(part, str):
            return f"write {part} without quotes" if part in names else did_you_mean(part, names)
        return "give a node, or an interface of one"

    def _interface(self, part: Interface, node: ResolvedNode) -> ResolvedInterface:
        declaration = part.declaration
        interface = ResolvedInterface(node, str(part.name), declaration.where)
        interface.addresses = [found for text in part.addresses if (found := self._address(text, declaration))]
        node.incomplete |= len(interface.addresses) < len(part.addresses)
        if part.addresses and node.kind == "switch":
            text = f"{node.name} is a switch, and its ports have no addresses"
            self.problems.add(declaration, text, f"give {', '.join(map(str, part.addresses))} to a host")
        if self.problems.check(declaration, read_interface_name, part.name, node.name) is None:
            return interface
        taken = f"{node.name} has an interface {interface.name!r} already"
        first = node.interfaces.setdefault(interface.name, interface)
        if first is not interface:
            self.problems.add(declaration, taken, f"the other is at {first.source}")
        elif node.kind == "switch" and interface.name == BRIDGE:
            self.problems.add(declaration, taken, "it is the bridge itself")
        return interface

    def link(self, part: Link, a: ResolvedNode | ResolvedInterface, b: ResolvedNode | ResolvedInterface) -> ResolvedLink:
        source = part.declaration.where
        node_a, node_b = (end.node if isinstance(end, ResolvedInterface) else end for end in (a, b))
        near = a if isinstance(a, ResolvedInterface) else _unnamed_interface(node_a, node_b.name, source)
        far = b if isinstance(b, ResolvedInterface) else _unnamed_interface(node_b, node_a.name, source)
        for node in node_a, node_b:
            node.links += 1
            if node.kind == "switch" and node.links == _MOST_PORTS + 1:
                text = f"this is port {node.links} of {node.name}, and a Linux bridge has {_MOST_PORTS} at most"
                self.problems.add(part.declaration, text, "take a second switch")
        if node_a.kind == node_b.kind == "switch":
            self._join(part, node_a, node_b)
        return ResolvedLink(near, far, source)

    def _join(self, link: Link, a: ResolvedNode, b: ResolvedNode) -> None:
        """Notes that two switches are joined; bridges without a spanning tree send frames round a loop for ever."""
        group_a, group_b = self._group(id(a)), self._group(id(b))
        if group_a == group_b:
            how = "itself" if a is b else f"{b.name}, with which it is joined already"
            hint = "frames would circle for ever: leave one link of the loop out"
            self.problems.add(link.declaration, f"this link makes a loop: from {a.name} to {how}", hint)
        self._joined[group_a] = group_b

    def _group(self, switch: int) -> int:
        while (up := self._joined.get(switch, switch)) != switch:
            self._joined[switch] = self._joined.get(up, up)  # halves the way of the next look-up
            switch = up
        return switch

    def check_linked(self, part: Interface) -> None:
        """An interface without a link cannot exist. After some mistakes its link may just not have been made."""
        if self._incomplete or id(part) in self._linked:
            return
        if node := self._node(part.node, part.declaration, "the node of this interface"):
            text = f"the interface {part.name!r} of {node.name} is in no link"
            self.problems.add(part.declaration, text, "an interface is one end of a link: Link(interface, other_node)")

    def set_gateway(self, part: Host) -> None:
        node, declaration = self.nodes[id(part)], part.declaration
        gateway = node.gateway = self.problems.check(declaration, read_gateway, part.default_via)
        if gateway is None:
            return
        ends = [(address, interface) for interface in node.interfaces.values() for address in interface.addresses]
        networks = [address.network for address, _ in ends if gateway in address.network]
        what = f"default_via={part.default_via!r} is"
        if any(address.ip == gateway for address, _ in ends):
            self.problems.add(declaration, f"{what} {node.name}'s own address", "name the neighbour that leads further")
        elif networks and networks[0].prefixlen < 31 and gateway in (networks[0][0], networks[0][-1]):
            self.problems.add(declaration, f"{what} no host's address", f"a host has one like {networks[0][1]}")
        elif not networks and not node.incomplete and not self._incomplete:
            there = ", ".join(f"{address.network} ({interface.name})" for address, interface in ends)
            hint = f"{node.name} is on {there}" if there else f"{node.name} has no address"
            self.problems.add(declaration, f"{what} on no network of {node.name}", hint)

    def service(self, part: HttpServer | Service) -> ResolvedHttpServer | ResolvedService | None:
        return self._http_server(part) if isinstance(part, HttpServer) else self._service(part)

    def _http_server(self, part: HttpServer) -> ResolvedHttpServer | None:
        declaration = part.declaration
        port = self.problems.check(declaration, read_port, part.port)
        node = self._node_of_service(part)
        if node is None or port is None:
            return None
        name = self._service_name(node, declaration, f"http-{port}")
        first = self._ports.setdefault((node.name, port), declaration)
        if first is not declaration:
            self.problems.add(declaration, f"port {port} of {node.name} is taken", f"the other is at {first.where}")
        return ResolvedHttpServer(node, name, port, declaration.where)

    def _service(self, part: Service) -> ResolvedService | None:
        declaration, check = part.declaration, self.problems.check
        node = self._node_of_service(part)
        if declaration.refused:
            return None
        command = check(declaration, read_command, part.command)
        ready = "" if part.ready is None else check(declaration, read_ready, part.ready)
        timeout = check(declaration, read_seconds, part.timeout)
        env = check(declaration, read_environment, part.env)
        if node is None or command is None or ready is None or timeout is None or env is None:
            return None
        name = self._service_name(node, declaration, command.split()[0].rpartition("/")[2])
        directory = os.path.dirname(os.path.abspath(declaration.file))
        return ResolvedService(node, name, command, directory, ready, timeout, env, declaration.where)

    def _node_of_service(self, part: HttpServer | Service) -> ResolvedNode | None:
        if part.declaration.refused:
            return None
        return self._node(getattr(part, "node", None), part.declaration, "the node of this service")

    def _service_name(self, node: ResolvedNode, declaration: Declaration, usual: str) -> str:
        """The name that it was given, or the usual one; its log is kept under it."""
        if declaration.name != "":
            name = self.problems.check(declaration, read_service_name, declaration.name) or ""
        else:
            plain = "".join(sign if sign.isalnum() else "-" for sign in usual).strip("-") or "service"
            tries = (plain if number == 1 else f"{plain}-{number}" for number in count(1))
            name = next(name for name in tries if (node.name, name) not in self._services)
        self._services.setdefault((node.name, name), declaration)
        return name


def _kind(part: Part) -> str:
    return type(part).__name__


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
