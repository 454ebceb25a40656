"""blue pings web and is told "Network is unreachable". Why?

    blue ───── r1 ───── web

Try in its shell:

    trace blue ping -c1 web
"""

from pynetemu import Host, HttpServer, Link, Router, Topology


class NoDefaultRoute(Topology):
    blue = Host(auto_routes=False)
    r1 = Router()
    web = Host(default_via="10.0.2.1")
    near = Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24"))
    far = Link(r1.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24"))
    page = HttpServer(web, port=80)
