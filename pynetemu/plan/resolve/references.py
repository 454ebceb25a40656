"""The look-ups by which the parts of a description find each other, and what is wrong with each part by itself."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TypeVar

from pynetemu.frozen import replaced
from pynetemu.plan.operations import InterfaceAddress, NodeKind
from pynetemu.plan.operations.values import Kernel
from pynetemu.plan.problems import Problems
from pynetemu.plan.resolve.files import read_files
from pynetemu.plan.resolve.gateways import read_routes
from pynetemu.plan.resolve.network import (
    BRIDGE,
    ROOT_INTERFACE,
    ResolvedFile,
    ResolvedInterface,
    ResolvedLink,
    ResolvedNode,
    ResolvedRoute,
)
from pynetemu.plan.resolve.switches import read_port, read_switch, read_vlan
from pynetemu.plan.standing import LeftOutError, Others, Standing
from pynetemu.plan.values import (
    LONGEST_INTERFACE_NAME,
    read_address,
    read_boolean,
    read_interface_name,
    read_mac,
    read_name_within,
    read_node_name,
    read_number,
    read_several,
)
from pynetemu.topology.description import Description
from pynetemu.topology.devices import Bridge, BridgePort, Device
from pynetemu.topology.links import IMPAIRING, Link
from pynetemu.topology.memo import Memo
from pynetemu.topology.nodes import Host, Interface, Node, Root, Router, VlanInterface
from pynetemu.topology.part import Declaration, Part, quoted
from pynetemu.topology.switches import Hub, Port, Switch
from pynetemu.topology.topology import Topology
from pynetemu.topology.tunnels import Tunnel
from pynetemu.wording import did_you_mean

_KINDS: tuple[tuple[type[Node], NodeKind], ...] = ((Root, "root"), (Router, "router"), (Hub, "hub"), (Switch, "switch"))
_MOST_PORTS = 1023  # of a bridge: BR_MAX_PORTS in net/bridge/br_private.h

_P = TypeVar("_P", bound=Part)
_T = TypeVar("_T")
_End = ResolvedNode | ResolvedInterface
_HostSettings = tuple[bool, bool, bool, list[InterfaceAddress], list[ResolvedRoute], list[ResolvedFile]]
_InterfaceSettings = tuple[bool, str, list[InterfaceAddress], bool]


class Resolver:
    """Each kind of part has a method that reads and checks it, to be called in the order of these methods."""

    def __init__(
        self,
        description: Description,
        problems: Problems,
        kernel: Callable[[], Kernel],
        others: Others,
        memo: Memo | None = None,
    ) -> None:
        self._others = others
        self.problems = problems
        self._kernel = kernel
        self._memo = memo
        self.topology = description.name
        self.nodes: dict[int, ResolvedNode] = {}  # by the id of their part, as the other look-ups of parts
        self._names: dict[str, Declaration] = {}
        self._addresses: dict[tuple[int, int], Declaration] = {}  # by their version and number
        self._root: Declaration | None = None
        self._linked: dict[int, Declaration] = {}  # the link of an interface
        self._ends: dict[int, list[ResolvedInterface]] = {}  # of a link, and each interface by itself
        self._macs: dict[str, Declaration] = {}
        parts = (*description.interfaces, *description.links)
        self.incomplete = bool(description.failure) or any(part.declaration.refused for part in parts)

    def _read(self, part: _P, name: str, read: Callable[[_P], _T]) -> _T:
        """What a part says by itself, as it was read before where it says the same and nothing was wrong with it."""
        if self._memo is None:
            return read(part)
        kept = self._memo.of(part)
        if name not in kept:
            noted = self.problems.noted
            found = read(part)
            if self.problems.noted > noted:
                return found
            kept[name] = found
        known: _T = kept[name]
        return known

    def add_node(self, part: Node) -> None:
        node = ResolvedNode(str(part.declaration.full_name), _node_kind(type(part)), part.declaration)
        node.weight, node.reserved = self._others.weight(part), self._others.interfaces(node.name)
        self.nodes[id(part)] = node
        self._check_name(part)
        if isinstance(part, Root):
            self._add_root(part, node)
        if isinstance(part, Switch):
            node.bridge = self._read(part, "switch", lambda part: read_switch(part, self.problems))
        if isinstance(part, Host):
            host = self._read(part, "host", self._read_host)
            node.forwards, node.auto_routes, node.multipath, loopback, routes, node.files = host
            node.loopback = [address for address in loopback if self._take(address, part.declaration)]
            node.routes = [*routes]

    def _read_host(self, part: Host) -> _HostSettings:
        forwards = isinstance(part, Router) or (isinstance(part, Root) and self._boolean(part, "forward"))
        auto_routes, multipath = self._boolean(part, "auto_routes"), self._boolean(part, "multipath")
        loopback = self._addresses_of(read_several(part.loopback), part.declaration)
        return forwards, auto_routes, multipath, loopback, read_routes(part, self.problems), read_files(part, self.problems)

    def _boolean(self, part: Part, name: str) -> bool:
        """One that is told to be wrong counts as True, which leads to no more mistakes."""
        return self.problems.check(part.declaration, read_boolean, getattr(part, name), name) is not False

    def _check_name(self, part: Node) -> None:
        declaration = part.declaration
        if declaration.name == "":
            hint = f'give it one: self.add("h1", {_kind(part)}())'
            self.problems.add(declaration, f"this {_kind(part)} has no name", hint)
            return
        name = self._read(part, "name", self._read_name)
        if name is None:
            return
        self._others.refuse_name(name)
        first = self._names.setdefault(name.lower(), declaration)
        if first is not declaration:
            why = "" if first.full_name == name else f" by {first.full_name!r}: host names are not case-sensitive"
            self.problems.add(declaration, f"the name {quoted(name)} is taken{why}", f"the other is at {first.where}")

    def _read_name(self, part: Node) -> str | None:
        declaration = part.declaration
        name = self.problems.check(declaration, read_node_name, declaration.name)
        if name is not None and declaration.within:
            return self.problems.check(declaration, read_name_within, declaration.full_name)
        return name

    def _add_root(self, part: Root, node: ResolvedNode) -> None:
        if self._root:
            hint = f"the first is at {self._root.where}; other nodes are Host or Switch"
            self.problems.add(part.declaration, "this is a second Root", hint)
        self._root = self._root or part.declaration
        if part.address is not None:
            node.own_address = self._address(part.address, part.declaration)
            node.interfaces[ROOT_INTERFACE] = ResolvedInterface(node, ROOT_INTERFACE, part.declaration)

    def _addresses_of(self, texts: Iterable[object], declaration: Declaration) -> list[InterfaceAddress]:
        found = (self.problems.check(declaration, read_address, text) for text in texts)
        return [address for address in found if address is not None]

    def _address(self, text: object, declaration: Declaration) -> InterfaceAddress | None:
        address = self.problems.check(declaration, read_address, text)
        return address and self._take(address, declaration)

    def _take(self, address: InterfaceAddress, declaration: Declaration) -> InterfaceAddress:
        """Notes that an address is given, once."""
        version = address.version
        if version == 4 or not address.is_link_local:  # link-local addresses may repeat: each is for its own link
            self._others.refuse_address(address.ip)
            key = version, int(address)
            if first := self._addresses.get(key):
                self.problems.add(declaration, f"the address {address.ip} is taken", f"the other is at {first.where}")
            self._addresses.setdefault(key, declaration)
        return address

    def end(self, link: Link, side: str) -> ResolvedNode | ResolvedInterface | None:
        """One end of a link; a node stands for an interface that has yet to get its name."""
        declaration = link.declaration
        if declaration.refused and not hasattr(link, side):
            return None
        end = getattr(link, side, None)
        what = f"the {'first' if side == 'a' else 'second'} end of this link"
        if not isinstance(end, Interface):
            return self.find_node(end, declaration, what)
        if isinstance(end, Device):
            return self._port(end, declaration)
        linked = self._linked.get(id(end))
        self._linked[id(end)] = linked or declaration
        if not hasattr(end, "node"):  # it was made without what it needs
            return None
        node = self.find_node(end.node, declaration, what)
        if node is None:
            return None
        if linked:
            hint = "a link has two ends" if linked is declaration else f"the other is at {linked.where}"
            self.problems.add(declaration, f"the interface {quoted(end.name)} of {node.name} is in two links", hint)
            return None
        return self.interface(end, node)

    def _port(self, end: Device, declaration: Declaration) -> ResolvedInterface | None:
        """A new port of a bridge that is an end of a link."""
        if not isinstance(end, Bridge):
            text = f"a {_kind(end)} cannot be an end of a link"
            self.problems.add(declaration, text, "give the node instead, or an interface of it")
            return None
        found = self._ends.get(id(end))
        return ResolvedInterface(found[0].node, "", declaration, auto=False, master=found[0]) if found else None

    def find_node(self, part: object, declaration: Declaration, what: str) -> ResolvedNode | None:
        if not isinstance(part, Node):
            said = f"the topology {type(part).__name__}" if isinstance(part, Topology) else quoted(part)
            self.problems.add(declaration, f"{what} is {said}, not a node", self._hint_for_no_node(part))
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
        if isinstance(part, Topology):
            return "name one of its nodes: site1.gw"
        return "give a node, or an interface of one"

    def interface(self, part: Interface, node: ResolvedNode) -> ResolvedInterface:
        """An interface on a node, remembered as what links with `part` as an end mean."""
        declaration = part.declaration
        auto, mac, addresses, is_name = self._read(part, "interface", lambda part: self._read_interface(part, node.name))
        own = [self._take(address, declaration) for address in addresses]
        interface = ResolvedInterface(node, part.name if isinstance(part.name, str) else "", declaration, own, auto)
        self._ends[id(part)] = [interface]
        interface.mac = mac and self._take_mac(mac, declaration)
        if isinstance(part, BridgePort):
            interface.master = next(iter(self._ends.get(id(part.bridge), ())), None)
        if isinstance(part, Port):
            interface.port = read_port(part, self.problems)
            if interface.port.vlan is not None or interface.port.trunk:
                self._filter_vlans(part, node)
        node.incomplete |= len(interface.addresses) < len(part.addresses)
        if part.addresses and node.bridges:
            text = f"{node.name} is a switch, and its ports have no addresses"
            self.problems.add(declaration, text, f"give {', '.join(map(str, part.addresses))} to a host")
        if part.name is None:  # it is named when all given names are known
            return interface
        if not is_name:
            return interface
        if interface.name in node.reserved:
            raise LeftOutError
        taken = f"{node.name} has an interface {interface.name!r} already"
        first = node.interfaces.setdefault(interface.name, interface)
        if first is not interface:
            self.problems.add(declaration, taken, f"the other is at {first.source}")
        elif node.bridges and interface.name == BRIDGE:
            self.problems.add(declaration, taken, "it is the bridge itself")
        return interface

    def _read_interface(self, part: Interface, node: str) -> _InterfaceSettings:
        """Whether it gets addresses, its MAC address, those that it is given, and whether its name can be one."""
        declaration, check = part.declaration, self.problems.check
        auto = self._boolean(part, "auto_addresses")
        mac = "" if part.mac is None else check(declaration, read_mac, part.mac) or ""
        addresses = self._addresses_of(part.addresses, declaration)
        return auto, mac, addresses, part.name is None or check(declaration, read_interface_name, part.name, node) is not None

    def kept_ends(self, part: Link, a: _End, b: _End, standing: Standing) -> tuple[_End, _End]:
        """Both ends of a link, with the names that they have in the lab that runs, if it is there."""
        node_a, given_a = (a.node, a.name) if isinstance(a, ResolvedInterface) else (a, "")
        node_b, given_b = (b.node, b.name) if isinstance(b, ResolvedInterface) else (b, "")
        if isinstance(part, Tunnel) or (names := standing.link_names(node_a.name, node_b.name, given_a, given_b)) is None:
            return a, b
        return _named(a, names[0], part.declaration), _named(b, names[1], part.declaration)

    def link(self, part: Link, a: _End, b: _End) -> ResolvedLink:
        """A link between two ends; an end that is a node gets an interface of its own."""
        node_a, node_b = (end.node if isinstance(end, ResolvedInterface) else end for end in (a, b))
        near = a if isinstance(a, ResolvedInterface) else ResolvedInterface(node_a, "", part.declaration)
        far = b if isinstance(b, ResolvedInterface) else ResolvedInterface(node_b, "", part.declaration)
        mtu, is_impaired = self._read(part, "link", self._read_link)
        link = ResolvedLink(near, far, part.declaration, mtu)
        if is_impaired:
            from pynetemu.plan.resolve.impairments import read_directions

            names = [node.name for node in self.nodes.values()]
            link.directions = read_directions(part, names, self._kernel, self.problems)
        if isinstance(part, Tunnel):
            from pynetemu.plan.resolve.tunnels import check_ends, interface_names, read_tunnel

            link.tunnel = read_tunnel(part, self.problems)
            for end in near, far:
                name_interface(end, interface_names(link.tunnel))
            check_ends(link, self.problems)
        for end, there in (near, node_b), (far, node_a):
            if not end.name:
                name_interface(end, _link_names(end, _as_seen(there.name, end.node.name)))
        for node, other in (node_a, node_b), (node_b, node_a):
            before = node.links
            node.links += other.weight
            if node.bridges and before <= _MOST_PORTS < node.links:
                text = f"this is port {node.links} of {node.name}, and a Linux bridge has {_MOST_PORTS} at most"
                self.problems.add(part.declaration, text, "take a second switch")
        if part.cost is not Link.cost and (cost := self._cost(part)) != 1:
            self._set_cost(part, near, far, cost)
        self._ends[id(part)] = [near, far]
        return link

    def _cost(self, part: Link) -> int:
        return self.problems.check(part.declaration, read_number, part.cost, "cost", 1, 65535) or 1

    def _set_cost(self, part: Link, near: ResolvedInterface, far: ResolvedInterface, cost: int) -> None:
        """Of routes at hosts and routers, of the spanning tree between switches."""
        near.cost = far.cost = cost
        if isinstance(part, Tunnel):
            for end in (near, far):
                if end.master:  # what a bridge sends may go through the tunnel
                    end.master.cost = max(end.master.cost, cost)
        if not (near.node.bridges and far.node.bridges):
            return
        if not (near.node.bridge.stp or far.node.bridge.stp):
            text = f"cost={cost} has no effect between {near.node.name} and {far.node.name}, which have no spanning tree"
            self.problems.add(part.declaration, text, f"leave it out, or {near.node.name} = Switch(stp=True)")
        for end in near, far:
            if end.node.bridge.stp and end.port.cost is None:
                end.port = replaced(end.port, cost=cost, settings=(*end.port.settings, f"cost {cost}"))

    def ends_of(self, part: object) -> list[ResolvedInterface]:
        """The interface of an Interface, the two of a Link; none for anything that is not in this network."""
        return self._ends.get(id(part), [])

    def _read_link(self, part: Link) -> tuple[int, bool]:
        """Its MTU, 0 for the kernel's own, and whether it does something to packets.

        The limits are IPv4's (68, RFC 791) and a veth's (ETH_MAX_MTU less its header).
        """
        mtu = None if part.mtu is None else self.problems.check(part.declaration, read_number, part.mtu, "mtu", 68, 65521)
        return mtu or 0, any(getattr(part, name) is not None for name in IMPAIRING)

    def vlan_interface(self, part: VlanInterface) -> None:
        """An interface on one that has been looked up."""
        declaration = part.declaration
        number = self.problems.check(declaration, read_vlan, part.number)
        parents = self._ends.get(id(part.parent))
        if number is None or not parents:
            return
        parent = parents[0]
        if part.parent.name is None:
            part.name = f"{parent.name}.{number}"
        interface = self.interface(part, parent.node)
        interface.cost = parent.cost
        if isinstance(part.parent, VlanInterface):
            text = f"{parent.node.name} {parent.name} is for one VLAN itself, and tags within tags are not supported"
            self.problems.add(declaration, text, "make it of the interface below: eth0.vlan(10), eth0.vlan(20)")
        if parent.node.bridges:
            text = f"{parent.node.name} is a switch, whose ports have VLANs by {parent.node.name}.port(trunk=[{number}])"
            self.problems.add(declaration, text, "interfaces for one VLAN are for hosts and routers")
        elif number in parent.vlans:
            text = f"{parent.node.name} {parent.name} has an interface for VLAN {number} already"
            self.problems.add(declaration, text, f"the other is at {parent.vlans[number].source}")
        parent.vlans[number] = interface

    def _filter_vlans(self, part: Port, node: ResolvedNode) -> None:
        if not isinstance(part.node, Switch):
            self.problems.add(
                part.declaration, f"{node.name} is not a switch, and this is a port of one", "take its interface()"
            )
        elif part.node.vlan_filtering is False:
            hint = "leave vlan_filtering=False out"
            self.problems.add(part.declaration, f"{node.name} does not filter VLANs, and this port has some", hint)
        node.bridge = replaced(node.bridge, filters_vlans=True)

    def _take_mac(self, mac: str, declaration: Declaration) -> str:
        self._others.refuse_mac(mac)
        if (first := self._macs.setdefault(mac, declaration)) is not declaration:
            self.problems.add(declaration, f"the MAC address {mac} is taken", f"the other is at {first.where}")
        return mac

    def check_linked(self, part: Interface) -> None:
        """An interface without a link cannot exist. After some mistakes its link may just not have been made."""
        if self.incomplete or id(part) in self._linked or isinstance(part, VlanInterface | Device):
            return
        if node := self.find_node(part.node, part.declaration, "the node of this interface"):
            text = f"the interface {quoted(part.name)} of {node.name} is in no link"
            self.problems.add(part.declaration, text, "an interface is one end of a link: Link(interface, other_node)")


@cache
def _node_kind(kind: type[Node]) -> NodeKind:
    return next((name for base, name in _KINDS if issubclass(kind, base)), "host")


def _kind(part: Part) -> str:
    return type(part).__name__


def _link_names(end: ResolvedInterface, neighbor: str) -> Iterator[str]:
    is_port = end.bridged or end.node.kind == "root"
    return _port_names(end.node, neighbor) if is_port else _host_names(end.node)


def _as_seen(name: str, viewer: str) -> str:
    """A node's name for one in the same topology: _as_seen("site1.h1", "site1.s1") == "h1"."""
    within = viewer.rpartition(".")[0]
    return name.removeprefix(f"{within}.") if within else name


def name_interface(interface: ResolvedInterface, names: Iterator[str]) -> None:
    """Names an interface that was given no name."""
    if not interface.name:
        node = interface.node
        taken = ("lo", "all", "default", *([BRIDGE] if node.bridges else []))
        interface.name = next(name for name in names if not (name in node.interfaces or name in taken or name in node.reserved))
        node.interfaces[interface.name] = interface


def _named(end: _End, name: str, declaration: Declaration) -> ResolvedInterface:
    """The interface, or a new one of a node, with a name if it has none and nobody else has that."""
    interface = end if isinstance(end, ResolvedInterface) else ResolvedInterface(end, "", declaration)
    if not interface.name and name not in interface.node.interfaces:
        interface.name = name
        interface.node.interfaces[name] = interface
    return interface


def _host_names(node: ResolvedNode) -> Iterator[str]:
    return (f"eth{number}" for number in node.numbers)


def _port_names(node: ResolvedNode, neighbor: str) -> Iterator[str]:
    yield neighbor[:LONGEST_INTERFACE_NAME]
    for number in node.numbers:
        suffix = f"-{number + 2}"
        yield neighbor[: LONGEST_INTERFACE_NAME - len(suffix)] + suffix
