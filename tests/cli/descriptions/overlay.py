"""Bridges inside hosts, a tunnel between them, and macvlans, to be printed as a script."""

from pynetemu import Bridge, Host, Link, Macvlan, Root, Router, Topology, Vxlan


class Overlay(Topology):
    m1, m2 = Host(), Router()
    wire = Link(m1, m2)
    b1, b2 = Bridge(m1, None, "172.18.0.1/16"), Bridge(m2, "docker0", "172.18.0.2/16", "fd00:18::1/64")
    c1, c2, c3, c4 = Host(), Host(), Host(), Host()
    w1, w2 = Link(b1.port("veth1"), c1), Link(c2, b2)
    over = Vxlan(b1, b2, id=5)

    root = Root()
    up = m1.interface("up", auto_addresses=False)
    other = Link(up, c4)
    on_up, second, in_root = Macvlan(up, c3), Macvlan(up, m1, name="mine", mode="private"), Macvlan(up, root)
