"""Two sites over WireGuard: networks behind address translation, joined by an encrypted tunnel through the internet.

    h1 ──── gw1 ──── internet ──── gw2 ──── h2
             ╰╌╌╌╌╌╌╌╌╌ wg0 ╌╌╌╌╌╌╌╌╌╯

Try in its shell:

    h1 ping -c1 h2                        through the tunnel
    h1 traceroute -n h2                   three hops: the internet's router is not seen
    internet tcpdump -c2 -ni eth0 udp     what it sees: UDP, and nothing inside to be read
    gw1 wg show                           keys, which are new each time, and the peer
    internet ping -c1 -W1 10.200.1.1      from outside there is no way in

It needs a kernel with WireGuard, which Debian's, Ubuntu's and Fedora's are; `pynetemu doctor` tells.
"""

from pynetemu import Host, HttpServer, Link, Nat, Router, Topology, WireGuard


class Sites(Topology):
    h1, h2 = Host(), Host()
    gw1, internet, gw2 = Router(), Router(), Router()

    lan1, lan2 = Link(h1, gw1), Link(h2, gw2)
    wan1 = Link(gw1.interface("wan", "198.51.100.2/30"), internet.interface("eth0", "198.51.100.1/30"))
    wan2 = Link(gw2.interface("wan", "203.0.113.2/30"), internet.interface("eth1", "203.0.113.1/30"))
    nat1, nat2 = Nat(gw1, outside=wan1), Nat(gw2, outside=wan2)

    tunnel = WireGuard(gw1, gw2)

    h2_page = HttpServer(h2, port=80)
