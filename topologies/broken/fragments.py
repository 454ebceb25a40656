"""Small pings are answered, large ones are not. Why?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue ping -6 -c1 -W0.4 -s 3000 fd00:2::2

By hand: `r2 tcpdump -ni eth0 ip6` and the same of eth1: fragments come in, and none goes out; `r2 nft list ruleset`.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished


class Fragments(Topology):
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
    filter = Service(
        r2,
        "nft add table ip6 guard"
        "; nft 'add chain ip6 guard early { type filter hook prerouting priority -450; }'"
        "; nft add rule ip6 guard early exthdr frag exists drop",
        ready=finished(),
    )
