"""web answers, and blue never hears of it. Why?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue curl -s -m0.6 http://web/

By hand: `r1 tcpdump -ni eth1 tcp`: the answer comes to r1, which resets it. `r1 nft list ruleset`: what comes back is looked
up in another zone of connection tracking than what left.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished


class UntranslatedAnswer(Topology):
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24")),
        Link(r1.interface("eth1", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30")),
        Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
    # r1 translates what leaves, and looks up what comes back in another zone.
    nat = Service(
        r1,
        "nft add table ip n"
        "; nft 'add chain ip n zones { type filter hook prerouting priority raw; }'"
        "; nft add rule ip n zones iifname eth1 ct zone set 5"
        "; nft 'add chain ip n out { type nat hook postrouting priority srcnat; }'"
        "; nft add rule ip n out oifname eth1 masquerade",
        ready=finished(),
    )
