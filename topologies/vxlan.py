"""One network over another: two hosts far apart share an Ethernet, whose frames travel inside UDP packets (VXLAN).

    h1 ──── r1 ──── r2 ──── h2
     ╰╌╌╌╌╌╌ vxlan10 ╌╌╌╌╌╌╯

Try in its shell:

    h1 ip -d link show vxlan10         the tunnel's endpoints, and its MTU: 50 bytes less than 1500
    h1 ping -c1 -I vxlan10 h2          a neighbor, though two routers are between
    r1 tcpdump -c2 -ni eth0 udp        the same packets, as the routers see them
    h1 ip neigh show dev vxlan10       ARP works through it
"""

from pynetemu import Host, Link, Router, Topology, Vxlan


class Overlay(Topology):
    h1, h2 = Host(), Host()
    r1, r2 = Router(), Router()
    links = Link(h1, r1)
    middle = Link(r1, r2)
    last = Link(r2, h2)

    overlay = Vxlan(h1.interface(None, "192.168.10.1/24"), h2.interface(None, "192.168.10.2/24"), id=10)
