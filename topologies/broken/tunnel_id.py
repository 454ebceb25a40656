"""Both ends of the tunnel are up, and nothing comes through. Why?

    r1 ── r2, and a VXLAN tunnel between them

Try in its shell:

    trace r1 ping -c1 -W0.3 172.16.0.2

By hand: `r1 ip -d link show vx` and `r2 ip -d link show vx`: the ids differ.
"""

from pynetemu import Link, Router, Service, Topology, finished


class TunnelId(Topology):
    r1, r2 = Router(), Router()
    wire = Link(r1.interface("eth0", "10.0.9.1/30"), r2.interface("eth0", "10.0.9.2/30"))
    # Two people have made one end each.
    here = Service(
        r1,
        "ip link add vx type vxlan id 10 remote 10.0.9.2 dstport 4789 dev eth0"
        " && ip addr add 172.16.0.1/24 dev vx && ip link set vx up",
        ready=finished(),
    )
    there = Service(
        r2,
        "ip link add vx type vxlan id 11 remote 10.0.9.1 dstport 4789 dev eth0"
        " && ip addr add 172.16.0.2/24 dev vx && ip link set vx up",
        ready=finished(),
    )
