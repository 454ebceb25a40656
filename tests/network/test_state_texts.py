"""Routes and rules of nodes as text: each word of ip-route(8) and ip-rule(8), with values of its own."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from pynetemu.lab.state import RouteState, RuleState

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "from all"),
        ({"table": 253}, "from all lookup default"),
        ({"table": 254}, "from all lookup main"),
        ({"table": 255}, "from all lookup local"),
        ({"table": 100}, "from all lookup 100"),
        ({"is_inverted": True, "source": "10.1.0.0/24", "table": 7}, "not from 10.1.0.0/24 lookup 7"),
        ({"destination": "10.2.0.0/24", "ds_field": 8}, "from all to 10.2.0.0/24 dsfield 0x08"),
        ({"mark": (5, 0xFFFFFFFF)}, "from all fwmark 0x5"),
        ({"mark": (5, 0xFF)}, "from all fwmark 0x5/0xff"),
        ({"input": "eth0", "output": "eth1"}, "from all iif eth0 oif eth1"),
        ({"users": (1000, 1002)}, "from all uidrange 1000-1002"),
        ({"protocol": 17, "source_ports": (1, 2), "destination_ports": (3, 3)}, "from all ipproto 17 sport 1-2 dport 3"),
        ({"of_vrfs": True}, "from all l3mdev"),
        ({"action": "goto", "goto": 300}, "from all goto 300"),
        ({"action": "blackhole"}, "from all blackhole"),
        ({"action": "prohibit"}, "from all prohibit"),
        ({"table": 7, "suppressed_length": 0}, "from all lookup 7 suppress_prefixlength 0"),
    ],
)
def test_a_rule_is_written_as_ip_rule_takes_it(values: dict[str, Any], text: str) -> None:
    assert RuleState("r1", 4, 100, **{"action": "table", **values}).text == text


_VIA, _VIA6 = ip_address("10.0.0.2"), ip_address("fe80::2")


@pytest.mark.parametrize(
    ("network", "kind", "hops", "more", "text"),
    [
        ("10.9.0.0/16", "unicast", ((_VIA, "eth0"),), {"table": 100}, "10.9.0.0/16 via 10.0.0.2 dev eth0 table 100"),
        ("0.0.0.0/0", "unicast", ((_VIA, ""),), {"metric": 20}, "default via 10.0.0.2 metric 20"),
        ("::/0", "unicast", ((None, "eth0"),), {}, "default dev eth0"),
        ("10.9.0.0/16", "unicast", ((_VIA6, "eth0"),), {}, "10.9.0.0/16 via inet6 fe80::2 dev eth0"),
        ("10.9.0.0/16", "blackhole", (), {}, "blackhole 10.9.0.0/16"),
        (
            "10.9.0.0/16",
            "unicast",
            ((_VIA, "eth0"), (None, "eth1")),
            {"source": ip_address("10.0.0.1"), "ds_field": 16, "metric": 3, "table": 7},
            "10.9.0.0/16 tos 0x10 nexthop via 10.0.0.2 dev eth0 nexthop dev eth1 src 10.0.0.1 metric 3 table 7",
        ),
    ],
)
def test_a_route_is_written_as_ip_route_takes_it(network: str, kind: str, hops: Any, more: dict[str, Any], text: str) -> None:
    assert RouteState("r1", ip_network(network), kind, hops, **{"metric": 0, **more}).text == text
