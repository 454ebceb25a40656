"""web has got another network card, and nobody reaches it any more. Why?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue ping -c1 -W0.3 web

By hand: `r2 ip neigh`: its entry for web is PERMANENT, and `web ip link` shows another address.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished


class WrongMac(Topology):
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24")),
        Link(r1.interface("eth1", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30")),
        Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
    # Somebody has written down web's MAC address once, for good.
    by_hand = Service(r2, "ip neigh replace 10.0.2.2 lladdr 02:00:00:00:00:77 nud permanent dev eth1", ready=finished())
