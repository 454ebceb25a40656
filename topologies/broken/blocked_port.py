"""The cable is in, the light is on, and nothing comes through. Why?

    blue ───── s1 ───── s2 ───── web

Try in its shell:

    trace blue ping -c1 -W1 web
"""

from pynetemu import Host, HttpServer, Link, Service, Switch, Topology, finished


class BlockedPort(Topology):
    blue = Host()
    s1 = Switch()
    s2 = Switch()
    web = Host()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), s1),
        Link(s1, s2),
        Link(web.interface("eth0", "10.0.1.10/24"), s2),
    )
    page = HttpServer(web, port=80)
    # 0 is "disabled": what a port may be in for the spanning tree protocol (bridge(8)).
    blocked = Service(s2, "bridge link set dev s1 state 0", ready=finished())
