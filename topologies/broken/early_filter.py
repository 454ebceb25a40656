"""No firewall drops it, says `iptables -L`, and yet web gets nothing. Why?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue ping -c1 -W0.3 web

By hand: `web nft list ruleset` shows the family netdev too, whose rules come before all others; `tcpdump` sees what they drop.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished


class EarlyFilter(Topology):
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24")),
        Link(r1.interface("eth1", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30")),
        Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
    # A rule at the very interface, before any firewall.
    table = Service(web, "nft add table netdev guard", ready=finished())
    chain = Service(
        web, "nft 'add chain netdev guard c { type filter hook ingress device eth0 priority 0; }'", ready=finished()
    )
    rule = Service(web, "nft add rule netdev guard c ip protocol icmp drop", ready=finished())
