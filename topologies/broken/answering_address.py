"""The server at 10.0.2.9 gets what blue asks, and answers. Why does blue refuse the answer?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue sh -c 'echo hello | socat -t0.5 - UDP4:10.0.2.9:7'

By hand: `blue tcpdump -ni eth0 udp or icmp`: the answer comes from 10.0.2.2. `web ss -lnup`: the server is bound to all
addresses, and answers from the first one.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished, udp


class AnsweringAddress(Topology):
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24")),
        Link(r1.interface("eth1", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30")),
        Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
    second = Service(web, "ip addr add 10.0.2.9/24 dev eth0", ready=finished())
    echo = Service(web, "exec socat UDP4-RECVFROM:7,fork EXEC:cat", ready=udp(7))
