"""The same for IPv6: what goes wrong, and what a trace must say."""

from pynetemu import Host, Link, Root, Router, Switch, Topology
from tests.trace.scenarios import Scenario


class Crossing6(Topology):
    root = Root(default_via="fd00:2::1")
    sw1 = Switch()
    sw2 = Switch()
    blue = Host(default_via="fd00:1::1")
    red = Host(default_via="fd00:1::1")
    r1 = Router()
    wires = (
        Link(blue.interface("eth0", "fd00:1::2/64"), sw1),
        Link(red.interface("eth0", "fd00:1::3/64"), sw1),
        Link(r1.interface("eth0", "fd00:1::1/64"), sw1),
        Link(r1.interface("eth1", "fd00:2::1/64"), sw2),
        Link(root.interface("eth0", "fd00:2::2/64"), sw2),
    )


_PING = "ping -c1 -W0.3 fd00:2::2"
_NFT = "nft add table {0} fw; nft add chain {0} fw {1} '{{ type filter hook {1} priority 0; }}'; nft add rule {0} fw {1} {2}"

SCENARIOS6 = [
    Scenario("ok", (), (), _PING),
    Scenario(
        "nft drop",
        ("r1: " + _NFT.format("inet", "forward", "icmpv6 type echo-request drop"),),
        ("r1: nft delete table inet fw",),
        _PING,
        "nft",
        "r1",
        "dropped by nftables in r1: table inet fw, chain forward, rule ",
        "icmpv6 type echo-request drop",
    ),
    Scenario(
        "no route in the router",
        ("r1: ip route del fd00:2::/64",),
        ("r1: ip route add fd00:2::/64 dev eth1",),
        _PING,
        "route",
        "r1",
        "no route in r1 to fd00:2::2 (root)",
    ),
    Scenario("hop limit", (), (), "ping -c1 -W0.3 -t1 fd00:2::2", "ttl", "r1", "hop limit expired in r1: it came with 1"),
    Scenario(
        "forwarding off",
        ("r1: sysctl -qw net.ipv6.conf.all.forwarding=0",),
        ("r1: sysctl -qw net.ipv6.conf.all.forwarding=1",),
        _PING,
        "forwarding",
        "r1",
        "r1 is no router: it is not fd00:2::2 (root), and net.ipv6.conf.all.forwarding is 0",
    ),
    Scenario(
        "nobody has the address here",
        (),
        (),
        "ping -c1 -W0.3 fd00:1::77",
        "arp",
        "blue",
        "nobody answers for fd00:1::77: no interface of the lab has this address",
    ),
    Scenario(
        "mtu",
        ("r1: ip link set eth1 mtu 1280",),
        ("r1: ip link set eth1 mtu 1500",),
        "ping -c1 -W0.3 -s 1400 fd00:2::2",
        "mtu",
        "r1",
        "too big for r1 eth1: 1448 bytes, its MTU is 1280",
    ),
    Scenario(
        "tcp port closed",
        (),
        (),
        "bash -c 'echo hi > /dev/tcp/fd00:2::2/81'",
        "port",
        "root",
        "nothing listens on TCP port 81 of root",
    ),
    Scenario(
        "udp port closed",
        (),
        (),
        "bash -c 'echo hi > /dev/udp/fd00:2::2/9'",
        "port",
        "root",
        "nothing listens on UDP port 9 of root",
    ),
    Scenario(
        "no route back",
        ("root: ip -6 route del default",),
        ("root: ip -6 route add default via fd00:2::1",),
        _PING,
        "route",
        "root",
        "root got it, but cannot answer: no route in root back to fd00:1::2 (blue)",
    ),
    Scenario(
        "no route at the source",
        ("blue: ip -6 route del default",),
        ("blue: ip -6 route add default via fd00:1::1",),
        _PING,
        "route",
        "blue",
        "blue sent nothing: no route in blue to",
    ),
]
