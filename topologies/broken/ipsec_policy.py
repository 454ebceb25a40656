"""No firewall, no route, and web does not answer. Why?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue ping -c1 -W0.4 web

By hand: `web cat /proc/net/xfrm_stat`: XfrmInPolBlock grows with each ping; `web ip xfrm policy` has the policy.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished


class IpsecPolicy(Topology):
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24")),
        Link(r1.interface("eth1", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30")),
        Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
    # Left behind by a tunnel that is no more.
    policy = Service(web, "ip xfrm policy add src 10.0.1.0/24 dst 10.0.2.0/24 dir in action block", ready=finished())
