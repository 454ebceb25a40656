"""blue's packets go to r2 by one way and are to come back by another; r2 takes them for forged. Why?

             ┌─── r1 ───┐
    blue ────┤          ├──── r2 ───── web
             └──────────┘

Try in its shell:

    trace blue ping -c1 -W1 web
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished


class RpFilter(Topology):
    blue = Host(auto_routes=False, routes={"10.0.2.0/24": "10.0.1.1"})
    r1 = Router(auto_routes=False, routes={"10.0.2.0/24": "10.9.0.2"})
    r2 = Router(auto_routes=False, routes={"10.0.1.0/24": "10.0.3.2"})
    web = Host(default_via="10.0.2.1")
    to_r1 = Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24"))
    to_r2 = Link(r1.interface("eth1", "10.9.0.1/30"), r2.interface("eth0", "10.9.0.2/30"))
    direct = Link(blue.interface("eth1", "10.0.3.2/24"), r2.interface("eth1", "10.0.3.1/24"))
    to_web = Link(r2.interface("eth2", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24"))
    page = HttpServer(web, port=80)
    strict = Service(r2, "sysctl -w net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1", ready=finished())
