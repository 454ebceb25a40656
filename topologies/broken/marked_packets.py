"""Ordinary pings are answered, those for expedited forwarding are not. Why?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue ping -Q 0x10 -c1 -W0.4 web

By hand: `r2 ip route get 10.0.2.2 tos 0x10` fails where `r2 ip route get 10.0.2.2` does not; `r2 ip route show type blackhole`.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished


class MarkedPackets(Topology):
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24")),
        Link(r1.interface("eth1", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30")),
        Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
    by_tos = Service(r2, "ip route add blackhole 10.0.2.2/32 tos 0x10", ready=finished())
