"""blue sends to a group, and its sender says that all went well. Who gets it?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue sh -c 'echo hello | socat - UDP4-DATAGRAM:239.1.1.1:5000'

By hand: `web ip maddr` and the same of all others: no one has joined the group.
"""

from pynetemu import Host, HttpServer, Link, Router, Topology


class NobodyJoined(Topology):
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24")),
        Link(r1.interface("eth1", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30")),
        Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
