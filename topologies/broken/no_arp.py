"""web is up, has its address, and nobody finds it. Why?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue ping -c1 -W0.6 web

By hand: `r2 ip neigh` shows FAILED or INCOMPLETE; `web ip link` shows NOARP.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished


class NoArp(Topology):
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24")),
        Link(r1.interface("eth1", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30")),
        Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
    # Somebody has tried to hide web.
    by_hand = Service(web, "ip link set eth0 arp off", ready=finished())
