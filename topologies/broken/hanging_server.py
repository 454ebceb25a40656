"""The connection is made, and no page comes. Why?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue curl -s -m0.6 http://web:8000/

By hand: `web ss -tnp`: the request waits in the server's receive queue (Recv-Q), unread.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, tcp


class HangingServer(Topology):
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24")),
        Link(r1.interface("eth1", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30")),
        Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
    # A program that takes connections, and does no more.
    hangs = Service(
        web,
        "python3 -c 'import socket, time; s = socket.create_server((\"\", 8000)); time.sleep(600)'",
        ready=tcp(8000),
    )
