"""Rules and tables of routes, walked as fib_rules_lookup does: each key, each action, each kind of route, each preference."""

from dataclasses import replace
from ipaddress import ip_network
from socket import AF_INET, AF_INET6
from types import SimpleNamespace
from typing import Any

import pytest

from pynetemu.lab.state import RouteState
from pynetemu.trace.evidence.routing import Found, Routing
from pynetemu.trace.evidence.rules import Keys, Rule, socket_name, table_name

pytestmark = pytest.mark.pure

_KEYS = Keys("10.1.0.11", "10.2.0.21", "eth0", 6, (5000, 80), 0x20, 5)
_MAIN = Rule(AF_INET, 32766, "lookup", 254)


def _route(destination: str, table: int = 254, kind: int = 1, **more: int | str) -> Any:
    family = AF_INET6 if ":" in destination else AF_INET
    values = {"metric": 0, "ds_field": 0, "flags": 0, "origin": "", "next_hop_object": 0, **more}
    return SimpleNamespace(destination=destination, table=table, kind=kind, family=family, **values)


def _walk(rules: list[Rule], routes: list[Any], keys: Keys = _KEYS, vrfs: dict[str, int] | None = None) -> tuple[str, str]:
    found = Routing(rules, routes, vrfs or {}).walk(keys)
    return found.kind, found.route.text if found.route else ""


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (1, "forwarded"),
        (2, "local"),
        (3, "broadcast"),
        (4, "local"),
        (5, "multicast"),
        (6, "blackhole"),
        (7, "unreachable"),
        (8, "prohibit"),
    ],
)
def test_each_kind_of_route_is_what_becomes_of_the_packet(kind: int, name: str) -> None:
    assert _walk([_MAIN], [_route("10.2.0.0/24", kind=kind)]) == (name, f"{name} 10.2.0.0/24")
    assert _walk([_MAIN], [_route("0.0.0.0/0", kind=kind)]) == (name, f"{name} default")
    assert _walk([_MAIN], [_route("10.3.0.0/24", kind=kind)]) == ("no route", "")
    elsewhere = [_route("10.2.0.0/24", 100, kind)]
    assert _walk([replace(_MAIN, table=100)], elsewhere) == (name, f"{name} 10.2.0.0/24 table 100")


def test_the_longest_prefix_is_taken_then_the_ds_field_then_the_metric() -> None:
    routes = [
        _route("0.0.0.0/0", kind=6),
        _route("10.2.0.0/16", metric=9, kind=7),
        _route("10.2.0.0/16", metric=3, kind=8),
        _route("10.2.0.0/16", metric=5, kind=6),
    ]
    assert _walk([_MAIN], routes) == ("prohibit", "prohibit 10.2.0.0/16")
    assert _walk([_MAIN], [*routes, _route("10.2.0.0/16", metric=9, ds_field=0x20)])[0] == "forwarded"
    assert _walk([_MAIN], [*routes, _route("10.2.0.0/16", ds_field=0x40)])[0] == "prohibit"  # another DS field
    assert _walk([_MAIN], [*routes, _route("10.2.0.21/32")])[0] == "forwarded"
    assert _walk([_MAIN], [*routes, _route("10.2.0.21/32", flags=1)])[0] == "prohibit"  # dead
    assert _walk([_MAIN], [*routes, _route("10.2.0.21/32", flags=0x200)])[0] == "prohibit"  # remembered, and no route


def test_a_throw_asks_the_next_rule() -> None:
    rules = [Rule(AF_INET, 10, "lookup", 100), _MAIN]
    routes = [_route("10.2.0.0/24", 100, 9), _route("10.2.0.0/16", 100, 6), _route("10.0.0.0/8")]
    assert _walk(rules, routes) == ("forwarded", "forwarded 10.0.0.0/8")


def test_rules_are_asked_in_the_order_of_their_priority() -> None:
    rules = [_MAIN, Rule(AF_INET, 20, "prohibit"), Rule(AF_INET, 10, "blackhole"), Rule(AF_INET6, 5, "unreachable")]
    assert _walk(rules, [_route("0.0.0.0/0")])[0] == "blackhole"
    assert _walk(rules[:2], [_route("0.0.0.0/0")])[0] == "prohibit"
    assert _walk([rules[3], _MAIN], [_route("0.0.0.0/0")])[0] == "forwarded"
    six = Keys("fd00::1", "fd01::1", "eth0")
    assert _walk([*rules, Rule(AF_INET6, 32766, "lookup", 254)], [_route("::/0")], six)[0] == "unreachable"
    assert (
        _walk([Rule(AF_INET6, 9, "lookup", 254)], [_route("0.0.0.0/0"), _route("fd01::/64")], six)[1] == "forwarded fd01::/64"
    )


def test_nop_goto_and_their_ends() -> None:
    refused = Rule(AF_INET, 20, "prohibit")
    routes = [_route("0.0.0.0/0")]
    assert _walk([Rule(AF_INET, 10, "nop"), _MAIN], routes)[0] == "forwarded"
    assert _walk([Rule(AF_INET, 10, "goto", goto=32766), refused, _MAIN], routes)[0] == "forwarded"
    assert _walk([Rule(AF_INET, 10, "goto", goto=20), refused, _MAIN], routes)[0] == "prohibit"
    assert _walk([Rule(AF_INET, 10, "goto", goto=21), refused, _MAIN], routes)[0] == "forwarded"
    assert _walk([Rule(AF_INET, 10, "goto", goto=40000), refused, _MAIN], routes)[0] == "no route"


@pytest.mark.parametrize(
    ("asked", "is_about"),
    [
        ({"source": "10.1.0.0/24"}, True),
        ({"source": "10.1.1.0/24"}, False),
        ({"target": "10.2.0.21"}, True),
        ({"target": "10.1.0.0/24"}, False),
        ({"interface": "eth0"}, True),
        ({"interface": "eth1"}, False),
        ({"interface": "lo"}, False),
        ({"protocol": 6}, True),
        ({"protocol": 17}, False),
        ({"ds_field": 0x20}, True),
        ({"ds_field": 0x24}, False),
        ({"source_ports": (5000, 5000)}, True),
        ({"source_ports": (80, 80)}, False),
        ({"target_ports": (80, 90)}, True),
        ({"target_ports": (70, 80)}, True),
        ({"target_ports": (81, 90)}, False),
        ({"target_ports": (70, 79)}, False),
        ({"mark": (5, 0xFFFFFFFF)}, True),
        ({"mark": (4, 0xFFFFFFFF)}, False),
        ({"mark": (4, 0xFE)}, True),
        ({"output": "eth1"}, None),
        ({"asks_more": True}, None),
    ],
)
def test_each_key_is_asked_for(asked: dict[str, Any], is_about: bool | None) -> None:
    rule = Rule(AF_INET, 10, "blackhole", **asked)
    assert rule.is_about(_KEYS) is is_about
    assert replace(rule, is_inverted=True).is_about(_KEYS) is (None if is_about is None else not is_about)
    assert rule.is_about(Keys("fd00::1", "fd01::1")) is False
    kind = "blackhole" if is_about else "forwarded"
    assert _walk([rule, _MAIN], [_route("0.0.0.0/0")])[0] == kind


def test_what_the_node_has_made_comes_by_lo_and_has_no_source_at_first() -> None:
    own = Keys("", "10.2.0.21")
    assert Rule(AF_INET, 1, "blackhole", interface="lo").is_about(own) is True
    assert Rule(AF_INET, 1, "blackhole", source="10.0.0.0/8").is_about(own) is False
    assert Rule(AF_INET, 1, "blackhole", target_ports=(1, 65535)).is_about(own) is False
    assert Rule(AF_INET, 1, "blackhole", mark=(1, 1)).is_about(own) is None


def test_rules_that_could_have_meant_the_packet_are_told() -> None:
    marked = Rule(AF_INET, 10, "blackhole", mark=(7, 0xFFFFFFFF))
    unseen = replace(_KEYS, mark=None)
    routing = Routing([marked, _MAIN], [_route("0.0.0.0/0")], {})
    assert (routing.walk(unseen).kind, routing.walk(unseen).maybe) == ("forwarded", (marked,))
    assert routing.walk(_KEYS).maybe == ()
    assert Routing([marked], [], {}).walk(unseen).maybe == (marked,)
    assert Routing([marked, replace(_MAIN, action="prohibit")], [], {}).walk(unseen).maybe == (marked,)


def test_which_of_the_rules_would_refuse() -> None:
    harmless, led = Rule(AF_INET, 1, "lookup", 254), Rule(AF_INET, 2, "lookup", 100)
    refusing, other = Rule(AF_INET, 3, "prohibit"), Rule(AF_INET, 4, "nop")
    routing = Routing([], [_route("0.0.0.0/0"), _route("10.0.0.0/8", 100, 7)], {})
    by_table = routing.refusing_if([other, harmless, led, refusing], _KEYS)
    assert by_table is not None
    assert (by_table.kind, by_table.rule, by_table.route and by_table.route.text) == (
        "unreachable",
        led,
        "unreachable 10.0.0.0/8 table 100",
    )
    assert routing.refusing_if([harmless, refusing], _KEYS) == Found("prohibit", refusing)
    assert routing.refusing_if([harmless, other], _KEYS) is None


def test_short_prefixes_are_passed_over_where_the_rule_says_so() -> None:
    rule = Rule(AF_INET, 10, "lookup", 254, shortest=16)
    assert _walk([rule], [_route("10.2.0.0/16")])[0] == "no route"
    assert _walk([rule], [_route("10.2.0.0/17")])[0] == "forwarded"


def test_interfaces_in_a_vrf_have_its_table() -> None:
    rule, routes = Rule(AF_INET, 1000, "lookup", 254, is_of_vrf=True), [_route("0.0.0.0/0", 7, 6)]
    assert _walk([rule], routes, vrfs={"eth0": 7})[0] == "blackhole"
    assert _walk([rule], routes, vrfs={"eth1": 7})[0] == "no route"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (_MAIN, "from all lookup main"),
        (Rule(AF_INET, 1, "lookup", 253), "from all lookup default"),
        (Rule(AF_INET, 1, "lookup", 255), "from all lookup local"),
        (Rule(AF_INET, 1, "lookup", 7, shortest=0), "from all lookup 7 suppress_prefixlength 0"),
        (
            Rule(AF_INET, 1, "blackhole", source="10.1.0.0/24", target="10.2.0.0/24"),
            "from 10.1.0.0/24 to 10.2.0.0/24 blackhole",
        ),
        (Rule(AF_INET, 1, "nop", is_inverted=True, interface="eth0", output="eth1"), "not from all iif eth0 oif eth1 nop"),
        (Rule(AF_INET, 1, "nop", mark=(5, 0xFFFFFFFF), ds_field=8), "from all dsfield 0x08 fwmark 0x5 nop"),
        (Rule(AF_INET, 1, "nop", mark=(5, 0xFF), protocol=6), "from all fwmark 0x5/0xff ipproto tcp nop"),
        (Rule(AF_INET, 1, "nop", source_ports=(1, 2), target_ports=(3, 3)), "from all sport 1-2 dport 3 nop"),
    ],
)
def test_a_rule_reads_as_ip_rule_shows_it(rule: Rule, text: str) -> None:
    assert rule.text == text


def test_keys_as_words() -> None:
    assert _KEYS.text == "10.1.0.11 → 10.2.0.21 iif eth0 ipproto tcp ports 5000 → 80 dsfield 0x20 mark 0x5"
    assert Keys("", "fd00::1").text == "any → fd00::1"
    assert (socket_name(58), socket_name(99), table_name(254), table_name(9)) == ("icmpv6", "99", "main", "9")


def _state(destination: str, kind: str = "unicast", table: int = 0) -> RouteState:
    return RouteState("r1", ip_network(destination), kind, (), 0, table)


_Changes = list[tuple[RouteState | None, RouteState | None]]
_CAME, _HAS = _state("10.2.0.21/32", "blackhole"), _state("10.2.0.0/24")


@pytest.mark.parametrize(
    ("later", "then"),
    [
        ([], "forwarded"),
        ([(_CAME, None)], "blackhole"),
        ([(None, _CAME), (_CAME, None)], "forwarded"),  # it was not there yet
        ([(_CAME, None), (None, _CAME), (_CAME, None)], "blackhole"),
        ([(None, _HAS)], "unreachable"),  # a wider route was there meanwhile
        ([(_state("10.2.0.21/32", "blackhole", 100), None)], "forwarded"),  # no rule leads to that table
        ([(_state("10.0.0.0/8", "blackhole"), None)], "forwarded"),  # one more specific had the packet
        ([(None, _HAS), (None, _state("0.0.0.0/0", "unreachable"))], "no route"),
        ([(_HAS, _state("10.2.0.0/24", "prohibit"))], "forwarded"),
    ],
)
def test_the_routing_before_changes_is_what_it_was(later: _Changes, then: str) -> None:
    routes = [_route("10.2.0.0/24"), _route("0.0.0.0/0", kind=7)]
    assert Routing([_MAIN], routes, {}).before(later).walk(_KEYS).kind == then


def test_a_rule_may_mean_a_packet_of_which_little_is_known() -> None:
    unseen = Keys("", "10.2.0.21", mark=0, is_guess=True)
    asking = [
        Rule(AF_INET, 1, "prohibit", protocol=6),
        Rule(AF_INET, 2, "prohibit", target_ports=(80, 80)),
        Rule(AF_INET, 3, "prohibit", source_ports=(1, 9)),
        Rule(AF_INET, 4, "prohibit", ds_field=0x10),
    ]
    assert Routing([*asking, _MAIN], [_route("0.0.0.0/0")], {}).walk(unseen).maybe == tuple(asking)
    assert Routing(asking, [], {}).walk(replace(unseen, is_guess=False)).maybe == ()
    assert Routing([Rule(AF_INET, 5, "prohibit", mark=(5, 0xFFFFFFFF))], [], {}).walk(unseen).maybe == ()
    known = replace(unseen, protocol=6, ports=(0, 80))
    assert [rule.is_about(known) for rule in asking] == [True, True, None, None]
    assert asking[1].is_about(replace(known, ports=(0, 81))) is False
    assert Rule(AF_INET, 6, "prohibit", protocol=17, ds_field=0x10).is_about(known) is False
    assert Rule(AF_INET, 7, "prohibit", source="10.1.0.0/24").is_about(unseen) is True
    assert Rule(AF_INET, 8, "prohibit", protocol=6, is_inverted=True).is_about(unseen) is None


def test_routes_for_packets_from_some_sources_only() -> None:
    six = Rule(AF_INET6, 32766, "lookup", 254)
    keys = Keys("fd00:1::1", "fd00:2::2", "eth0")
    routes = [_route("fd00:2::/64"), _route("fd00:2::/64", kind=7, origin="fd00:1::/64")]
    assert _walk([six], routes, keys) == ("unreachable", "unreachable fd00:2::/64 from fd00:1::/64")
    assert _walk([six], routes, replace(keys, source="fd00:9::1"))[0] == "forwarded"
    assert _walk([six], routes, replace(keys, source=""))[0] == "forwarded"


def test_a_route_that_throws_and_a_table_that_no_rule_leads_to() -> None:
    thrown, plain = _route("10.2.0.21/32", kind=9), _route("10.2.0.0/24")
    routing = Routing([_MAIN], [thrown, plain], {})
    assert routing.walk(_KEYS).kind == "no route"
    found = routing.thrown(_KEYS)
    assert found is not None
    assert (found.named, found.text) == ("throw 10.2.0.21/32", "throw 10.2.0.21/32")
    assert routing.without(found).walk(_KEYS).kind == "forwarded"
    assert Routing([_MAIN], [thrown], {}).thrown(_KEYS) is None  # nothing would be better without it
    unused = Routing([replace(_MAIN, table=100)], [plain], {}).unused(_KEYS)
    assert unused is not None
    assert unused.named == "10.2.0.0/24"
    assert Routing([], [_route("10.2.0.0/24", kind=6)], {}).unused(_KEYS) is None
    assert Routing([], [], {}).unused(_KEYS) is None


def test_routes_are_named_as_ip_takes_them() -> None:
    def named(kind: int, **more: Any) -> str:
        route = Routing([_MAIN], [_route("10.2.0.0/24", kind=kind, **more)], {}).walk(_KEYS).route
        return route.named if route is not None else ""

    assert named(1) == "10.2.0.0/24"
    assert named(6) == "blackhole 10.2.0.0/24"
    assert named(6, next_hop_object=5) == "10.2.0.0/24"
    assert named(4, ds_field=0x20) == "anycast 10.2.0.0/24 tos 0x20"
