"""blue's packets arrive, and no answer comes to blue. Why?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue ping -c1 -W0.4 web

By hand: `web tcpdump -ni eth0 icmp`: the pings come from 10.99.0.9, to which `r2 ip route get 10.99.0.9` knows no way.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished


class RewrittenSource(Topology):
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24")),
        Link(r1.interface("eth1", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30")),
        Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
    # An address that was once to be translated.
    rewrite = Service(
        r1,
        "nft add table ip t"
        "; nft 'add chain ip t out { type filter hook postrouting priority 50; }'"
        "; nft add rule ip t out oifname eth1 ip saddr set 10.99.0.9",
        ready=finished(),
    )
