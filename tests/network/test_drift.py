"""How a lab differs from its description: the commands that are listed make a new lab what the old one has become."""

import json
from typing import Any

import pytest

from pynetemu import Firewall, Host, Link, Network, Root, Router, Shell, Switch, Topology
from pynetemu.draw.running import running
from pynetemu.lab.rulesets import ruleset_of
from pynetemu.plan.load import load
from tests.support.pynetemu import CLONE, pynetemu


class _Lab(Topology):
    r1 = Router()
    root = Root()
    h1, h2, h3 = Host(), Host(), Host()
    s1 = Switch()
    up = Link(r1.interface("eth0", "10.0.0.254/24"), s1)
    a = Link(h1.interface("eth0", "10.0.0.1/24", "fd00::1/64"), s1)
    b = Link(h2.interface("eth0", "10.0.0.2/24"), s1)
    side = Link(r1.interface("eth1", "10.1.0.254/24"), h3.interface("eth0", "10.1.0.3/24"))
    out = Link(root.interface("eth1", "10.2.0.1/24"), r1.interface("eth2", "10.2.0.254/24"))


_BY_HAND = [
    "h1 ip link set dev eth0 down",
    "h1 ip link set dev eth0 name wan",
    "h1 ip link set dev wan up",
    "h1 ip link set dev wan mtu 1400",
    "h1 ip addr add 10.0.0.77/24 dev wan",
    "h1 ip route add 10.9.0.0/16 via 10.0.0.254 metric 7",
    "h1 ip route add blackhole 10.10.0.0/16 table 100",
    "h1 ip -4 rule add pref 100 from 10.0.0.0/24 lookup 100",
    "h2 ip link set dev eth0 netns h3 name moved",
    "r1 ip link del dev eth1",
    "h2 ip link add mine type veth peer name theirs netns h3",
    "h2 ip addr add 10.5.0.1/24 dev mine",
    "s1 ip link set dev r1 nomaster",
    "s1 ip link set dev br0 type bridge ageing_time 1000",
    "s1 bridge link set dev h1 isolated on",
    "s1 bridge link set dev h1 cost 7",
    "r1 sysctl -w net.ipv4.ip_forward=0",
    "h2 sysctl -w net.ipv4.ip_forward=1",
    "h1 sysctl -w net.ipv4.conf.wan.rp_filter=2",
    "h1 sysctl -w net.ipv4.tcp_syncookies=2",
    "h3 nft add table inet guard",
]


def _shown(network: Network) -> dict[str, Any]:
    """What `ip -j` says, without what differs between any two labs."""
    found: dict[str, Any] = {}
    for node in network.nodes:
        links = json.loads(network[node].run("ip", "-j", "addr").stdout)
        found[node] = sorted(
            (
                link["ifname"], link["mtu"], link.get("master", ""), "UP" in link["flags"],
                sorted(f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"] if a["scope"] != "link"),
            )
            for link in links
        )  # fmt: skip
        found[f"{node} routes"] = sorted(
            (r["dst"], r.get("gateway", ""), r.get("dev", ""), r.get("type", ""))
            for r in json.loads(network[node].run("ip", "-j", "-4", "route", "show", "table", "all").stdout)
            if r.get("table") != "local"
        )
        found[f"{node} ports"] = [
            {key: port[key] for key in ("ifname", "cost", "isolated", "hairpin", "guard", "learning", "flood")}
            for port in json.loads(network[node].run("bridge", "-j", "-d", "link").stdout or "[]")
        ]
        found[f"{node} rules"] = network[node].run("ip", "rule").stdout
    return found


def _gone(network: Network) -> set[str]:
    """What the kernel has done with the IPv6 address of a link that was down."""
    has = {str(a) for i in network.interfaces("h1") if i.name == "wan" for a in i.addresses}
    return {"-fd00::1/64"} if "fd00::1/64" in has else {"fd00::1/64"}


def _told(network: Network) -> list[str]:
    return list(map(str, network.differences()))


def test_the_commands_make_a_new_lab_what_the_old_one_has_become() -> None:
    with Network(_Lab()) as changed:
        assert _told(changed) == []
        for line in _BY_HAND:
            node, *words = line.split()
            changed[node].run(*words, check=True)
        told = _told(changed)
        assert "h1 ip link set dev eth0 name wan" in told
        assert "h2 ip link set dev eth0 netns h3 name moved" in told
        assert "r1 ip link del dev eth1" in told
        assert "h2 ip link add mine type veth peer name theirs netns h3" in told
        assert "s1 ip link set dev r1 nomaster" in told
        sysctls = [line for line in told if " sysctl " in line]
        assert sorted(sysctls) == sorted(line for line in _BY_HAND if " sysctl " in line)
        assert told[-1] == "# h3 nft list table inet guard"
        assert set(map(str, changed.differences("s1"))) == {line for line in _BY_HAND if line.startswith("s1")}
        drawn = {(end.node, end.name): set(end.labels) for link in running(changed).links for end in (link.a, link.b)}
        assert drawn["h1", "wan"] == {"10.0.0.1/24", "fd00::1/64", "was eth0", "+10.0.0.77/24", "-fd00::1/64"} - _gone(changed)
        assert drawn["h3", "moved"] == {"was eth0", "from h2", "down"}
        assert drawn["r1", "eth1"] == drawn["h3", "eth0"] == {"deleted"}
        assert drawn["h2", "mine"] == {"added", "+10.5.0.1/24"}
        shown = _shown(changed)
        assert Shell(changed).run_line("diff") == 1
    with Network(_Lab()) as new:
        shell = Shell(new)
        assert [shell.run_line(line) for line in told] == [0] * len(told)
        assert _told(new) == told[:-1]  # a table of nftables is a remark
        assert _shown(new) == shown


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *("bridge", "docker", "dual_stack", "firewall", "nat", "stp_ring", "two_sites"),
        pytest.param("vlan", marks=pytest.mark.needs("802.1Q", "VLAN filtering")),
        pytest.param("vxlan", marks=pytest.mark.needs("vxlan")),
        pytest.param("wireguard", marks=pytest.mark.needs("wireguard")),
    ],
)
def test_a_lab_that_nobody_has_touched_is_as_described(name: str) -> None:
    with Network(load(str(CLONE / "topologies" / f"{name}.py"))) as network:
        for node in network.nodes:
            network[node].run("true", check=True)
        assert _told(network) == []


def test_another_terminal_lists_them() -> None:
    with Network(_Lab(), name="drift") as network:
        done = pynetemu("diff", network.name)
        assert (done.returncode, done.stdout) == (0, "all is as described\n")
        network["h1"].run("ip", "addr", "add", "10.0.0.9/32", "dev", "eth0", check=True)
        drawn = pynetemu("draw", network.name, "--width", "100")
        assert drawn.returncode == 0
        assert "+10.0.0.9/32" in drawn.stdout
        done = pynetemu("diff", network.name, "h1", "--json")
        assert done.returncode == 1
        assert json.loads(done.stdout) == [{"node": "h1", "command": "ip addr add 10.0.0.9/32 dev eth0", "is_remark": False}]


class _Filtered(Topology):
    h1, h2, s1 = Host(), Host(), Switch()
    a, b = Link(h1.interface("eth0", "10.0.0.1/24"), s1), Link(h2, s1)
    guard = Firewall(h1, policy="drop", input="tcp dport { 80, 443 } accept\niif eth0 icmp type echo-request accept")
    own = Firewall(
        h2,
        """
        table inet own {
            set known {
                type ipv4_addr
                elements = { 10.0.0.1 }
            }
            chain input {
                type filter hook input priority 0; policy accept;
                ip saddr @known counter drop
            }
        }
        """,
    )


def test_rules_added_to_those_of_the_description_are_listed() -> None:
    added = "h1 nft add rule inet guard input 'udp dport { 53, 5353 } accept'"
    with Network(_Filtered()) as network:
        network.ping_all(timeout=0.1)  # counters are no difference
        assert _told(network) == []
        shell = Shell(network)
        assert shell.run_line(added) == 0
        assert _told(network) == [added]
        for line in "insert rule inet own input tcp dport 1 drop", "add element inet own known { 10.0.0.9 }", "add table ip x":
            network["h2"].run("nft", line, check=True)
        remarks = {f"# h2 nft list {what}" for what in ("chain inet own input", "set inet own known", "table ip x")}
        assert set(_told(network)) == {added, *remarks}
        network["h2"].run("nft", "delete table inet own", check=True)
        assert set(_told(network)) == {added, "h2 nft delete table inet own", "# h2 nft list table ip x"}


_BROKEN = """\
table ip x {
  chain c {
    tcp dport { 1, 2,
         3 } accept
    drop
  }

  set s {
    type mark
  }
}
"""


def test_a_rule_that_is_broken_into_lines_is_one() -> None:
    rules = ["tcp dport { 1, 2, 3 } accept", "drop"]
    assert ruleset_of(_BROKEN) == {"ip x": {"chain c": rules, "set s": ["type mark"]}}
