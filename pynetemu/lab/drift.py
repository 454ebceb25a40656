"""What a running lab has become by hand: how it differs from its description, as commands that make the one from the other.

    for difference in net.differences():
        print(difference)                       h1 ip link set dev eth0 name wan

What follows from another difference is not told: the routes of a link that is down, the addresses of a deleted interface.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetemu.engine.protocol.requests import ReadFiles
from pynetemu.lab.links import is_of_lab, names_of_now
from pynetemu.lab.state import InterfaceState, RouteState
from pynetemu.plan.inventory import Place, ends
from pynetemu.plan.operations import (
    AddBridge,
    AddDevice,
    AddMacvlan,
    AddMultipathRoute,
    AddRoute,
    AddRuleset,
    AddTunnel,
    AddVeth,
    AddVlan,
    AddWireGuard,
    SetMaster,
    SetSysctl,
    SetUp,
)

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.lab.reading import LabState
    from pynetemu.plan.operations import Address, IPNetwork

_OF_THE_KERNEL = {"lo", "tunl0", "gre0", "gretap0", "erspan0", "ip6gre0", "ip6tnl0", "sit0", "ip_vti0", "ip6_vti0"}
_USUAL_RULES = {(4, 0), (4, 32766), (4, 32767), (6, 0), (6, 32766)}
_VRF_RULE = 1000  # made by the kernel with the first VRF (Documentation/networking/vrf.rst)
_BY_ITSELF = ("kernel", "ra")  # protocols of routes that come with addresses
_USUAL_MTU = 1500

_RouteKey = tuple["IPNetwork", int, "frozenset[Address]"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A command that changes a node of a lab that is as described into what it is now.

    What no single command makes is told by one that shows it, and is a `remark`.
    """

    node: str
    command: str
    is_remark: bool = False

    def __str__(self) -> str:
        """As a line of the shell; a remark as a comment."""
        return f"{'# ' * self.is_remark}{self.node} {self.command}"


def differences(lab: "Lab", nodes: Sequence[str] = ()) -> list[Difference]:
    """Those of some nodes, or of all, in the order in which they can be done: links, addresses, routes, rules, settings."""
    drift = Drift(lab)
    found = [*drift.links(), *drift.settings_of_links(), *drift.addresses(), *drift.routes(), *drift.rules()]
    found += [*drift.sysctls(), *drift.packet_filters()]
    return [difference for difference in found if not nodes or difference.node in nodes]


class Drift:
    """The plan beside the kernel's state. `now` has the places of the plan that are there, with their names of now."""

    def __init__(self, lab: "Lab") -> None:
        self._lab, self.inventory = lab, lab.inventory
        self.state: LabState = lab.state(tables=("links", "addresses", "routes", "rules", "filters"))
        root = self.inventory.root if lab.host else ""
        self.found = [i for i in self.state.interfaces if i.node != root or (i.peer is not None and is_of_lab(lab, i))]
        self.here = {(i.node, i.name): i for i in self.found}
        self.now = {place: now for place, now in names_of_now(lab, self.found).items() if now in self.here}
        self.planned: dict[Place, object] = {}
        for op in self.inventory.of_type(AddVeth):
            self.planned |= {end: op for end in ends(op) if end[0] in lab.nodes}
        others: list[AddTunnel | AddWireGuard | AddDevice | AddMacvlan | AddVlan | AddBridge] = []
        for kind in AddTunnel, AddWireGuard, AddDevice, AddMacvlan, AddVlan, AddBridge:
            others += self.inventory.of_type(kind)
        self.planned |= {(op.node, op.interface): op for op in others}
        self.moved = dict(self._moves())

    def _moves(self) -> Iterator[tuple[Place, Place]]:
        """Ends of veth pairs that are in another node now, by what is at their far ends."""
        for place, op in self.planned.items():
            if place not in self.now and isinstance(op, AddVeth) and not op.relayed:
                far = self.now.get(self.inventory.wired_peers[place])
                peer = self.here[far].peer if far is not None else None
                if peer is not None and peer in self.here and peer not in self.now.values():
                    yield place, peer

    @property
    def added(self) -> list[InterfaceState]:
        """The interfaces that the description does not have."""
        known = {*self.now.values(), *self.moved.values()}
        return [i for place, i in self.here.items() if place not in known and i.name not in _OF_THE_KERNEL]

    def links(self) -> Iterator[Difference]:
        """Interfaces that were deleted, moved, renamed, added."""
        gone: set[Place] = set()
        for place, op in self.planned.items():
            node, interface = place
            if place in self.moved:
                there, name = self.moved[place]
                yield Difference(node, f"ip link set dev {interface} netns {there}" + f" name {name}" * (name != interface))
            elif place not in self.now and place not in gone:
                if isinstance(op, AddVeth):
                    gone.add(self.inventory.wired_peers[place])
                yield Difference(node, f"ip link del dev {interface}")
            elif place in self.now and self.now[place] != place:
                yield Difference(node, f"ip link set dev {interface} name {self.now[place][1]}")
        done: set[Place] = set()
        for one in self.added:
            if (one.node, one.name) not in done:
                done |= {(one.node, one.name), one.peer or ("", "")}
                yield _made(one)

    def settings_of_links(self) -> Iterator[Difference]:
        """Up or down, MTU, MAC address, the bridge or bond that it is a port of."""
        up = {(op.node, op.interface) for op in self.inventory.of_type(SetUp)} | self.inventory.bridges
        masters = {(op.node, op.interface): op.master for op in self.inventory.of_type(SetMaster)}
        for place, op in self.planned.items():
            current = self.here.get(self.now.get(place) or self.moved.get(place) or place)
            if current is None or (place not in self.now and place not in self.moved):
                continue
            words = list(_link_words(op, current, place in up, self.inventory.macs.get(place, ""), self.here))
            planned = masters.get(place, "")
            master = self.now.get((place[0], planned), (place[0], planned))[1] if planned else ""
            if place in self.now and current.master != master:
                words.append(f"master {current.master}" if current.master else "nomaster")
            yield from (Difference(current.node, f"ip link set dev {current.name} {word}") for word in words)
        for one in self.added:
            if one.is_up:
                yield Difference(one.node, f"ip link set dev {one.name} up")

    def addresses(self) -> Iterator[Difference]:
        """Those that were deleted and added; link-local ones that come by themselves aside."""
        places = {now: place for place, now in {**self.now, **self.moved}.items()}
        for current, interface in self.here.items():
            place = places.get(current)
            planned = self.inventory.addresses.get(place, []) if place is not None and place not in self.moved else []
            there = [
                a for a in interface.addresses if not a.is_loopback and (not a.is_link_local or a.version == 4 or a in planned)
            ]
            for address in planned:
                if address not in there:
                    yield Difference(interface.node, f"ip addr del {address} dev {interface.name}")
            for address in there:
                if address not in planned:
                    yield Difference(interface.node, f"ip addr add {address} dev {interface.name}")

    def routes(self) -> Iterator[Difference]:
        """Those by way of gateways, and those that refuse."""
        planned: dict[str, dict[_RouteKey, str]] = {}
        routes: list[AddRoute | AddMultipathRoute] = [*self.inventory.of_type(AddRoute)]
        for op in [*routes, *self.inventory.of_type(AddMultipathRoute)]:
            key = op.destination, op.table, frozenset(op.gateways)
            planned.setdefault(op.node, {})[key] = _route_words(op)
        for node in self.state.nodes:
            wanted = dict(planned.get(node, {}))
            for route in self.state.routes_of(node):
                if self._lab.host and node == self.inventory.root:
                    continue
                if wanted.pop(_key(route), None) is None and route.protocol not in _BY_ITSELF and not _ends_a_table(route):
                    yield Difference(node, f"ip route add {route.text}")
            networks = [a.network for i in self.found if i.node == node and i.is_up for a in i.addresses]
            for (_, _, gateways), words in wanted.items():
                reachable = all(any(gateway in network for network in networks) for gateway in gateways)
                if reachable:  # else it went with an address or a link
                    yield Difference(node, f"ip route del {words}")

    def rules(self) -> Iterator[Difference]:
        """Those that choose routing tables."""
        vrfs = {op.node for op in self.inventory.of_type(AddDevice) if op.kind == "vrf"}
        for node in self.state.nodes:
            usual = _USUAL_RULES | ({(4, _VRF_RULE), (6, _VRF_RULE)} if node in vrfs else set())
            found = self.state.rules_of(node) if not (self._lab.host and node == self.inventory.root) else []
            for rule in found:
                if (rule.version, rule.priority) not in usual:
                    yield Difference(node, f"ip -{rule.version} rule add pref {rule.priority} {rule.text}")
            for version, priority in sorted(_USUAL_RULES - {(rule.version, rule.priority) for rule in found}) if found else ():
                yield Difference(node, f"ip -{version} rule del pref {priority}")

    def sysctls(self) -> Iterator[Difference]:
        """The settings that the description makes."""
        planned: dict[str, list[SetSysctl]] = {}
        for op in self.inventory.of_type(SetSysctl):
            planned.setdefault(op.node, []).append(op)
        for node, settings in planned.items():
            paths = tuple(f"/proc/sys/{op.name.replace('.', '/')}" for op in settings)
            (texts,) = self._lab.control.ask(ReadFiles((node,), paths)).values()
            for op, text in zip(settings, texts, strict=True):
                if text.split() != op.value.split() and text:
                    yield Difference(node, f"sysctl -w {op.name}={' '.join(text.split())}")

    def packet_filters(self) -> Iterator[Difference]:
        """Tables in nodes to which the description gives none."""
        planned = {op.node for op in self.inventory.of_type(AddRuleset)}
        for found in self.state.packet_filters:
            if found.node not in planned and not (self._lab.host and found.node == self.inventory.root):
                shows = (
                    f"nft list table {found.family} {found.table}"
                    if found.tool == "nft"
                    else f"{found.tool} -t {found.table} -S"
                )
                yield Difference(found.node, shows, is_remark=True)


def _made(one: InterfaceState) -> Difference:
    """An interface that users have made."""
    if one.peer is not None and all(one.peer):
        node, name = one.peer
        there = f" netns {node}" if node != one.node else ""
        return Difference(one.node, f"ip link add {one.name} type veth peer name {name}{there}")
    on = f" link {one.lower}" if one.lower else ""
    return Difference(
        one.node, f"ip link add {one.name}{on} type {one.kind or 'dummy'}", is_remark=one.kind in ("", "veth", "tun")
    )


def _link_words(
    op: object, current: InterfaceState, should_be_up: bool, mac: str, here: dict[Place, InterfaceState]
) -> Iterator[str]:
    if isinstance(op, AddVeth) and current.mtu != (op.mtu or _USUAL_MTU):
        yield f"mtu {current.mtu}"
    master = here.get((current.node, current.master))
    if mac and current.mac != mac and (master is None or master.kind != "bond"):  # a bond's ports have its address
        yield f"address {current.mac}"
    if should_be_up != current.is_up:
        yield "up" if current.is_up else "down"


def _key(route: RouteState) -> _RouteKey:
    return route.destination, route.table, frozenset(gateway for gateway, _ in route.hops if gateway is not None)


def _ends_a_table(route: RouteState) -> bool:
    """What the description of a VRF adds (EndTable)."""
    return route.kind == "unreachable" and bool(route.table) and route.destination.prefixlen == 0


def _route_words(op: AddRoute | AddMultipathRoute) -> str:
    to = "default" if op.destination.prefixlen == 0 else str(op.destination)
    first, *more = op.gateways
    via = f" via {first}" if not more else ""
    return f"{to}{via}" + f" table {op.table}" * bool(op.table)
