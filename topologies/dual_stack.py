"""IPv4 and IPv6 side by side: one word gives every interface both, and routers forward both.

    h1 ───── r1 ───── r2 ───── h2
             │
             h3 (IPv6 only, with an address of its own choice)

Try in its shell:

    h1 ping -4 -c1 h2
    h1 ping -6 -c1 h2
    r1 ip -6 route
    h3 curl -6 h2                      h3 has no IPv4: ping -4 h2 finds no way

IPv6 addresses have the digits of the IPv4 ones: 10.200.1.1 and fd00:0:200:1::1.
"""

from pynetemu import Host, HttpServer, Link, Router, Topology


class DualStack(Topology):
    addresses = "dual"
    h1, h2 = Host(), Host()
    h3 = Host(default_via="2001:db8::1")
    r1, r2 = Router(loopback=("10.255.255.1/32", "fd00:ffff::1/128")), Router()

    left = Link(h1, r1)
    middle = Link(r1, r2)
    right = Link(r2, h2)
    six = Link(
        h3.interface("eth0", "2001:db8::3/64", auto_addresses=False),
        r1.interface("six", "2001:db8::1/64", auto_addresses=False),
    )

    web = HttpServer(h2, port=80)
