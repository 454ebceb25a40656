"""blue's packets arrive, says tcpdump on web, and blue gets no answer. Why?

    blue ───── r1 ───── web

Try in its shell:

    trace blue ping -c1 -W1 web
"""

from pynetemu import Host, HttpServer, Link, Router, Topology


class NoWayBack(Topology):
    blue = Host(default_via="10.0.1.1")
    r1 = Router()
    web = Host(auto_routes=False)
    near = Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24"))
    far = Link(r1.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24"))
    page = HttpServer(web, port=80)
