"""All that a plan can have, but for what some kernels lack, to be printed as a script."""

from pynetemu import Host, Hub, Link, Root, Router, Switch, Topology


class Settings(Topology):
    addresses = "dual"
    root = Root(address="192.0.2.1/24", forward=True, loopback="198.51.100.1/32")
    s1 = Switch(ageing=20, snooping=True, querier=True)
    s2 = Switch(stp="standard", priority=8192, hello=3)
    hub = Hub()
    h1 = Host(default_via=("10.0.1.254", "fd00:0:0:1::254"))
    r1 = Router(multipath=True, routes={"203.0.113.0/24": ["10.1.2.1", "10.1.3.1"], "2001:db8::/32": "fd00:0:1:2::1"})
    r2, r3, r4 = Router(loopback="fd00:ffff::2/128"), Router(), Router()

    a, b = Link(h1, s1.port("first", isolated=True)), Link(r1, s1.port(learning=False, flood=False))
    c, d = Link(s1, s2.port(cost=7, priority=1, guard=True, hairpin=True)), Link(s1, hub)
    e = Link(r1, r2, mtu=1400)
    f = Link(r1.interface(None, mac="02:00:00:00:aa:01"), r3, cost=1)
    g, h = Link(r2, r4), Link(r3, r4)
    i = Link(root, r4)
