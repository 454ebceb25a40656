"""What a running lab has become by hand: how it differs from its description, as commands that make the one from the other.

    for difference in net.differences():
        print(difference)                       h1 ip link set dev eth0 name wan

What follows from another difference is not told: the routes of a link that is down, the addresses of a deleted interface.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pynetemu.engine.protocol.joined_requests import ReadRulesets, ReadSettings
from pynetemu.engine.protocol.requests import ReadFiles
from pynetemu.lab.links import is_of_lab, names_of_now
from pynetemu.lab.state import InterfaceState, PortState, RouteState
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
    SetPort,
    SetPortVlans,
    SetSysctl,
    SetUp,
    StartSpanningTree,
)
from pynetemu.plan.operations.switches import OF_BRIDGES, OF_PORTS

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.lab.reading import LabState
    from pynetemu.plan.operations import Address, InterfaceAddress, IPNetwork

_OF_THE_KERNEL = {"lo", "tunl0", "gre0", "gretap0", "erspan0", "ip6gre0", "ip6tnl0", "sit0", "ip_vti0", "ip6_vti0"}
_USUAL_RULES = {(4, 0), (4, 32766), (4, 32767), (6, 0), (6, 32766)}
_VRF_RULE = 1000  # made by the kernel with the first VRF, and kept when the last has gone (Documentation/networking/vrf.rst)
_BY_ITSELF = ("kernel", "ra")  # protocols of routes that come with addresses
_USUAL_MTU = 1500
_TIMES = "forward_delay", "hello_time", "max_age", "ageing_time"
_USUAL_COSTS = "cost 2", "cost 100"  # of a port, by the speed that its interface tells

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
    """Those of some nodes, or of all, in the order in which they can be done: links, bridges, addresses, routes, rules…"""
    drift = Drift(lab)
    found = [*drift.links(), *drift.settings_of_links(), *drift.bridges(), *drift.addresses(), *drift.routes(), *drift.rules()]
    found += [*drift.sysctls(), *drift.described_filters(), *drift.packet_filters()]
    return [difference for difference in found if not nodes or difference.node in nodes]


class Drift:
    """The plan beside the kernel's state. `now` has the places of the plan that are there, with their names of now."""

    def __init__(self, lab: "Lab") -> None:
        self._lab, self.inventory = lab, lab.inventory
        self.state: LabState = lab.state(tables=("links", "addresses", "routes", "rules", "filters", "vlans"))
        root = self.inventory.root if lab.host else ""
        self.found = [i for i in self.state.interfaces if i.node != root or (i.peer is not None and is_of_lab(lab, i))]
        self.here = {(i.node, i.name): i for i in self.found}
        self.now = {place: now for place, now in names_of_now(lab, self.found).items() if now in self.here}
        self.planned: dict[Place, object] = {}
        for op in self.inventory.of_type(AddVeth):
            self.planned |= {end: op for end in ends(op) if end[0] != self.inventory.outside}
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
                yield self.made(one)

    def made(self, one: InterfaceState) -> Difference:
        """How an interface that users have made is made again."""
        if one.peer is not None and all(one.peer):
            node, name = one.peer
            there = f" netns {node}" if node != one.node else ""
            return Difference(one.node, f"ip link add {one.name} type veth peer name {name}{there}")
        on = f" link {one.lower}" if one.lower else ""
        again = self.state.type_again(one)
        return Difference(one.node, f"ip link add {one.name}{on} type {again or one.kind or 'dummy'}", is_remark=not again)

    def settings_of_links(self) -> Iterator[Difference]:
        """Up or down, MTU, MAC address, the bridge or bond that it is a port of."""
        up = {(op.node, op.interface) for op in self.inventory.of_type(SetUp)} | self.inventory.bridges
        for place, op in self.planned.items():
            current = self.here.get(self.now.get(place) or self.moved.get(place) or place)
            if current is None or (place not in self.now and place not in self.moved):
                continue
            words = list(_link_words(op, current, place in up, self.inventory.macs.get(place, ""), self.here))
            planned = self._masters.get(place, "")
            master = self.now.get((place[0], planned), (place[0], planned))[1] if planned else ""
            if place in self.now and current.master != master:
                words.append(f"master {current.master}" if current.master else "nomaster")
            yield from (Difference(current.node, f"ip link set dev {current.name} {word}") for word in words)
        for one in self.added:
            if one.is_up:
                yield Difference(one.node, f"ip link set dev {one.name} up")

    @cached_property
    def _masters(self) -> dict[Place, str]:
        return {(op.node, op.interface): op.master for op in self.inventory.of_type(SetMaster)}

    def bridges(self) -> Iterator[Difference]:
        """Settings of bridges and of their ports, and the VLANs of these."""
        names = {now: place for place, now in self.now.items()}
        trees = {op.node for op in self.inventory.of_type(StartSpanningTree)}
        bridges = {(op.node, op.interface): op for op in self.inventory.of_type(AddBridge)}
        for bridge in self.state.bridges:
            op = bridges.get(names.get((bridge.node, bridge.name), ("", "")))
            if op is not None:
                planned = {**OF_BRIDGES, "stp_state": str(int(op.node in trees)), **_words(op.settings)}
                tree = _words(bridge.settings).get("stp_state") != "0"  # its root says what the times are
                for setting in _changed(planned, bridge.settings, _TIMES if tree else ()):
                    yield Difference(bridge.node, f"ip link set dev {bridge.name} type bridge {setting}")
        settings = {(op.node, op.interface): op.settings for op in self.inventory.of_type(SetPort)}
        vlans = {(op.node, op.interface): op for op in self.inventory.of_type(SetPortVlans)}
        filtering = {place for place, op in bridges.items() if "vlan_filtering 1" in op.settings}
        for port in self.state.ports:
            place = names.get((port.node, port.interface))
            if place is None or (place[0], self._masters.get(place, "")) not in bridges:
                continue
            planned = {**OF_PORTS, **_words(settings.get(place, ()))}
            for setting in _changed(planned, port.settings):
                if setting not in _USUAL_COSTS or "cost" in _words(settings.get(place, ())):
                    yield Difference(port.node, f"bridge link set dev {port.interface} {setting}")
            if (place[0], self._masters[place]) in filtering:
                yield from _vlans_of(port, vlans.get(place))

    def addresses(self) -> Iterator[Difference]:
        """Those that were deleted and added; link-local ones that come by themselves aside."""
        places = {now: place for place, now in {**self.now, **self.moved}.items()}
        for current, interface in self.here.items():
            place = places.get(current)
            planned = self.inventory.addresses.get(place, []) if place is not None and place not in self.moved else []
            there = given_addresses(interface, planned)
            for address in planned:
                if address not in there:
                    yield Difference(interface.node, f"ip addr del {address} dev {interface.name}")
            for address in there:
                if address not in planned:
                    yield Difference(interface.node, f"ip addr add {address} dev {interface.name}")

    @cached_property
    def _planned_routes(self) -> dict[str, dict[_RouteKey, str]]:
        """Their words, by node."""
        found: dict[str, dict[_RouteKey, str]] = {}
        routes: list[AddRoute | AddMultipathRoute] = [*self.inventory.of_type(AddRoute)]
        for op in [*routes, *self.inventory.of_type(AddMultipathRoute)]:
            found.setdefault(op.node, {})[op.destination, op.table, frozenset(op.gateways)] = _route_words(op)
        return found

    def routes_of(self, node: str) -> list[RouteState]:
        """Those that are there and do not come by themselves; none of a machine that is the lab's root."""
        if self._lab.host and node == self.inventory.root:
            return []
        return [r for r in self.state.routes_of(node) if r.protocol not in _BY_ITSELF and not _ends_a_table(r)]

    def unplanned_routes(self, node: str) -> Iterator[RouteState]:
        """Those of them that the description does not have; of several alike all but one."""
        planned = dict(self._planned_routes.get(node, {}))
        return (route for route in self.routes_of(node) if planned.pop(_key(route), None) is None)

    def routes(self) -> Iterator[Difference]:
        """Those by way of gateways, and those that refuse."""
        connected: dict[str, list[IPNetwork]] = {}
        for interface in self.found:
            if interface.is_up:
                connected.setdefault(interface.node, []).extend(address.network for address in interface.addresses)
        for node in self.state.nodes:
            for route in self.unplanned_routes(node):
                yield Difference(node, f"ip route add {route.text}")
            there = {_key(route) for route in self.routes_of(node)}
            networks = connected.get(node, [])
            for key, words in self._planned_routes.get(node, {}).items():
                reachable = all(any(gateway in network for network in networks) for gateway in key[2])
                if key not in there and reachable:  # else it went with an address or a link
                    yield Difference(node, f"ip route del {words}")

    def rules(self) -> Iterator[Difference]:
        """Those that choose routing tables."""
        for node in self.state.nodes:
            found = self.state.rules_of(node) if not (self._lab.host and node == self.inventory.root) else []
            for rule in found:
                is_of_kernel = rule.of_vrfs and rule.priority == _VRF_RULE
                if (rule.version, rule.priority) not in _USUAL_RULES and not is_of_kernel:
                    yield Difference(node, f"ip -{rule.version} rule add pref {rule.priority} {rule.text}")
            for version, priority in sorted(_USUAL_RULES - {(rule.version, rule.priority) for rule in found}) if found else ():
                yield Difference(node, f"ip -{version} rule del pref {priority}")

    def sysctls(self) -> Iterator[Difference]:
        """The settings that the description makes, and others of nodes in which something has run."""
        planned: dict[str, dict[str, str]] = {}
        for op in self.inventory.of_type(SetSysctl):
            planned.setdefault(op.node, {})[op.name] = op.value
        alike: dict[tuple[str, ...], list[str]] = {}  # nodes by the names of their settings: most routers have the same
        for node, settings in planned.items():
            alike.setdefault(tuple(settings), []).append(node)
        there: dict[str, list[tuple[str, str]]] = {}
        for names, nodes in alike.items():
            paths = tuple(f"/proc/sys/{name.replace('.', '/')}" for name in names)
            for node, texts in self._lab.control.ask(ReadFiles(tuple(nodes), paths)).items():
                there[node] = list(zip(names, texts, strict=True))
        others = self._lab.control.ask(ReadSettings(self.state.nodes))
        for node in self.state.nodes:
            settings = planned.get(node, {})
            for name, text in there.get(node, ()):
                if text.split() != settings[name].split() and text:
                    yield Difference(node, f"sysctl -w {name}={' '.join(text.split())}")
            for path, text in sorted(others.get(node, {}).items()):
                if not _follows(path, text, others[node], settings, self.inventory.is_bridge(node)):
                    value = f"'{text}'" if " " in text else text
                    yield Difference(node, f"sysctl -w {_sysctl(path)}={value}")

    def packet_filters(self) -> Iterator[Difference]:
        """Tables in nodes to which the description gives none, and older ones (iptables-legacy) in all."""
        planned = {op.node for op in self.inventory.of_type(AddRuleset)}
        for found in self.state.packet_filters:
            is_told_elsewhere = found.node in planned and found.tool == "nft"
            if not is_told_elsewhere and not (self._lab.host and found.node == self.inventory.root):
                shows = (
                    f"nft list table {found.family} {found.table}"
                    if found.tool == "nft"
                    else f"{found.tool} -t {found.table} -S"
                )
                yield Difference(found.node, shows, is_remark=True)

    def described_filters(self) -> Iterator[Difference]:
        """Rules of nftables in nodes to which the description gives some."""
        planned = tuple(dict.fromkeys(op.node for op in self.inventory.of_type(AddRuleset)))
        if planned:
            from pynetemu.lab.rulesets import commands, ruleset_of

            for node, texts in self._lab.control.ask(ReadRulesets(planned)).items():
                yield from (Difference(node, *told) for told in commands(*map(ruleset_of, texts)))


def _sysctl(path: str) -> str:
    """A setting as sysctl(8) names it: of eth0.10 "net.ipv4.conf.eth0/10.rp_filter"."""
    return ".".join(("net", *(part.replace(".", "/") for part in path.split("/"))))


def _follows(path: str, text: str, others: dict[str, str], planned: dict[str, str], is_bridge: bool) -> bool:
    """Whether a setting is planned, or the kernel has made it of another one: of one for all, or of one for new interfaces."""
    family, group, *rest = path.split("/")
    if _sysctl(path) in planned:
        return True
    if group != "conf" or len(rest) != 2:
        return False
    place, setting = rest
    if setting == "disable_ipv6" and is_bridge:  # its ports are not spoken to
        return True
    if place != "all" and others.get(f"{family}/conf/all/{setting}") == text:
        return True
    if family == "ipv4" and "ipv4/ip_forward" in others and setting in ("forwarding", "accept_redirects"):
        return place != "default" or setting == "forwarding"
    return planned.get(_sysctl(f"{family}/conf/default/{setting}")) == text


def _words(settings: Iterable[str]) -> dict[str, str]:
    """Settings by their words: {"cost": "2"}."""
    return {word: value for word, _, value in (setting.partition(" ") for setting in settings)}


def _changed(planned: dict[str, str], settings: Iterable[str], but: Sequence[str] = ()) -> Iterator[str]:
    """The settings that are others than planned."""
    for word, value in _words(settings).items():
        if planned.get(word, value) != value and word not in but:
            yield f"{word} {value}"


def _vlans_of(port: PortState, planned: SetPortVlans | None) -> Iterator[Difference]:
    """The VLANs that a port has left and joined; one that nobody has described is in the first one, untagged."""
    untagged, tagged = (1, frozenset[int]()) if planned is None else (planned.untagged, frozenset(planned.tagged))
    numbers, now = tagged | {untagged} - {0}, frozenset((*port.tagged, port.untagged)) - {0}
    for number in sorted(numbers - now):
        yield Difference(port.node, f"bridge vlan del dev {port.interface} vid {number}")
    for number in sorted(now):
        is_native = number == port.untagged
        if number not in numbers or is_native != (number == untagged):
            yield Difference(port.node, f"bridge vlan add dev {port.interface} vid {number}" + " pvid untagged" * is_native)


def given_addresses(interface: InterfaceState, planned: Sequence["InterfaceAddress"]) -> list["InterfaceAddress"]:
    """Those that do not come by themselves, as IPv6's link-local ones do."""
    return [a for a in interface.addresses if not a.is_loopback and (not a.is_link_local or a.version == 4 or a in planned)]


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
