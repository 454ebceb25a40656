"""Which rule and which route of a node decided over a packet: its rules and tables walked with the packet's own keys.

The kernel's answer to a question for a route (RTM_GETROUTE) says what happens, and by a refusal not why: a rule that refuses, a
route that does, a source that is not believed are the same error. So the rules are walked in their order, as fib_rules_lookup
does, and the tables that they lead to (RFC 1812, 5.2.4.3: the longest prefix).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from pynetemu.engine.messages.tables import Hop, RouteMessage
from pynetemu.trace.evidence.rules import Keys, Rule, table_name

if TYPE_CHECKING:
    from pynetemu.lab.state import RouteState

Kind = Literal["forwarded", "local", "broadcast", "multicast", "blackhole", "unreachable", "prohibit", "no route"]
_KINDS: dict[int, Kind] = {1: "forwarded", 2: "local", 3: "broadcast", 4: "local", 5: "multicast", 6: "blackhole",
                           7: "unreachable", 8: "prohibit"}  # fmt: skip
_THROW, _DEAD, _CLONED = 9, 1, 0x200  # RTN_THROW, RTNH_F_DEAD, RTM_F_CLONED
_NUMBERS = {"unicast": 1, "local": 2, "broadcast": 3, "anycast": 4, "multicast": 5, "blackhole": 6, "unreachable": 7,
            "prohibit": 8, "throw": _THROW}  # fmt: skip
_NAMES = {number: name for name, number in _NUMBERS.items()}
_MAIN = 254
_NO_CHANGES: "Mapping[Route, bool]" = MappingProxyType({})
_REFUSING = ("blackhole", "unreachable", "prohibit")


@dataclass(frozen=True, slots=True)
class Route:
    """A route of a table, as far as a lookup needs it; `text` as `ip route add` takes it."""

    network: IPv4Network | IPv6Network
    table: int
    kind: int
    metric: int
    ds_field: int
    is_dead: bool
    origin: IPv4Network | IPv6Network | None = None  # of an IPv6 route for packets from some sources only
    message: RouteMessage | None = field(default=None, compare=False, repr=False)

    @property
    def hops(self) -> tuple[Hop, ...]:
        """Its next hops, more than one where they are of equal cost."""
        return self.message.hops if self.message is not None else ()

    @property
    def text(self) -> str:
        """What becomes of packets for which: "blackhole 10.3.0.0/24 table 55"."""
        return f"{_KINDS.get(self.kind, _NAMES.get(self.kind, ''))} {self._where}".strip()

    @property
    def named(self) -> str:
        """As `ip route` takes it, without its next hops."""
        has_object = self.message is not None and bool(self.message.next_hop_object)  # which alone is a blackhole
        is_plain = has_object or self.kind == _NUMBERS["unicast"]
        return self._where if is_plain else f"{_NAMES.get(self.kind, '')} {self._where}".strip()

    @property
    def _where(self) -> str:
        place = "" if self.table == _MAIN else f" table {table_name(self.table)}"
        where = "default" if self.network.prefixlen == 0 else str(self.network)
        origin = f" from {self.origin}" if self.origin else ""
        tos = f" tos {self.ds_field:#04x}" if self.ds_field else ""
        return f"{where}{origin}{place}{tos}"

    def is_for(self, destination: IPv4Address | IPv6Address, source: IPv4Address | IPv6Address | None, ds_field: int) -> bool:
        if destination not in self.network or self.is_dead or self.ds_field not in (0, ds_field):
            return False
        return self.origin is None or (source is not None and source in self.origin)


@dataclass(frozen=True, slots=True)
class Found:
    """What walking has led to: a rule that refuses, or a route; `maybe` are rules before it that could have had the packet,
    had it a mark that nobody has seen."""

    kind: Kind
    rule: Rule | None = None
    route: Route | None = None
    maybe: tuple[Rule, ...] = ()


class Routing:
    """The rules and routes of a node; `vrf_tables` has the table of each interface that is in a VRF.

    `others` are routes that are there besides (True), or are not (False), whatever `routes` say.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        routes: Sequence[RouteMessage],
        vrf_tables: dict[str, int],
        others: Mapping[Route, bool] = _NO_CHANGES,
    ) -> None:
        self._rules, self._messages, self._vrf_tables = sorted(rules, key=lambda rule: rule.priority), routes, vrf_tables
        self._others = others

    def before(self, changes: "Sequence[tuple[RouteState | None, RouteState | None]]") -> "Routing":
        """The routing as it was before changes of routes, each with what was there before and is after it, in their order."""
        others: dict[Route, bool] = {}
        for before, after in reversed(changes):
            others |= {_route_of(state): is_there for state, is_there in ((after, False), (before, True)) if state is not None}
        return Routing(self._rules, self._messages, self._vrf_tables, others)

    def without(self, route: Route) -> "Routing":
        """The routing as it would be if it had one route less."""
        return Routing(self._rules, self._messages, self._vrf_tables, {**self._others, route: False})

    @cached_property
    def _tables(self) -> dict[tuple[int, int], list[Route]]:
        """By family and number; the most specific routes first, of equal ones those that the kernel prefers."""
        found: dict[tuple[int, int], list[Route]] = {}
        for route in (*self._routes(), *(route for route, is_there in self._others.items() if is_there)):
            found.setdefault((2 if route.network.version == 4 else 10, route.table), []).append(route)
        for routes in found.values():
            routes.sort(key=_order)
        return found

    def _routes(self) -> Iterable[Route]:
        read = (_route(one) for one in self._messages if one.family in (2, 10) and not one.flags & _CLONED)
        return (route for route in read if route not in self._others) if self._others else read

    def walk(self, keys: Keys) -> Found:
        """What the node's rules and tables say of a packet."""
        rules = [rule for rule in self._rules if rule.family == keys.family]
        maybe: list[Rule] = []
        at = 0
        while at < len(rules):
            rule = rules[at]
            at += 1
            is_meant = rule.is_about(keys)
            if is_meant is None:
                maybe.append(rule)
            if not is_meant or rule.action == "nop":
                continue
            if rule.action == "goto":
                at = next((number for number, other in enumerate(rules) if other.priority >= rule.goto), len(rules))
            elif rule.action in _REFUSING:
                return Found(rule.action, rule, None, tuple(maybe))  # type: ignore[arg-type]  # mypy does not narrow by a tuple
            elif (route := self._in_table(rule, keys)) is not None:
                return Found(_KINDS.get(route.kind, "no route"), rule, route, tuple(maybe))
        return Found("no route", None, None, tuple(maybe))

    def _in_table(self, rule: Rule, keys: Keys) -> Route | None:
        """The route of the rule's table; None where the next rule is asked."""
        number = self._vrf_tables.get(keys.interface, 0) if rule.is_of_vrf else rule.table
        route = self._best(number, keys)
        is_left_out = route is None or route.kind == _THROW or route.network.prefixlen <= rule.shortest
        return None if is_left_out else route

    def _best(self, table: int, keys: Keys) -> Route | None:
        """The route of a table, whatever it says."""
        wanted, source = ip_address(keys.destination), ip_address(keys.source) if keys.source else None
        return next(
            (route for route in self._tables.get((keys.family, table), ()) if route.is_for(wanted, source, keys.ds_field)), None
        )

    def refusing_if(self, rules: Sequence[Rule], keys: Keys) -> Found | None:
        """Of rules that a packet may be meant by, the first that would refuse it, itself or by its table."""
        for rule in rules:
            if rule.action in _REFUSING:
                return Found(rule.action, rule)  # type: ignore[arg-type]  # mypy does not narrow by a tuple
            route = self._in_table(rule, keys) if rule.action == "lookup" else None
            if route is not None and _KINDS.get(route.kind) in _REFUSING:
                return Found(_KINDS[route.kind], rule, route)
        return None

    def thrown(self, keys: Keys) -> Route | None:
        """A route that hands a packet to the next rule (`ip route add throw`), and without which it would be forwarded."""
        for rule in self._rules:
            route = self._best(rule.table, keys) if rule.action == "lookup" and rule.is_about(keys) else None
            if route is not None and route.kind == _THROW and self.without(route).walk(keys).kind == "forwarded":
                return route
        return None

    def unused(self, keys: Keys) -> Route | None:
        """The main table's route for a packet, to which no rule leads."""
        route = self._best(_MAIN, keys)
        return route if route is not None and _KINDS.get(route.kind) == "forwarded" else None


def _route_of(state: "RouteState") -> Route:
    kind = _NUMBERS.get(state.kind, 0)
    return Route(state.destination, state.table or _MAIN, kind, state.metric, state.ds_field, state.is_dead)


def _order(route: Route) -> tuple[int, int, int, int]:
    """How the kernel prefers routes: the most specific first, to a destination before from a source."""
    return -route.network.prefixlen, -(route.origin.prefixlen if route.origin else 0), -route.ds_field, route.metric


def _route(message: RouteMessage) -> Route:
    network = ip_network(message.destination, strict=False)
    dead = bool(message.flags & _DEAD)
    origin = ip_network(message.origin, strict=False) if message.origin else None
    return Route(network, message.table, message.kind, message.metric, message.ds_field, dead, origin, message)
