"""The machine in the middle reaches both networks, and yet blue does not reach web. Why?

    blue ───── middle ───── web

Try in its shell:

    middle ping -c1 web                works
    trace blue ping -c1 -W1 web
"""

from pynetemu import Host, HttpServer, Link, Topology


class NoForwarding(Topology):
    blue = Host(default_via="10.0.1.1")
    middle = Host()
    web = Host(default_via="10.0.2.1")
    near = Link(blue.interface("eth0", "10.0.1.2/24"), middle.interface("eth0", "10.0.1.1/24"))
    far = Link(middle.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24"))
    page = HttpServer(web, port=80)
