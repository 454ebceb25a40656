"""Small packets get through, large ones vanish, and nobody says a word: a black hole. Why?

    blue ───── r1 ───── r2 ───── web

Try in its shell:

    blue ping -c1 web                              works
    trace blue ping -c1 -W1 -M do -s 1400 web
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished


class Mtu(Topology):
    blue = Host(default_via="10.0.1.1")
    r1 = Router()
    r2 = Router()
    web = Host(default_via="10.0.2.1")
    near = Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24"))
    tunnel = Link(r1.interface("eth1", "10.9.0.1/30"), r2.interface("eth0", "10.9.0.2/30"), mtu=1280)
    far = Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24"))
    page = HttpServer(web, port=80)
    # r1 should tell blue to send less, and its owner thinks that ICMP is dangerous.
    no_icmp = Service(
        r1,
        "nft 'add table ip quiet; add chain ip quiet out { type filter hook output priority 0; }; "
        "add rule ip quiet out icmp type destination-unreachable drop'",
        ready=finished(),
    )
