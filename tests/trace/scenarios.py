"""A lab of two switches around a router, and what can go wrong in it: each scenario with what undoes it.

blue ─┐                      ┌─ root
      sw1 ────── r1 ────── sw2
red ──┘
"""

from dataclasses import dataclass

from pynetemu import Host, Link, Network, Root, Router, Switch, Topology
from pynetemu.trace.trace import Trace


class Crossing(Topology):
    root = Root(default_via="10.0.2.1")
    sw1 = Switch()
    sw2 = Switch()
    blue = Host(default_via="10.0.1.1")
    red = Host(default_via="10.0.1.1")
    r1 = Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), sw1),
        Link(red.interface("eth0", "10.0.1.3/24"), sw1),
        Link(r1.interface("eth0", "10.0.1.1/24"), sw1),
        Link(r1.interface("eth1", "10.0.2.1/24"), sw2),
        Link(root.interface("eth0", "10.0.2.2/24"), sw2),
    )


_PING = "ping -c1 -W0.3 10.0.2.2"
_NFT = (
    "nft add table {0} fw; nft add chain {0} fw {1} '{{ type filter hook {1} priority 0; {2} }}'; nft add rule {0} fw {1} {3}"
)
_NO_NFT = "nft delete table {} fw"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is done to the lab ("node: command"), the command that suffers, and what the trace must say.

    `kind`, `node` and `text` are of the reason of the first packet that has one; no kind: nothing is wrong.
    """

    name: str
    setup: tuple[str, ...]
    undo: tuple[str, ...]
    command: str = _PING
    kind: str = ""
    node: str = ""
    text: str = ""
    details: str = ""


SCENARIOS = [
    Scenario("ok", (), ()),
    Scenario(
        "nft drop",
        ("r1: " + _NFT.format("inet", "forward", "", "icmp type echo-request counter drop"),),
        ("r1: " + _NO_NFT.format("inet"),),
        kind="nft",
        node="r1",
        text="dropped by nftables in r1: table inet fw, chain forward, rule ",
        details="icmp type echo-request counter drop",
    ),
    Scenario(
        "no route in the router",
        ("r1: ip route del 10.0.2.0/24",),
        ("r1: ip route add 10.0.2.0/24 dev eth1",),
        kind="route",
        node="r1",
        text="no route in r1 to 10.0.2.2 (root)",
    ),
    Scenario("ttl", (), (), "ping -c1 -W0.3 -t1 10.0.2.2", "ttl", "r1", "TTL expired in r1: it came with 1"),
    Scenario(
        "nat",
        (
            "r1: nft add table ip nat; nft add chain ip nat post '{ type nat hook postrouting priority 100; }'; "
            "nft add rule ip nat post oifname eth1 masquerade",
        ),
        ("r1: nft delete table ip nat",),
    ),
    Scenario(
        "nft drop on output",
        ("blue: " + _NFT.format("inet", "output", "", "icmp type echo-request drop"),),
        ("blue: " + _NO_NFT.format("inet"),),
        kind="nft",
        node="blue",
        text="dropped by nftables in blue: table inet fw, chain output, rule ",
        details="icmp type echo-request drop",
    ),
    Scenario(
        "nft policy drop on input",
        ("root: " + _NFT.format("inet", "input", "policy drop;", "tcp dport 80 accept"),),
        ("root: " + _NO_NFT.format("inet"),),
        kind="nft",
        node="root",
        text="dropped by nftables in root: table inet fw, chain input, policy drop",
    ),
    Scenario(
        "nft reject",
        ("r1: " + _NFT.format("inet", "forward", "", "icmp type echo-request reject"),),
        ("r1: " + _NO_NFT.format("inet"),),
        kind="nft",
        node="r1",
        text="rejected by nftables in r1: table inet fw, chain forward, rule ",
        details="icmp type echo-request reject with icmp port-unreachable",
    ),
    Scenario(
        "nft drop in a bridge",
        ("sw2: " + _NFT.format("bridge", "forward", "", "ip protocol icmp drop"),),
        ("sw2: " + _NO_NFT.format("bridge"),),
        kind="nft",
        node="sw2",
        text="dropped by nftables in sw2: table bridge fw, chain forward, rule ",
        details="ip protocol icmp drop",
    ),
    Scenario(
        "forwarding off",
        ("r1: sysctl -qw net.ipv4.ip_forward=0",),
        ("r1: sysctl -qw net.ipv4.ip_forward=1",),
        kind="forwarding",
        node="r1",
        text="r1 is no router: it is not 10.0.2.2 (root), and net.ipv4.ip_forward is 0",
    ),
    Scenario(
        "rp_filter",
        ("r1: sysctl -qw net.ipv4.conf.all.rp_filter=1", "blue: ip addr add 10.0.2.99/32 dev lo"),
        ("r1: sysctl -qw net.ipv4.conf.all.rp_filter=0", "blue: ip addr del 10.0.2.99/32 dev lo"),
        "sh -c 'ping -c1 -W0.3 10.0.1.1 && ping -c1 -W0.3 -I 10.0.2.99 10.0.2.2'",
        kind="rp_filter",
        node="r1",
        text="dropped by the reverse-path filter of r1: 10.0.2.99",
    ),
    Scenario(
        "nobody has the address behind the router",
        (),
        (),
        "ping -c1 -W4 10.0.2.77",
        kind="arp",
        node="r1",
        text="nobody answered the ARP of r1 for 10.0.2.77 on eth1",
    ),
    Scenario(
        "nobody has the address here",
        (),
        (),
        "ping -c1 -W0.3 10.0.1.77",
        kind="arp",
        node="blue",
        text="nobody answers for 10.0.1.77: no interface of the lab has this address",
    ),
    Scenario(
        "udp port closed",
        (),
        (),
        "bash -c 'echo hi > /dev/udp/10.0.2.2/9'",
        kind="port",
        node="root",
        text="nothing listens on UDP port 9 of root",
    ),
    Scenario(
        "tcp port closed",
        (),
        (),
        "bash -c 'echo hi > /dev/tcp/10.0.2.2/81'",
        kind="port",
        node="root",
        text="nothing listens on TCP port 81 of root",
    ),
    Scenario(
        "mtu",
        ("r1: ip link set eth1 mtu 1000",),
        ("r1: ip link set eth1 mtu 1500",),
        "ping -c1 -W0.3 -M do -s 1200 10.0.2.2",
        kind="mtu",
        node="r1",
        text="too big for r1 eth1: 1228 bytes, its MTU is 1000",
    ),
    Scenario(
        "switch port down",
        ("sw2: ip link set root down",),
        ("sw2: ip link set root up",),
        "ping -c1 -W0.3 10.0.2.2",
        kind="arp",
        node="r1",
        text="nobody answered the ARP of r1 for 10.0.2.2 (root) on eth1",
    ),
    Scenario(
        "target's interface down",
        ("root: ip link set eth0 down",),
        ("root: ip link set eth0 up; ip route replace default via 10.0.2.1",),
        kind="arp",
        node="r1",
        text="nobody answered the ARP of r1 for 10.0.2.2 (root) on eth1",
    ),
    Scenario(
        "stp",
        ("sw1: bridge link set dev blue state 0",),
        ("sw1: bridge link set dev blue state 3",),
        kind="stp",
        node="sw1",
        text="port blue of sw1 is disabled (spanning tree)",
    ),
    Scenario(
        "isolated ports",
        ("sw1: bridge link set dev blue isolated on; bridge link set dev r1 isolated on",),
        ("sw1: bridge link set dev blue isolated off; bridge link set dev r1 isolated off",),
        kind="isolated",
        node="blue",
        text="ports blue and r1 of sw1 are isolated from each other",
    ),
    Scenario(
        "no route back",
        ("root: ip route del default",),
        ("root: ip route add default via 10.0.2.1",),
        kind="route",
        node="root",
        text="root got it, but cannot answer: no route in root back to 10.0.1.2 (blue)",
    ),
    Scenario(
        "no route at the source",
        ("blue: ip route del default",),
        ("blue: ip route add default via 10.0.1.1",),
        kind="route",
        node="blue",
        text="blue sent nothing: no route in blue to",
    ),
    Scenario(
        "blackhole",
        ("r1: ip route add blackhole 10.0.2.2/32",),
        ("r1: ip route del blackhole 10.0.2.2/32",),
        kind="route",
        node="r1",
        text="the routing table of r1 says blackhole for 10.0.2.2 (root)",
    ),
    Scenario(
        "prohibit",
        ("r1: ip route add prohibit 10.0.2.2/32",),
        ("r1: ip route del prohibit 10.0.2.2/32",),
        kind="route",
        node="r1",
        text="the routing table of r1 says prohibit for 10.0.2.2 (root)",
    ),
    Scenario(
        "queue full",
        ("r1: tc qdisc add dev eth1 root tbf rate 8kbit burst 1600 limit 1600",),
        ("r1: tc qdisc del dev eth1 root",),
        "ping -c4 -i 0.01 -W0.3 -s 1000 10.0.2.2",
        kind="queue",
        node="r1",
        text="the queue of r1 eth1 (tbf) was full",
    ),
    Scenario(
        "wrong mac",
        ("blue: ip neigh replace 10.0.1.1 lladdr 02:de:ad:be:ef:00 dev eth0 nud permanent",),
        ("blue: ip neigh del 10.0.1.1 dev eth0",),
        kind="mac",
        node="red",
        text="no node accepted the frame: it is addressed to 02:de:ad:be:ef:00; no interface of the lab has this MAC address",
    ),
    Scenario(
        "the same MAC address twice",
        ("red: ip link set eth0 address 02:42:0a:00:01:02",),
        ("red: ip link set eth0 address 02:42:0a:00:01:03; ip route replace default via 10.0.1.1",),
        "ping -c1 -W0.3 10.0.1.3",
        kind="duplicate",
        node="blue",
        text="blue and red have the same MAC address, 02:42:0a:00:01:02",
    ),
    Scenario(
        "loop",
        (
            "r1: ip route del 10.0.2.0/24; ip route add 10.0.2.0/24 via 10.0.1.3",
            "r1: sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0",
            "red: sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0",
        ),
        (
            "r1: ip route del 10.0.2.0/24; ip route add 10.0.2.0/24 dev eth1",
            "red: sysctl -qw net.ipv4.ip_forward=0",
        ),
        "ping -c1 -W0.3 -t 6 10.0.2.2",
        kind="ttl",
        node="red",
        text="TTL expired in red: it came with 1",
        details="it went in circles through r1 and red",
    ),
    Scenario(
        "connection state",
        ("r1: " + _NFT.format("inet", "forward", "policy drop;", "ct state established accept"),),
        ("r1: " + _NO_NFT.format("inet"),),
        "timeout 0.3 bash -c 'echo hi > /dev/tcp/10.0.2.2/81'",
        kind="nft",
        node="r1",
        text="dropped by nftables in r1: table inet fw, chain forward, policy drop",
    ),
]


def prepare(network: Network) -> None:
    """Switches off what some machines have on by default, and scenarios switch on."""
    _do(network, "r1: sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0")


def play(network: Network, scenario: Scenario) -> Trace:
    """Sets the scenario up, traces its command, and undoes it."""
    for line in scenario.setup:
        _do(network, line)
    try:
        for node in ("blue", "red", "r1", "root"):
            network[node].run("ip", "neigh", "flush", "all")
        with network.trace() as trace:
            network["blue"].run("sh", "-c", scenario.command)
        return trace
    finally:
        for line in scenario.undo:
            _do(network, line)


def _do(network: Network, line: str) -> None:
    node, _, command = line.partition(": ")
    network[node].run("sh", "-c", command, check=True)
