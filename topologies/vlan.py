"""Two VLANs on two switches, joined by a trunk, and a router on a stick between them.

    h1 (VLAN 10) ── s1 ══ trunk ══ s2 ── h3 (VLAN 10)
    h2 (VLAN 20) ──┘ ║             └──── h4 (VLAN 20)
                     r1

Try in its shell:

    h1 ping -c1 h3                     both are in VLAN 10
    h1 traceroute -n h2                another VLAN: over the router
    s1 bridge vlan                     each port's VLANs
    s1 tcpdump -c2 -eni s2             the frames on the trunk have tags

It needs a kernel with VLAN filtering and 802.1Q, which Debian's, Ubuntu's and Fedora's are; `pynetemu doctor` tells.
"""

from pynetemu import Host, Link, Router, Switch, Topology


class Vlans(Topology):
    s1, s2 = Switch(), Switch()
    h1, h2, h3, h4 = Host(), Host(), Host(), Host()
    r1 = Router()

    a, b = Link(h1, s1.port(vlan=10)), Link(h2, s1.port(vlan=20))
    c, d = Link(h3, s2.port(vlan=10)), Link(h4, s2.port(vlan=20))
    trunk = Link(s1.port(trunk=[10, 20]), s2.port(trunk=[10, 20]))

    stick = r1.interface("eth0", auto_addresses=False)
    stick10, stick20 = stick.vlan(10), stick.vlan(20)
    up = Link(stick, s1.port(trunk=[10, 20]))
