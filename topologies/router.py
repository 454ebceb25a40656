"""Two networks joined by three routers: addresses and routes are assigned automatically; the path over r3 costs more.

    h1, h2 ───── s1 ───── r1 ─────────── r2 ───── h3
                           └───── r3 ─────┘

Try in its shell:

    h1 traceroute h3                   r1, r2
    r1 ip route                        each network, the shortest way
    r1 ip link set eth1 down           and then again: h1 traceroute h3
    r1 ip route add 10.200.3.0/24 via 10.1.3.1         over r3

The addresses are made of the numbers in the names: h2 on s1 is 10.0.1.2, r2 on its link with r1 is 10.1.2.1.
"""

from pynetemu import Host, HttpServer, Link, Router, Switch, Topology


class TwoNetworks(Topology):
    h1, h2, h3 = Host(), Host(), Host()
    s1 = Switch()
    r1, r2, r3 = Router(), Router(), Router()

    to_h1 = Link(h1, s1)
    to_h2 = Link(h2, s1)
    up = Link(r1, s1)
    short = Link(r1, r2)
    far = Link(r1, r3, cost=10)
    back = Link(r3, r2, cost=10)
    to_h3 = Link(r2, h3)

    web = HttpServer(h3, port=80)
