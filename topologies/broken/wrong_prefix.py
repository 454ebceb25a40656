"""red reaches web, and blue next to it does not. Why?

    blue ─┐
          s1 ───── r1 ───── web
    red ──┘

Try in its shell:

    red ping -c1 web                   works
    trace blue ping -c1 -W1 web
"""

from pynetemu import Host, HttpServer, Link, Router, Switch, Topology


class WrongPrefix(Topology):
    allow = "overlaps"
    s1 = Switch()
    blue = Host(default_via="10.0.1.1")
    red = Host(default_via="10.0.1.1")
    r1 = Router()
    web = Host(default_via="10.0.2.1")
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/16"), s1),
        Link(red.interface("eth0", "10.0.1.3/24"), s1),
        Link(r1.interface("eth0", "10.0.1.1/24"), s1),
        Link(r1.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
