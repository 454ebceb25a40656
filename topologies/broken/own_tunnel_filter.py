"""Both ends of the tunnel fit, r1 and r2 reach each other, and nothing comes through. Why?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace r1 ping -c1 -W0.5 172.16.0.2

By hand: `r1 tcpdump -ni eth1 udp port 4789` sees nothing leave: `r1 nft list ruleset`, hook output.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, Vxlan, finished


class OwnTunnelFilter(Topology):
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24")),
        Link(r1.interface("eth1", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30")),
        Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
    tunnel = Vxlan(r1.interface("vx", "172.16.0.1/24"), r2.interface("vx", "172.16.0.2/24"), id=10)
    filter = Service(
        r1,
        "nft add table inet guard"
        "; nft 'add chain inet guard out { type filter hook output priority 0; }'"
        "; nft add rule inet guard out udp dport 4789 drop",
        ready=finished(),
    )
