"""blue reaches web, but not its pages. Why?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue curl -s -m0.5 http://web/

By hand: `r2 ip rule`, then `r2 ip route show table 66`: `ip route get` without the protocol and the port says that all is well.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished


class PolicyRule(Topology):
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24")),
        Link(r1.interface("eth1", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30")),
        Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
    # Somebody has sent pages another way, and then taken that way back.
    table = Service(r2, "ip route add blackhole default table 66", ready=finished())
    rule = Service(r2, "ip rule add ipproto tcp dport 80 lookup 66", ready=finished())
