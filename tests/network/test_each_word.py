"""Each setting of bridges, ports, links and tunnels by itself, with values unlike each other and the defaults."""

import json
from typing import Any

import pytest

from pynetemu import Bridge, Host, Link, Macvlan, Network, Router, Switch, Topology, Vxlan

_PORT_DEFAULTS: dict[str, Any] = {
    "cost": 2,
    "priority": 32,
    "hairpin": False,
    "guard": False,
    "learning": True,
    "flood": True,
    "isolated": False,
}
_PORTS: dict[str, Any] = {
    "cost": 7,
    "priority": 5,
    "hairpin": True,
    "guard": True,
    "learning": False,
    "flood": False,
    "isolated": True,
}
_BRIDGE_DEFAULTS = {
    "forward_delay": 1500,
    "hello_time": 200,
    "max_age": 2000,
    "ageing_time": 30000,
    "priority": 32768,
    "mcast_snooping": 0,  # ours: a switch without it sends multicast everywhere, and no queries of its own
    "mcast_querier": 0,
    "vlan_filtering": 0,
    "stp_state": 0,
}
_BRIDGES: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "delay": ({"stp": True, "forward_delay": 3}, {"stp_state": 1, "forward_delay": 300, "hello_time": 100, "max_age": 600}),
    "hello": ({"stp": "standard", "hello": 4}, {"stp_state": 1, "hello_time": 400}),
    "age": ({"stp": "standard", "max_age": 23}, {"stp_state": 1, "max_age": 2300}),
    "ageing": ({"ageing": 21}, {"ageing_time": 2100}),
    "root": ({"stp": "standard", "priority": 8192}, {"stp_state": 1, "priority": 8192}),
    "snooping": ({"snooping": True}, {"mcast_snooping": 1}),
    "querier": ({"snooping": True, "querier": True}, {"mcast_snooping": 1, "mcast_querier": 1}),
}


class Words(Topology):
    """A switch with a port for each setting, a switch for each of a switch's, and two links and tunnels that differ in all."""

    addresses = "none"
    switch = Switch(stp="standard")

    def build(self) -> None:
        for word, value in _PORTS.items():
            host = Host()
            setattr(self, f"h_{word}", host)
            setattr(self, f"link_{word}", Link(host, self.switch.port(word, **{word: value})))
        for word, (settings, _) in _BRIDGES.items():
            setattr(self, f"s_{word}", Switch(**settings))


@pytest.mark.slow
def test_each_setting_of_a_port_and_of_a_switch_is_the_kernels_and_no_other_is_touched() -> None:
    with Network(Words(), name="each-word") as net:
        ports = {port["ifname"]: port for port in _read(net, "switch", "bridge", "-d", "link")}
        assert ports.keys() == _PORTS.keys()
        for word, value in _PORTS.items():
            shown = {name: ports[word][name] for name in _PORT_DEFAULTS}
            assert shown == {**_PORT_DEFAULTS, word: value}, word
        for word, (_, wanted) in _BRIDGES.items():
            data = _read(net, f"s_{word}", "ip", "-d", "link", "show", "br0")[0]["linkinfo"]["info_data"]
            assert {name: data[name] for name in _BRIDGE_DEFAULTS} == {**_BRIDGE_DEFAULTS, **wanted}, word


class Ends(Topology):
    """Each end of each link has settings of its own."""

    allow = "overlaps"
    h1, h2, h3, r1, r2 = Host(), Host(), Host(), Router(), Router()
    left = h1.interface("left", "10.9.1.1/24", mac="02:00:00:00:01:01")
    a = Link(left, h2.interface("right", "10.9.1.2/25"), mtu=1300)
    b = Link(r1.interface("p"), r2.interface("q", mac="02:00:00:00:02:02"), mtu=9000)
    over = Vxlan(r1.interface("one"), r2.interface("two"), id=77, port=4711, mtu=1234)
    under = Vxlan(r1.interface("three"), r2.interface("four"), id=78, port=4712)
    inside = Bridge(h1, "docker7", "10.9.7.1/24")
    on = Macvlan(left, h3, "10.9.1.9/24", mode="vepa", name="mac9")


@pytest.mark.slow
def test_each_end_has_its_own_settings() -> None:
    with Network(Ends(), name="each-end") as net:
        links = {
            node: {link["ifname"]: link for link in _read(net, node, "ip", "-d", "addr")}
            for node in ("h1", "h2", "h3", "r1", "r2")
        }
        left, right = links["h1"]["left"], links["h2"]["right"]
        assert (left["mtu"], right["mtu"], left["address"]) == (1300, 1300, "02:00:00:00:01:01")
        assert (_addresses(left), _addresses(right)) == (["10.9.1.1/24"], ["10.9.1.2/25"])
        assert (links["r1"]["p"]["mtu"], links["r2"]["q"]["mtu"], links["r2"]["q"]["address"]) == (
            9000,
            9000,
            "02:00:00:00:02:02",
        )
        tunnels = {name: links[node][name] for node, name in (("r1", "one"), ("r2", "two"), ("r1", "three"), ("r2", "four"))}
        assert {name: _tunnel(link) for name, link in tunnels.items()} == {
            "one": (77, 4711, 1234),
            "two": (77, 4711, 1234),
            "three": (78, 4712, 8950),
            "four": (78, 4712, 8950),
        }
        one, two = tunnels["one"]["linkinfo"]["info_data"], tunnels["two"]["linkinfo"]["info_data"]
        assert (one["local"], one["remote"]) == (two["remote"], two["local"])
        assert one["local"] != one["remote"]
        assert _addresses(links["h1"]["docker7"]) == ["10.9.7.1/24"]
        macvlan = links["h3"]["mac9"]
        assert (macvlan["linkinfo"]["info_data"]["mode"], macvlan["mtu"], _addresses(macvlan)) == (
            "vepa",
            1300,
            ["10.9.1.9/24"],
        )


def _tunnel(link: dict[str, Any]) -> tuple[int, int, int]:
    data = link["linkinfo"]["info_data"]
    return data["id"], data["port"], link["mtu"]


def _addresses(link: dict[str, Any]) -> list[str]:
    return [f"{one['local']}/{one['prefixlen']}" for one in link["addr_info"] if one["scope"] == "global"]


def _read(net: Network, node: str, program: str, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(net[node].run(program, "-j", *words, check=True).stdout)
    return found
