"""web answers over IPv4; over IPv6 something else does. Why?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue ping -6 -c1 -W0.4 fd00:2::2

By hand: `blue traceroute -6 -n fd00:2::2`: r1 and r2 take turns; `r2 ip -6 route get fd00:2::2`.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished


class Ipv6Loop(Topology):
    addresses = "dual"
    pools = ("10.0.0.0/8", "fd00::/32")
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24", "fd00:1::2/64"), r1.interface("eth0", "10.0.1.1/24", "fd00:1::1/64")),
        Link(r1.interface("eth1", "10.0.9.1/30", "fd00:9::1/64"), r2.interface("eth0", "10.0.9.2/30", "fd00:9::2/64")),
        Link(r2.interface("eth1", "10.0.2.1/24", "fd00:2::1/64"), web.interface("eth0", "10.0.2.2/24", "fd00:2::2/64")),
    )
    page = HttpServer(web, port=80)
    by_hand = Service(r2, "ip -6 route add fd00:2::2/128 via fd00:9::1", ready=finished())
