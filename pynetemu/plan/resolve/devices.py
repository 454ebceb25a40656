"""Interfaces that are no end of a link: looked up, checked, and joined with those that they are made of."""

from collections.abc import Iterable, Iterator
from itertools import count

from pynetemu.plan.problems import Problems, Wrong
from pynetemu.plan.resolve.network import ResolvedDevice, ResolvedInterface, ResolvedNode
from pynetemu.plan.resolve.references import Resolver, name_interface
from pynetemu.plan.values import not_one_of, read_number
from pynetemu.topology.devices import Bond, Bridge, Device, Macvlan, Vrf
from pynetemu.topology.part import quoted

_MONITORING = "miimon 100"  # ms: without it a bond does not notice that a member has lost its link (bonding.rst)
_BOND_MODES = "active-backup", "balance-rr", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"
_MACVLAN_MODES = "bridge", "private", "vepa", "passthru"
_PREFIXES = {"bridge": "br", "bond": "bond", "dummy": "dummy", "macvlan": "eth"}
_LARGEST_TABLE = 252  # those above are the kernel's: default, main, local (rtnetlink(7))


class Devices:
    """To be read before the links are, of which some end in them, and joined after."""

    def __init__(self, resolver: Resolver, problems: Problems) -> None:
        self._resolver = resolver
        self._problems = problems
        self.parts: list[ResolvedNode] = []  # that VRFs make of routers
        self._found: list[tuple[Device, ResolvedInterface]] = []

    def read(self, part: Device) -> None:
        """Adds a device to its node; what is wrong with it is noted."""
        if part.declaration.refused and not hasattr(part, "node"):
            return
        what = f"the node of this {type(part).__name__}"
        node = self._resolver.find_node(part.node, part.declaration, what)
        if node is None:
            return
        if node.bridges:
            text = f"{node.name} is a switch, which has no interfaces but its bridge and that one's ports"
            self._problems.add(part.declaration, text, f"a {type(part).__name__} is for hosts and routers")
            return
        interface = self._resolver.interface(part, node)
        interface.device = self._device(part)
        self._found.append((part, interface))

    def _device(self, part: Device) -> ResolvedDevice:
        check, declaration = self._problems.check, part.declaration
        if isinstance(part, Bond):
            mode = check(declaration, _read_mode, part.mode, _BOND_MODES)
            return ResolvedDevice("bond", (f"mode {mode}", _MONITORING))
        if isinstance(part, Macvlan):
            return ResolvedDevice("macvlan", (f"mode {check(declaration, _read_mode, part.mode, _MACVLAN_MODES)}",))
        if isinstance(part, Vrf):
            table = check(declaration, read_number, part.table, "table", 1, _LARGEST_TABLE) or 0
            return ResolvedDevice("vrf", (f"table {table}",), table=table)
        return ResolvedDevice("bridge", ("mcast_snooping 0",)) if isinstance(part, Bridge) else ResolvedDevice("dummy")

    def name(self) -> list[ResolvedInterface]:
        """All of them, now that all given names are known."""
        for _, interface in self._found:
            name_interface(interface, _names(interface))
        return [interface for _, interface in self._found]

    def join(self) -> None:
        """Joins them with their members and parents, now that all interfaces are known."""
        for part, interface in self._found:
            if isinstance(part, Bond | Vrf):
                self._join(part, interface)
            elif isinstance(part, Macvlan):
                self._set_parent(part, interface)

    def _join(self, part: Bond | Vrf, master: ResolvedInterface) -> None:
        members = self._problems.check(part.declaration, _read_members, part.members) or []
        ends = [self._member(member, master.node, part) for member in members]
        node = self._divide(part, master) if isinstance(part, Vrf) else master.node
        for end in (end for end in ends if end):
            if within := end.master or end.vrf:
                text = f"{end.node.name} {end.name} is in {within.name} already"
                self._problems.add(part.declaration, text, "an interface is in one bond, bridge or VRF")
            elif end.addresses and isinstance(part, Bond):
                text = f"{end.node.name} {end.name} has addresses, which the bond has instead"
                self._problems.add(end.declared, text, f"give {', '.join(map(str, end.addresses))} to the Bond")
            if isinstance(part, Bond):
                end.master = master
                master.cost = max(master.cost, end.cost)
            else:
                end.vrf, end.node = master, node
                node.interfaces[end.name] = end

    def _divide(self, part: Vrf, vrf: ResolvedInterface) -> ResolvedNode:
        """The VRF as a router of its own, for all that asks for ways; its operations are the whole router's."""
        assert vrf.device
        whole, table = vrf.node, vrf.device.table
        if not whole.forwards:
            self._problems.add(
                part.declaration, f"{whole.name} forwards nothing", "a Vrf is for a Router, or Root(forward=True)"
            )
        if first := next((other for other in self.parts if other.around is whole and other.table == table), None):
            text = f"{whole.name} has a VRF with table {table} already"
            self._problems.add(part.declaration, text, f"the other is at {first.source}")
        new = ResolvedNode(whole.name, whole.kind, part.declaration, forwards=True, table=table, around=whole)
        new.auto_routes, new.multipath, new.incomplete = whole.auto_routes, whole.multipath, whole.incomplete
        self.parts.append(new)
        return new

    def _member(self, member: object, node: ResolvedNode, part: Bond | Vrf) -> ResolvedInterface | None:
        found = self._resolver.ends_of(member)
        own = [end for end in found if end.node.whole is node]
        if len(own) == 1 and (own[0].device is None or isinstance(part, Vrf)):
            return own[0]
        if not self._resolver.incomplete:
            kind = "Bond(h1, [a, b])" if isinstance(part, Bond) else "Vrf(h1, 10, [a, b])"
            hint = f"a = Link(h1, s1), b = Link(h1, s2), then {kind}"
            self._problems.add(
                part.declaration, f"the member {quoted(member)} is not an interface or link of {node.name}", hint
            )
        return None

    def _set_parent(self, part: Macvlan, interface: ResolvedInterface) -> None:
        assert interface.device
        found = self._resolver.ends_of(part.parent)
        if len(found) != 1:
            if not self._resolver.incomplete:
                hint = 'up = h1.interface("eth0"), Link(up, s1), then Macvlan(up, web)'
                text = f"{quoted(part.parent)} is not an interface that a Macvlan can be on"
                self._problems.add(part.declaration, text, hint)
            return
        parent = found[0]
        if parent.master or parent.node.bridges:
            text = f"{parent.node.name} {parent.name} is a port of {parent.master.name if parent.master else 'the bridge'}"
            self._problems.add(
                part.declaration, text, "the kernel allows no macvlan there; take the bridge, or another interface"
            )
        interface.device.parent = parent
        interface.cost = parent.cost


def _names(interface: ResolvedInterface) -> Iterator[str]:
    assert interface.device
    if interface.device.kind == "vrf":
        return (f"vrf{interface.device.table}{suffix}" for suffix in ("", *(f"-{number}" for number in range(2, 254))))
    return (f"{_PREFIXES[interface.device.kind]}{number}" for number in count())


def _read_mode(mode: object, choices: tuple[str, ...]) -> str:
    if mode not in choices:
        raise not_one_of("mode", mode, choices)
    return str(mode)


def _read_members(members: object) -> list[object]:
    if not isinstance(members, Iterable) or isinstance(members, str):
        raise Wrong(f"the members {quoted(members)} are no list", "a list of links or interfaces: [a, b]")
    found = list(members)
    if not found:
        raise Wrong("there are no members", "a list of links or interfaces: [a, b]")
    return found
