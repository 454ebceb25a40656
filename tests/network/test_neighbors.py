"""Neighbors that are known beforehand, where the kernel's table would overflow; judged by `ip -j neigh` and by traffic."""

import json
from typing import Any

from pynetemu import Host, Link, Network, Router, Switch, Topology


class Crowd(Topology):
    addresses = "dual"
    s1, r1, far = Switch(), Router(), Host()
    up, down = Link(r1, s1), Link(r1, far)

    def build(self, n: int = 40) -> None:
        self.h = [Host() for _ in range(n)]
        for host in self.h:
            self.add(Link(host, self.s1))


def test_a_crowd_knows_each_other_without_asking() -> None:
    with Network(Crowd()) as net:
        known = {entry["dst"]: entry["lladdr"] for entry in _permanent(net, "h1")}
        assert len(known) == 2 * 40
        links = json.loads(net["h40"].run("ip", "-j", "link", "show", "eth0").stdout)
        assert known["10.0.1.40"] == known["fd00:0:0:1::40"] == links[0]["address"]
        assert "1 received" in net["h1"].run("ping", "-c1", "-W5", "h40").stdout
        assert "1 received" in net["h7"].run("ping", "-c1", "-W5", "far").stdout
        assert not [entry for entry in _table(net, "h1") if entry["state"] != ["PERMANENT"]]


def test_few_ask_as_everywhere_and_everybody_may_be_told() -> None:
    class Told(Crowd):
        arp = "permanent"

    with Network(Crowd(n=3)) as net:
        assert _permanent(net, "h1") == []
    with Network(Told(n=2)) as net:
        assert len(_permanent(net, "h1")) == 4
        assert len(_permanent(net, "far")) == 2


def _table(net: Network, node: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(net[node].run("ip", "-j", "neigh", "show", check=True).stdout)
    return [entry for entry in found if "lladdr" in entry and not entry["dst"].startswith(("fe80:", "ff02:"))]


def _permanent(net: Network, node: str) -> list[dict[str, Any]]:
    return [entry for entry in _table(net, node) if entry["state"] == ["PERMANENT"]]
