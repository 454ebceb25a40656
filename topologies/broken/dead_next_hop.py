"""Half of blue's pages come, the others do not. Why?

    blue ── r1 ── r2 ── web

Try in its shell:

    trace blue sh -c 'for i in $(seq 12); do curl -s --connect-timeout 0.5 -o /dev/null http://web/ || exit 1; done'

By hand: `r1 ip route` shows two next hops, and `r1 ip neigh` that one of them is FAILED or INCOMPLETE.
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished


class DeadNextHop(Topology):
    blue, web = Host(), Host()
    r1, r2 = Router(), Router()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24")),
        Link(r1.interface("eth1", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30")),
        Link(r2.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24")),
    )
    page = HttpServer(web, port=80)
    # One of two equal paths leads to a router that has been switched off.
    both = Service(
        r1,
        "sysctl -qw net.ipv4.fib_multipath_hash_policy=1"
        " && ip route replace 10.0.2.0/24 nexthop via 10.0.9.2 dev eth1 nexthop via 10.0.1.99 dev eth0",
        ready=finished(),
    )
