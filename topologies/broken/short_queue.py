"""Small pings come through, a burst of large ones does not. Why?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue ping -c9 -i0.01 -s1200 -W0.4 web

By hand: `r1 tc -s qdisc show dev eth1`: the number after `dropped` grows.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished


class ShortQueue(Topology):
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24")),
        Link(r1.interface("eth1", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30")),
        Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
    # A slow link with hardly any room to wait.
    by_hand = Service(r1, "tc qdisc add dev eth1 root tbf rate 200kbit burst 1600 limit 2500", ready=finished())
